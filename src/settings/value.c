// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "settings/value.h"

#include <ctype.h>

#include "base/text.h"
#include "base/util.h"

#define SECONDS_MAX 4000000000ULL
#define WORD_ALL "all"

int parse_seconds(const char *text, uint64_t *ret_us)
{
	char whole[24] = "", *point;
	uint64_t seconds, us = 0;

	if (strlen(text) >= sizeof(whole))
		return -EINVAL;
	strcpy(whole, text);
	point = strchr(whole, '.');
	if (point) {
		uint64_t scale = USEC_PER_SEC;

		*point = 0;
		if (!point[1])
			return -EINVAL;
		for (const char *p = point + 1; *p; p++) {
			scale /= 10;
			if (!isdigit((unsigned char)*p) || !scale)
				return -EINVAL;
			us += (uint64_t)(*p - '0') * scale;
		}
	}
	if (parse_u64(whole, &seconds) < 0 || seconds > SECONDS_MAX)
		return -EINVAL;
	*ret_us = seconds * USEC_PER_SEC + us;
	return 0;
}

bool show_seconds(uint64_t us, FILE *file)
{
	uint64_t rest = us % USEC_PER_SEC;
	int digits = 6;

	fprintf(file, "%llu", (unsigned long long)(us / USEC_PER_SEC));
	for (; rest && rest % 10 == 0; digits--)
		rest /= 10;
	if (rest)
		fprintf(file, ".%0*llu", digits, (unsigned long long)rest);
	return true;
}

bool show_number(uint64_t number, FILE *file)
{
	fprintf(file, "%llu", (unsigned long long)number);
	return true;
}

void show_string(const char *text, FILE *file)
{
	_cleanup_free_ char *escaped = malloc(JSON_TEXT_MAX(strlen(text)) + 1);

	if (escaped)
		*put_json_string(escaped, text, strlen(text)) = 0;
	fprintf(file, "\"%s\"", escaped ?: "");
}

char *parse_words(const char *text, const struct vocabulary *words, bool more, uint64_t *bits,
		  bool *named)
{
	_cleanup_free_ char *copy = strdup(text), *hint = NULL;
	uint64_t found = more ? *bits : 0;
	char *rest = copy;

	*named = more && *named;
	for (char *item = strsep(&rest, ","); item; item = strsep(&rest, ",")) {
		int number = word_number(words, item);

		if (number >= 0) {
			found |= BIT(number);
			*named = true;
		} else if (!strcmp(item, WORD_ALL)) {
			found |= word_bits(words);
		} else {
			hint = word_hint(words, item);
			return setting_wrong("there is no %s '%s'; %s, %s", words->what, item, hint,
					     WORD_ALL);
		}
	}
	*bits = found;
	return NULL;
}

bool show_words(const struct vocabulary *words, uint64_t bits, bool named, FILE *file)
{
	const char *separator = "";

	if (!named)
		return fprintf(file, "[\"%s\"]", WORD_ALL) > 0;
	fputc('[', file);
	for (unsigned int i = 0; i < words->count; i++) {
		if (!words->word(i) || !(bits & BIT(i)))
			continue;
		fprintf(file, "%s\"%s\"", separator, words->word(i));
		separator = ", ";
	}
	fputc(']', file);
	return true;
}

char *parse_least(const char *text, bool more, uint64_t *limit)
{
	uint64_t us;

	if (parse_u64(text, &us) < 0 || us > SETTING_LIMIT_MAX)
		return setting_wrong("'%s' is no time; give microseconds, as 1000", text);
	if (!more || us < *limit)
		*limit = us;
	return NULL;
}

char *parse_below(const char *text, bool more, uint64_t *limit)
{
	return !strcmp(text, "0") ? setting_wrong("nothing is below 0; give 1 or more") :
				    parse_least(text, more, limit);
}
