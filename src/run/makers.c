// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "run/makers.h"

#include <errno.h>

#include "line/entry.h"
#include "line/writer.h"

_Static_assert(LINE_MAX_BYTES <= OUTPUT_LINE_MAX, "a line has room in every output");

#define ENTRY_MAX_BYTES (LINE_MAX_BYTES + 8192)
_Static_assert(ENTRY_MAX_BYTES <= OUTPUT_LINE_MAX, "and so has an entry");

/* One for each format, for lines or for entries. */
struct line_maker {
	struct maker maker;
	struct writer *writer;
};

static size_t make_line(struct maker *maker, const struct item *item, char *p)
{
	return writer_line(((struct line_maker *)maker)->writer, item, p);
}

static size_t make_entry(struct maker *maker, const struct item *item, char *p)
{
	return entry_put(((struct line_maker *)maker)->writer, item, p, ENTRY_MAX_BYTES);
}

static size_t take_origin(struct maker *maker, const struct origin *origin, char *p _unused_)
{
	writer_set_hostname(((struct line_maker *)maker)->writer, origin->hostname);
	return 0;
}

static void line_maker_free(struct maker *maker)
{
	struct line_maker *line_maker = (struct line_maker *)maker;

	writer_free(line_maker->writer);
	free(line_maker);
}

static const struct maker_ops line_ops = { make_line, take_origin, .free = line_maker_free };
static const struct maker_ops entry_ops = { make_entry, take_origin, .free = line_maker_free };

static int line_maker_new(const struct maker_ops *ops, enum format_id format,
			  struct line_maker **ret_maker)
{
	struct line_maker *maker = calloc(1, sizeof(*maker));
	int r;

	if (!maker)
		return -ENOMEM;
	maker->maker = (struct maker){ ops, 1 };
	r = writer_new(format, &maker->writer);
	if (r < 0) {
		free(maker);
		return r;
	}
	*ret_maker = maker;
	return 0;
}

/* Outputs with the same maker share the bytes that it makes. */
static int maker_get(struct maker_source *source, const struct sink_spec *spec,
		     struct maker **ret_maker)
{
	struct makers *makers = (struct makers *)source;
	struct line_maker **known;
	int r;

	if (spec->takes == SINK_RECORDS)
		return maker_recording_new(ret_maker);
	known = &makers->known[spec->takes * formats + spec->format];
	if (!*known) {
		r = line_maker_new(spec->takes == SINK_ENTRIES ? &entry_ops : &line_ops,
				   spec->format, known);
		if (r < 0)
			return r;
		writer_set_names((*known)->writer, makers->names);
	}
	(*known)->maker.users++;
	*ret_maker = &(*known)->maker;
	return 0;
}

void makers_init(struct makers *makers)
{
	*makers = (struct makers){ .source.get = maker_get };
}

#define for_each_known(makers, each)                                         \
	for (size_t next_ = 0; next_ < ARRAY_SIZE((makers)->known); next_++) \
		for (struct line_maker *each = (makers)->known[next_]; each; each = NULL)

void makers_done(struct makers *makers)
{
	for_each_known(makers, maker)
		maker_put(&maker->maker);
	makers_init(makers);
}

void makers_set_names(struct makers *makers, struct names *names)
{
	makers->names = names;
	for_each_known(makers, maker)
		writer_set_names(maker->writer, names);
}

void makers_forget(struct makers *makers)
{
	for_each_known(makers, maker)
		writer_forget(maker->writer);
}
