/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * command_line.h - the settings in force: defaults, then the configuration file, then the command
 * line.
 */
#ifndef NETLOG_OPTIONS_H
#define NETLOG_OPTIONS_H

#include "settings/settings.h"

/*
 * Read the command line, and the configuration file that it names. A list on the command line takes
 * the place of the file's. The caller ends the options with options_done(). -EINVAL when something
 * on the command line cannot be used, -EBADMSG when something in the file cannot be, or why the
 * file cannot be read; then *ret_message (the caller frees it; NULL if memory is short) says what,
 * and what would do.
 */
int options_parse(int argc, char **argv, struct options *ret_options, char **ret_message);

/* The text of --help, to stdout. */
void options_help(void);

/* The settings in force, to stdout, as a configuration file. */
void options_print(const struct options *options);

#endif
