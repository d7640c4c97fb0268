/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * entry.h - an entry of the journal as bytes, as it is passed from its maker to the sink: fields
 * NAME=value one after the other, with any bytes in the value.
 */
#ifndef NETLOG_ENTRY_H
#define NETLOG_ENTRY_H

#include <stdint.h>
#include <string.h>

/*
 * Comes before an entry and includes itself; comes before a field, and counts the bytes after it.
 */
typedef uint32_t entry_length;

#define ENTRY_FIELDS_MAX 256 /* of one entry; the event with the most has a third of that */

/* A field is begun at `p` and ended at `p`, and so is an entry. */
static inline char *entry_begin(char *p)
{
	return p + sizeof(entry_length);
}

static inline char *entry_field_begin(char *p)
{
	return p + sizeof(entry_length);
}

static inline char *entry_field_end(char *begin, char *p)
{
	const entry_length length = (entry_length)(p - begin);

	memcpy(begin - sizeof(length), &length, sizeof(length));
	return p;
}

/* `entry`: where entry_begin() was called. Returns the entry's length. */
static inline size_t entry_end(char *entry, const char *p)
{
	const entry_length length = (entry_length)(p - entry);

	memcpy(entry, &length, sizeof(length));
	return length;
}

static inline size_t entry_size(const char *entry)
{
	entry_length length;

	memcpy(&length, entry, sizeof(length));
	return length;
}

/*
 * The next field. `at` is the caller's position in the entry, 0 at first. NULL after the last
 * field.
 */
static inline const char *entry_field(const char *entry, size_t *at, size_t *ret_length)
{
	const char *p = entry + (*at ?: sizeof(entry_length));
	entry_length length;

	if ((size_t)(p - entry) >= entry_size(entry))
		return NULL;
	memcpy(&length, p, sizeof(length));
	p += sizeof(length);
	*ret_length = length;
	*at = (size_t)(p + length - entry);
	return p;
}

#endif
