/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * text.h - numbers, addresses, times and strings as text, for the hot path.
 *
 * Every put_*() writes at `p`, without a terminating NUL, and returns the end. The caller has made
 * room: the *_TEXT_MAX constants say how much each may take.
 */
#ifndef NETLOG_TEXT_H
#define NETLOG_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define U64_TEXT_MAX 20
#define IPV4_TEXT_MAX 15
#define IPV6_TEXT_MAX 45
#define TIMESTAMP_TEXT_MAX 27
#define JSON_TEXT_MAX(bytes) ((size_t)6 * (bytes)) /* a control byte becomes \u00xx */

extern const char text_digits[]; /* "00" "01" ... "99" */

static inline char *put_u32_small(char *p, uint32_t value) /* below 10 000 */
{
	if (value < 100) {
		if (value < 10) {
			*p = (char)('0' + value);
			return p + 1;
		}
		memcpy(p, text_digits + 2 * value, 2);
		return p + 2;
	}
	p = put_u32_small(p, value / 100);
	memcpy(p, text_digits + 2 * (value % 100), 2);
	return p + 2;
}

/* Decimal. */
char *put_u64(char *p, uint64_t value);

/* The address's four bytes, in network order, dotted. */
char *put_ipv4(char *p, const uint8_t bytes[4]);

/*
 * RFC 5952: lower case, no leading zeros, the first longest run of zeros as `::`, never for a
 * single one; the last four bytes dotted for ::ffff:0:0/96 and ::/96, as inet_ntop(3) has them.
 */
char *put_ipv6(char *p, const uint8_t bytes[16]);

/* The last second written, so that the next line of the same second costs only its microseconds. */
struct timestamp_cache {
	uint64_t second;
	char text[20]; /* 2026-11-21T01:22:33. */
};

/* RFC 3339, UTC, six digits and Z. `wall_ns`: nanoseconds since 1970. A zeroed cache is empty. */
char *put_timestamp(char *p, struct timestamp_cache *cache, uint64_t wall_ns);

/*
 * The inside of a JSON string: the bytes up to the first NUL, at most `size`. Always valid UTF-8:
 * whatever is not becomes U+FFFD. Control characters (C0, DEL, C1) are escaped, so that no terminal
 * takes them for commands. At most JSON_TEXT_MAX(size).
 */
char *put_json_string(char *p, const char *bytes, size_t size);

#endif
