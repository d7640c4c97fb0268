// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Networks: from their text to the segments in which the kernel side searches.
 */
#include <arpa/inet.h>

#include "bpf/filter_match.h"
#include "filter/half.h"

#define IPV4_BITS 32
#define IPV6_BITS 128

/* For each network, where it begins and where it has ended; for each family, its start. */
#define SEGMENTS_ALL (2 * FILTER_NETWORKS + 2)
_Static_assert(2 * FILTER_NETWORKS + 1 <= FILTER_SEGMENTS, "all may be of one family");

/* ---- parsing ---- */

static bool is_mapped(const uint8_t *bytes)
{
	static const uint8_t prefix[12] = { [10] = 0xff, [11] = 0xff };

	return !memcmp(bytes, prefix, sizeof(prefix));
}

static void mask_make(struct ip_address *mask, unsigned int bits)
{
	for (unsigned int i = 0; i < sizeof(mask->bytes); i++)
		mask->bytes[i] = bits >= 8 * (i + 1) ? 0xff :
				 bits <= 8 * i	     ? 0 :
						       (uint8_t)(0xff00 >> (bits - 8 * i));
}

/* Clear the bits outside of the mask. Returns whether any was set. */
static bool host_bits_clear(struct ip_address *address, const struct ip_address *mask)
{
	bool any = false;

	for (int i = 0; i < 4; i++) {
		any |= address->words[i] & ~mask->words[i];
		address->words[i] &= mask->words[i];
	}
	return any;
}

/* The last address of the network. */
static struct ip_address host_bits_set(const struct ip_address *address,
				       const struct ip_address *mask)
{
	struct ip_address last;

	for (int i = 0; i < 4; i++)
		last.words[i] = address->words[i] | ~mask->words[i];
	return last;
}

static char *parse_network(const char *text, struct filter_network *ret_net)
{
	char address[INET6_ADDRSTRLEN] = "", network[INET6_ADDRSTRLEN];
	struct ip_address first = {}, mask, last;
	size_t length = strcspn(text, "/");
	uint64_t bits, most, version;
	int family;

	if (length < sizeof(address))
		memcpy(address, text, length);
	family = strchr(address, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(family, address, first.bytes) != 1)
		return setting_wrong("'%s' is no address; give it as 10.0.0.1, 10.0.0.0/8 or "
				     "fd00::/8",
				     text);
	bits = most = family == AF_INET ? IPV4_BITS : IPV6_BITS;
	if (text[length] && (parse_u64(text + length + 1, &bits) < 0 || bits > most))
		return setting_wrong("'%s': what follows the slash must be from 0 to %llu", text,
				     (unsigned long long)most);
	mask_make(&mask, (unsigned int)bits);
	if (host_bits_clear(&first, &mask)) {
		inet_ntop(family, first.bytes, network, sizeof(network));
		return setting_wrong("'%s' has bits set beyond its prefix; give %s/%llu for the "
				     "network, or %s for the host",
				     text, network, (unsigned long long)bits, address);
	}
	/* an IPv4-mapped address is IPv4 on the wire */
	if (family == AF_INET6 && bits >= IPV6_BITS - IPV4_BITS && is_mapped(first.bytes)) {
		first = (struct ip_address){ .words = { first.words[3] } };
		mask = (struct ip_address){ .words = { mask.words[3] } };
		family = AF_INET;
	}
	version = family == AF_INET ? 4 : 6;
	last = host_bits_set(&first, &mask);
	*ret_net = (struct filter_network){
		.first = filter_address_of(version, &first),
		.last = filter_address_of(version, &last),
	};
	return NULL;
}

static char *take_network(const struct half *half, const char *text)
{
	struct filter_networks *networks = half->networks;
	struct filter_network net;
	char *wrong = parse_network(text, &net);

	if (wrong)
		return wrong;
	if (networks->count == FILTER_NETWORKS)
		return half_full(FILTER_NETWORKS);
	net.bits = half->bit;
	networks->of[networks->count++] = net;
	return NULL;
}

/* ---- segments ---- */

static int address_compare(const struct filter_address *a, const struct filter_address *b)
{
	for (int i = 0; i < 3; i++)
		if (a->parts[i] != b->parts[i])
			return a->parts[i] < b->parts[i] ? -1 : 1;
	return 0;
}

static int segment_compare(const void *a, const void *b)
{
	const struct filter_segment *x = a, *y = b;

	return address_compare(&x->first, &y->first);
}

/* The address after. After the last of a version comes one of a version that no packet has. */
static struct filter_address address_after(struct filter_address address)
{
	address.parts[2]++;
	address.parts[1] += address.parts[2] >> FILTER_PART_LOW;
	address.parts[0] += address.parts[1] >> FILTER_PART_MIDDLE;
	address.parts[2] &= (1LL << FILTER_PART_LOW) - 1;
	address.parts[1] &= (1LL << FILTER_PART_MIDDLE) - 1;
	return address;
}

/* The segments of both families, in order. Returns their number. */
static unsigned int segments_cut(const struct filter_networks *networks,
				 struct filter_segment *segments)
{
	static const struct ip_address zeros;
	unsigned int count = 0;

	segments[count++].first = filter_address_of(4, &zeros);
	segments[count++].first = filter_address_of(6, &zeros);
	for (unsigned int i = 0; i < networks->count; i++) {
		segments[count++].first = networks->of[i].first;
		segments[count++].first = address_after(networks->of[i].last);
	}
	qsort(segments, count, sizeof(segments[0]), segment_compare);
	return count;
}

/* The halves whose networks contain the segment: no network begins or ends inside of one. */
static uint32_t bits_at(const struct filter_networks *networks,
			const struct filter_address *address)
{
	uint32_t bits = 0;

	for (unsigned int i = 0; i < networks->count; i++) {
		const struct filter_network *net = &networks->of[i];

		if (address_compare(&net->first, address) <= 0 &&
		    address_compare(address, &net->last) <= 0)
			bits |= net->bits;
	}
	return bits;
}

/* Fill the filter's segments, cut at the ends of the networks. */
static void networks_cut(const struct filter_networks *networks, struct filter *filter)
{
	struct filter_segment all[SEGMENTS_ALL];
	unsigned int count = segments_cut(networks, all);

	filter->ipv4_count = filter->ipv6_count = 0;
	for (unsigned int i = 0; i < count; i++) {
		const struct filter_address *first = &all[i].first;
		uint32_t bits = bits_at(networks, first);

		if (first->parts[0] >> FILTER_PART_HIGH == 4)
			filter->ipv4[filter->ipv4_count++] = (struct filter_segment_ipv4){
				(uint32_t)(first->parts[0] >> (FILTER_PART_HIGH - 32)), bits
			};
		else if (first->parts[0] >> FILTER_PART_HIGH == 6)
			filter->ipv6[filter->ipv6_count++] =
				(struct filter_segment){ *first, bits };
	}
	for (unsigned int i = filter->ipv4_count; i < FILTER_SEGMENTS; i++)
		filter->ipv4[i] = filter->ipv4[i - 1];
	for (unsigned int i = filter->ipv6_count; i < FILTER_SEGMENTS; i++)
		filter->ipv6[i] = filter->ipv6[i - 1];
}

char *take_networks(const struct half *half, const char *text)
{
	char *wrong = half_take_each(half, text, take_network);

	networks_cut(half->networks, half->filter);
	return wrong;
}
