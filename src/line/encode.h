/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * encode.h - from a record to its line.
 *
 * What a line looks like is worked out once, at start: for each event a prologue and, for each
 * field, the literal in front of its value. Writing a line is then copying and formatting numbers.
 */
#ifndef NETLOG_ENCODE_H
#define NETLOG_ENCODE_H

#include <limits.h>

#include "base/util.h"
#include "host/names.h"
#include "schema/event.h"

struct encoder;

/*
 * An encoder whose lines carry this hostname (any bytes; copied). The caller frees it.
 * -ENOMEM; -E2BIG when the hostname is longer than HOST_NAME_MAX.
 */
int encoder_new(const char *hostname, struct encoder **ret_encoder);
void encoder_free(struct encoder *encoder);
DEFINE_CLEANUP(struct encoder, encoder_free)

/*
 * Put these names (see names.h) into the lines from now on; NULL: none. They outlive the encoder.
 * encoder_forget() when names_refresh() says that some have changed.
 */
void encoder_set_names(struct encoder *encoder, struct names *names);
void encoder_forget(struct encoder *encoder);

/*
 * No line is longer than this many bytes, and encode_event() writes none beyond them: what the rows
 * of the event with the longest line add up to.
 */
#define ENVELOPE_ROOM(shape, name, doc) +sizeof(",\"" #name "\":\"\"") - 1
#define EVENT_LINE(name, FIELDS, hooks, message_id, doc)                            \
	char name[sizeof("{}\n") - 1 ENVELOPE(ENVELOPE_ROOM) + TIMESTAMP_TEXT_MAX + \
		  sizeof(#name) - 1 + U64_TEXT_MAX +                                \
		  JSON_TEXT_MAX(HOST_NAME_MAX) COMMON_FIELDS(FIELD_ROOM) FIELDS(FIELD_ROOM)];
union event_lines {
	EVENTS(EVENT_LINE)
};
#define ENCODE_SLACK 48 /* what is copied by the widest step, whatever its length */
#define ENCODE_LINE_MAX (sizeof(union event_lines) + ENCODE_SLACK)

/*
 * The line of a record that has passed event_check(), newline included, at `line`, which has room
 * for ENCODE_LINE_MAX. `wall_ns`: the event's time, nanoseconds since 1970. Returns the length.
 */
size_t encode_event(struct encoder *encoder, const struct event *record, uint64_t seq,
		    uint64_t wall_ns, char *line);

#endif
