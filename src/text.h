/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * text.h - numbers, addresses, times and strings as text, for the hot path.
 *
 * Every put_*() writes at `p`, without a terminating NUL, and returns the end. The caller has made
 * room: the *_TEXT_MAX constants say how much each may take, and numbers are stored in steps of
 * four bytes, so that up to TEXT_SLACK bytes behind any end may be overwritten, too.
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
#define TEXT_SLACK 3
#define JSON_TEXT_MAX(bytes) ((size_t)6 * (bytes)) /* a control byte becomes \u00xx */

/*
 * Numbers below 1000 as text: without leading zeros, and with them, three digits always. A number
 * is written in such steps, each a copy of four bytes.
 */
struct three_digits {
	char text[3];
	uint8_t length;
	char padded[4];
};

extern const struct three_digits three_digits[1000];

static inline char *put_padded(char *p, uint32_t value) /* below 1000 */
{
	memcpy(p, three_digits[value].padded, 4);
	return p + 3;
}

static inline char *put_below_1000(char *p, uint32_t value)
{
	memcpy(p, &three_digits[value], 4); /* the length is left behind, and written over */
	return p + three_digits[value].length;
}

/* Numbers of more than six digits. */
char *put_large(char *p, uint64_t value);

/* Decimal. */
static inline char *put_u64(char *p, uint64_t value)
{
	if (value < 1000)
		return put_below_1000(p, (uint32_t)value);
	if (value >= 1000000)
		return put_large(p, value);
	p = put_below_1000(p, (uint32_t)value / 1000);
	return put_padded(p, (uint32_t)value % 1000);
}

/* The address's four bytes, in network order, dotted. */
char *put_ipv4(char *p, const uint8_t bytes[4]);

/*
 * RFC 5952: lower case, no leading zeros, the first longest run of zeros as `::`, never for a
 * single one; the last four bytes dotted for ::ffff:0:0/96 and ::/96, as inet_ntop(3) has them.
 */
char *put_ipv6(char *p, const uint8_t bytes[16]);

/* The last second written, so that the next line of the same second costs only its microseconds. */
struct timestamp_cache {
	uint64_t from_ns;  /* the second's begin */
	uint64_t valid_ns; /* its length; 0: the cache is empty */
	char text[20];	   /* 2026-11-21T01:22:33. */
};

/* Take over the second of `wall_ns`. */
void timestamp_cache_fill(struct timestamp_cache *cache, uint64_t wall_ns);

/* RFC 3339, UTC, six digits and Z. `wall_ns`: nanoseconds since 1970. A zeroed cache is empty. */
static inline char *put_timestamp(char *p, struct timestamp_cache *cache, uint64_t wall_ns)
{
	uint32_t us;

	if (wall_ns - cache->from_ns >= cache->valid_ns)
		timestamp_cache_fill(cache, wall_ns);
	memcpy(p, cache->text, sizeof(cache->text));
	p += sizeof(cache->text);
	us = (uint32_t)(wall_ns - cache->from_ns) / 1000;
	p = put_padded(p, us / 1000);
	p = put_padded(p, us % 1000);
	*p++ = 'Z';
	return p;
}

/*
 * The inside of a JSON string: the bytes up to the first NUL, at most `size`. Always valid UTF-8:
 * whatever is not becomes U+FFFD. Control characters (C0, DEL, C1) are escaped, so that no terminal
 * takes them for commands. At most JSON_TEXT_MAX(size).
 */
char *put_json_string(char *p, const char *bytes, size_t size);

#endif
