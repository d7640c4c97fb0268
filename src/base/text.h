/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * text.h - numbers, addresses, times and strings as text, for the hot path.
 *
 * Every put_*() writes at `p`, without a terminating NUL, and returns the end. The caller provides
 * the room: the *_TEXT_MAX constants say how much each may take. Numbers are stored in steps of
 * four bytes, so up to TEXT_SLACK bytes after any end may be overwritten as well.
 */
#ifndef NETLOG_TEXT_H
#define NETLOG_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/util.h"

#define U64_TEXT_MAX 20
#define IPV4_TEXT_MAX 15
#define IPV6_TEXT_MAX 45
#define TIMESTAMP_TEXT_MAX 27
#define TEXT_SLACK 3
#define JSON_TEXT_MAX(bytes) ((size_t)6 * (bytes)) /* a control byte becomes \u00xx */

/* Part of a text, not terminated. */
struct text_part {
	const char *start;
	size_t length;
};

/* Is this its end, with something before it? */
static inline bool part_ends_with(struct text_part part, const char *end)
{
	size_t length = strlen(end);

	return part.length > length && !memcmp(part.start + part.length - length, end, length);
}

/* A part of a number: up to three digits, copied as four bytes whatever their length. */
struct digits {
	char text[3];
	uint8_t length;
};

/*
 * Each number stands three times in its table: for the first of two parts (nothing for 0, no
 * leading zeros), for a part that follows another (all digits), and for a part on its own (no
 * leading zeros).
 */
extern const struct digits decimals[3 * 1000];
extern const struct digits hexadecimals[3 * 256];

enum { decimals_first = 0, decimals_after = 1000, decimals_alone = 2000 };
enum { hexadecimals_first = 0, hexadecimals_after = 256, hexadecimals_alone = 512 };

static __always_inline char *put_digits(char *p, const struct digits *digits)
{
	memcpy(p, digits, sizeof(*digits)); /* with the length, which the next text overwrites */
	return p + digits->length;
}

static __always_inline char *put_padded(char *p, uint32_t value) /* below 1000, three digits */
{
	memcpy(p, &decimals[decimals_after + value], sizeof(struct digits));
	return p + 3;
}

/* Without a branch: a processor cannot predict the length of numbers. */
static __always_inline char *put_below_million(char *p, uint32_t value)
{
	const uint32_t high = value / 1000, low = value - high * 1000;
	const uint32_t alone = -(uint32_t)(value < 1000) & (decimals_alone - decimals_after);

	p = put_digits(p, &decimals[decimals_first + high]);
	return put_digits(p, &decimals[decimals_after + low + alone]);
}

/* Numbers of more than six digits. */
char *put_large(char *p, uint64_t value);

/* Decimal. */
static __always_inline char *put_u64(char *p, uint64_t value)
{
	return value < 1000000 ? put_below_million(p, (uint32_t)value) : put_large(p, value);
}

/* Four bytes in network order, dotted. */
char *put_ipv4(char *p, const uint8_t bytes[4]);

/*
 * RFC 5952: lower case, no leading zeros, the first longest run of zeros as `::`, never for a
 * single one; the last four bytes dotted for ::ffff:0:0/96 and ::/96, as inet_ntop(3) has them.
 */
char *put_ipv6(char *p, const uint8_t bytes[16]);

/* The last second written, so that the next line of the same second costs only its microseconds. */
struct timestamp_cache {
	uint64_t from_ns;  /* start of the second */
	uint64_t valid_ns; /* how long it lasts; 0: the cache is empty */
	char text[20];	   /* 2026-11-21T01:22:33. */
};

/* Remember the text of the second that `wall_ns` is in. */
void timestamp_cache_fill(struct timestamp_cache *cache, uint64_t wall_ns);

/* RFC 3339, UTC, six digits and Z. `wall_ns`: nanoseconds since 1970. A zeroed cache is empty. */
static __always_inline char *put_timestamp(char *p, struct timestamp_cache *cache, uint64_t wall_ns)
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

#define COUNT_CACHED_MAX 10000000000000000000ULL /* longer numbers are not cached */

/*
 * The last number without its final three digits, so that for the next one only these are written.
 */
struct count_cache {
	uint64_t from;	/* the remembered digits followed by 000 */
	uint64_t valid; /* how many numbers begin with them; 0: the cache is empty */
	char text[16];
	size_t length;
};

/* Remember all but the last three digits. */
void count_cache_fill(struct count_cache *cache, uint64_t value);

/* A decimal number, usually one more than the last. A zeroed cache is empty. */
static __always_inline char *put_count(char *p, struct count_cache *cache, uint64_t value)
{
	if (value - cache->from >= cache->valid) {
		if (value < 1000 || value >= COUNT_CACHED_MAX)
			return put_u64(p, value);
		count_cache_fill(cache, value);
	}
	memcpy(p, cache->text, sizeof(cache->text));
	return put_padded(p + cache->length, (uint32_t)(value - cache->from));
}

/*
 * The inside of a JSON string: the bytes up to the first NUL, at most `size`. Always valid UTF-8:
 * invalid bytes become U+FFFD. Control characters (C0, DEL, C1) are escaped, so that no terminal
 * takes them for commands. At most JSON_TEXT_MAX(size).
 */
char *put_json_string(char *p, const char *bytes, size_t size);

/* Is it valid UTF-8, so that put_json_string() loses nothing of it? */
bool text_is_utf8(const char *text);

/*
 * The length of the UTF-8 character that the text begins with, or of bytes that are none.
 * `ret_shown`: it is one, and no control character (C0, DEL, C1).
 */
size_t text_character(const char *text, size_t size, bool *ret_shown);

/* Would put_json_string() copy all of these bytes unchanged? */
bool text_is_plain(const char *bytes, size_t size);

#endif
