/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * makers.h - the makers that outputs get: one for each format in use, as lines or as entries of the
 * journal, and one for each recording.
 */
#ifndef NETLOG_MAKERS_H
#define NETLOG_MAKERS_H

#include "host/names.h"
#include "output/maker.h"

struct line_maker;

/* All zeros but `source`, which makers_init() sets, mean none yet. They must not be moved. */
struct makers {
	struct maker_source source;			  /* given to the output */
	struct line_maker *known[SINK_RECORDS * formats]; /* of lines and of entries, made so far */
	struct names *names;
};

void makers_init(struct makers *makers);
void makers_done(struct makers *makers);

/* Put these names into everything that is made. They must outlive the makers. */
void makers_set_names(struct makers *makers, struct names *names);

/* Forget cached texts: some names have changed. */
void makers_forget(struct makers *makers);

#endif
