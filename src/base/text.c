// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "base/text.h"

#include <stdbool.h>
#include <time.h>

#include "base/util.h"

/* clang-format off */
#define TEN(D, a, b)                                                                     \
	D(a, b, 0) D(a, b, 1) D(a, b, 2) D(a, b, 3) D(a, b, 4)                           \
	D(a, b, 5) D(a, b, 6) D(a, b, 7) D(a, b, 8) D(a, b, 9)
#define HUNDRED(D, a)                                                                    \
	TEN(D, a, 0) TEN(D, a, 1) TEN(D, a, 2) TEN(D, a, 3) TEN(D, a, 4)                 \
	TEN(D, a, 5) TEN(D, a, 6) TEN(D, a, 7) TEN(D, a, 8) TEN(D, a, 9)
#define THOUSAND(D)                                                                      \
	HUNDRED(D, 0) HUNDRED(D, 1) HUNDRED(D, 2) HUNDRED(D, 3) HUNDRED(D, 4)            \
	HUNDRED(D, 5) HUNDRED(D, 6) HUNDRED(D, 7) HUNDRED(D, 8) HUNDRED(D, 9)

/* Without leading zeros. `none`: how many digits are left of 0. */
#define STRIPPED(a, b, c, none)                                                          \
	{ .text = { '0' + ((a) ? (a) : (b) ? (b) : (c)), '0' + ((a) ? (b) : (c)), '0' + (c) }, \
	  .length = (a) ? 3 : (b) ? 2 : (c) ? 1 : (none) },
#define FIRST(a, b, c) STRIPPED(a, b, c, 0)
#define ALONE(a, b, c) STRIPPED(a, b, c, 1)
#define AFTER(a, b, c) { .text = { '0' + (a), '0' + (b), '0' + (c) }, .length = 3 },

const struct digits decimals[] = { THOUSAND(FIRST) THOUSAND(AFTER) THOUSAND(ALONE) };

#define FOUR(D, a, b) D(a, b) D(a, (b) + 1) D(a, (b) + 2) D(a, (b) + 3)
#define SIXTEEN(D, a) FOUR(D, a, 0) FOUR(D, a, 4) FOUR(D, a, 8) FOUR(D, a, 12)
#define BYTES(D)                                                                         \
	SIXTEEN(D, 0) SIXTEEN(D, 1) SIXTEEN(D, 2) SIXTEEN(D, 3) SIXTEEN(D, 4) SIXTEEN(D, 5)     \
	SIXTEEN(D, 6) SIXTEEN(D, 7) SIXTEEN(D, 8) SIXTEEN(D, 9) SIXTEEN(D, 10) SIXTEEN(D, 11)   \
	SIXTEEN(D, 12) SIXTEEN(D, 13) SIXTEEN(D, 14) SIXTEEN(D, 15)

#define HEX(a) ((a) < 10 ? '0' + (a) : 'a' - 10 + (a))
#define HEX_STRIPPED(a, b, none)                                                         \
	{ .text = { (a) ? HEX(a) : HEX(b), HEX(b) },                                     \
	  .length = (a) ? 2 : (b) ? 1 : (none) },
#define HEX_FIRST(a, b) HEX_STRIPPED(a, b, 0)
#define HEX_ALONE(a, b) HEX_STRIPPED(a, b, 1)
#define HEX_AFTER(a, b) { .text = { HEX(a), HEX(b) }, .length = 2 },

const struct digits hexadecimals[] = { BYTES(HEX_FIRST) BYTES(HEX_AFTER) BYTES(HEX_ALONE) };
/* clang-format on */

char *put_large(char *p, uint64_t value)
{
	uint64_t high = value / 1000000;
	uint32_t low = (uint32_t)(value % 1000000);

	p = put_u64(p, high);
	p = put_padded(p, low / 1000);
	return put_padded(p, low % 1000);
}

char *put_ipv4(char *p, const uint8_t bytes[4])
{
	p = put_digits(p, &decimals[decimals_alone + bytes[0]]);
	for (int i = 1; i < 4; i++) {
		*p++ = '.';
		p = put_digits(p, &decimals[decimals_alone + bytes[i]]);
	}
	return p;
}

/* The 16-bit words from `from` up to, but without, `to`, with colons between them. */
static char *put_words(char *p, const uint8_t bytes[16], unsigned int from, unsigned int to)
{
	for (unsigned int i = from; i < to; i++) {
		const uint8_t high = bytes[2 * i], low = bytes[2 * i + 1];

		p = put_digits(p, &hexadecimals[hexadecimals_first + high]);
		p = put_digits(p, high ? &hexadecimals[hexadecimals_after + low] :
					 &hexadecimals[hexadecimals_alone + low]);
		*p++ = ':';
	}
	return from < to ? p - 1 : p;
}

/* The first of the longest runs of zero words. Returns its length, 0 if there is none. */
static unsigned int longest_zeros(const uint8_t bytes[16], unsigned int *ret_start)
{
	unsigned int starts = 0, length = 0; /* bit i: a run of `length` zeros starts at word i */

	for (unsigned int i = 0; i < 8; i++)
		starts |= (unsigned int)!(bytes[2 * i] | bytes[2 * i + 1]) << i;
	for (unsigned int longer = starts; longer; longer &= longer >> 1) {
		starts = longer;
		length++;
	}
	*ret_start = length ? (unsigned int)__builtin_ctz(starts) : 0;
	return length;
}

