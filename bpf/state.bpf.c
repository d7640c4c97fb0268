// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * state - the large globals that all programs share: state.bpf.h says why they are here.
 */
#include "filter.bpf.h"

struct counters counters[COUNTER_CPUS] = {};
struct filter filters[2] = {};
