/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ssh.h - the connection of the ssh session that netlog was started in.
 *
 * Lines that travel over it are packets that make further lines: it is left out unless asked for.
 */
#ifndef NETLOG_SSH_H
#define NETLOG_SSH_H

#include <stddef.h>
#include <stdint.h>

#define SSH_PARENTS_MAX 32		  /* that are asked, from the nearest on */
#define SSH_ENVIRON_MAX (2 * 1024 * 1024) /* bytes of a parent's environment that are looked at */
#define SSH_TEXT_MAX 128

/* The client's end and the server's. All zeros: there is none. */
struct ssh_connection {
	unsigned int ip_version; /* 4 or 6, as on the wire; 0: none */
	uint16_t ports[2];
	uint8_t addresses[2][16]; /* in network order; of an IPv4 address the first four bytes */
};

/*
 * "CLIENT_IP CLIENT_PORT SERVER_IP SERVER_PORT", as sshd(8) has it in SSH_CONNECTION: an address
 * may have a zone (%eth0), which is not looked at, and a mapped one is IPv4. -EINVAL for all else,
 * also for the UNKNOWN of an sshd that serves no socket.
 */
int ssh_connection_parse(const char *text, struct ssh_connection *ret_connection);

/* The same form again, without zones. */
void ssh_connection_text(const struct ssh_connection *connection, char ret_text[SSH_TEXT_MAX]);

/*
 * From the own environment's value (NULL: it has none), else from that of the nearest ancestor that
 * has one, since sudo(8) drops it. `proc`: where proc(5) is mounted. -ENOENT: nobody has; so it is
 * with parents whose environment may not be read.
 */
int ssh_connection_find(const char *own, const char *proc, struct ssh_connection *ret_connection);

#endif
