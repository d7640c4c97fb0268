/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * format.h - which formats there are for lines. How each is written is in src/line.
 */
#ifndef NETLOG_FORMAT_H
#define NETLOG_FORMAT_H

#include "base/words.h"

/* F(name, doc). The first one is what an output has when nothing is said. */
#define FORMATS(F)                                     \
	F(flat, "netlog's own keys, all on one level") \
	F(ecs, "the Elastic Common Schema's keys")

#define FORMAT_ID(name, doc) format_##name,
enum format_id { FORMATS(FORMAT_ID) formats };

/* Their names, by enum format_id. */
extern const struct vocabulary format_words;

#endif
