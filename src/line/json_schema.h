/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * json_schema.h - the JSON Schema of the lines of a format.
 */
#ifndef NETLOG_JSON_SCHEMA_H
#define NETLOG_JSON_SCHEMA_H

#include "schema/control.h"
#include "schema/format.h"

/* The schema (draft 2020-12) of every line; the caller puts it. NULL: memory is short. */
struct json_object *schema_json(enum format_id format);

#endif
