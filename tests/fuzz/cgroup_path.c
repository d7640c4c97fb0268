// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * cgroup_path.c - fuzz target: what the path of a cgroup tells, by the code and by regular
 * expressions of regex(3), must be the same. The input is a path, a line with another path, and a
 * line with a unit's name.
 *
 * options: -max_len=640
 */
#include <regex.h>

#include "filter/half.h"
#include "fuzz.h"
#include "host/cgroup_path.h"
#include "host/names.h"

#define TYPES "(service|scope|socket|mount|swap)"
#define MAKERS "(docker|cri-containerd|nerdctl|crio|libpod|libpod-payload)"
#define HEX "[0-9a-f]"
#define UID HEX "{8}[-_]" HEX "{4}[-_]" HEX "{4}[-_]" HEX "{4}[-_]" HEX "{12}"

/* ---- the model: a component, and which of its bytes are the answer ---- */

struct pattern {
	const char *text;
	unsigned int groups[2]; /* one of them has the answer */
	regex_t compiled;
};

static struct pattern units = { "^(_(.+\\." TYPES ")|[^_].*\\." TYPES ")$", { 2, 1 }, {} };
static struct pattern containers = { "^(" MAKERS "-|.*:" MAKERS ":)?(" HEX "{64})(\\.scope)?$",
				     { 4, 4 },
				     {} };
static struct pattern pods = { "^pod(" HEX "{32}|" UID ")$", { 1, 1 }, {} };
static struct pattern pod_slices = { "-pod(" HEX "{32}|" UID ")\\.slice", { 1, 1 }, {} };

static void __attribute__((constructor)) patterns_compile(void)
{
	struct pattern *all[] = { &units, &containers, &pods, &pod_slices };

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		CHECK_EQUAL(regcomp(&all[i]->compiled, all[i]->text, REG_EXTENDED), 0);
}

static bool component_matches(const struct pattern *pattern, const char *component,
			      struct text_part *ret_part)
{
	regmatch_t matches[8];
	const regmatch_t *match;

	if (regexec(&pattern->compiled, component, ARRAY_SIZE(matches), matches, 0) != 0)
		return false;
	match = &matches[pattern->groups[0]];
	if (match->rm_so < 0)
		match = &matches[pattern->groups[1]];
	ret_part->start = component + match->rm_so;
	ret_part->length = (size_t)(match->rm_eo - match->rm_so);
	return true;
}

/* The innermost component that matches: in a copy that has NULs for slashes. */
static bool path_matches(const struct pattern *pattern, const char *needs, char *copy, size_t size,
			 struct text_part *ret_part)
{
	for (size_t i = size; i-- > 0;)
		if (copy[i] && (!i || !copy[i - 1]) && strstr(copy + i, needs) &&
		    component_matches(pattern, copy + i, ret_part))
			return true;
	return false;
}

static char *path_split(const char *path)
{
	char *copy = strdup(path);

	for (char *p = copy; *p; p++)
		if (*p == '/')
			*p = 0;
	return copy;
}

/* ---- what the path tells ---- */

static void check_same(const char *path, bool found, struct text_part part, bool expected,
		       struct text_part wanted)
{
	CHECK_SAYING(found == expected, "'%s': found %d, expected %d", path, found, expected);
	if (!found)
		return;
	CHECK(part.start >= path && part.start + part.length <= path + strlen(path));
	CHECK_SAYING(part.length == wanted.length && !memcmp(part.start, wanted.start, part.length),
		     "'%s': '%.*s', not '%.*s'", path, (int)part.length, part.start,
		     (int)wanted.length, wanted.start);
}

static void check_unit_and_container(const char *path, char *copy, size_t size)
{
	struct text_part part = {}, wanted = {};
	bool found = cgroup_path_unit(path, &part);
	bool expected = path_matches(&units, "", copy, size, &wanted);

	check_same(path, found, part, expected, wanted);
	found = cgroup_path_container(path, &part);
	expected = path_matches(&containers, "", copy, size, &wanted);
	check_same(path, found, part, expected, wanted);
}

