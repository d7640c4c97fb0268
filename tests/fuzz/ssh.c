// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * ssh.c - fuzz target: the connection of the ssh session, in our own variable or an ancestor's, and
 * that nothing but this connection is left out. The input is our variable, and then each process'
 * environ and stat of a proc(5) that is made of it, with a byte 0xff after each.
 *
 * options: -max_len=1024
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <limits.h>
#include <regex.h>

#include "directory.h"
#include "filter/filter.h"
#include "host/ssh.h"

#define PROCESSES 3
#define SEPARATOR 0xff

/* By their directories: netlog itself, its parent or not, and another one. */
static const char *const directories[PROCESSES] = { "self", "2", "3" };

struct process {
	char *environ, *stat;
	size_t environ_length, stat_length;
};

/* ---- the model ---- */

static bool address_read(const char *text, struct ssh_connection *connection, int end)
{
	char copy[SSH_TEXT_MAX], *zone;
	uint8_t bytes[16] = {};

	strcpy(copy, text);
	zone = strchr(copy, '%');
	connection->ip_version = 4;
	if (inet_pton(AF_INET, copy, connection->addresses[end]) == 1)
		return true;
	connection->ip_version = 6;
	if (zone)
		*zone = 0;
	if (inet_pton(AF_INET6, copy, bytes) != 1)
		return false;
	memcpy(connection->addresses[end], bytes, sizeof(bytes));
	if (IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)bytes)) {
		connection->ip_version = 4;
		memset(connection->addresses[end], 0, sizeof(bytes));
		memcpy(connection->addresses[end], bytes + 12, 4);
	}
	return true;
}

static bool expected_parse(const char *text, struct ssh_connection *ret_connection)
{
	static regex_t form;
	static bool compiled;
	unsigned int versions[2];
	regmatch_t words[5]; /* the whole, and an address and a port of each end */

	if (!compiled)
		CHECK_EQUAL(regcomp(&form, "^([^ ]+) ([0-9]+) ([^ ]+) ([0-9]+)$", REG_EXTENDED), 0);
	compiled = true;
	*ret_connection = (struct ssh_connection){};
	if (strlen(text) >= SSH_TEXT_MAX || regexec(&form, text, 5, words, 0) != 0)
		return false;
	for (int end = 0; end < 2; end++) {
		const regmatch_t *address = &words[1 + 2 * end];
		unsigned long port = strtoul(text + words[2 + 2 * end].rm_so, NULL, 10);
		char copy[SSH_TEXT_MAX] = "";

		memcpy(copy, text + address->rm_so, (size_t)(address->rm_eo - address->rm_so));
		if (!port || port > UINT16_MAX || !address_read(copy, ret_connection, end))
			return false;
		ret_connection->ports[end] = (uint16_t)port;
		versions[end] = ret_connection->ip_version;
	}
	return versions[0] == versions[1];
}

static bool expected_in_environ(const struct process *process,
				struct ssh_connection *ret_connection)
{
	const char *end = process->environ + process->environ_length;

	for (const char *p = process->environ; p + strlen(p) < end; p += strlen(p) + 1)
		if (!strncmp(p, "SSH_CONNECTION=", 15) && expected_parse(p + 15, ret_connection))
			return true;
	return false;
}

/* By its number among the processes; PROCESSES: one that has no directory, or none. */
static unsigned int expected_parent(const struct process *process)
{
	const char *name_end = memrchr(process->stat, ')', process->stat_length);
	static regex_t form;
	static bool compiled;
	regmatch_t matches[2];
	unsigned long parent;

	if (!compiled)
		CHECK_EQUAL(regcomp(&form, "^\\)...([0-9]+)( .*)?$", REG_EXTENDED), 0);
	compiled = true;
	if (!name_end || regexec(&form, name_end, 2, matches, 0) != 0)
		return PROCESSES;
	parent = strtoul(name_end + matches[1].rm_so, NULL, 10);
	return parent == 2 || parent == 3 ? (unsigned int)parent - 1 : PROCESSES;
}

static bool expected_find(const char *own, const struct process *processes,
			  struct ssh_connection *ret_connection)
{
	unsigned int i = 0;

	if (expected_parse(own, ret_connection))
		return true;
	for (int looked = 0; i < PROCESSES && looked <= SSH_PARENTS_MAX; looked++) {
		if (expected_in_environ(&processes[i], ret_connection))
			return true;
		i = expected_parent(&processes[i]);
	}
	return false;
}

