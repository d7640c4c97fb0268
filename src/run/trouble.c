// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "run/trouble.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "run/books.h"

void trouble_open(const char *name, int error, const char *consequence)
{
	log_error("cannot open the output %s: %s%s%s", name,
		  error == -ENOTUNIQ ? "another output leads to the same file" : strerror(-error),
		  output_open_advice(name, error), consequence);
}

int trouble_begin(struct output *output)
{
	const char *failed = "";
	int r = output_begin(output, &failed);

	if (r == 0)
		return 0;
	trouble_open(failed, r, "");
	return -ECANCELED;
}

static void state_log(const struct sink *sink)
{
	unsigned long long lost = figures_sum(&sink->lost);

	if (sink->state == SINK_FLOWING)
		log_warning("%s works again; %llu lines were lost there", sink->name, lost);
	else
		log_error("cannot write to %s: %s; %llu lines lost there so far", sink->name,
			  sink->error ? strerror(-sink->error) : "it takes no more", lost);
}

bool trouble_report(const struct output *output)
{
	bool recovered = false;
	const struct sink *sink;

	for (unsigned int i = 0; (sink = output_sink(output, i)); i++) {
		if (sink->tell)
			state_log(sink);
		recovered |= sink->step.from > SINK_BEHIND && sink->step.to == SINK_FLOWING;
	}
	return recovered;
}

bool trouble_unwritten(const struct output *output)
{
	const struct sink *sink;
	bool unwritten = false;

	for (unsigned int i = 0; (sink = output_sink(output, i)); i++) {
		size_t left = sink->ops->pending(sink);
		uint64_t lost = figures_sum(&sink->lost) - figures_sum(&sink->reported.lost);

		if ((!left && !lost) || sink->state == SINK_GONE)
			continue;
		unwritten = true;
		log_error("%s: %zu lines were left unwritten, and %llu had been lost", sink->name,
			  left, (unsigned long long)lost);
	}
	return unwritten;
}
