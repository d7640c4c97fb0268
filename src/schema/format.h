/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * format.h - the formats that lines may have. src/line writes them.
 */
#ifndef NETLOG_FORMAT_H
#define NETLOG_FORMAT_H

#include "base/words.h"

/* F(name, doc). The first is the default. */
#define FORMATS(F)                                     \
	F(flat, "netlog's own keys, all on one level") \
	F(ecs, "the Elastic Common Schema's keys")

#define FORMAT_ID(name, doc) format_##name,
enum format_id { FORMATS(FORMAT_ID) formats };

/* The names of formats, by enum format_id. */
extern const struct vocabulary format_words;

#endif
