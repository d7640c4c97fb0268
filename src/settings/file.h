/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * file.h - a configuration file: one JSON object of names and values, with comments.
 *
 * It does not know what the names mean. Values are handed over one by one with their line numbers,
 * so that complaints can say where they are.
 */
#ifndef NETLOG_CONFIG_H
#define NETLOG_CONFIG_H

#include <stdbool.h>

#define CONFIG_BYTES_MAX (1024 * 1024)

enum config_type {
	config_boolean,
	config_number,
	config_string,
};

/* A value, or one value of an array. */
struct config_value {
	const char *name;
	enum config_type type;
	const char *text; /* true, 4711, or a string without its quotes */
	bool in_array;
	bool more; /* it is not the first of its array */
};

/*
 * Takes a value. Returns NULL on success, otherwise what is wrong with it and what would do, which
 * the caller frees.
 */
typedef char *(*config_take)(void *context, const struct config_value *value);

/*
 * Read the file, and hand over its values in order. -EBADMSG if something in it cannot be used, or
 * the error of reading it; then *ret_message says FILE:LINE and what was expected (the caller frees
 * it; NULL if memory is short).
 */
int config_read(const char *path, config_take take, void *context, char **ret_message);

#endif
