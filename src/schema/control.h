/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * control.h - control lines: netlog's own lines start, reload, stats, lost, stop.
 *
 * They are rare, so json-c writes them. Their fields are rows like those of events (bpf/events.h),
 * from which the schema and README's tables are made.
 */
#ifndef NETLOG_CONTROL_H
#define NETLOG_CONTROL_H

#include "base/util.h"
#include "schema/event.h"
#include "schema/json.h"

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
	shape_string,	      /* never empty */
	shape_string_or_none, /* may be absent, as may all with _or_none */
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

#define LOST_OTHER "other" /* in a lost line, about what is no event */

extern const struct control_desc control_descs[control_types];

/* The line of that name; NULL: there is none. */
const struct control_desc *control_by_name(const char *name);

/* The keys that every line begins with. */
extern const struct control_field envelope_fields[envelope_keys];

/* A hook in the start line. */
struct control_hook {
	const char *event;
	const char *part;
	const char *hook;  /* such as tp_btf/tcp_probe */
	const char *blind; /* "": nothing known */
	const char *error; /* why it is not attached; NULL: it is */
};

/*
 * A line is begun with its envelope, given its fields, and ended. If memory is short in between,
 * control_end() says -ENOMEM.
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
/* `events`: types, as bits. */
void control_add_event_names(struct control *control, const char *name, uint64_t events);
/* Add only the types in `events`. */
void control_add_figures(struct control *control, const char *name, const struct figures *figures,
			 uint64_t events);
/* Add the lines of one output, of the types in `events`. */
void control_add_output(struct control *control, const char *name, const char *output,
			const struct figures *emitted, const struct figures *lost, uint64_t events);
void control_add_hook(struct control *control, const char *name, const struct control_hook *hook);
/*
 * Add a value of a filter. `filter` NULL: add none, so that the list is there even if it stays
 * empty.
 */
void control_add_filter(struct control *control, const char *name, const char *filter,
			const char *text);

/*
 * The line, which the caller puts; the control is empty afterwards. -ENOMEM; -E2BIG: text and
 * newline would be longer than `most`.
 */
int control_end(struct control *control, size_t most, struct json_object **ret_line);

/* The line's type: a name in CONTROL_LINES. */
const char *control_type_name(struct json_object *line);

/*
 * Parse one of our control lines: text that ends with a newline. Anything that a terminal, a reader
 * of lines or journald could misread is refused. The caller puts the line. -EBADMSG: not a control
 * line; -ENOMEM.
 */
int control_parse(const char *line, size_t length, struct json_object **ret_line);

#endif
