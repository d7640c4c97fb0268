/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * writer.h - from an item to its line, in one of the formats.
 *
 * Constant parts of lines are prepared at the start: for each event the text before its seq, and
 * for each field the text before its value. Writing a line is then copying, and formatting numbers.
 */
#ifndef NETLOG_WRITER_H
#define NETLOG_WRITER_H

#include "host/names.h"
#include "schema/format.h"
#include "schema/item.h"

#define LINE_MAX_BYTES 40960 /* newline included, of any format */

struct writer;

/*
 * A writer of lines in this format; the caller frees it. -ENOMEM; -E2BIG: the longest line that the
 * rows allow does not fit LINE_MAX_BYTES. A test would find that.
 */
int writer_new(enum format_id format, struct writer **ret_writer);
void writer_free(struct writer *writer);
DEFINE_CLEANUP(struct writer, writer_free)

/* From now on lines have this hostname (any bytes, at most HOST_NAME_MAX of them). */
void writer_set_hostname(struct writer *writer, const char *hostname);

/*
 * From now on lines have these names (names.h); NULL: none. They must outlive the writer. Call
 * writer_forget() if names_refresh() says that some have changed.
 */
void writer_set_names(struct writer *writer, struct names *names);
void writer_forget(struct writer *writer);

/*
 * Write the line with its newline at `p`, which has room for LINE_MAX_BYTES. Returns its length.
 * For a control line 0, if memory is short or the line would be longer.
 */
size_t writer_line(struct writer *writer, const struct item *item, char *p);

#endif
