// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "line/flow_cache.h"
#include "test.h"

static struct flow_cache *cache_new(void)
{
	struct flow_cache *cache = calloc(1, sizeof(*cache));

	CHECK(cache);
	return cache;
}

/* A flow of its own by its cookie; its text is its number. */
static struct event flow_make(uint64_t number)
{
	return (struct event){ .header.has = FLOW_MASK, .sock_cookie = number };
}

static void keep(struct flow_cache *cache, const struct event *flow, uint64_t text)
{
	flow_keep(cache, flow, flow_mix(flow), (const char *)&text, sizeof(text));
}

/* Is it there? Then with the text it was given last. */
static bool found(const struct flow_cache *cache, const struct event *flow, uint64_t text)
{
	const struct flow_text *found = flow_find(cache, flow, flow_mix(flow));

	if (!found)
		return false;
	CHECK_EQUAL(found->length, sizeof(text));
	CHECK(!memcmp(found->text, &text, sizeof(text)));
	return true;
}

TEST(a_flow_is_found_until_one_byte_or_field_differs)
{
	struct flow_cache *cache = cache_new();
	struct event flow = flow_make(7), other;

	CHECK(!found(cache, &flow, 7));
	keep(cache, &flow, 7);
	CHECK(found(cache, &flow, 7));
	for (size_t i = 0; i < FLOW_BYTES; i++) {
		other = flow;
		((char *)&other)[sizeof(other.header) + i] ^= 1;
		CHECK_SAYING(!found(cache, &other, 7), "byte %zu", i);
	}
	for (unsigned int i = 0; FLOW_MASK & BIT(i); i++) {
		other = flow;
		other.header.has ^= BIT(i);
		CHECK_SAYING(!found(cache, &other, 7), "field %u", i);
	}
	other = flow;
	other.header.has ^= FLOW_MASK + 1; /* what is the event's own */
	other.header.time_ns++;
	CHECK(found(cache, &other, 7));
	free(cache);
}

/* Flows of one set: each is kept again and again, and others may have displaced it in between. */
TEST(flows_of_one_set_never_get_each_others_text)
{
	struct flow_cache *cache = cache_new();
	struct event flows[3 * FLOW_WAYS];
	unsigned int count = 0, hits = 0;
	uint64_t state = 1;

	for (uint64_t number = 1; count < ARRAY_SIZE(flows); number++) {
		flows[count] = flow_make(number);
		if (flow_set(flow_mix(&flows[count])) == 0)
			count++;
	}
	for (unsigned int i = 0; i < FLOW_WAYS; i++)
		keep(cache, &flows[i], 2 * i);
	for (unsigned int i = 0; i < FLOW_WAYS; i++)
		CHECK(found(cache, &flows[i], 2 * i)); /* a set has room for so many */
	for (unsigned int i = 0; i < 100000; i++) {
		uint64_t number = test_random(&state) % count;
		struct event *flow = &flows[number];

		/* the hash leaves comm out: with another comm it is another flow in the same set */
		flow->comm.name[0] = (char)(test_random(&state) % 2);
		number = 2 * number + (uint64_t)flow->comm.name[0];
		if (found(cache, flow, number))
			hits++;
		else
			keep(cache, flow, number);
		CHECK(found(cache, flow, number));
	}
	CHECK(hits > 0 && hits < 100000);
	free(cache);
}

TEST(what_is_forgotten_or_too_long_is_not_found)
{
	struct flow_cache *cache = cache_new();
	struct event flow = flow_make(7);
	char text[FLOW_TEXT_MAX + 1] = {};

	flow_keep(cache, &flow, flow_mix(&flow), text, sizeof(text));
	CHECK(!flow_find(cache, &flow, flow_mix(&flow)));
	flow_keep(cache, &flow, flow_mix(&flow), text, sizeof(text) - 1);
	CHECK(flow_find(cache, &flow, flow_mix(&flow)));
	flow_forget(cache);
	CHECK(!flow_find(cache, &flow, flow_mix(&flow)));
	free(cache);
}
