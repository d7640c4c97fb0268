/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * entry.h - from an item to an entry of the journal: the line, and its fields to search by.
 */
#ifndef NETLOG_LINE_ENTRY_H
#define NETLOG_LINE_ENTRY_H

#include "line/writer.h"

/*
 * Write the entry (base/entry.h) at `p`, in `room` bytes; MESSAGE is the writer's line. Returns its
 * length; 0: the room is too small, or memory is short.
 */
size_t entry_put(struct writer *writer, const struct item *item, char *p, size_t room);

#endif