/* ---- a proc(5) ---- */

/* Files stay open, which is quicker than to make them anew. */
static void file_write(unsigned int i, const char *name, const char *bytes, size_t length)
{
	static int fds[PROCESSES][2]; /* 0: not made yet */
	int *fd = &fds[i][name[0] == 's'];
	char path[96];

	if (!*fd) {
		snprintf(path, sizeof(path), "%s/%s/%s", directory, directories[i], name);
		*fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	}
	CHECK(*fd > 0);
	CHECK_EQUAL(pwrite(*fd, bytes, length, 0), length);
	CHECK_EQUAL(ftruncate(*fd, (off_t)length), 0);
}

static void proc_make(const struct process *processes)
{
	const bool new = directory_make();
	char path[96];

	for (unsigned int i = 0; i < PROCESSES; i++) {
		snprintf(path, sizeof(path), "%s/%s", directory, directories[i]);
		CHECK(!new || mkdir(path, 0700) == 0);
		file_write(i, "environ", processes[i].environ, processes[i].environ_length);
		file_write(i, "stat", processes[i].stat, processes[i].stat_length);
	}
}

/* ---- what is done with it ---- */

static void check_same(const char *text, bool found, const struct ssh_connection *connection,
		       bool expected, const struct ssh_connection *wanted)
{
	CHECK_SAYING(found == expected, "'%s': found %d, expected %d", text, found, expected);
	if (!found)
		return;
	CHECK_EQUAL(connection->ip_version, wanted->ip_version);
	CHECK(!memcmp(connection->ports, wanted->ports, sizeof(wanted->ports)));
	CHECK(!memcmp(connection->addresses, wanted->addresses, sizeof(wanted->addresses)));
}

static bool is_taken(const struct filter_set *set, const struct ssh_connection *connection,
		     int from, uint16_t port, uint8_t proto)
{
	static const char *const names[NAMED_NUMBERS_MAX];
	struct event event = { .header.type = event_rtt, .header.has = UINT64_MAX };

	event.ip_version = (uint8_t)connection->ip_version;
	event.proto = proto;
	memcpy(event.src_ip.bytes, connection->addresses[from], 16);
	memcpy(event.dest_ip.bytes, connection->addresses[!from], 16);
	event.src_port = connection->ports[from];
	event.dest_port = port;
	return filter_takes_event(set, &event, names);
}

/* It is told as it is read, and left out in both directions; its neighbours stay. */
static void check_connection(const struct ssh_connection *connection)
{
	static struct filter_set set = { .elsewhere = true };
	struct ssh_connection again;
	char text[SSH_TEXT_MAX];

	ssh_connection_text(connection, text);
	CHECK_SAYING(ssh_connection_parse(text, &again) == 0, "'%s'", text);
	check_same(text, true, &again, true, connection);
	filter_exclude(&set, connection);
	for (int from = 0; from < 2; from++) {
		const uint16_t port = connection->ports[!from];

		CHECK(!is_taken(&set, connection, from, port, IPPROTO_TCP));
		CHECK(is_taken(&set, connection, from, port ^ 1, IPPROTO_TCP) ||
		      !memcmp(connection->addresses[0], connection->addresses[1], 16));
		CHECK(is_taken(&set, connection, from, port, IPPROTO_UDP));
	}
	filter_exclude(&set, NULL);
	CHECK(is_taken(&set, connection, 0, connection->ports[1], IPPROTO_TCP));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct input input = { bytes, size };
	struct process processes[PROCESSES];
	_cleanup_free_ char *own = input_until(&input, SEPARATOR, NULL);
	struct ssh_connection connection = {}, wanted = {};
	bool found, expected;

	for (unsigned int i = 0; i < PROCESSES; i++) {
		struct process *process = &processes[i];

		process->environ = input_until(&input, SEPARATOR, &process->environ_length);
		process->stat = input_until(&input, SEPARATOR, &process->stat_length);
	}
	proc_make(processes);
	found = ssh_connection_parse(own, &connection) == 0;
	expected = expected_parse(own, &wanted);
	check_same(own, found, &connection, expected, &wanted);
	found = ssh_connection_find(*own ? own : NULL, directory, &connection) == 0;
	expected = expected_find(own, processes, &wanted);
	check_same(own, found, &connection, expected, &wanted);
	if (found)
		check_connection(&connection);
	for (unsigned int i = 0; i < PROCESSES; i++) {
		free(processes[i].environ);
		free(processes[i].stat);
	}
	return 0;
}
