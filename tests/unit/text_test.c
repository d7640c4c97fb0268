// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <arpa/inet.h>
#include <inttypes.h>
#include <time.h>

#include "base/text.h"
#include "strict.h"
#include "test.h"

static void check_u64(uint64_t value)
{
	char expected[32], text[32];

	snprintf(expected, sizeof(expected), "%" PRIu64, value);
	*put_u64(text, value) = 0;
	CHECK_TEXT(text, expected);
}

TEST(integers_at_their_edges_are_those_of_printf)
{
	uint64_t power = 1;

	for (int digits = 1; digits <= 20; digits++, power *= 10) {
		check_u64(power - 1);
		check_u64(power);
		check_u64(power + 1);
	}
	for (int bits = 0; bits < 64; bits++) {
		check_u64((1ULL << bits) - 1);
		check_u64(1ULL << bits);
	}
	check_u64(UINT64_MAX);
}

TEST(a_million_random_integers_are_those_of_printf)
{
	uint64_t state = 1;

	for (int i = 0; i < 1000000; i++) {
		uint64_t value = test_random(&state);

		check_u64(value >> (test_random(&state) % 64));
	}
}

static void check_count(struct count_cache *cache, uint64_t value)
{
	char expected[32], *text = malloc(U64_TEXT_MAX + TEXT_SLACK);
	char *end = put_count(text, cache, value);

	snprintf(expected, sizeof(expected), "%" PRIu64, value);
	CHECK_SAYING((size_t)(end - text) == strlen(expected) &&
			     !memcmp(text, expected, strlen(expected)),
		     "%.*s, not %s", (int)(end - text), text, expected);
	free(text);
}

TEST(a_count_is_that_of_printf_however_it_goes_on)
{
	struct count_cache cache = {};
	uint64_t power = 1, state = 5;

	for (int digits = 1; digits <= 20; digits++, power *= 10)
		for (uint64_t value = power - 2; value != power + 2002; value++)
			check_count(&cache, value); /* up over the edge, and to the next ones */
	for (uint64_t value = UINT64_MAX - 2000; value >= UINT64_MAX - 2000; value++)
		check_count(&cache, value); /* up to the last, and again from 0 */
	for (int i = 0; i < 100000; i++) {
		uint64_t value = test_random(&state) >> (test_random(&state) % 64);

		check_count(&cache, value);
		check_count(&cache, value + test_random(&state) % 3);
		check_count(&cache, value - test_random(&state) % 2000);
	}
}

static void check_ipv6(const uint8_t bytes[16])
{
	char expected[INET6_ADDRSTRLEN], *text = malloc(IPV6_TEXT_MAX);
	char *end = put_ipv6(text, bytes);

	inet_ntop(AF_INET6, bytes, expected, sizeof(expected));
	CHECK_SAYING((size_t)(end - text) == strlen(expected) &&
			     !memcmp(text, expected, strlen(expected)),
		     "%.*s, inet_ntop: %s", (int)(end - text), text, expected);
	free(text);
}

TEST(a_million_ipv6_addresses_are_those_of_inet_ntop)
{
	uint64_t state = 2;

	for (int i = 0; i < 1000000; i++) {
		uint64_t high = test_random(&state), low = test_random(&state);
		uint64_t zero = test_random(&state), short_words = test_random(&state);
		uint8_t bytes[16];

		memcpy(bytes, &high, 8);
		memcpy(bytes + 8, &low, 8);
		/* every pattern of zero words, and of words with leading zeros */
		for (int word = 0; word < 8; word++) {
			if (zero & 1 << word)
				bytes[2 * word] = bytes[2 * word + 1] = 0;
			if (short_words & 1 << word)
				bytes[2 * word] &= 15;
		}
		if (zero >> 60 == 0)
			memcpy(bytes, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
		check_ipv6(bytes);
	}
}

TEST(ipv6_text_is_as_rfc_5952_has_it)
{
	static const char *const texts[] = {
		"::",
		"::1",
		"1::",
		"2001:db8::1",
		"2001:db8::aaaa:0:0:1", /* 4.2.3: the first of two equal runs */
		"2001:0:0:1::1",	/* the longer run */
		"2001:db8:0:1:1:1:1:1", /* 4.2.2: not a single zero */
		"2001:db8:1:1:1:1:1:0",
		"::ffff:192.0.2.33", /* 5: a known prefix */
		"fe80::abcd:ef01",
		"1:2:3:4:5:6:7:8",
		"0:0:1::", /* what is cut is the longer run, at the end */
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		uint8_t bytes[16];
		char text[64];

		CHECK(inet_pton(AF_INET6, texts[i], bytes) == 1);
		*put_ipv6(text, bytes) = 0;
		CHECK_TEXT(text, texts[i]);
	}
}

TEST(ipv4_addresses_are_those_of_inet_ntop)
{
	uint64_t state = 3;

	for (int i = 0; i < 100000; i++) {
		uint32_t address = (uint32_t)test_random(&state);
		char expected[INET_ADDRSTRLEN], text[32];

		if (i < 256)
			address = (uint32_t)i * 0x01010101U;
		inet_ntop(AF_INET, &address, expected, sizeof(expected));
		*put_ipv4(text, (uint8_t *)&address) = 0;
		CHECK_TEXT(text, expected);
	}
}

TEST(timestamps_are_rfc_3339_with_six_digits)
{
	static const struct {
		uint64_t ns;
		const char *text;
	} cases[] = {
		{ 0, "1970-01-01T00:00:00.000000Z" },
		{ 999999999, "1970-01-01T00:00:00.999999Z" },
		{ 951782399999999999, "2000-02-28T23:59:59.999999Z" },
		{ 951782400000000000, "2000-02-29T00:00:00.000000Z" },
		{ 1795227753000001000, "2026-11-21T02:22:33.000001Z" },
		{ 1795227753123456789, "2026-11-21T02:22:33.123456Z" },
		{ UINT64_MAX, "2554-07-21T23:34:33.709551Z" },
	};
	struct timestamp_cache cache = {};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[TIMESTAMP_TEXT_MAX + 1];

		*put_timestamp(text, &cache, cases[i].ns) = 0;
		CHECK_TEXT(text, cases[i].text);
	}
}

