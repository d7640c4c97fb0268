// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * maker_recording.c - makes recordings: records, control lines, headers, and names before their
 * use.
 *
 * Each file must be readable by itself, and must replay to byte-identical lines. So the maker keeps
 * a table of the names that a reader of everything made so far knows, and writes the host's name
 * before an event if the reader's differs. A second table holds what a reader knows at the front of
 * the sink's buffer: if a new file begins there, the names used by the events in the buffer are
 * written again.
 */
#include "host/names.h"
#include "output/maker.h"
#include "output/recording.h"
#include "schema/control.h"

/* Room for the names of every event that a sink's buffer can hold. */
#define EXTRA_BYTES                                                   \
	(PIECES_BUFFER / RECORDING_ITEM_BYTES(sizeof(struct event)) * \
	 (NAMED_NUMBERS_MAX * RECORDING_ITEM_BYTES(RECORDING_NAME_MAX)))

struct recorder {
	struct maker maker;
	struct origin front;  /* whose items are at the front of the sink's buffer */
	bool has_left;	      /* a header has: `front` is known */
	uint32_t crc;	      /* of the last piece */
	struct names *told;   /* the names known to a reader of all that was made */
	struct names *before; /* the same, up to the front of the sink's buffer */
};

/* Write the event's names that the reader does not know, or knows differently. */
static char *put_names(struct recorder *recorder, char *p, const struct event *event,
		       const char *const names[NAMED_NUMBERS_MAX])
{
	struct named_number numbers[NAMED_NUMBERS_MAX];
	const unsigned int count = event_named_numbers(event, numbers);
	const char *known[NAMED_NUMBERS_MAX];
	bool differs[NAMED_NUMBERS_MAX];

	names_of(recorder->told, event, known);
	for (unsigned int i = 0; i < count; i++)
		differs[i] = strcmp(known[i] ?: "", names[i] ?: "") != 0;
	for (unsigned int i = 0; i < count; i++) {
		const struct named_number *number = &numbers[i];

		if (!differs[i])
			continue;
		if (names_feed(recorder->told, number->source, number->id, names[i]) < 0)
			continue; /* memory is short; the next event tries again */
		p += recording_put_name(p, number->source, number->id, names[i], &recorder->crc);
	}
	return p;
}

static size_t put_event(struct recorder *recorder, const struct recording_item *item,
			const char *const names[NAMED_NUMBERS_MAX], char *p)
{
	char *end = put_names(recorder, p, item->payload, names);

	end += recording_put(end, item, &recorder->crc);
	return (size_t)(end - p);
}

static size_t put_control(struct recorder *recorder, const struct item *item, char *p)
{
	struct recording_item line = { .type = recording_line };
	_cleanup_free_ char *text = json_text(item->control, &line.size);

	if (!text)
		return 0;
	text[line.size++] = '\n'; /* where its NUL was */
	line.payload = text;
	return recording_put(p, &line, &recorder->crc);
}

static size_t recorder_make(struct maker *maker, const struct item *item, char *p)
{
	static const char *const none[NAMED_NUMBERS_MAX];
	struct recorder *recorder = (struct recorder *)maker;
	const struct recording_item record = {
		.type = recording_event,
		.payload = item->event,
		.size = item->event ? item->event->header.size : 0,
		.seq = item->seq,
		.offset_ns = item->offset_ns,
	};

	return item->event ? put_event(recorder, &record, item->names ?: none, p) :
			     put_control(recorder, item, p);
}

static size_t put_header(struct recorder *recorder, const struct origin *origin, char *p)
{
	names_clear(recorder->told);
	return recording_put_header(p, origin, &recorder->crc);
}

static size_t recorder_origin(struct maker *maker, const struct origin *origin, char *p)
{
	return put_header((struct recorder *)maker, origin, p);
}

static bool recorder_counts(const char *p)
{
	return !recording_is_header(p) && !recording_is_name(p);
}

/*
 * Update a table as a reader does that reads this item. Events count too: using a name keeps it,
 * and names that were not used for longest are replaced.
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

static void recorder_leave(struct maker *maker, const char *p, size_t length)
{
	struct recorder *recorder = (struct recorder *)maker;

	for (const char *end = p + length; p < end; p += recording_length(p)) {
		struct recording_item item = recording_item_of(p);

		names_follow(recorder->before, &item);
		if (item.type != recording_header)
			continue;
		recorder->front = recording_origin_of(p);
		recorder->has_left = true;
	}
}

/* Write the piece again, after the names that it needs in its new place. */
static size_t put_again(struct recorder *recorder, const char *piece, char *p)
{
	struct recording_item item = recording_item_of(piece);
	const char *names[NAMED_NUMBERS_MAX];
	struct origin origin;

	names_follow(recorder->before, &item);
	switch (item.type) {
	case recording_event:
		names_of(recorder->before, item.payload, names);
		return put_event(recorder, &item, names, p);
	case recording_line:
		return recording_put(p, &item, &recorder->crc);
	case recording_header:
		origin = recording_origin_of(piece);
		return put_header(recorder, &origin, p);
	default:
		return 0;
	}
}

/*
 * Move the pieces to the end of the buffer, and write them again from its front, with their names.
 * The write position cannot pass the read position: the buffer has room for all names that its
 * pieces may need, plus one piece.
 */
static size_t recorder_begin(struct maker *maker, char *buffer, size_t length, size_t size)
{
	struct recorder *recorder = (struct recorder *)maker;
	const char *piece = buffer + size - length;
	size_t end;

	/* before the first header there is nothing to be written */
	if (!recorder->has_left || (length && recording_is_header(buffer)))
		return length;
	memmove(buffer + size - length, buffer, length);
	end = put_header(recorder, &recorder->front, buffer);
	for (; piece < buffer + size; piece += recording_length(piece))
		end += put_again(recorder, piece, buffer + end);
	return end;
}

static void recorder_free(struct maker *maker)
{
	struct recorder *recorder = (struct recorder *)maker;

	names_free(recorder->told);
	names_free(recorder->before);
	free(recorder);
}

static const struct maker_ops recorder_ops = {
	.make = recorder_make,
	.origin = recorder_origin,
	.free = recorder_free,
	.piece = recording_length,
	.counts = recorder_counts,
	.begin = recorder_begin,
	.leave = recorder_leave,
	/* what goes around a piece, and two headers: one for a new origin, one for a new file */
	.around =
		RECORDING_ITEM_BYTES(0) + RECORDING_ALIGNMENT + 2 * sizeof(struct recording_header),
	.extra = EXTRA_BYTES,
};

int maker_recording_new(struct maker **ret_maker)
{
	const struct names_config none = {};
	struct recorder *recorder = calloc(1, sizeof(*recorder));
	int r;

	if (!recorder)
		return -ENOMEM;
	recorder->maker = (struct maker){ &recorder_ops, 1 };
	r = names_new(&none, &recorder->told) ?: names_new(&none, &recorder->before);
	if (r < 0) {
		recorder_free(&recorder->maker);
		return r;
	}
	*ret_maker = &recorder->maker;
	return 0;
}
