// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * extable - ask the kernel whether it can mend a load that faults in a program with functions of
 * its own. An object by itself, since the answer decides how the others are loaded:
 * src/kernel/extable.h.
 */
#include "arguments.h"
#include "kernel.h"

#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Set before reading from the iterator: the program to look at. */
__u32 wanted_id = 0;

/* The answers. */
__u32 seen = 0, functions = 0, mended_loads = 0;
bool compiled = false, has_table = false;

__weak __noinline __u32 function_of_its_own(__u32 number)
{
	return number + 1;
}

/* Never attached. It has a load that may fault, and a function. */
SEC("tp_btf/inet_sock_set_state")
int subject(__u64 *ctx)
{
	const struct sock *sk = ARGUMENT(inet_sock_set_state, sk);
	const struct socket *socket = sk->sk_socket;

	return socket && socket->sk ? function_of_its_own(sk->sk_protocol) & 1 : 0;
}

/*
 * On a fault the kernel searches the table of the program that the code belongs to, if that program
 * counts any mended loads (search_bpf_extables(), kernel/bpf/core.c). A program that counts some
 * but has no table makes the kernel panic.
 */
SEC("iter/bpf_prog")
int look(struct bpf_iter__bpf_prog *ctx)
{
	const struct bpf_prog *prog = ctx->prog;
	const struct bpf_prog_aux *aux = prog ? prog->aux : NULL;

	if (!aux || aux->id != wanted_id)
		return 0;
	compiled = BPF_CORE_READ_BITFIELD(prog, jited);
	functions = aux->func_cnt;
	mended_loads = aux->num_exentries;
	has_table = aux->extable != NULL;
	seen = 1;
	return 0;
}