TEST(the_cached_second_never_goes_stale)
{
	struct timestamp_cache cache = {};
	uint64_t state = 4;

	for (int i = 0; i < 10000; i++) {
		uint64_t ns = 1795227753000000000ULL + test_random(&state) % 3000000000ULL;
		char expected[32], text[TIMESTAMP_TEXT_MAX + 1];
		time_t second = (time_t)(ns / 1000000000);
		struct tm tm;

		gmtime_r(&second, &tm);
		strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%S", &tm);
		snprintf(expected + 19, 13, ".%06uZ", (unsigned int)(ns % 1000000000 / 1000));
		*put_timestamp(text, &cache, ns) = 0;
		CHECK_TEXT(text, expected);
	}
}

/* The bytes as a JSON string, NUL-terminated, made in a buffer of just the size promised */
static char *json_string(const char *bytes, size_t size)
{
	char *exact = malloc(JSON_TEXT_MAX(size) + 1), *copy;
	char *end = put_json_string(exact, bytes, size);

	CHECK((size_t)(end - exact) <= JSON_TEXT_MAX(size));
	*end = 0;
	copy = strdup(exact);
	free(exact);
	return copy;
}

TEST(strings_are_escaped_and_mended)
{
	static const struct {
		const char *bytes, *text;
	} cases[] = {
		{ "nginx", "nginx" },
		{ "", "" },
		{ "a\"b\\c/d", "a\\\"b\\\\c/d" },
		{ "a\nb\tc\x01\x1b[2J", "a\\nb\\tc\\u0001\\u001b[2J" },
		{ "\x7f", "\\u007f" },
		{ "\xc2\x9b", "\\u009b" }, /* CSI in one character */
		{ "\xc2\x80\xc2\x9f\xc2\xa0", "\\u0080\\u009f\xc2\xa0" },
		{ "\xc1\x80", "\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xe0\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xf0\x80\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xf5\x80\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" },
		{ "\xf0\x9f\x90\xa7", "\xf0\x9f\x90\xa7" },
		{ "\xff", "\xef\xbf\xbd" },
		{ "a\x80z", "a\xef\xbf\xbdz" },
		{ "\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd" },		    /* overlong */
		{ "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" }, /* surrogate */
		{ "\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xe2\x82", "\xef\xbf\xbd" }, /* cut short: one */
		{ "\xe2\x82z", "\xef\xbf\xbdz" },
		{ "\xf0\x9f\x90", "\xef\xbf\xbd" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *text = json_string(cases[i].bytes, strlen(cases[i].bytes));

		CHECK_TEXT(text, cases[i].text);
		free(text);
	}
}

TEST(a_string_ends_at_its_size_or_nul)
{
	char *exact = malloc(4), *text;

	memcpy(exact, "abcd", 4); /* no NUL: reading on would be seen */
	text = json_string(exact, 4);
	CHECK_TEXT(text, "abcd");
	free(text);
	memcpy(exact, "a\0cd", 4);
	text = json_string(exact, 4);
	CHECK_TEXT(text, "a");
	free(text);
	free(exact);
}

TEST(any_bytes_at_all_are_valid_json)
{
	uint64_t state = 5;

	for (int i = 0; i < 200000; i++) {
		char bytes[16], text[JSON_TEXT_MAX(16) + 4], *p = text;
		struct json_object *parsed;

		for (size_t j = 0; j < sizeof(bytes); j++)
			bytes[j] = (char)(test_random(&state) >> 20);
		*p++ = '[';
		*p++ = '"';
		p = put_json_string(p, bytes, sizeof(bytes));
		*p++ = '"';
		*p++ = ']';
		parsed = strict_parse(text, (size_t)(p - text));
		CHECK_SAYING(parsed, "%.*s", (int)(p - text), text);
		for (char *q = text; q < p; q++) {
			CHECK((unsigned char)*q >= 0x20 && *q != 0x7f);
			/* C1 controls are two bytes in UTF-8 */
			CHECK((unsigned char)*q != 0xc2 || (unsigned char)q[1] > 0x9f);
		}
		json_object_put(parsed);
	}
}