static void check_pod(const char *path, char *copy, size_t size)
{
	char uid[POD_UID_LENGTH_MAX], wanted[POD_UID_LENGTH_MAX] = "";
	bool found = cgroup_path_pod(path, uid), expected = false;
	struct text_part part = {};

	for (size_t i = size; i-- > 0 && !expected;)
		if (copy[i] && (!i || !copy[i - 1]))
			expected = component_matches(&pods, copy + i, &part) ||
				   (strstr(copy + i, "kubepods") &&
				    component_matches(&pod_slices, copy + i, &part));
	CHECK_SAYING(found == expected, "'%s'", path);
	if (!found)
		return;
	for (size_t i = 0; i < part.length; i++)
		wanted[i] = (char)(part.start[i] == '_' ? '-' : part.start[i]);
	CHECK_SAYING(!memcmp(uid, wanted, sizeof(uid)), "'%s': %.36s, not %.36s", path, uid,
		     wanted);
}

/* A line's keys are made of the same, in memory as large as the path. */
static void check_parts(const char *path)
{
	struct text_part parts[NAME_KEYS_MAX] = { { path, strlen(path) } }, unit;
	_cleanup_free_ char *room = malloc(strlen(path) + !*path);
	struct names_source *source;

	CHECK_EQUAL(names_cgroup_new("", &source), 0);
	source->parts(path, room, parts);
	CHECK_EQUAL(cgroup_path_unit(path, &unit), parts[1].length != 0);
	for (int i = 0; i < NAME_KEYS_MAX; i++)
		CHECK(parts[i].length <= strlen(path));
	source->free(source);
}

/* ---- filters by paths, as a replay asks them ---- */

static const char *mount_skip(const char *path)
{
	static const char *const mounts[] = { "/sys/fs/cgroup/unified", "/sys/fs/cgroup" };

	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++)
		if (!strncmp(path, mounts[i], strlen(mounts[i])) &&
		    strchr("/", path[strlen(mounts[i])]))
			return path + strlen(mounts[i]);
	return path;
}

/* Each component with one slash before it and behind it: what is above is then the beginning. */
static char *path_spell(const char *path)
{
	char *spelled = malloc(2 * strlen(path) + 2), *p = spelled;

	*p++ = '/';
	for (; *path; path++)
		if (*path != '/' || p[-1] != '/')
			*p++ = *path;
	if (p[-1] != '/')
		*p++ = '/';
	*p = 0;
	return spelled;
}

static void check_below(const char *path, const char *above)
{
	_cleanup_free_ char *own = path_spell(path), *other = path_spell(mount_skip(above));

	CHECK_SAYING(cgroup_is_below(path, above) == !strncmp(own, other, strlen(other)),
		     "'%s' below '%s'", path, above);
}

/* Is `unit`, perhaps behind an underscore, one of the path's components? */
static bool spelled_has(const char *spelled, const char *unit, const char *type)
{
	_cleanup_free_ char *plain = NULL, *escaped = NULL;

	if (strchr(unit, '/'))
		return false;
	CHECK(asprintf(&plain, "/%s%s/", unit, type) > 0);
	CHECK(asprintf(&escaped, "/_%s%s/", unit, type) > 0);
	if (unit[0] == '_') /* a component's underscore is always taken for the escape */
		return strstr(spelled, escaped);
	return strstr(spelled, plain) || strstr(spelled, escaped);
}

static void check_of_unit(const char *path, const char *value)
{
	_cleanup_free_ char *spelled = path_spell(path), *unit = unit_name(value);
	const char *type = strrchr(unit, '.');
	bool expected = spelled_has(spelled, unit, "");

	CHECK(type);
	if (!strcmp(type, ".service") && type > unit) {
		unit[type - unit] = 0;
		expected |= spelled_has(spelled, unit, ".socket");
	}
	CHECK_SAYING(cgroup_is_of_unit(path, value) == expected, "'%s' of '%s'", path, value);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct input input = { bytes, size };
	_cleanup_free_ char *path = input_line(&input) ?: strdup("");
	_cleanup_free_ char *above = input_line(&input) ?: strdup("");
	_cleanup_free_ char *unit = input_line(&input) ?: strdup("");
	_cleanup_free_ char *copy = path_split(path);

	check_unit_and_container(path, copy, strlen(path));
	check_pod(path, copy, strlen(path));
	check_parts(path);
	check_below(path, above);
	if (*unit)
		check_of_unit(path, unit);
	return 0;
}
