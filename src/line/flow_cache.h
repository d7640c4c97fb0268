/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * flow_cache.h - the remembered part of a line that says whose event it is.
 *
 * The common fields before weight are the same in the next event of the flow. While the record's
 * bytes are the same, their text is copied. If the text is too long, or another flow has taken its
 * place, it is made again.
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
	/* the flows' hashes, to find them by; 0: empty */
	uint32_t tags[FLOW_WAYS << FLOW_SET_BITS];
	struct flow_text texts[FLOW_WAYS << FLOW_SET_BITS];
	unsigned int turn; /* the way of a full set that is replaced next */
};

/* A hash of the values that tell flows apart, whether known or not. Never 0. */
static inline uint64_t flow_mix(const struct event *record)
{
	uint64_t mixed = ((uint64_t)record->src_port << 48 | (uint64_t)record->dest_port << 32) ^
			 record->src_ip.words[0] ^ record->dest_ip.words[0] ^ record->sock_cookie ^
			 (uint64_t)record->pid << 24;

	return mixed * 0x9e3779b97f4a7c15 | 1;
}

/* The first place of the set that the hash belongs to. */
static inline size_t flow_set(uint64_t mixed)
{
	return (mixed >> (64 - FLOW_SET_BITS)) * FLOW_WAYS;
}

/*
 * The way in its set that the flow is in, if any. Without a branch, which could not be predicted.
 * No two tags of a set are equal.
 */
static inline unsigned int flow_way(const uint32_t tags[FLOW_WAYS], uint32_t tag)
{
	_Static_assert(FLOW_WAYS == 4, "these are all");
	return 1U * (tags[1] == tag) + 2U * (tags[2] == tag) + 3U * (tags[3] == tag);
}

/* Does the record have these bytes? In a few steps, without branches or calls. */
static inline bool flow_has_key(const struct flow_text *flow, const struct event *record)
{
	typedef uint64_t words __attribute__((vector_size(16)));
	const char *key = (const char *)record + sizeof(record->header);
	words differ = {}, own, other;

#pragma GCC unroll 8
	for (size_t i = 0; i < FLOW_BYTES; i += sizeof(words)) {
		/* the last step begins early, to end where the key does */
		const size_t at = i + sizeof(words) <= FLOW_BYTES ? i : FLOW_BYTES - sizeof(words);

		memcpy(&own, flow->key + at, sizeof(own));
		memcpy(&other, key + at, sizeof(other));
		differ |= own ^ other;
	}
	return !(differ[0] | differ[1]);
}

/* The text of the record's flow with its known fields; NULL: it is not cached. */
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

/* Remember the text, unless it is too long. */
void flow_keep(struct flow_cache *cache, const struct event *record, uint64_t mixed,
	       const char *text, size_t length);

/* Forget all. */
void flow_forget(struct flow_cache *cache);

#endif
