/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * arguments.h - for tests of settings: a command line as one text.
 */
#ifndef NETLOG_ARGUMENTS_H
#define NETLOG_ARGUMENTS_H

#include "settings/command_line.h"
#include "test.h"

#define ARGUMENTS_MAX 64
#define ARGUMENTS_LINES 64 /* that stay at once */

/*
 * Parse words separated by blanks, behind netlog's own name. The words stay for some lines more,
 * since what is returned may point to them. As options_parse().
 */
static inline int parse(const char *line, struct options *options, char **message)
{
	static char lines[ARGUMENTS_LINES][4096];
	static unsigned int used;
	char *rest = lines[used++ % ARGUMENTS_LINES];
	char *argv[ARGUMENTS_MAX + 2] = { (char *)"netlog" };
	int argc = 1;

	CHECK(strlen(line) < sizeof(lines[0]));
	strcpy(rest, line);
	*message = NULL;
	for (char *word = strsep(&rest, " "); word; word = strsep(&rest, " ")) {
		CHECK(argc <= ARGUMENTS_MAX);
		if (*word)
			argv[argc++] = word;
	}
	return options_parse(argc, argv, options, message);
}

#endif
