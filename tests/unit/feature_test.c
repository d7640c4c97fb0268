// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What a kernel lacks, of kernels whose BTF is made here.
 */
#include <errno.h>

#include <bpf/btf.h>

#include "base/util.h"
#include "kernel/feature.h"
#include "kernel/way.h"
#include "test.h"

/* A kernel that has these functions, and the tracepoints of these types. */
static struct btf *kernel_with(const char *const *functions, const char *const *types)
{
	struct btf *btf = btf__new_empty();
	int prototype = btf__add_func_proto(btf, 0);

	CHECK(prototype > 0);
	for (; *functions; functions++)
		CHECK(btf__add_func(btf, *functions, BTF_FUNC_GLOBAL, prototype) > 0);
	for (; *types; types++)
		CHECK(btf__add_typedef(btf, *types, prototype) > 0);
	return btf;
}
#define FUNCTIONS(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define NO_TYPES ((const char *const[]){ NULL })

static uint64_t unknown(const char *const *functions)
{
	struct btf *btf = kernel_with(functions, NO_TYPES);
	uint64_t unknown = features_unknown(btf);

	btf__free(btf);
	return unknown;
}

TEST(a_kernel_that_knows_none_of_the_functions_has_none)
{
	const uint64_t all =
		FEATURE(sk_storage) | FEATURE(cookie) | FEATURE(task_btf) | FEATURE(task_regs);

	CHECK_EQUAL(unknown(FUNCTIONS("bpf_get_current_comm")), all);
	/* it may have the others by another name */
	CHECK_EQUAL(unknown(FUNCTIONS("bpf_get_current_comm", "bpf_get_socket_ptr_cookie")), 0);
	/* this BTF does not tell of functions */
	CHECK_EQUAL(unknown(FUNCTIONS("do_exit")), 0);
}

TEST(the_verifiers_words_tell_which_feature_is_lacking)
{
	CHECK_EQUAL(feature_refused("unknown func bpf_sk_storage_get#107"), feature_sk_storage);
	CHECK_EQUAL(feature_refused("unknown func bpf_get_socket_cookie#46"), feature_cookie);
	CHECK_EQUAL(feature_refused("invalid func unknown#158"), feature_task_btf);
	CHECK_EQUAL(feature_refused("invalid func unknown#175"), feature_task_regs);
	CHECK_EQUAL(feature_refused("R1 type=scalar expected=ptr_"), -ENOENT);
	CHECK_EQUAL(feature_refused(""), -ENOENT);
}

TEST(what_rests_on_a_lacking_feature_is_lacking_too)
{
	CHECK_EQUAL(features_without(FEATURE(loads)),
		    FEATURE(loads) | FEATURE(sk_storage) | FEATURE(task_btf) | FEATURE(task_regs));
	CHECK_EQUAL(features_without(FEATURE(cookie)), FEATURE(cookie));
	CHECK_EQUAL(features_without(0), 0);
}

TEST(programs_are_told_what_to_do_without)
{
	struct config config = {};

	features_forgo(&config, FEATURE(loads) | FEATURE(cookie));
	CHECK(config.no_loads == 1 && config.no_cookie == 1);
	CHECK(config.no_sk_storage == 0 && config.no_task_btf == 0);
}

TEST(a_tracepoint_that_the_kernel_lacks_is_known_before_it_is_loaded)
{
	const char *const types[] = { "btf_trace_tcp_probe", NULL };
	struct btf *btf = kernel_with(FUNCTIONS("do_exit"), types);
	const struct way *way = way_of_section("tp_btf/tcp_probe");

	CHECK_TEXT(way_target(way, "tp_btf/tcp_probe"), "tcp_probe");
	CHECK(!way->absent(btf, "tcp_probe"));
	CHECK(way->absent(btf, "tcp_prob"));
	CHECK(way->absent(btf, "do_exit"));
	CHECK(!way_of_section("fentry/tcp_v4_rcv")->absent);
	btf__free(btf);
}

TEST(a_way_is_known_by_what_stands_before_the_slash)
{
	CHECK_TEXT(way_of_section("fentry/tcp_v4_rcv")->name, "fentry");
	CHECK_TEXT(way_of_section("iter/task_file")->name, "iter");
	CHECK(!way_of_section("fentry"));
	CHECK(!way_of_section("fentr/tcp_v4_rcv"));
	CHECK(!way_of_section("fentry.s/tcp_v4_rcv"));
	CHECK(!way_of_section(""));
}
