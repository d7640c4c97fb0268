// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>

#include "base/log.h"
#include "test.h"

#define MESSAGES 2000

static char fill[1000];

/* Whoever reads stderr does not: the messages that it takes are whole, and the others are told. */
static void check_stalled(int writer, int reader)
{
	int taken = 0, number;
	unsigned long long dropped;
	char line[2000];
	FILE *stream;

	memset(fill, 'x', sizeof(fill) - 1);
	CHECK(dup2(writer, STDERR_FILENO) == STDERR_FILENO);
	for (int i = 0; i < MESSAGES; i++)
		log_error("%d %s", i, fill); /* would hang here */
	CHECK_EQUAL(fcntl(reader, F_SETFL, O_NONBLOCK), 0);
	stream = fdopen(reader, "r");
	while (fgets(line, sizeof(line), stream)) {
		CHECK_SAYING(sscanf(line, "netlog: %d xxx", &number) == 1, "%s", line);
		CHECK_EQUAL(number, taken++);
		CHECK_EQUAL(strlen(line),
			    strlen(fill) + (size_t)snprintf(NULL, 0, "netlog: %d \n", number));
	}
	CHECK(taken > 0 && taken < MESSAGES);
	clearerr(stream);
	log_info("again");
	CHECK(fgets(line, sizeof(line), stream));
	CHECK_SAYING(sscanf(line, "netlog: %llu messages were dropped", &dropped) == 1, "%s", line);
	CHECK_EQUAL(dropped + (unsigned long long)taken, MESSAGES);
	CHECK(fgets(line, sizeof(line), stream));
	CHECK_TEXT(line, "netlog: again\n");
	log_info("and again");
	CHECK(fgets(line, sizeof(line), stream));
	CHECK_TEXT(line, "netlog: and again\n");
	fclose(stream);
}

TEST(a_pipe_that_nobody_reads_costs_counted_messages)
{
	int fds[2];

	CHECK(pipe(fds) == 0);
	check_stalled(fds[1], fds[0]);
	CHECK(!(fcntl(STDERR_FILENO, F_GETFL) & O_NONBLOCK)); /* it is others', too */
}

TEST(a_pipe_that_cannot_be_opened_anew_is_not_waited_for_either)
{
	int fds[2];

	CHECK(pipe(fds) == 0);
	CHECK(fchmod(fds[1], 0) == 0);
	if (geteuid() == 0)
		CHECK(setuid(65534) == 0);
	check_stalled(fds[1], fds[0]);
}

/* As the journal's stream is. */
TEST(a_socket_that_nobody_reads_costs_counted_messages)
{
	int fds[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	check_stalled(fds[1], fds[0]);
}

/* It may cut the last message that it takes. */
TEST(a_terminal_that_is_stopped_is_not_waited_for)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY), slave;
	char line[4000] = "";
	size_t length = 0;
	ssize_t n;

	CHECK(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	CHECK(slave >= 0 && dup2(slave, STDERR_FILENO) == STDERR_FILENO);
	CHECK_EQUAL(tcflow(slave, TCOOFF), 0); /* Ctrl-S */
	memset(fill, 'x', sizeof(fill) - 1);
	for (int i = 0; i < MESSAGES; i++)
		log_error("%d %s", i, fill);
	CHECK_EQUAL(tcflow(slave, TCOON), 0);
	CHECK_EQUAL(fcntl(master, F_SETFL, O_NONBLOCK), 0);
	while (read(master, line, sizeof(line)) > 0)
		;
	log_info("again");
	while ((n = read(master, line + length, sizeof(line) - 1 - length)) > 0)
		length += (size_t)n;
	line[length] = 0;
	CHECK_SAYING(strstr(line, "messages were dropped") && strstr(line, "\nnetlog: again\r\n"),
		     "%s", line);
}

TEST(what_was_dropped_is_told_at_the_end)
{
	char line[200] = "";
	int fds[2];

	CHECK(pipe(fds) == 0);
	CHECK(dup2(fds[1], STDERR_FILENO) == STDERR_FILENO);
	memset(fill, 'x', sizeof(fill) - 1);
	for (int i = 0; i < MESSAGES; i++)
		log_error("%d %s", i, fill);
	CHECK_EQUAL(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
	while (read(fds[0], line, 100) > 0)
		;
	log_close();
	CHECK(read(fds[0], line, sizeof(line) - 1) > 0);
	CHECK_SAYING(strstr(line, "messages were dropped"), "%s", line);
	log_close();
	CHECK(read(fds[0], line, sizeof(line)) < 0);
}

/* What a message quotes may be anybody's: a terminal must not take it for a command. */
TEST(no_control_character_reaches_a_terminal)
{
	char line[200] = "", text[200] = "", expected[200] = "";
	size_t length = 0;
	int fds[2];
	ssize_t n;

	CHECK(pipe(fds) == 0);
	CHECK(dup2(fds[1], STDERR_FILENO) == STDERR_FILENO);
	for (char c = 1; c < ' '; c++)
		text[length++] = c;
	strcpy(text + length, "\x7f\xc2\x9b\xc2\x80 \xc3\xa9\xc2\xa0~\"\\\xff\xed\xa0\x80\xc2");
	memset(expected, '?', length + 5);
	strcpy(expected + length + 5, " \xc3\xa9\xc2\xa0~\"\\?"
				      "???"
				      "?\n");
	log_warning("%s", text);
	n = read(fds[0], line, sizeof(line) - 1);
	CHECK(n > 0);
	CHECK(!strncmp(line, "netlog: ", 8));
	CHECK_TEXT(line + 8, expected);
}

TEST(a_message_is_no_longer_than_a_pipe_takes_at_once)
{
	static char text[100000];
	char line[5000] = "";
	int fds[2];

	CHECK(pipe(fds) == 0);
	CHECK(dup2(fds[1], STDERR_FILENO) == STDERR_FILENO);
	memset(text, 'x', sizeof(text) - 1);
	log_info("%s", text);
	CHECK_EQUAL(read(fds[0], line, sizeof(line)), 8 + 2000 + 1);
	CHECK(!strcmp(line + 8 + 2000 - 4, "x...\n"));
	/* nor cut within a character */
	for (size_t i = 0; i + 2 < sizeof(text); i += 2)
		memcpy(text + i, "\xc3\xa9", 2);
	log_info("%s", text);
	CHECK_EQUAL(read(fds[0], line, sizeof(line)), 8 + 1999 + 1);
	CHECK(!memcmp(line + 8 + 1999 - 5, "\xc3\xa9...\n", 6));
}

/* As ulimit -f has it; a message that is lost there is none to end for. */
TEST(a_file_at_its_limit_costs_messages)
{
	const struct rlimit limit = { 1000, RLIM_INFINITY };
	FILE *file = tmpfile();
	char line[200];

	signal(SIGXFSZ, SIG_IGN);
	CHECK(file && dup2(fileno(file), STDERR_FILENO) == STDERR_FILENO);
	CHECK_EQUAL(setrlimit(RLIMIT_FSIZE, &limit), 0);
	for (int i = 0; i < 100; i++)
		log_info("a message that has some sixty bytes, and there are a hundred of them");
	CHECK(lseek(fileno(file), 0, SEEK_END) == 1000);
	CHECK(ftruncate(fileno(file), 0) == 0 && lseek(fileno(file), 0, SEEK_SET) == 0);
	log_info("again");
	rewind(file);
	CHECK(fgets(line, sizeof(line), file));
	CHECK(fgets(line, sizeof(line), file) && strstr(line, "messages were dropped"));
	fclose(file);
}
