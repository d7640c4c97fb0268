// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "base/util.h"

#define CUT_BYTES 512 /* of a text for which there is no memory */

static const char memory_is_short[] = "memory is short";

/* For the one text that there is no memory for; taken by one thread at a time. */
static char *reserve;

static char *text_make(const char *format, va_list arguments)
{
	char *cut = __atomic_exchange_n(&reserve, NULL, __ATOMIC_ACQ_REL) ?: malloc(CUT_BYTES);
	va_list again;
	char *text;

	va_copy(again, arguments);
	if (vasprintf(&text, format, arguments) >= 0) {
		free(__atomic_exchange_n(&reserve, cut, __ATOMIC_ACQ_REL));
	} else if (cut) {
		text = cut;
		vsnprintf(text, CUT_BYTES, format, again);
	} else {
		/* nothing would work without memory for a few bytes */
		fprintf(stderr, "netlog: %s\n", memory_is_short);
		_exit(EXIT_FAILURE);
	}
	va_end(again);
	return text;
}

char *setting_wrong(const char *format, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	text = text_make(format, arguments);
	va_end(arguments);
	return text;
}

char *setting_wrong_memory(void)
{
	return setting_wrong("%s", memory_is_short);
}

bool wrong_is_memory(const char *wrong)
{
	const size_t length = strlen(wrong), end = strlen(memory_is_short);

	return length >= end && !strcmp(wrong + length - end, memory_is_short);
}
