/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * feature.h - which of the features in bpf/config.h this kernel lacks.
 *
 * A set of features is bits: FEATURE(name).
 */
#ifndef NETLOG_FEATURE_H
#define NETLOG_FEATURE_H

#include <stdint.h>

#include "bpf/config.h"

struct btf;

/*
 * The missing feature that the verifier complains about; -ENOENT: it complains about something
 * else.
 */
int feature_refused(const char *words);

/* The features that a kernel with this BTF lacks, as far as its BTF tells. */
uint64_t features_unknown(const struct btf *btf);

/* These features, and those that are of no use without them. */
uint64_t features_without(uint64_t lacking);

/* Have programs do without these features. */
void features_forgo(struct config *config, uint64_t lacking);

#endif
