/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * json.h - json-c's objects where any allocation may fail: what could not be added is noted, and
 * asked for once, when all has been put together. json-c itself crashes for want of memory, or
 * leaves a hole in a text and does not say so.
 */
#ifndef NETLOG_JSON_H
#define NETLOG_JSON_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>

/*
 * Add a new value, which may be NULL if memory was short, to an object or array, which then owns
 * it, and may be NULL as well. *failed is set if that is not possible, and else stays as it is.
 */
void json_put(bool *failed, struct json_object *to, const char *name, struct json_object *value);
void json_append(bool *failed, struct json_object *to, struct json_object *value);

/*
 * The value as JSON, without blanks: strings in valid UTF-8 and without control characters, counts,
 * booleans, arrays and objects. The caller frees the text. NULL: memory is short.
 */
char *json_text(struct json_object *value, size_t *ret_length);

/* The same for people, in lines. -ENOMEM: nothing has been printed. */
int json_print(FILE *file, struct json_object *value);

/* Read such a text without blanks again; the caller puts the value. -EBADMSG; -ENOMEM. */
int json_parse(const char *text, struct json_object **ret_value);

#endif
