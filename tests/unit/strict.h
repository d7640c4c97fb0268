/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * strict.h - json-c as a strict reader of one value.
 */
#ifndef NETLOG_STRICT_H
#define NETLOG_STRICT_H

#include <json-c/json.h>

/* The value that the whole text is, NULL if it is none. json-c 0.18's strictness refuses UTF-8. */
static inline struct json_object *strict_parse(const char *text, size_t length)
{
	struct json_tokener *tokener = json_tokener_new();
	int flags = JSON_TOKENER_VALIDATE_UTF8;
	struct json_object *object;

	if (json_c_version_num() >> 8 != 18)
		flags |= JSON_TOKENER_STRICT;
	json_tokener_set_flags(tokener, flags);
	object = json_tokener_parse_ex(tokener, text, (int)length);
	if (object && json_tokener_get_parse_end(tokener) != length) {
		json_object_put(object);
		object = NULL;
	}
	json_tokener_free(tokener);
	return object;
}

#endif
