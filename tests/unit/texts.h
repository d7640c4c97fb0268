/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * texts.h - for tests of outputs: a maker that has texts written as they are, and what it has been
 * asked for. Recordings have the maker that they always have.
 */
#ifndef NETLOG_TEXTS_H
#define NETLOG_TEXTS_H

#include "output/output.h"
#include "test.h"

struct text_item {
	struct item item;
	const char *text;
	size_t length;
};

static unsigned int texts_made;
static const char *texts_made_at;  /* the last one */
static struct origin texts_origin; /* what the maker has been told last */

static inline size_t text_make(struct maker *maker, const struct item *item, char *p)
{
	const struct text_item *text = (const struct text_item *)item;

	(void)maker;
	texts_made++;
	texts_made_at = p;
	memcpy(p, text->text, text->length);
	return text->length;
}

static inline size_t text_origin(struct maker *maker, const struct origin *origin, char *p)
{
	(void)maker;
	(void)p;
	texts_origin = *origin;
	return 0;
}

static inline void text_free(struct maker *maker)
{
	(void)maker;
	CHECK(false); /* there is always one user more */
}

static inline int texts_get(struct maker_source *source, const struct sink_spec *spec,
			    struct maker **ret_maker)
{
	static const struct maker_ops ops = { text_make, text_origin, .free = text_free };
	static struct maker makers[formats];
	struct maker *maker = &makers[spec->format];

	(void)source;
	if (spec->takes == SINK_RECORDS)
		return maker_recording_new(ret_maker);
	maker->ops = &ops;
	maker->users = maker->users ? maker->users + 1 : 2;
	*ret_maker = maker;
	return 0;
}

static struct maker_source texts = { texts_get };

static inline bool write_text(struct output *output, enum event_type type, const char *text,
			      size_t length)
{
	const struct text_item item = { { .type = type, .takers = ITEM_FOR_ALL }, text, length };

	return output_write(output, &item.item);
}

#endif
