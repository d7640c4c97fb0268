/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ssh.h - the connection of the ssh session that netlog was started in.
 *
 * Lines that travel over it are packets, which make further lines: so it is left out by default.
 */
#ifndef NETLOG_SSH_H
#define NETLOG_SSH_H

#include <stddef.h>
#include <stdint.h>

#define SSH_PARENTS_MAX 32		  /* looked at, from the nearest on */
#define SSH_ENVIRON_MAX (2 * 1024 * 1024) /* of a parent's environment, bytes that are looked at */
#define SSH_TEXT_MAX 128

/* The client's end and the server's. All zeros: there is none. */
struct ssh_connection {
	unsigned int ip_version; /* 4 or 6, as on the wire; 0: none */
	uint16_t ports[2];
	uint8_t addresses[2][16]; /* in network order; IPv4 in the first four bytes */
};

/*
 * Parse "CLIENT_IP CLIENT_PORT SERVER_IP SERVER_PORT", sshd(8)'s SSH_CONNECTION. An address's zone
 * (%eth0) is ignored, and a mapped address is IPv4. -EINVAL for anything else, such as UNKNOWN of
 * an sshd that has no socket.
 */
int ssh_connection_parse(const char *text, struct ssh_connection *ret_connection);

/* The reverse: the same form, without zones. */
void ssh_connection_text(const struct ssh_connection *connection, char ret_text[SSH_TEXT_MAX]);

/*
 * The connection in `own`, this process's own variable (NULL: it has none), or else that of the
 * nearest ancestor that has one, since sudo(8) removes it. `proc`: where proc(5) is mounted.
 * -ENOENT: nobody has one, or its environment may not be read.
 */
int ssh_connection_find(const char *own, const char *proc, struct ssh_connection *ret_connection);

#endif
