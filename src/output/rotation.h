/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * rotation.h - the names of rotated files: PATH.N, where a greater N is a newer file.
 *
 * A file keeps its name for life, and no name is used twice: so a shipper that was down or slow
 * finds by PATH* what it has not read yet. The number goes on from the greatest that is there, also
 * of one that was compressed since (PATH.7.gz).
 */
#ifndef NETLOG_ROTATION_H
#define NETLOG_ROTATION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

/* Is its name short enough to get a number? */
bool rotation_fits(const char *path);

/*
 * Give PATH the name of the newest rotated file; nothing is ever replaced. *last: the number that
 * was given last, 0: none by us. -EOVERFLOW: there is no greater number.
 */
int rotation_move(const char *path, uint64_t *last);

/* Could it be given one, as far as that can be known beforehand? */
int rotation_check(const char *path);

/* Remove the oldest of them beyond so many: only regular files of this user, nothing else. */
int rotation_prune(const char *path, uid_t owner, unsigned int keep);

/* Is the file one of them? */
bool rotation_has(const char *path, const struct stat *file);

#endif
