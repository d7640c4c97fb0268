/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * control.h - netlog's own lines: start, reload, stats, lost, stop.
 *
 * They are rare, so json-c writes them. Their fields are rows like those of the events
 * (bpf/events.h): the schema and the README's tables come from them.
 */
#ifndef NETLOG_CONTROL_H
#define NETLOG_CONTROL_H

#include <json-c/json.h>

#include "base/util.h"
#include "schema/event.h"

/* Fields: C(shape, name, doc). */
#define START_FIELDS(C)                                                                   \
	C(string, version, "of netlog")                                                   \
	C(string, kernel, "release of the kernel, as in `uname -r`")                      \
	C(hex32_or_none, boot_id, "of this boot, as in /proc/sys/kernel/random/boot_id")  \
	C(hex32, run_id, "of this run, random")                                           \
	C(string_or_none, caution,                                                        \
	  "a hazard of this kernel that programs keep clear of: those that it concerns "  \
	  "copy each field rather than load it, which costs more; absent: none is known") \
	C(event_names, events, "event types that are logged")                             \
	C(hooks, hooks,                                                                   \
	  "for each part of an event: the kernel hook that serves it, and what it "       \
	  "cannot see; or why there is none")                                             \
	C(filters, filters, "what was asked for that leaves events out")

#define FIGURES(C)                                                                                \
	C(figures, produced, "for each event type: events that the kernel side wanted to report") \
	C(figures, emitted, "of these, the ones written as lines")                                \
	C(figures, lost, "of these, the ones lost; produced = emitted + lost")                    \
	C(figures, sampled_out,                                                                   \
	  "for each event type: events that sampling left out; they are not in produced")         \
	C(outputs, outputs,                                                                       \
	  "for each output: of the emitted lines that it is there for, those it took (emitted) "  \
	  "and those it lost")

#define RELOAD_FIELDS(C)                                                  \
	C(event_names, events, "event types that are logged from now on") \
	C(filters, filters, "what leaves events out from now on")

#define STATS_FIELDS(C) \
	FIGURES(C)      \
	C(count, adaptive_one_in, "by --adaptive, of so many events one is written; 1: all are")

#define LOST_FIELDS(C)                                                                    \
	C(lost_name, lost_event, "type of the events lost; other: lines of netlog's own") \
	C(count, count, "how many were lost since the last such line")                    \
	C(string, where,                                                                  \
	  "ring: the ring was full; hook: the kernel did not run the program, "           \
	  "at the most so many; decode: not a record netlog knows; else the output")

#define STOP_FIELDS(C)                                                              \
	C(string, reason, "what ended the run: a signal's name, duration or count") \
	FIGURES(C)

/* L(name, FIELDS, message_id, doc) */
#define CONTROL_LINES(L)                                                              \
	L(start, START_FIELDS, "e5e604348df34f8988a15abd2c01a610",                    \
	  "the first line of a run: what is logged, and how")                         \
	L(reload, RELOAD_FIELDS, "40c80cfe2b1447f2929a7541df90fcad",                  \
	  "the configuration has been read anew")                                     \
	L(stats, STATS_FIELDS, "d1fa3568b5574fdbb1f0b4de3ffa9efc",                    \
	  "figures so far, now and then; what is still in the ring counts next time") \
	L(lost, LOST_FIELDS, "2c5978fa39694c70a14271f48a923b56",                      \
	  "events were lost, within a second of the loss")                            \
	L(stop, STOP_FIELDS, "26fb15ed66ce494f9ecd6c1c5c5cf033",                      \
	  "the last line of a run: its figures")

enum control_shape {
	shape_timestamp,
	shape_line_type,
	shape_any_string,
	shape_string,	      /* not empty */
	shape_string_or_none, /* may be absent, as all that end so */
	shape_hex32,
	shape_hex32_or_none,
	shape_count,
	shape_lost_name,
	shape_event_names,
	shape_figures,
	shape_outputs,
	shape_hooks,
	shape_filters,
};

struct control_field {
	const char *name;
	const char *doc;
	enum control_shape shape;
};

struct control_desc {
	const char *name;
	const char *message_id; /* journald's, 32 hexadecimal digits */
	const char *doc;
	unsigned int field_count;
	const struct control_field *fields;
};

#define CONTROL_TYPE(name, FIELDS, message_id, doc) control_##name,
enum control_type { CONTROL_LINES(CONTROL_TYPE) control_types };

#define LOST_OTHER "other" /* in a lost line, for what is no event */

extern const struct control_desc control_descs[control_types];

/* What all lines begin with. */
extern const struct control_field envelope_fields[envelope_keys];

/* One part of an event in the start line. */
struct control_hook {
	const char *event;
	const char *part;
	const char *hook;  /* such as tp_btf/tcp_probe */
	const char *blind; /* what it cannot see; "" = nothing known */
	const char *error; /* why it could not be had; NULL = it is attached */
};

/*
 * A line is begun with its envelope, given its fields, and ended as text. What was asked of json-c
 * and could not be had (memory) shows at the end: control_end() then says -ENOMEM.
 */
struct control {
	struct json_object *line;
	bool failed;
};

/* `wall_ns`: nanoseconds since 1970. */
void control_begin(struct control *control, enum control_type type, const char *hostname,
		   uint64_t seq, uint64_t wall_ns);
void control_add_string(struct control *control, const char *name, const char *value);
void control_add_count(struct control *control, const char *name, uint64_t value);
/* `events`: the types, as bits */
void control_add_event_names(struct control *control, const char *name, uint64_t events);
/* only of the types among `events` */
void control_add_figures(struct control *control, const char *name, const struct figures *figures,
			 uint64_t events);
/* One output's lines, of the types among `events`. */
void control_add_output(struct control *control, const char *name, const char *output,
			const struct figures *emitted, const struct figures *lost, uint64_t events);
void control_add_hook(struct control *control, const char *name, const struct control_hook *hook);
/* One more value of a filter. `filter` NULL: there may be none. */
void control_add_filter(struct control *control, const char *name, const char *filter,
			const char *text);

/*
 * The line, which the caller puts; the control is empty then. -ENOMEM; -E2BIG when its text and a
 * newline would be longer than `most`.
 */
int control_end(struct control *control, size_t most, struct json_object **ret_line);

/*
 * The line's text in netlog's own format, without a newline and with strings as the event lines
 * write theirs; the caller frees. NULL: memory is short.
 */
char *control_text(struct json_object *line, size_t *ret_length);

/* Which line it is: a name of CONTROL_LINES. */
const char *control_type_name(struct json_object *line);

/*
 * One of our control lines as text, newline included, and nothing that a terminal, a reader of
 * lines or journald could take for something else: the line, which the caller puts. -EBADMSG if it
 * is none, -ENOMEM.
 */
int control_parse(const char *line, size_t length, struct json_object **ret_line);

#endif
