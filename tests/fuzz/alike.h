/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * alike.h - for fuzz targets: do two filters ask the same? Their lists may be in another order.
 */
#ifndef NETLOG_FUZZ_ALIKE_H
#define NETLOG_FUZZ_ALIKE_H

#include "bpf/filter.h"
#include "fuzz.h"

static inline unsigned int times_in(const char *list, unsigned int count, size_t size,
				    const char *entry)
{
	unsigned int times = 0;

	for (unsigned int i = 0; i < count; i++)
		times += !memcmp(list + i * size, entry, size);
	return times;
}

static inline bool lists_alike(const void *a, unsigned int a_count, const void *b,
			       unsigned int b_count, size_t size)
{
	for (unsigned int i = 0; i < a_count; i++) {
		const char *entry = (const char *)a + i * size;

		if (times_in(a, a_count, size, entry) != times_in(b, b_count, size, entry))
			return false;
	}
	return a_count == b_count;
}

#define LISTS_ALIKE(a, b) lists_alike((a).of, (a).count, (b).of, (b).count, sizeof((a).of[0]))

/* An address that two networks begin with is the beginning of two segments. */
static inline bool filters_alike(const struct filter *a, const struct filter *b)
{
	return a->active == b->active && !memcmp(a->ports, b->ports, sizeof(a->ports)) &&
	       !memcmp(a->protocols, b->protocols, sizeof(a->protocols)) &&
	       a->ipv4_count == b->ipv4_count && a->ipv6_count == b->ipv6_count &&
	       !memcmp(a->ipv4, b->ipv4, sizeof(a->ipv4)) &&
	       !memcmp(a->ipv6, b->ipv6, sizeof(a->ipv6)) && LISTS_ALIKE(a->pids, b->pids) &&
	       LISTS_ALIKE(a->namespaces, b->namespaces) && LISTS_ALIKE(a->comms, b->comms) &&
	       LISTS_ALIKE(a->ifnames, b->ifnames);
}

#endif
