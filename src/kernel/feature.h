/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * feature.h - what this kernel lacks of the features in bpf/config.h, which are the rows.
 *
 * A set of features is bits: FEATURE(name).
 */
#ifndef NETLOG_FEATURE_H
#define NETLOG_FEATURE_H

#include <stdint.h>

#include "bpf/config.h"

struct btf;

/* The lacking feature that the verifier's words tell of; -ENOENT: they are about something else. */
int feature_refused(const char *words);

/* Those that a kernel with this BTF lacks, as far as the BTF tells. */
uint64_t features_unknown(const struct btf *btf);

/* These, and those that are of no use without them. */
uint64_t features_without(uint64_t lacking);

/* Have programs do without these. */
void features_forgo(struct config *config, uint64_t lacking);

#endif
