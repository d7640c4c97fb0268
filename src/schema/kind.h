/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * kind.h - kinds of fields: how the bytes of a value become text.
 */
#ifndef NETLOG_KIND_H
#define NETLOG_KIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/events.h"

#define KIND_ID(kind, type) kind_##kind,
#define ENUM_ID(name, values) kind_##name,
enum kind { KINDS(KIND_ID) ENUMS(ENUM_ID) kinds };

#define ENUM_NUMBERS 64 /* numbers of enumerations are below this */

struct kind_desc {
	const char *name;
	uint16_t size;
	bool is_enum;
	const char *texts[ENUM_NUMBERS]; /* of an enumeration, by number; NULL: no text */
};

extern const struct kind_desc kind_descs[kinds];

/* The number of an enumeration's text; -ENOENT if there is none. */
int enum_by_text(enum kind kind, const char *text);

#endif
