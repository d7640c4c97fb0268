// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "text.h"

#include <stdbool.h>
#include <time.h>

#include "util.h"

const char text_digits[] =
	"00010203040506070809101112131415161718192021222324252627282930313233343536373839"
	"40414243444546474849505152535455565758596061626364656667686970717273747576777879"
	"8081828384858687888990919293949596979899";

static char *put_pair(char *p, uint32_t value) /* two digits, below 100 */
{
	memcpy(p, text_digits + 2 * value, 2);
	return p + 2;
}

char *put_u64(char *p, uint64_t value)
{
	char text[U64_TEXT_MAX], *start = text + sizeof(text);
	size_t length;

	if (value < 10000)
		return put_u32_small(p, (uint32_t)value);
	while (value >= 100) {
		start -= 2;
		put_pair(start, (uint32_t)(value % 100));
		value /= 100;
	}
	if (value >= 10) {
		start -= 2;
		put_pair(start, (uint32_t)value);
	} else {
		*--start = (char)('0' + value);
	}
	length = (size_t)(text + sizeof(text) - start);
	memcpy(p, start, length);
	return p + length;
}

char *put_ipv4(char *p, const uint8_t bytes[4])
{
	p = put_u32_small(p, bytes[0]);
	for (int i = 1; i < 4; i++) {
		*p++ = '.';
		p = put_u32_small(p, bytes[i]);
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

char *put_timestamp(char *p, struct timestamp_cache *cache, uint64_t wall_ns)
{
	uint64_t second = wall_ns / NSEC_PER_SEC;
	uint32_t us = (uint32_t)(wall_ns % NSEC_PER_SEC / NSEC_PER_USEC);

	if (second != cache->second || !cache->text[0]) {
		time_t seconds = (time_t)second;
		char text[32];
		struct tm tm;

		gmtime_r(&seconds, &tm); /* 2^64 ns end in the year 2554: four digits */
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S.", &tm);
		memcpy(cache->text, text, sizeof(cache->text));
		cache->second = second;
	}
	memcpy(p, cache->text, sizeof(cache->text));
	p += sizeof(cache->text);
	p = put_pair(p, us / 10000);
	p = put_pair(p, us / 100 % 100);
	p = put_pair(p, us % 100);
	*p++ = 'Z';
	return p;
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
