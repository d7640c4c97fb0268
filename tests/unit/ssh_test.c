// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * SSH_CONNECTION: what it says, and where it is found.
 */
#include "host/ssh.h"

#include <errno.h>
#include <limits.h>
#include <sys/stat.h>

#include "base/util.h"
#include "bpf/filter_match.h"
#include "settings/settings.h"
#include "test.h"

static const struct {
	const char *given;
	const char *told; /* NULL: refused */
} forms[] = {
	{ "192.0.2.1 50022 192.0.2.2 22", "192.0.2.1 50022 192.0.2.2 22" },
	{ "2001:db8::1 1 2001:db8::2 65535", "2001:db8::1 1 2001:db8::2 65535" },
	{ "fe80::1%eth0 50022 fe80::2%eth0.5 22", "fe80::1 50022 fe80::2 22" },
	{ "::ffff:192.0.2.1 50022 ::ffff:192.0.2.2 22", "192.0.2.1 50022 192.0.2.2 22" },
	{ "::ffff:192.0.2.1 50022 192.0.2.2 22", "192.0.2.1 50022 192.0.2.2 22" },
	{ "", NULL },
	{ " ", NULL },
	{ "192.0.2.1 50022 192.0.2.2", NULL },
	{ "192.0.2.1 50022 192.0.2.2 22 ", NULL },
	{ "192.0.2.1 50022 192.0.2.2 22 23", NULL },
	{ "192.0.2.1  50022 192.0.2.2 22", NULL },
	{ " 192.0.2.1 50022 192.0.2.2 22", NULL },
	{ "192.0.2.1 0 192.0.2.2 22", NULL },
	{ "192.0.2.1 65536 192.0.2.2 22", NULL },
	{ "192.0.2.1 -5 192.0.2.2 22", NULL },
	{ "192.0.2.1 50022 192.0.2.2 ssh", NULL },
	{ "192.0.2.1 50022 2001:db8::2 22", NULL },
	{ "192.0.2.1%eth0 50022 192.0.2.2 22", NULL },
	{ "192.0.2.256 50022 192.0.2.2 22", NULL },
	{ "%eth0 50022 fe80::2 22", NULL },
	{ "UNKNOWN 65535 UNKNOWN 65535", NULL },
	{ "192.0.2.1 50022 192.0.2.2 22\n", NULL },
};

TEST(both_ends_are_read_and_told_again)
{
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		struct ssh_connection connection = { .ip_version = 99 };
		char text[SSH_TEXT_MAX];
		int r = ssh_connection_parse(forms[i].given, &connection);

		CHECK_SAYING(r == (forms[i].told ? 0 : -EINVAL), "'%s': %d", forms[i].given, r);
		if (!forms[i].told) {
			CHECK_EQUAL(connection.ip_version, 99);
			continue;
		}
		ssh_connection_text(&connection, text);
		CHECK_TEXT(text, forms[i].told);
	}
}

TEST(the_longest_address_fits)
{
	const char *longest = "2001:db80:1111:2222:3333:4444:5555:6666 65535 "
			      "2001:db80:1111:2222:3333:4444:5555:7777 65535";
	struct ssh_connection connection;
	char text[SSH_TEXT_MAX], huge[4096];

	CHECK(ssh_connection_parse(longest, &connection) == 0);
	ssh_connection_text(&connection, text);
	CHECK_TEXT(text, longest);
	memset(huge, '1', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = 0;
	CHECK_EQUAL(ssh_connection_parse(huge, &connection), -EINVAL);
}

/* Any bytes: an answer, and nothing that the sanitizers would see. */
TEST(damaged_text_is_taken_or_refused)
{
	uint64_t state = 5;
	int taken = 0;

	for (int i = 0; i < 50000; i++) {
		char text[64], *copy;
		struct ssh_connection connection;

		strcpy(text, forms[i % 5].given);
		for (int k = 0; k < i % 3; k++)
			text[test_random(&state) % strlen(text)] =
				"0123456789.: %\xff\x01"[test_random(&state) % 16];
		copy = strdup(text); /* so that one byte too far is seen */
		CHECK(copy);
		taken += ssh_connection_parse(copy, &connection) == 0;
		free(copy);
	}
	CHECK_SAYING(taken > 10000 && taken < 50000, "%d", taken);
}

/* ---- ancestors: a /proc of our own */

static char proc[] = "/tmp/ssh_test.XXXXXX";

static void file_put(const char *pid, const char *name, const void *bytes, size_t size)
{
	char path[PATH_MAX];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", proc, pid);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/%s/%s", proc, pid, name);
	file = fopen(path, "w");
	CHECK(file && fwrite(bytes, 1, size, file) == size);
	fclose(file);
}

