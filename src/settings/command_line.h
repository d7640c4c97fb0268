/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * command_line.h - the settings in force: defaults, overridden by the configuration file,
 * overridden by the command line.
 */
#ifndef NETLOG_OPTIONS_H
#define NETLOG_OPTIONS_H

#include "settings/settings.h"

/*
 * Read the command line, and the configuration file that it names. A list on the command line
 * replaces the file's. The caller ends the options with options_done(). -EINVAL: something on the
 * command line cannot be used; -EBADMSG: something in the file cannot be used; or the error of
 * reading the file. Then *ret_message says what is wrong and what would do (the caller frees it;
 * NULL if memory is short).
 */
int options_parse(int argc, char **argv, struct options *ret_options, char **ret_message);

/* Print the text of --help to stdout. */
void options_help(void);

/* Print the settings in force to stdout, as a configuration file. */
void options_print(const struct options *options);

#endif
