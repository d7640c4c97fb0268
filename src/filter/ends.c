// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "filter/ends.h"

#include "bpf/filter_match.h"

/*
 * Which values an end may have. A filter of either end (--port) may be met by the one or by the
 * other, so what counts of a value is which sets' filters of that kind it meets: a number below
 * 1 << SETS_MAX, and of all values that are possible the bits of these numbers.
 */
struct ends {
	unsigned int src;
	unsigned int dest;
};

/* A value is in the lists of these halves, of each set. */
static void ends_add(struct ends *ends, const struct filter_set *const *sets, unsigned int count,
		     enum filter_kind either, const uint32_t *halves)
{
	const uint32_t src = FILTER_BITS(either + 1), dest = FILTER_BITS(either + 2);
	bool may_be_src = true, may_be_dest = true;
	unsigned int meets = 0;

	for (unsigned int i = 0; i < count; i++) {
		const uint32_t active = sets[i]->filter.active;

		if (active & halves[i] & FILTER_BIT(either, 1))
			return;
		if (halves[i] & FILTER_BIT(either, 0))
			meets |= BIT(i);
		may_be_src &= filter_agrees(active & src, halves[i]);
		may_be_dest &= filter_agrees(active & dest, halves[i]);
	}
	ends->src |= may_be_src ? BIT(meets) : 0;
	ends->dest |= may_be_dest ? BIT(meets) : 0;
}

/* Is there a pair of values that meets what each set asks of either end? */
static bool ends_agree(const struct ends *ends, const struct filter_set *const *sets,
		       unsigned int count, enum filter_kind either)
{
	unsigned int asked = 0;

	for (unsigned int i = 0; i < count; i++)
		if (sets[i]->filter.active & FILTER_BIT(either, 0))
			asked |= BIT(i);
	for (unsigned int src = 0; src < BIT(SETS_MAX); src++)
		for (unsigned int dest = 0; dest < BIT(SETS_MAX); dest++)
			if (ends->src & BIT(src) && ends->dest & BIT(dest) &&
			    !(asked & ~(src | dest)))
				return true;
	return false;
}

/* Is this port in the same lists, of each set, as the one before it? */
static bool port_is_alike(const struct filter_set *const *sets, unsigned int count, uint32_t port)
{
	for (unsigned int i = 0; i < count; i++)
		if (sets[i]->filter.ports[port] != sets[i]->filter.ports[port - 1])
			return false;
	return true;
}

/* 0 stands for a packet that has none. */
bool ports_agree(const struct filter_set *const *sets, unsigned int count, bool some_have,
		 bool all_have)
{
	const uint32_t first = all_have;
	struct ends ends = {};

	for (uint32_t port = first; port < (some_have ? FILTER_PORTS : 1); port++) {
		uint32_t halves[SETS_MAX];

		if (port > first && port_is_alike(sets, count, port))
			continue;
		for (unsigned int i = 0; i < count; i++)
			halves[i] = filter_in_ports(&sets[i]->filter, port);
		ends_add(&ends, sets, count, filter_port, halves);
	}
	return ends_agree(&ends, sets, count, filter_port);
}

/* IPv4: what is so of a segment's first address, of any set, is so until the next one begins. */
static bool ipv4_agrees(const struct filter_set *const *sets, unsigned int count)
{
	struct ends ends = {};

	for (unsigned int i = 0; i < count; i++) {
		for (unsigned int k = 0; k < sets[i]->filter.ipv4_count; k++) {
			const uint32_t ip = FILTER_NTOH(32, sets[i]->filter.ipv4[k].first);
			uint32_t halves[SETS_MAX];

			for (unsigned int j = 0; j < count; j++)
				halves[j] = sets[j]->filter.ipv4_count ?
						    filter_in_ipv4(&sets[j]->filter, ip) :
						    0;
			ends_add(&ends, sets, count, filter_addr, halves);
		}
	}
	return ends_agree(&ends, sets, count, filter_addr);
}

/* The address's halves, as it would stand in memory: the way back from filter_address_from(). */
static void address_words(const struct filter_address *address, uint64_t words[2])
{
	const int rest = 64 - FILTER_PART_HIGH;
	const uint64_t middle = (uint64_t)address->parts[1];
	uint64_t high = (uint64_t)address->parts[0] << rest | middle >> (FILTER_PART_MIDDLE - rest);
	uint64_t low = middle << FILTER_PART_LOW | (uint64_t)address->parts[2];

	words[0] = FILTER_NTOH(64, high);
	words[1] = FILTER_NTOH(64, low);
}

static bool ipv6_agrees(const struct filter_set *const *sets, unsigned int count)
{
	struct ends ends = {};

	for (unsigned int i = 0; i < count; i++) {
		for (unsigned int k = 0; k < sets[i]->filter.ipv6_count; k++) {
			uint32_t halves[SETS_MAX];
			uint64_t words[2];

			address_words(&sets[i]->filter.ipv6[k].first, words);
			for (unsigned int j = 0; j < count; j++)
				halves[j] = sets[j]->filter.ipv6_count ?
						    filter_in_ipv6(&sets[j]->filter, words[0],
								   words[1]) :
						    0;
			ends_add(&ends, sets, count, filter_addr, halves);
		}
	}
	return ends_agree(&ends, sets, count, filter_addr);
}

bool addresses_agree(const struct filter_set *const *sets, unsigned int count)
{
	return ipv4_agrees(sets, count) || ipv6_agrees(sets, count);
}