/* A process: the sizes of strings with NULs in them are those of the arrays. */
#define PROCESS(pid, stat, environ)                                     \
	do {                                                            \
		file_put(pid, "stat", stat, strlen(stat));              \
		file_put(pid, "environ", environ, sizeof(environ) - 1); \
	} while (0)

static void proc_remove(void)
{
	char command[PATH_MAX];

	snprintf(command, sizeof(command), "rm -rf %s", proc);
	CHECK(system(command) == 0);
}

static void proc_make(void)
{
	CHECK(mkdtemp(proc));
	atexit(proc_remove);
}

#define A "192.0.2.1 50022 192.0.2.2 22"
#define B "192.0.2.3 50023 192.0.2.2 22"

/* The session that is found, as text; "": none */
static const char *found(const char *own)
{
	static char text[SSH_TEXT_MAX];
	struct ssh_connection connection;

	if (ssh_connection_find(own, proc, &connection) < 0)
		return "";
	ssh_connection_text(&connection, text);
	return text;
}

TEST(the_own_environment_comes_first_and_the_nearest_ancestor_next)
{
	proc_make();
	PROCESS("self", "30 (netlog) S 20 30 20", "PATH=/bin\0LANG=C\0");
	PROCESS("20", "20 (sudo) S 10 20 20", "TERM=x\0SSH_CONNECTION=" A "\0HOME=/\0");
	PROCESS("10", "10 (bash) S 1 10 10", "SSH_CONNECTION=" B "\0");
	PROCESS("1", "1 (init) S 0 1 1", "");
	CHECK_TEXT(found(NULL), A);
	CHECK_TEXT(found(B), B);
	CHECK_TEXT(found("UNKNOWN 65535 UNKNOWN 65535"), A);
	PROCESS("20", "20 (sudo) S 10 20 20", "TERM=x\0");
	CHECK_TEXT(found(NULL), B);
	PROCESS("10", "10 (bash) S 1 10 10", "TERM=x\0");
	CHECK_TEXT(found(NULL), "");
}

TEST(a_name_may_look_like_what_follows_it)
{
	proc_make();
	PROCESS("self", "30 (a) S 77 (b\n) S 78 ) S 20 30 20", "");
	PROCESS("20", "20 (x)", "SSH_CONNECTION=" A "\0");
	PROCESS("77", "77 (x) S 1", "SSH_CONNECTION=" B "\0");
	PROCESS("78", "78 (x) S 1", "SSH_CONNECTION=" B "\0");
	CHECK_TEXT(found(NULL), A);
}

TEST(hostile_environments_are_passed_over)
{
	static char large[SSH_ENVIRON_MAX + 64];
	static const char tail[] = "\0SSH_CONNECTION=" A;

	proc_make();
	/* not the variable: within another, a longer name, no value, cut, without its end */
	PROCESS("self", "9 (n) S 8 1", "X=SSH_CONNECTION=" B "\0MY_SSH_CONNECTION=" B "\0");
	PROCESS("8", "8 (n) S 7 1",
		"SSH_CONNECTION_2=" B "\0SSH_CONNECTION\0SSH_CONNECTION=\0\0\0");
	PROCESS("7", "7 (n) S 6 1",
		"\xff\x1b[2J\0SSH_CONNECTION=192.0.2.3 \xff\0=\0SSH_CONNECTION=" B);
	PROCESS("6", "6 (n) S 5 1", "");
	memset(large, 'x', sizeof(large));
	memcpy(large + sizeof(large) - sizeof(tail), tail, sizeof(tail));
	file_put("6", "environ", large, sizeof(large));
	PROCESS("5", "5 (n) S 4 1", "\0\0SSH_CONNECTION=" A "\0");
	CHECK_TEXT(found(NULL), A);
}

