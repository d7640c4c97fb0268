/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * makers.h - the makers that outputs are given: one for each format that is in use, as lines or as
 * entries of the journal, and one for each recording.
 */
#ifndef NETLOG_MAKERS_H
#define NETLOG_MAKERS_H

#include "host/names.h"
#include "output/maker.h"

struct line_maker;

/* All zeros but `source`, which makers_init() sets: none yet. It stays where it is. */
struct makers {
	struct maker_source source;			  /* for the output */
	struct line_maker *known[SINK_RECORDS * formats]; /* of lines, and of entries */
	struct names *names;
};

void makers_init(struct makers *makers);
void makers_done(struct makers *makers);

/* Put these names into all that is made; they outlive the makers. */
void makers_set_names(struct makers *makers, struct names *names);

/* Some of the names have changed. */
void makers_forget(struct makers *makers);

#endif
