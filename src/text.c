// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "text.h"

#include <stdbool.h>
#include <time.h>

#include "util.h"

/* clang-format off */
#define THREE(a, b, c)                                                                   \
	{                                                                                \
		.text = { '0' + ((a) ? (a) : (b) ? (b) : (c)), '0' + ((a) ? (b) : (c)),  \
			  '0' + (c) },                                                   \
		.length = (a) ? 3 : (b) ? 2 : 1,                                         \
		.padded = { '0' + (a), '0' + (b), '0' + (c) },                           \
	},
#define TEN(a, b)                                                                        \
	THREE(a, b, 0) THREE(a, b, 1) THREE(a, b, 2) THREE(a, b, 3) THREE(a, b, 4)       \
	THREE(a, b, 5) THREE(a, b, 6) THREE(a, b, 7) THREE(a, b, 8) THREE(a, b, 9)
#define HUNDRED(a)                                                                       \
	TEN(a, 0) TEN(a, 1) TEN(a, 2) TEN(a, 3) TEN(a, 4)                                \
	TEN(a, 5) TEN(a, 6) TEN(a, 7) TEN(a, 8) TEN(a, 9)

const struct three_digits three_digits[1000] = {
	HUNDRED(0) HUNDRED(1) HUNDRED(2) HUNDRED(3) HUNDRED(4)
	HUNDRED(5) HUNDRED(6) HUNDRED(7) HUNDRED(8) HUNDRED(9)
};
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
	p = put_below_1000(p, bytes[0]);
	for (int i = 1; i < 4; i++) {
		*p++ = '.';
		p = put_below_1000(p, bytes[i]);
	}
	return p;
}

static char *put_hex(char *p, unsigned int word) /* 16 bits, no leading zeros */
{
	static const char hex[] = "0123456789abcdef";

	if (word >= 0x1000)
		*p++ = hex[word >> 12];
	if (word >= 0x100)
		*p++ = hex[word >> 8 & 15];
	if (word >= 0x10)
		*p++ = hex[word >> 4 & 15];
	*p++ = hex[word & 15];
	return p;
}

/* The first longest run of zero words, of two at least; its length, 0 if there is none. */
static int longest_zeros(const unsigned int words[8], int *ret_start)
{
	int best = 1, start = 0;

	for (int i = 0, run = 0; i < 8; i++) {
		run = words[i] ? 0 : run + 1;
		if (run > best) {
			best = run;
			start = i - run + 1;
		}
	}
	*ret_start = start;
	return best > 1 ? best : 0;
}

char *put_ipv6(char *p, const uint8_t bytes[16])
{
	unsigned int words[8];
	int zeros, start;

	for (int i = 0; i < 8; i++)
		words[i] = (unsigned int)(bytes[2 * i] << 8 | bytes[2 * i + 1]);
	zeros = longest_zeros(words, &start);
	for (int i = 0; i < 8;) {
		if (zeros && i == start) {
			*p++ = ':';
			i += zeros;
			if (i == 8)
				*p++ = ':';
			continue;
		}
		if (i)
			*p++ = ':';
		if (i == 6 && zeros && start == 0 &&
		    (zeros == 6 || (zeros == 5 && words[5] == 0xffff)))
			return put_ipv4(p, bytes + 12);
		p = put_hex(p, words[i++]);
	}
	return p;
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

/*
 * Length of the UTF-8 sequence at `s`, and its character. 0: none; then `ret_bad` bytes are to be
 * replaced as one (the longest start of a valid sequence, Unicode 15, 3.9, "maximal subpart").
 */
static size_t utf8_decode(const uint8_t *s, size_t size, uint32_t *ret_character, size_t *ret_bad)
{
	uint8_t low = 0x80, high = 0xbf; /* of the second byte; Unicode 15, table 3-7 */
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

static bool must_escape(uint32_t character)
{
	return character < 0x20 || character == '"' || character == '\\' ||
	       (character >= 0x7f && character <= 0x9f);
}

char *put_json_string(char *p, const char *bytes, size_t size)
{
	const uint8_t *s = (const uint8_t *)bytes;

	size = strnlen(bytes, size);
	for (; size && *s < 0x7f && !must_escape(*s); size--)
		*p++ = (char)*s++; /* most names are nothing else */
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
