// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "run/lines.h"

#include <errno.h>

_Static_assert(ENCODE_LINE_MAX <= OUTPUT_LINE_MAX, "the longest line has room in every output");

int lines_init(struct lines *lines, const char *hostname, struct output *output)
{
	int r;

	*lines = (struct lines){ .output = output };
	r = encoder_new(hostname, &lines->encoder);
	if (r < 0)
		return r;
	lines->hostname = strdup(hostname);
	lines->line = malloc(OUTPUT_LINE_MAX);
	if (!lines->hostname || !lines->line) {
		lines_done(lines);
		return -ENOMEM;
	}
	wall_clock_measure(&lines->clock);
	return 0;
}

void lines_done(struct lines *lines)
{
	encoder_free(lines->encoder);
	free(lines->hostname);
	free(lines->line);
	*lines = (struct lines){};
}

/*
 * The names of an event, for recordings. That may find names of others, too: lines must have these
 * from here on, and not only when the flow's common part is next made, as those of a replay do.
 */
static void names_look_up(struct lines *lines, struct recording_item *event)
{
	names_of(lines->names, event->payload, event->names);
	if (names_changed(lines->names))
		encoder_forget(lines->encoder);
}

/* `item`: for recordings, NULL when there are none. Returns output_ready(). */
static __always_inline bool line_write(struct lines *lines, enum event_type type, uint32_t takers,
				       const struct event *event, uint64_t seq, int64_t offset_ns,
				       const struct recording_item *item)
{
	char *line = output_place(lines->output, type, takers, lines->line);
	size_t length = 0;

	if (line)
		length = encode_event(lines->encoder, event, seq,
				      event->header.time_ns + (uint64_t)offset_ns, line);
	lines->emitted.of[type]++;
	lines->emitted_total++;
	return output_write_event(lines->output, type, takers, item, line, length);
}

static __attribute__((noinline)) bool item_write(struct lines *lines, enum event_type type,
						 const struct recording_item *item)
{
	return line_write(lines, type, item->takers, item->payload, item->seq, item->offset_ns,
			  item);
}

int lines_replay(struct lines *lines, const struct recording_item *event)
{
	int type = event_check(event->payload, event->size);
	struct recording_item item = *event;

	if (type < 0)
		return type;
	/* of all events, so that names that make room for others are those that did in the run */
	if (lines->names)
		names_look_up(lines, &item);
	if (lines->events & BIT(type) &&
	    output_takes(lines->output, (enum event_type)type, item.takers))
		item_write(lines, (enum event_type)type, &item);
	return 0;
}

void lines_set_names(struct lines *lines, struct names *names)
{
	lines->names = names;
	encoder_set_names(lines->encoder, names);
}

void lines_refresh(struct lines *lines)
{
	wall_clock_measure(&lines->clock);
	if (lines->names && names_refresh(lines->names, clock_boot_ns()))
		encoder_forget(lines->encoder);
}

static void record_broken(struct lines *lines, const struct event *event, size_t size)
{
	/* a type we know is better than none: event_none stands for the others */
	const bool known = size >= sizeof(event->header) && event->header.type < event_types;

	lines->broken.of[known ? event->header.type : event_none]++;
}

static __attribute__((noinline)) bool event_record(struct lines *lines, enum event_type type,
						   uint32_t takers, const struct event *event,
						   size_t size)
{
	struct recording_item item = {
		.type = recording_event,
		.payload = event,
		.size = size,
		.seq = lines->seq,
		.offset_ns = lines->clock.offset_ns,
		.takers = takers,
	};

	if (lines->names)
		names_look_up(lines, &item);
	return item_write(lines, type, &item);
}

bool lines_event(struct lines *lines, const void *record, size_t size)
{
	int type = event_check(record, size);
	uint32_t takers;

	if (type < 0) {
		record_broken(lines, record, size);
		return output_ready(lines->output);
	}
	takers = output_takers(lines->output, ((const struct event *)record)->header.takers);
	if (!output_takes(lines->output, (enum event_type)type, takers)) {
		lines->unasked.of[type]++;
		return output_ready(lines->output);
	}
	lines->seq++;
	if (output_records(lines->output))
		return event_record(lines, (enum event_type)type, takers, record, size);
	return line_write(lines, (enum event_type)type, takers, record, lines->seq,
			  lines->clock.offset_ns, NULL);
}

void lines_unasked(struct lines *lines, const void *record, size_t size)
{
	int type = event_check(record, size);

	if (type > 0)
		lines->unasked.of[type]++;
}

void lines_begin(struct lines *lines, struct control *control, enum control_type type)
{
	wall_clock_measure(&lines->clock);
	control_begin(control, type, lines->hostname, lines->seq + 1,
		      wall_clock_of(&lines->clock, clock_boot_ns()));
}

int lines_end(struct lines *lines, struct control *control)
{
	_cleanup_free_ char *line = NULL;
	size_t length;
	int r;

	r = control_end(control, &line, &length);
	if (r < 0)
		return r;
	if (length > OUTPUT_LINE_MAX)
		return -E2BIG;
	lines->seq++;
	output_write(lines->output, event_none, line, length);
	return 0;
}
