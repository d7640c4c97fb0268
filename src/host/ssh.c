// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "host/ssh.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/util.h"
#include "host/proc.h"

#define VARIABLE "SSH_CONNECTION="
#define PORT_MAX 65535
#define STAT_MAX 4096 /* a line of numbers, and a name of 64 bytes at the most */
#define PID_TEXT_MAX 24

/* ---- the variable ---- */

static int parse_address(char *text, unsigned int *ret_version, uint8_t ret_bytes[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	uint8_t bytes[16] = {};
	bool ipv6 = strchr(text, ':');

	if (ipv6)
		text[strcspn(text, "%")] = 0;
	if (inet_pton(ipv6 ? AF_INET6 : AF_INET, text, bytes) != 1)
		return -EINVAL;
	if (ipv6 && !memcmp(bytes, mapped, sizeof(mapped))) {
		memmove(bytes, bytes + sizeof(mapped), 4);
		memset(bytes + 4, 0, sizeof(mapped));
		ipv6 = false;
	}
	memcpy(ret_bytes, bytes, sizeof(bytes));
	*ret_version = ipv6 ? 6 : 4;
	return 0;
}

int ssh_connection_parse(const char *text, struct ssh_connection *ret_connection)
{
	struct ssh_connection connection = {};
	unsigned int versions[2] = {};
	char copy[SSH_TEXT_MAX], *rest = copy;

	if (strlen(text) >= sizeof(copy))
		return -EINVAL;
	strcpy(copy, text);
	for (int end = 0; end < 2; end++) {
		char *address = strsep(&rest, " "), *port = strsep(&rest, " ");
		uint64_t number;

		if (!address || !port || parse_u64(port, &number) < 0 || !number ||
		    number > PORT_MAX ||
		    parse_address(address, &versions[end], connection.addresses[end]) < 0)
			return -EINVAL;
		connection.ports[end] = (uint16_t)number;
	}
	if (rest || versions[0] != versions[1])
		return -EINVAL;
	connection.ip_version = versions[0];
	*ret_connection = connection;
	return 0;
}

void ssh_connection_text(const struct ssh_connection *connection, char ret_text[SSH_TEXT_MAX])
{
	const int family = connection->ip_version == 4 ? AF_INET : AF_INET6;
	char ends[2][INET6_ADDRSTRLEN] = {};

	for (int end = 0; end < 2; end++)
		inet_ntop(family, connection->addresses[end], ends[end], sizeof(ends[end]));
	snprintf(ret_text, SSH_TEXT_MAX, "%s %u %s %u", ends[0], connection->ports[0], ends[1],
		 connection->ports[1]);
}

/* ---- the ancestors ---- */

/* Search NUL-terminated strings. The last may be cut off: only a string with its NUL counts. */
static int environ_find(const char *bytes, size_t length, struct ssh_connection *ret_connection)
{
	const char *end;

	for (; (end = memchr(bytes, 0, length));
	     length -= (size_t)(end + 1 - bytes), bytes = end + 1)
		if (!strncmp(bytes, VARIABLE, strlen(VARIABLE)) &&
		    !ssh_connection_parse(bytes + strlen(VARIABLE), ret_connection))
			return 0;
	return -ENOENT;
}

/*
 * Parse PID (NAME) STATE PPID ...: proc_pid_stat(5). The name may contain blanks, parentheses and
 * newlines, but nothing after it contains a parenthesis. 0: no parent, or none that we may see.
 */
static unsigned int stat_parent(const char *bytes, size_t length)
{
	const char *name_end = memrchr(bytes, ')', length);
	char number[PID_TEXT_MAX] = "";
	uint64_t parent;

	if (!name_end || strlen(name_end) <= strlen(") S "))
		return 0;
	name_end += strlen(") S ");
	snprintf(number, sizeof(number), "%.*s", (int)strcspn(name_end, " "), name_end);
	return parse_u64(number, &parent) == 0 && parent <= UINT_MAX ? (unsigned int)parent : 0;
}

int ssh_connection_find(const char *own, const char *proc, struct ssh_connection *ret_connection)
{
	_cleanup_free_ char *bytes = NULL;
	char pid[PID_TEXT_MAX] = "self", stat[STAT_MAX + 1];
	_cleanup_close_ int root = -1;

	if (own && ssh_connection_parse(own, ret_connection) == 0)
		return 0;
	root = open(proc, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return -ENOENT;
	bytes = malloc(SSH_ENVIRON_MAX);
	if (!bytes)
		return -ENOMEM;
	for (int i = 0; i <= SSH_PARENTS_MAX; i++) {
		/* both files are opened below it, so they belong to one process */
		_cleanup_close_ int directory = openat(root, pid, O_PATH | O_DIRECTORY | O_CLOEXEC);
		unsigned int parent = 0;
		ssize_t length;

		length = proc_read(directory, "environ", bytes, SSH_ENVIRON_MAX);
		if (length > 0 && environ_find(bytes, (size_t)length, ret_connection) == 0)
			return 0;
		length = proc_read(directory, "stat", stat, STAT_MAX);
		if (length > 0) {
			stat[length] = 0;
			parent = stat_parent(stat, (size_t)length);
		}
		if (!parent)
			break;
		snprintf(pid, sizeof(pid), "%u", parent);
	}
	return -ENOENT;
}
