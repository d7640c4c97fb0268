/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* directory.h - for fuzz targets: a directory for their files, in TMPDIR. */
#ifndef NETLOG_FUZZ_DIRECTORY_H
#define NETLOG_FUZZ_DIRECTORY_H

#include <sys/stat.h>

#include "fuzz.h"

static char directory[80]; /* "": not made yet */

static inline void directory_remove(void)
{
	char command[sizeof(directory) + 8];

	snprintf(command, sizeof(command), "rm -r %s", directory);
	CHECK_EQUAL(system(command), 0);
}

/* Make it for the first input. It goes when the target ends. Returns whether it is new. */
static inline bool directory_make(void)
{
	if (*directory)
		return false;
	CHECK(snprintf(directory, sizeof(directory), "%s/netlog-fuzz-XXXXXX",
		       getenv("TMPDIR") ?: "/tmp") < (int)sizeof(directory));
	CHECK(mkdtemp(directory));
	atexit(directory_remove);
	return true;
}

#endif
