/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * file.h - a configuration file: one JSON object, with comments, of names and values.
 *
 * It knows nothing of what the names mean. Values are told one by one, with the line they stand in,
 * so that what is wrong with one is said where it is.
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

/* A value, or one of an array's. */
struct config_value {
	const char *name;
	enum config_type type;
	const char *text; /* true, 4711, or a string without its quotes */
	bool in_array;
	bool more; /* not the first of its array */
};

/*
 * Takes a value. NULL if it is well; else what is wrong with it and what would do, which the caller
 * frees.
 */
typedef char *(*config_take)(void *context, const struct config_value *value);

/*
 * Read the file and hand over its values in their order. -EBADMSG when something in it cannot be
 * used, or why it cannot be read; then *ret_message (the caller frees it; NULL if memory is short)
 * says FILE:LINE and what was expected.
 */
int config_read(const char *path, config_take take, void *context, char **ret_message);

#endif
