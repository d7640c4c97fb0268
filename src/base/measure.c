// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "base/measure.h"

#include <ctype.h>
#include <stdbool.h>

#include "base/util.h"

#define DECIMALS_MAX 9 /* so that a unit times this many digits stays within 64 bits */
#define REASON_BYTES 96
#define DIGITS "0123456789"

static const struct unit {
	const char *name;
	enum measure_kind kind;
	uint64_t factor; /* nanoseconds, or bytes */
} units[] = {
	{ "ns", measure_time, 1 },
	{ "us", measure_time, NSEC_PER_USEC },
	{ "ms", measure_time, NSEC_PER_MSEC },
	{ "s", measure_time, NSEC_PER_SEC },
	{ "m", measure_time, 60 * NSEC_PER_SEC },
	{ "h", measure_time, 3600 * NSEC_PER_SEC },
	{ "B", measure_size, 1 },
	{ "kB", measure_size, 1000 },
	{ "MB", measure_size, 1000 * 1000 },
	{ "GB", measure_size, 1000 * 1000 * 1000 },
	{ "KiB", measure_size, 1ULL << 10 },
	{ "MiB", measure_size, 1ULL << 20 },
	{ "GiB", measure_size, 1ULL << 30 },
};

static const char *const kinds[] = {
	[measure_count] = "of nothing",
	[measure_time] = "of time",
	[measure_size] = "of size",
};

static const struct unit *unit_by_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (!strcmp(units[i].name, name))
			return &units[i];
	return NULL;
}

/* The unit's name; "" if it has none. */
static const char *unit_by_factor(enum measure_kind kind, uint64_t factor)
{
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (units[i].kind == kind && units[i].factor == factor)
			return units[i].name;
	return "";
}

char *measure_refuse(const struct measure *measure, const char *text, const char *wrong)
{
	char names[64] = "";

	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (units[i].kind == measure->kind)
			list_add(names, sizeof(names), units[i].name);
	return setting_wrong("'%s' %s%s%s; give %s%s%s", text, measure->refusal, wrong ? ": " : "",
			     wrong ?: "", measure->would_do, names[0] ? ", or with a unit: " : "",
			     names);
}

static char *beyond(const struct measure *measure, const char *text, const char *end,
		    uint64_t bound)
{
	char wrong[REASON_BYTES], number[MEASURE_TEXT_MAX];

	snprintf(wrong, sizeof(wrong), "the %s is %s%s", end, measure_text(measure, bound, number),
		 unit_by_factor(measure->kind, measure->plain));
	return measure_refuse(measure, text, wrong);
}

/* Say that the unit behind the number is not a known one. */
static char *unit_refused(const struct measure *measure, const char *text, const char *name)
{
	const struct unit *unit = unit_by_name(name);
	char wrong[REASON_BYTES];

	if (measure->kind == measure_count)
		snprintf(wrong, sizeof(wrong), "it has no unit");
	else if (unit)
		snprintf(wrong, sizeof(wrong), "%s is a unit %s", name, kinds[unit->kind]);
	else
		snprintf(wrong, sizeof(wrong), "there is no unit '%.32s'", name);
	return measure_refuse(measure, text, wrong);
}

/* The parts of a text: 12.50ms has whole 12, decimals 5 of scale 10, and unit ms. */
struct parts {
	uint64_t whole;
	uint64_t decimals, scale; /* the fraction decimals / scale */
	bool too_large;		  /* `whole` is */
	bool too_fine;		  /* more decimals than any unit needs */
	const char *unit;
};

static int parts_read(const char *text, struct parts *ret_parts)
{
	const char *point = text + strspn(text, DIGITS), *end = point;
	struct parts parts = { .scale = 1 };

	if (*point == '.')
		end = point + 1 + strspn(point + 1, DIGITS);
	if (point == text || end == point + 1)
		return -EINVAL;
	parts.unit = end;
	for (const char *p = text; p < point; p++)
		parts.too_large |= __builtin_mul_overflow(parts.whole, 10, &parts.whole) ||
				   __builtin_add_overflow(parts.whole, *p - '0', &parts.whole);
	while (end > point && end[-1] == '0')
		end--;
	parts.too_fine = end - point > DECIMALS_MAX + 1;
	for (const char *p = point + 1; p < end && !parts.too_fine; p++) {
		parts.decimals = 10 * parts.decimals + (uint64_t)(*p - '0');
		parts.scale *= 10;
	}
	*ret_parts = parts;
	return 0;
}

char *measure_take(const struct measure *measure, const char *text, uint64_t *ret_value)
{
	uint64_t factor = measure->plain, shortened, amount;
	char wrong[REASON_BYTES];
	struct parts parts;

	if (parts_read(text, &parts) < 0)
		return measure_refuse(measure, text,
				      text[0] == '-' && isdigit((unsigned char)text[1]) ?
					      "it is negative" :
					      NULL);
	if (*parts.unit) {
		const struct unit *unit = unit_by_name(parts.unit);

		if (!unit || unit->kind != measure->kind)
			return unit_refused(measure, text, parts.unit);
		factor = unit->factor;
	}
	if (parts.too_large || __builtin_mul_overflow(parts.whole, factor, &amount) ||
	    amount / measure->grain > measure->most)
		return beyond(measure, text, "most", measure->most);
	for (shortened = factor; parts.scale > 1 && shortened % 10 == 0; shortened /= 10)
		parts.scale /= 10;
	amount += parts.decimals * shortened / parts.scale;
	if (parts.too_fine || parts.decimals * shortened % parts.scale || amount % measure->grain) {
		snprintf(wrong, sizeof(wrong), "it is no whole number%s%s",
			 measure->kind == measure_count ? "" : " of ",
			 unit_by_factor(measure->kind, measure->grain));
		return measure_refuse(measure, text, wrong);
	}
	if (amount / measure->grain < measure->least)
		return beyond(measure, text, "least", measure->least);
	if (amount / measure->grain > measure->most)
		return beyond(measure, text, "most", measure->most);
	*ret_value = amount / measure->grain;
	return NULL;
}

const char *measure_text(const struct measure *measure, uint64_t value, char text[MEASURE_TEXT_MAX])
{
	const uint64_t one = measure->plain / measure->grain;
	uint64_t rest = value % one;
	char *end =
		text + snprintf(text, MEASURE_TEXT_MAX, "%llu", (unsigned long long)(value / one));

	if (rest)
		*end++ = '.';
	for (uint64_t scale = one / 10; rest; rest %= scale, scale /= 10)
		*end++ = (char)('0' + rest / scale);
	*end = 0;
	return text;
}
