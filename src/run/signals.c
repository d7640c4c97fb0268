// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "run/signals.h"

#include "base/util.h"

static const struct {
	int number;
	const char *name;
} signals[] = {
	{ SIGINT, "SIGINT" },
	{ SIGTERM, "SIGTERM" },
	{ SIGHUP, "SIGHUP" },
};

void signals_set(sigset_t *ret_set)
{
	struct sigaction action;

	sigemptyset(ret_set);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		if (signals[i].number != SIGHUP || sigaction(SIGHUP, NULL, &action) < 0 ||
		    action.sa_handler != SIG_IGN)
			sigaddset(ret_set, signals[i].number);
}

void signals_hold(void)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	signals_set(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

void signals_release(void)
{
	sigset_t set;

	signals_set(&set);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		if (sigismember(&set, signals[i].number) == 1)
			signal(signals[i].number, SIG_DFL);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

const char *signal_name(int number)
{
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		if (signals[i].number == number)
			return signals[i].name;
	return "signal";
}
