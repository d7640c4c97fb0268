/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* writing.h - for tests of lines: a writer, and the line of a record. */
#ifndef NETLOG_WRITING_H
#define NETLOG_WRITING_H

#include "line/format.h"
#include "test.h"

static inline struct writer *writer_make(enum format_id format, const char *hostname)
{
	struct writer *writer;

	CHECK_EQUAL(writer_new(format, &writer), 0);
	writer_set_hostname(writer, hostname);
	return writer;
}

static inline struct item item_of(const struct event *record, uint64_t seq, uint64_t wall_ns)
{
	return (struct item){ .type = (enum event_type)record->header.type,
			      .event = record,
			      .seq = seq,
			      .offset_ns = (int64_t)(wall_ns - record->header.time_ns) };
}

static inline size_t line_of(struct writer *writer, const struct event *record, uint64_t seq,
			     uint64_t wall_ns, char *line)
{
	const struct item item = item_of(record, seq, wall_ns);

	return writer_line(writer, &item, line);
}

#endif
