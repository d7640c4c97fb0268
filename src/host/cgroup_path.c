// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "host/cgroup_path.h"

#include "base/util.h"

/* The types in systemd.unit(5) whose units have processes of their own. */
static const char *const unit_types[] = { ".service", ".scope", ".socket", ".mount", ".swap" };

/*
 * The text before a container's id: nothing (docker, containerd and Kubernetes without systemd); in
 * a scope, the maker's name and a dash; or a slice, the maker's name and colons, where the runtime
 * did not understand that systemd was meant. The monitors of podman and CRI-O have one more dash in
 * their names: they are not containers.
 */
static const char *const container_makers[] = { "docker", "cri-containerd", "nerdctl", "crio",
						"libpod" };

static bool ends_with(const struct text_part *part, const char *end)
{
	size_t length = strlen(end);

	return part->length > length && !memcmp(part->start + part->length - length, end, length);
}

/* The component that ends at `end`, a slash or the path's end. False: there is none. */
static bool component_before(const char *path, const char *end, struct text_part *ret_part)
{
	const char *start;

	while (end > path && end[-1] == '/')
		end--;
	for (start = end; start > path && start[-1] != '/'; start--)
		;
	*ret_part = (struct text_part){ start, (size_t)(end - start) };
	return start < end;
}

static bool component_is_unit(const struct text_part *part)
{
	for (size_t i = 0; i < ARRAY_SIZE(unit_types); i++)
		if (ends_with(part, unit_types[i]))
			return true;
	return false;
}

bool cgroup_path_unit(const char *path, struct text_part *ret_unit)
{
	const char *end = path + strlen(path);
	struct text_part part;

	for (; component_before(path, end, &part); end = part.start) {
		struct text_part unit = part;

		/* an underscore protects names that could be taken for the kernel's files */
		if (unit.start[0] == '_')
			unit = (struct text_part){ part.start + 1, part.length - 1 };
		if (component_is_unit(&unit)) {
			*ret_unit = unit;
			return true;
		}
	}
	return false;
}

static bool is_id(const char *text)
{
	return strspn(text, "0123456789abcdef") >= CONTAINER_ID_LENGTH;
}

/* Is `part`, without its id, a maker's name and its separator? */
static bool is_maker(struct text_part part)
{
	const char *colon;

	if (!part.length)
		return true;
	if (part.start[part.length - 1] == ':') {
		part.length--;
		colon = memrchr(part.start, ':', part.length);
		if (!colon)
			return false;
		part.length -= (size_t)(colon + 1 - part.start);
		part.start = colon + 1;
	} else if (part.start[part.length - 1] == '-') {
		part.length--;
	} else {
		return false;
	}
	for (size_t i = 0; i < ARRAY_SIZE(container_makers); i++)
		if (strlen(container_makers[i]) == part.length &&
		    !memcmp(container_makers[i], part.start, part.length))
			return true;
	return false;
}

bool cgroup_path_container(const char *path, struct text_part *ret_id)
{
	const char *end = path + strlen(path);
	struct text_part part;

	for (; component_before(path, end, &part); end = part.start) {
		struct text_part maker = part;

		if (ends_with(&maker, ".scope"))
			maker.length -= strlen(".scope");
		if (maker.length < CONTAINER_ID_LENGTH)
			continue;
		maker.length -= CONTAINER_ID_LENGTH;
		if (is_id(maker.start + maker.length) && is_maker(maker)) {
			*ret_id = (struct text_part){ maker.start + maker.length,
						      CONTAINER_ID_LENGTH };
			return true;
		}
	}
	return false;
}