char *put_ipv6(char *p, const uint8_t bytes[16])
{
	unsigned int start, length = longest_zeros(bytes, &start);

	if (length < 2)
		return put_words(p, bytes, 0, 8);
	p = put_words(p, bytes, 0, start);
	*p++ = ':';
	*p++ = ':';
	if (start == 0 && length == 6)
		return put_ipv4(p, bytes + 12);
	if (start == 0 && length == 5 && bytes[10] == 0xff && bytes[11] == 0xff)
		return put_ipv4(mempcpy(p, "ffff:", 5), bytes + 12);
	return put_words(p, bytes, start + length, 8);
}

void timestamp_cache_fill(struct timestamp_cache *cache, uint64_t wall_ns)
{
	time_t seconds = (time_t)(wall_ns / NSEC_PER_SEC);
	char text[32];
	struct tm tm;

	gmtime_r(&seconds, &tm); /* 2^64 ns end in the year 2554: four digits */
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S.", &tm);
	memcpy(cache->text, text, sizeof(cache->text));
	cache->from_ns = (uint64_t)seconds * NSEC_PER_SEC;
	cache->valid_ns = NSEC_PER_SEC;
}

void count_cache_fill(struct count_cache *cache, uint64_t value)
{
	cache->length = (size_t)(put_u64(cache->text, value / 1000) - cache->text);
	cache->from = value - value % 1000;
	cache->valid = 1000;
}

/*
 * The length of the UTF-8 sequence at `s`, and its character. 0 if it is invalid: then `ret_bad`
 * bytes are to be replaced by one character (Unicode 15, 3.9, "maximal subpart").
 */
static size_t utf8_decode(const uint8_t *s, size_t size, uint32_t *ret_character, size_t *ret_bad)
{
	uint8_t low = 0x80, high = 0xbf; /* the second byte's range: Unicode 15, table 3-7 */
	uint32_t character;
	size_t length;

	if (s[0] < 0x80) {
		*ret_character = s[0];
		return 1;
	}
	*ret_bad = 1;
	if (s[0] >= 0xc2 && s[0] <= 0xdf) {
		length = 2;
		character = s[0] & 0x1f;
	} else if (s[0] >= 0xe0 && s[0] <= 0xef) {
		length = 3;
		character = s[0] & 0x0f;
		if (s[0] == 0xe0)
			low = 0xa0;
		if (s[0] == 0xed)
			high = 0x9f; /* no surrogates */
	} else if (s[0] >= 0xf0 && s[0] <= 0xf4) {
		length = 4;
		character = s[0] & 0x07;
		if (s[0] == 0xf0)
			low = 0x90;
		if (s[0] == 0xf4)
			high = 0x8f;
	} else {
		return 0;
	}
	for (size_t i = 1; i < length; i++) {
		if (i >= size || s[i] < low || s[i] > high) {
			*ret_bad = i;
			return 0;
		}
		character = character << 6 | (s[i] & 0x3f);
		low = 0x80;
		high = 0xbf;
	}
	*ret_character = character;
	return length;
}

bool text_is_utf8(const char *text)
{
	const uint8_t *s = (const uint8_t *)text;
	size_t size = strlen(text), length = 1, bad;
	uint32_t character;

	for (; size && length; s += length, size -= length)
		length = utf8_decode(s, size, &character, &bad);
	return length;
}

static char *put_escape(char *p, uint32_t character)
{
	switch (character) {
	case '"':
	case '\\':
		*p++ = '\\';
		*p++ = (char)character;
		return p;
	case '\n':
		memcpy(p, "\\n", 2);
		return p + 2;
	case '\t':
		memcpy(p, "\\t", 2);
		return p + 2;
	default: /* below 0x100 */
		memcpy(p, "\\u00", 4);
		p[4] = "0123456789abcdef"[character >> 4];
		p[5] = "0123456789abcdef"[character & 15];
		return p + 6;
	}
}

static bool is_control(uint32_t character)
{
	return character < 0x20 || (character >= 0x7f && character <= 0x9f);
}

static bool must_escape(uint32_t character)
{
	return is_control(character) || character == '"' || character == '\\';
}

size_t text_character(const char *text, size_t size, bool *ret_shown)
{
	uint32_t character = 0;
	size_t bad = 0, length = utf8_decode((const uint8_t *)text, size, &character, &bad);

	*ret_shown = length && !is_control(character);
	return length ?: bad;
}

/* ASCII that needs no escape. NUL is not among it: it ends a string. */
static const bool plain[256] = {
	[' ' ... '!'] = true,
	['#' ... '['] = true,
	[']' ... '~'] = true,
};

bool text_is_plain(const char *bytes, size_t size)
{
	while (size && plain[(uint8_t)*bytes])
		bytes++, size--;
	return !size;
}

char *put_json_string(char *p, const char *bytes, size_t size)
{
	const uint8_t *s = (const uint8_t *)bytes;

	for (; size && plain[*s]; size--)
		*p++ = (char)*s++; /* most names are entirely plain */
	if (!size || !*s)
		return p;
	size = strnlen((const char *)s, size);
	while (size) {
		uint32_t character = 0;
		size_t bad = 0, length = utf8_decode(s, size, &character, &bad);

		if (!length) {
			memcpy(p, "\xef\xbf\xbd", 3); /* U+FFFD */
			p += 3;
			length = bad;
		} else if (must_escape(character)) {
			p = put_escape(p, character);
		} else {
			memcpy(p, s, length);
			p += length;
		}
		s += length;
		size -= length;
	}
	return p;
}
