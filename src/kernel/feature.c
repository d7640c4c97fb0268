// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "kernel/feature.h"

#include <bpf/btf.h>

#include "base/util.h"

static const struct feature_row {
	uint64_t rests_on;
	const char *words, *function;
} rows[] = {
#define FEATURE_ROW(name, rests_on, words, function) \
	[feature_##name] = { rests_on, words, function },
	FEATURES(FEATURE_ROW)
};

int feature_refused(const char *words)
{
	for (int i = 0; i < features; i++)
		if (rows[i].words && strstr(words, rows[i].words))
			return i;
	return -ENOENT;
}

static bool function_known(const struct btf *btf, const char *name)
{
	return btf__find_by_name_kind(btf, name, BTF_KIND_FUNC) >= 0;
}

/*
 * If the kernel's BTF knows none of the functions (5.10), it has none of the features, and no load
 * needs to fail for each. If it knows some, the others may exist under other names: loading will
 * tell.
 */
uint64_t features_unknown(const struct btf *btf)
{
	uint64_t unknown = 0;

	/* every kernel has this one; if it is unknown, this BTF does not list functions */
	if (!function_known(btf, "bpf_get_current_comm"))
		return 0;
	for (int i = 0; i < features; i++) {
		if (!rows[i].function)
			continue;
		if (function_known(btf, rows[i].function))
			return 0;
		unknown |= BIT(i);
	}
	return unknown;
}

uint64_t features_without(uint64_t lacking)
{
	uint64_t before;

	do {
		before = lacking;
		for (int i = 0; i < features; i++)
			if (rows[i].rests_on & lacking)
				lacking |= BIT(i);
	} while (lacking != before);
	return lacking;
}

void features_forgo(struct config *config, uint64_t lacking)
{
#define FEATURE_FORGO(name, ...) config->no_##name = (lacking & FEATURE(name)) != 0;
	FEATURES(FEATURE_FORGO)
}
