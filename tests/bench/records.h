/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * records.h - seeded records as a busy host makes them: some flows, each event of one of them.
 *
 * All fields of the event are set, walked by the schema's rows: a new field takes part by itself.
 * But for MPTCP's: of the connections of a host, hardly any has it.
 */
#ifndef NETLOG_BENCH_RECORDS_H
#define NETLOG_BENCH_RECORDS_H

#include <linux/bpf.h>
#include <stdlib.h>

#include "base/util.h"
#include "schema/event.h"

#define IPV6_PERCENT 20
#define SELDOM BIT(offsetof(struct event_index, mptcp_cookie)) /* not known */

/* The same numbers in every run: xorshift64. */
static inline uint64_t bench_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Of any number of digits, up to `max`, as counters and times have */
static inline uint64_t bench_number(uint64_t *state, uint64_t max)
{
	uint64_t value = bench_random(state) >> bench_random(state) % 64;

	return value % (max + 1);
}

static inline void address_fill(struct ip_address *address, uint8_t ip_version, uint64_t *state)
{
	uint64_t high = bench_random(state), low = bench_random(state);

	if (ip_version == 4) {
		address->words[0] = (uint32_t)low;
		return;
	}
	memcpy(address->bytes, &high, 8);
	memcpy(address->bytes, "\x20\x01\x0d\xb8", 4);
	if (low & 1) /* an address that was given, not made up: 2001:db8:x:y::z */
		address->bytes[15] = (uint8_t)(low >> 8);
	else
		memcpy(address->bytes + 8, &low, 8);
}

static inline void field_fill(struct event *record, const struct field_desc *field, uint64_t *state)
{
	void *value = (char *)record + field->offset;

	switch (kind_written(field->kind)) {
	case kind_u8:
		*(uint8_t *)value = (uint8_t)bench_number(state, UINT8_MAX);
		break;
	case kind_u16:
		*(uint16_t *)value = (uint16_t)bench_random(state);
		break;
	case kind_u32:
	case kind_named:
		*(uint32_t *)value = (uint32_t)bench_number(state, 1000000);
		break;
	case kind_u64:
	case kind_id:
		*(uint64_t *)value = bench_number(state, 100000000);
		break;
	case kind_ip:
		address_fill(value, record->ip_version, state);
		break;
	case kind_comm:
		strcpy(value, "nginx");
		break;
	case kind_ifname:
		strcpy(value, "eth0");
		break;
	case kind_xmit_error:
		*(int32_t *)value = -ENOBUFS;
		break;
	default: /* an enumeration: one of its texts */
		do
			*(uint8_t *)value =
				(uint8_t)(bench_random(state) % kind_descs[field->kind].numbers);
		while (!enum_text(field->kind, *(uint8_t *)value));
	}
}

/* How far records lie apart: as in the ring, where one begins 8 bytes behind the other's end. */
static inline size_t record_stride(uint16_t size)
{
	return (((size_t)size + 7) & ~(size_t)7) + BPF_RINGBUF_HDR_SZ;
}

/*
 * `count` records of one type, of so many flows, as they lie in the ring. The common fields are the
 * flow's, the others differ from event to event. The caller frees them.
 */
static inline char *records_make(enum event_type type, unsigned int count, unsigned int flows)
{
	const struct event_desc *desc = event_desc(type);
	char *records = calloc(count, record_stride(desc->size));
	uint64_t state = 20261121, time_ns = 1000 * NSEC_PER_SEC;

	for (unsigned int i = 0; records && i < count; i++) {
		struct event *record = (struct event *)(records + i * record_stride(desc->size));
		uint64_t flow = 1 + bench_random(&state) % flows, flow_state = flow * 0x9e3779b9;

		time_ns += bench_random(&state) % 2000;
		record->header.time_ns = time_ns;
		record->header.type = (uint16_t)type;
		record->header.size = desc->size;
		record->header.has = (BIT(desc->field_count) - 1) & ~SELDOM;
		record->ip_version = flow % 100 < IPV6_PERCENT ? 6 : 4;
		bench_random(&flow_state);
		for (unsigned int j = 1; j < desc->field_count; j++) /* 0 is ip_version */
			field_fill(record, &desc->fields[j],
				   j < offsetof(struct event_index, end) ? &flow_state : &state);
		record->netns = 4026531840;
	}
	return records;
}

static inline const struct event *record_at(const char *records, unsigned int i)
{
	const struct event *first = (const struct event *)records;

	return (const struct event *)(records + i * record_stride(first->header.size));
}

#endif
