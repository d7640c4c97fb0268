// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "settings/rates.h"

#include "base/text.h"
#include "base/util.h"

static char *unknown_event(const char *name)
{
	_cleanup_free_ char *hint = word_hint(&event_words, name);

	return setting_wrong("there is no event '%s'; %s", name, hint);
}

/* `item` is written to. */
static char *rate_take(struct figures *rates, char *item, uint64_t max, const char *suffix)
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
	end = number + strlen(number) - strlen(suffix);
	if (end > number && !strcmp(end, suffix))
		*end = 0;
	if (parse_u64(number, &value) < 0 || !value || value > max)
		return setting_wrong("'%s' is no number for %s; give one from 1 to %llu", number,
				     item, (unsigned long long)max);
	if (rates->of[type])
		return setting_wrong("%s is given twice", item);
	rates->of[type] = value;
	return NULL;
}

char *rates_take(struct figures *rates, const char *value, uint64_t max, const char *suffix,
		 bool more)
{
	_cleanup_free_ char *copy = strdup(value);
	char *rest = copy, *wrong = copy ? NULL : setting_wrong("memory is short");

	if (!more)
		*rates = (struct figures){};
	for (char *item = strsep(&rest, ","); item && !wrong; item = strsep(&rest, ","))
		wrong = rate_take(rates, item, max, suffix);
	return wrong;
}

bool rate_text(const struct figures *rates, enum event_type type, char text[RATE_TEXT_MAX])
{
	if (!rates->of[type])
		return false;
	snprintf(text, RATE_TEXT_MAX, "%s=%llu", event_desc(type)->name,
		 (unsigned long long)rates->of[type]);
	return true;
}

bool rates_show(const struct figures *rates, FILE *file)
{
	const char *separator = "[";
	char text[RATE_TEXT_MAX];

	for_each_event_type(type) {
		if (!rate_text(rates, type, text))
			continue;
		fprintf(file, "%s\"%s\"", separator, text);
		separator = ", ";
	}
	return separator[0] == ',' && fputc(']', file) >= 0;
}
