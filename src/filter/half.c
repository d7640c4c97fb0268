// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "filter/half.h"

char *half_full(unsigned int most)
{
	return setting_wrong("%u values are the most", most);
}

char *half_take_each(const struct half *half, const char *text,
		     char *(*take)(const struct half *half, const char *text))
{
	_cleanup_free_ char *copy = strdup(text);
	char *rest = copy, *wrong = NULL;

	if (!copy)
		return setting_wrong_memory();
	for (char *item = strsep(&rest, ","); item && !wrong; item = strsep(&rest, ","))
		wrong = take(half, item);
	return wrong;
}

char *half_add_number(const struct half *half, struct filter_numbers *list, uint32_t number)
{
	if (list->count == FILTER_NUMBERS)
		return half_full(FILTER_NUMBERS);
	list->of[list->count++] = (struct filter_number){ number, half->bit };
	return NULL;
}

char *half_add_name(const struct half *half, struct filter_names *list, const char *text)
{
	struct filter_named named = { .bits = half->bit };

	if (list->count == FILTER_NAMES)
		return half_full(FILTER_NAMES);
	memcpy(named.name.text, text, strnlen(text, sizeof(named.name.text) - 1));
	list->of[list->count++] = named;
	return NULL;
}
