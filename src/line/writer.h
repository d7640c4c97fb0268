/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * writer.h - from an item to its line, in one of the formats.
 *
 * What lines look like is worked out once, at start: for each event what stands before its seq and,
 * for each field, the literal in front of its value. Writing a line is then copying, and formatting
 * numbers.
 */
#ifndef NETLOG_WRITER_H
#define NETLOG_WRITER_H

#include "host/names.h"
#include "schema/format.h"
#include "schema/item.h"

#define LINE_MAX_BYTES 40960 /* newline included, of any format */

struct writer;

/*
 * A writer of lines in this format, which the caller frees. -ENOMEM; -E2BIG: the longest line that
 * the rows allow would not fit LINE_MAX_BYTES, which a test finds.
 */
int writer_new(enum format_id format, struct writer **ret_writer);
void writer_free(struct writer *writer);
DEFINE_CLEANUP(struct writer, writer_free)

/* Lines carry this hostname (any bytes, of which HOST_NAME_MAX count) from now on. */
void writer_set_hostname(struct writer *writer, const char *hostname);

/*
 * Put these names (see names.h) into the lines from now on; NULL: none. They outlive the writer.
 * writer_forget() when names_refresh() says that some have changed.
 */
void writer_set_names(struct writer *writer, struct names *names);
void writer_forget(struct writer *writer);

/*
 * The line, newline included, at `p`, which has room for LINE_MAX_BYTES; returns its length. Of a
 * control line 0, if memory is short or it would be longer than that.
 */
size_t writer_line(struct writer *writer, const struct item *item, char *p);

#endif
