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
	sigemptyset(ret_set);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaddset(ret_set, signals[i].number);
}

/* One that is ignored comes all the same to who holds it and takes it by signalfd(2). */
bool signals_hangup_ignored(void)
{
	struct sigaction action;

	return sigaction(SIGHUP, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
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
		if (signals[i].number != SIGHUP || !signals_hangup_ignored())
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
