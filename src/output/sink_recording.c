// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * sink_recording.c - what goes into a recording: records, lines, headers, and names before their
 * use.
 *
 * Each file must be readable by itself, and lines are to be the same to the byte. So a stream keeps
 * what a reader of its file knows at the end of what it was given, and writes a name before an
 * event where the host's differs from that. It also keeps what a reader knows at the front of its
 * buffer: when a new file begins there, the names that the events in the buffer use are written
 * once more.
 */
#include "output/sink_stream.h"

/* Names that the event has and the reader does not know so. */
static void names_tell(struct stream *stream, const struct event *event,
		       const char *const names[NAMED_NUMBERS_MAX])
{
	struct named_number numbers[NAMED_NUMBERS_MAX];
	const unsigned int count = event_named_numbers(event, numbers);
	const char *known[NAMED_NUMBERS_MAX];
	bool differs[NAMED_NUMBERS_MAX];

	names_of(stream->told, event, known);
	for (unsigned int i = 0; i < count; i++)
		differs[i] = strcmp(known[i] ?: "", names[i] ?: "") != 0;
	for (unsigned int i = 0; i < count; i++) {
		const struct named_number *number = &numbers[i];

		if (!differs[i])
			continue;
		if (names_feed(stream->told, number->source, number->id, names[i]) < 0)
			continue; /* memory is short; the next event tries again */
		stream->sink.end +=
			recording_put_name(stream->buffer + stream->sink.end, number->source,
					   number->id, names[i], &stream->crc);
	}
}

void stream_record_event(struct sink *sink, const struct recording_item *event)
{
	struct stream *stream = (struct stream *)sink;

	names_tell(stream, event->payload, event->names);
	stream->sink.end += recording_put(stream->buffer + stream->sink.end, event, &stream->crc);
}

void stream_record_line(struct sink *sink, const char *line, size_t length)
{
	struct stream *stream = (struct stream *)sink;
	const struct recording_item item = { .type = recording_line,
					     .payload = line,
					     .size = length };

	stream->sink.end += recording_put(stream->buffer + stream->sink.end, &item, &stream->crc);
}

void stream_record_origin(struct sink *sink, const struct recording_origin *origin)
{
	struct stream *stream = (struct stream *)sink;

	stream->origin = *origin;
	stream->origin_known = true;
	names_clear(stream->told);
	stream->sink.end +=
		recording_put_header(stream->buffer + stream->sink.end, origin, &stream->crc);
}

/*
 * A reader has read this item: what does it know then? Also of events: a name that has not been
 * used for long makes room for others.
 */
static void names_follow(struct names *names, const struct recording_item *item)
{
	const char *texts[NAMED_NUMBERS_MAX];
	struct recording_naming naming;

	if (item->type == recording_header)
		names_clear(names);
	else if (item->type == recording_event)
		names_of(names, item->payload, texts);
	else if (item->type == recording_name && recording_naming_of(item, &naming) == 0)
		names_feed(names, naming.source, naming.id, naming.text);
}

void stream_record_drop(struct stream *stream, size_t length)
{
	/* of what was cut before, the front has been seen */
	for (size_t at = stream->torn; at < length && at < stream->sink.end;
	     at += recording_length(stream->buffer + at)) {
		struct recording_item item = recording_item_of(stream->buffer + at);

		names_follow(stream->before, &item);
	}
}

/* The item that was in the buffer, and before it the names that it needs here. */
static void item_again(struct stream *stream, const char *p)
{
	struct recording_item item = recording_item_of(p);

	names_follow(stream->before, &item);
	if (item.type == recording_event) {
		names_of(stream->before, item.payload, item.names);
		stream_record_event(&stream->sink, &item);
	} else if (item.type == recording_line) {
		stream_record_line(&stream->sink, item.payload, item.size);
	} else if (item.type == recording_header) { /* it names the origin that is known now */
		stream_record_origin(&stream->sink, &stream->origin);
	}
}

/*
 * What is in the buffer goes to its end, and is put in anew from there. That never overtakes: there
 * is room for all names that all of it may use, and for an item on top.
 */
void stream_begin(struct stream *stream)
{
	const size_t length = stream->sink.end;
	const char *p = stream->buffer + sizeof(stream->buffer) - length;
	const char *end = p + length;

	if (!stream->origin_known || (length && recording_is_header(stream->buffer)))
		return;
	memmove(stream->buffer + sizeof(stream->buffer) - length, stream->buffer, length);
	stream->sink.end = 0;
	stream_record_origin(&stream->sink, &stream->origin);
	for (; p < end; p += recording_length(p))
		item_again(stream, p);
}
