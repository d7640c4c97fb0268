/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * flow_cache.h - the part of a line that says whose event it is, remembered.
 *
 * The common fields before weight are the same in the next event of the flow. Their text is copied
 * as long as the record's bytes are the same. One that is too long, or whose place another flow has
 * taken, costs its rendering again.
 */
#ifndef NETLOG_FLOW_CACHE_H
#define NETLOG_FLOW_CACHE_H

#include "base/util.h"
#include "schema/event.h"

#define FLOW_MASK (BIT(offsetof(struct event_index, weight)) - 1) /* the fields, as bits of `has` */
#define FLOW_BYTES (offsetof(struct event, weight) - sizeof(struct event_header))
#define FLOW_SET_BITS 10
#define FLOW_WAYS 4 /* flows that share a set: of a thousand, one in 60 finds no place in its */
/* Most of a container's flow, whose names take some 300, with the longer keys of other formats. */
#define FLOW_TEXT_MAX 1180

struct flow_text {
	uint64_t has;
	char key[FLOW_BYTES];
	uint16_t length;
	char text[FLOW_TEXT_MAX];
};

struct flow_cache {
	/* what the flows mix to, by which they are looked for; 0: nothing there */
	uint32_t tags[FLOW_WAYS << FLOW_SET_BITS];
	struct flow_text texts[FLOW_WAYS << FLOW_SET_BITS];
	unsigned int turn; /* which of a set makes room next */
};

/* Spread by what tells flows apart, whether known or not; never 0. */
static inline uint64_t flow_mix(const struct event *record)
{
	uint64_t mixed = ((uint64_t)record->src_port << 48 | (uint64_t)record->dest_port << 32) ^
			 record->src_ip.words[0] ^ record->dest_ip.words[0] ^ record->sock_cookie ^
			 (uint64_t)record->pid << 24;

	return mixed * 0x9e3779b97f4a7c15 | 1;
}

/* The first place of its set. */
static inline size_t flow_set(uint64_t mixed)
{
	return (mixed >> (64 - FLOW_SET_BITS)) * FLOW_WAYS;
}

/*
 * Which way of its set the flow lies in, if any. Without a branch: it cannot be guessed. No two
 * tags of a set are alike.
 */
static inline unsigned int flow_way(const uint32_t tags[FLOW_WAYS], uint32_t tag)
{
	_Static_assert(FLOW_WAYS == 4, "these are all");
	return 1U * (tags[1] == tag) + 2U * (tags[2] == tag) + 3U * (tags[3] == tag);
}

/* Are these the bytes of the record? In a few steps without a branch, and without a call. */
static inline bool flow_has_key(const struct flow_text *flow, const struct event *record)
{
	typedef uint64_t words __attribute__((vector_size(16)));
	const char *key = (const char *)record + sizeof(record->header);
	words differ = {}, own, other;

#pragma GCC unroll 8
	for (size_t i = 0; i < FLOW_BYTES; i += sizeof(words)) {
		/* the last step begins early, so that it ends with the key */
		const size_t at = i + sizeof(words) <= FLOW_BYTES ? i : FLOW_BYTES - sizeof(words);

		memcpy(&own, flow->key + at, sizeof(own));
		memcpy(&other, key + at, sizeof(other));
		differ |= own ^ other;
	}
	return !(differ[0] | differ[1]);
}

/* The text of the record's flow with these fields; NULL: it is not there. */
static inline const struct flow_text *flow_find(const struct flow_cache *cache,
						const struct event *record, uint64_t mixed)
{
	const uint32_t *tags = &cache->tags[flow_set(mixed)], tag = (uint32_t)mixed;
	const unsigned int way = flow_way(tags, tag);
	const struct flow_text *flow = &cache->texts[flow_set(mixed) + way];

	if (tags[way] != tag || flow->has != (record->header.has & FLOW_MASK) ||
	    !flow_has_key(flow, record))
		return NULL;
	return flow;
}

/* Remember the text; what is too long is not. */
void flow_keep(struct flow_cache *cache, const struct event *record, uint64_t mixed,
	       const char *text, size_t length);

/* Forget all. */
void flow_forget(struct flow_cache *cache);

#endif
