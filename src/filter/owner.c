// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>

#include "filter/half.h"

#define PID_MAX 4194304 /* PID_MAX_LIMIT, include/linux/threads.h */

static char *take_pid(const struct half *half, const char *text)
{
	uint64_t pid;

	if (parse_u64(text, &pid) < 0 || !pid || pid > PID_MAX)
		return setting_wrong("'%s' is no process; give its number, as %d", text, getpid());
	return half_add_number(half, &half->filter->pids, (uint32_t)pid);
}

char *take_pids(const struct half *half, const char *text)
{
	return half_take_each(half, text, take_pid);
}

/*
 * The kernel keeps 15 bytes of a name, and may so cut a character of several bytes, which JSON
 * cannot tell then. Such a character is given whole.
 */
char *take_comm(const struct half *half, const char *text)
{
	size_t kept = strnlen(text, COMM_BYTES - 1);

	if (!*text)
		return setting_wrong("a name is missing; give it as in /proc/PID/comm");
	while ((text[kept] & 0xc0) == 0x80) /* a byte that is not a character's first */
		kept++;
	if (text[kept])
		return setting_wrong("'%s' is too long: the kernel keeps %d bytes of a name; give "
				     "'%.*s'",
				     text, COMM_BYTES - 1, (int)kept, text);
	return half_add_name(half, &half->filter->comms, text);
}
