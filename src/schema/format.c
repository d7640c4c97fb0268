// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "schema/format.h"

#include "base/util.h"

#define FORMAT_NAME(name, doc) #name,
static const char *const names[] = { FORMATS(FORMAT_NAME) };

static const char *format_word(unsigned int number)
{
	return names[number];
}

const struct vocabulary format_words = { "format", format_word, ARRAY_SIZE(names), NULL };