TEST(the_walk_ends)
{
	char pid[16], stat[64];

	proc_make();
	CHECK_TEXT(found(NULL), "");	    /* nothing there at all */
	PROCESS("self", "5 (n) S 5 1", ""); /* in circles */
	PROCESS("5", "5 (n) S 5 1", "");
	CHECK_TEXT(found(NULL), "");
	PROCESS("self", "5 (n", ""); /* no parent to be seen */
	CHECK_TEXT(found(NULL), "");
	PROCESS("self", "5 (n) S -4 1", "");
	CHECK_TEXT(found(NULL), "");
	/* SSH_PARENTS_MAX are asked, and no more */
	PROCESS("self", "99 (n) S 100 1", "");
	for (int i = 1; i <= SSH_PARENTS_MAX + 1; i++) {
		snprintf(pid, sizeof(pid), "%d", 99 + i);
		snprintf(stat, sizeof(stat), "%d (n) S %d 1", 99 + i, 100 + i);
		PROCESS(pid, stat, "");
	}
	file_put(pid, "environ", "SSH_CONNECTION=" A, sizeof("SSH_CONNECTION=" A));
	CHECK_TEXT(found(NULL), "");
	snprintf(pid, sizeof(pid), "%d", 99 + SSH_PARENTS_MAX);
	file_put(pid, "environ", "SSH_CONNECTION=" A, sizeof("SSH_CONNECTION=" A));
	CHECK_TEXT(found(NULL), A);
}

/* ---- into the filter */

static struct flow flow_of(const struct ssh_connection *connection, int src)
{
	struct flow flow = { .ip_version = (uint8_t)connection->ip_version,
			     .proto = 6,
			     .has_ports = true,
			     .src_port = connection->ports[src],
			     .dest_port = connection->ports[!src] };

	memcpy(flow.src.bytes, connection->addresses[src], 16);
	memcpy(flow.dest.bytes, connection->addresses[!src], 16);
	return flow;
}

TEST(the_filter_refuses_that_connection_in_both_directions_and_no_other)
{
	static const char *const lines[] = { A, "fd77::1 50022 fd77::2 22" };
	static struct options options;
	struct ssh_connection connection;
	const struct filter *filter = &options.kernel.filters.filter;

	settings_default(&options, false);
	CHECK_EQUAL(filter->active, 0);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		CHECK(ssh_connection_parse(lines[i], &connection) == 0);
		CHECK(settings_set_ssh(&options, &connection));
		CHECK(filter->active); /* else its code is left out of the programs */
		for (int src = 0; src < 2; src++) {
			struct flow flow = flow_of(&connection, src), other = flow;

			CHECK(!filter_takes_flow(filter, &flow));
			other.src_port++;
			CHECK(filter_takes_flow(filter, &other));
			other = flow;
			other.dest_port++;
			CHECK(filter_takes_flow(filter, &other));
			other.src_port = flow.dest_port; /* ports swapped, addresses not */
			other.dest_port = flow.src_port;
			CHECK(filter_takes_flow(filter, &other));
			for (int byte = 0; byte < 16; byte++) {
				other = flow;
				other.src.bytes[byte] ^= 1;
				CHECK(filter_takes_flow(filter, &other));
				other = flow;
				other.dest.bytes[byte] ^= 0x80;
				CHECK(filter_takes_flow(filter, &other));
			}
			other = flow;
			other.proto = 17;
			CHECK(filter_takes_flow(filter, &other));
			other = flow;
			other.ip_version ^= 2; /* 4 and 6 */
			CHECK(filter_takes_flow(filter, &other));
		}
	}
	options.include_ssh = true;
	CHECK(!settings_set_ssh(&options, &connection));
	CHECK_EQUAL(filter->active, 0);
	options.include_ssh = false;
	CHECK(!settings_set_ssh(&options, &(struct ssh_connection){}));
	CHECK_EQUAL(filter->active, 0);
}
