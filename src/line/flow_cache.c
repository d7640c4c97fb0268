// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "line/flow_cache.h"

/*
 * Where the tag is already, since no two in a set may be equal; else an empty way; else each in
 * turn.
 */
static unsigned int way_for(struct flow_cache *cache, const uint32_t tags[FLOW_WAYS], uint32_t tag)
{
	unsigned int way = flow_way(tags, tag);

	if (tags[way] == tag)
		return way;
	if (tags[FLOW_WAYS - 1]) /* the last way to be filled, so all are */
		return cache->turn++ % FLOW_WAYS;
	for (way = 0; tags[way];)
		way++;
	return way;
}

void flow_keep(struct flow_cache *cache, const struct event *record, uint64_t mixed,
	       const char *text, size_t length)
{
	uint32_t *tags = &cache->tags[flow_set(mixed)], tag = (uint32_t)mixed;
	struct flow_text *flow;
	unsigned int way;

	if (length > FLOW_TEXT_MAX)
		return;
	way = way_for(cache, tags, tag);
	tags[way] = tag;
	flow = &cache->texts[flow_set(mixed) + way];
	flow->has = record->header.has & FLOW_MASK;
	flow->length = (uint16_t)length;
	memcpy(flow->key, (const char *)record + sizeof(record->header), FLOW_BYTES);
	memcpy(flow->text, text, length);
}

void flow_forget(struct flow_cache *cache)
{
	memset(cache->tags, 0, sizeof(cache->tags));
}
