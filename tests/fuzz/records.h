/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* records.h - for fuzz targets: a record of the input's bytes. */
#ifndef NETLOG_FUZZ_RECORDS_H
#define NETLOG_FUZZ_RECORDS_H

#include "fuzz.h"
#include "schema/event.h"

/* All that is good but for what the byte says. Returns its size, which memory has just enough of. */
static inline size_t record_make(struct input *input, struct event **ret_event)
{
	const enum event_type type = 1 + (enum event_type)(input_byte(input) % (event_types - 1));
	const unsigned int wrong = input_byte(input);
	const struct event_desc *desc = event_desc(type);
	size_t size = desc->size;
	struct event *event;

	if (wrong & 1)
		size = input_number(input, 2) % (2 * size);
	event = calloc(1, size < sizeof(event->header) ? sizeof(event->header) : size);
	event->header.time_ns = input_number(input, 8);
	event->header.has = input_number(input, 8);
	if (!(wrong & 2))
		event->header.has &= BIT(desc->field_count) - 1;
	event->header.type = (uint16_t)(wrong & 4 ? input_number(input, 2) : type);
	event->header.size = (uint16_t)(wrong & 8 ? input_number(input, 2) : size);
	if (size > sizeof(event->header))
		input_bytes(input, &event->header + 1, size - sizeof(event->header));
	if (!(wrong & 16) && size >= sizeof(*event)) {
		event->ip_version = event->ip_version & 1 ? 4 : 6;
		event->header.has |= BIT(offsetof(struct event_index, ip_version));
	}
	*ret_event = event;
	return size;
}

#endif
