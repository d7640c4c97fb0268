// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "schema/kind.h"

#include <errno.h>
#include <string.h>

#define KIND_DESC(kind, type) [kind_##kind] = { .name = #kind, .size = sizeof(type) },
#define ENUM_TEXT(number, text) [number] = #text,
#define ENUM_DESC(kind, VALUES)                 \
	[kind_##kind] = {                       \
		.name = #kind,                  \
		.size = sizeof(field_##kind),   \
		.is_enum = true,                \
		.texts = { VALUES(ENUM_TEXT) }, \
	},

const struct kind_desc kind_descs[kinds] = { KINDS(KIND_DESC) ENUMS(ENUM_DESC) };

int enum_by_text(enum kind kind, const char *text)
{
	for (int i = 0; i < ENUM_NUMBERS; i++)
		if (kind_descs[kind].texts[i] && !strcmp(kind_descs[kind].texts[i], text))
			return i;
	return -ENOENT;
}
