// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "settings/rates.h"

#include "base/text.h"
#include "base/util.h"

static char *unknown_event(const char *name)
{
	_cleanup_free_ char *hint = word_hint(&event_words, name);

	return setting_wrong("there is no event '%s'; %s", name, hint);
}

/* `item` is modified. */
static char *rate_take(struct figures *rates, char *item, const struct rate_form *form)
{
	char *number = strchr(item, '='), *end;
	enum event_type type;
	uint64_t value;

	if (!number)
		return setting_wrong("'%s' says no number; give EVENT=N, as rtt=10", item);
	*number++ = 0;
	type = event_by_name(item);
	if (type == event_none)
		return unknown_event(item);
	end = number + strlen(number) - strlen(form->suffix);
	if (end > number && !strcmp(end, form->suffix))
		*end = 0;
	if (parse_u64(number, &value) < 0 || !value || value > form->max)
		return setting_wrong("'%s' is no number for %s; give one from 1 to %llu", number,
				     item, (unsigned long long)form->max);
	if (rates->of[type])
		return setting_wrong("%s is given twice", item);
	rates->of[type] = value;
	return NULL;
}

char *rates_take(struct figures *rates, const char *text, const struct rate_form *form)
{
	_cleanup_free_ char *copy = strdup(text);
	char *rest = copy, *wrong = copy ? NULL : setting_wrong_memory();

	for (char *item = strsep(&rest, ","); item && !wrong; item = strsep(&rest, ","))
		wrong = rate_take(rates, item, form);
	return wrong;
}
