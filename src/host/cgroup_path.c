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
static const char *const container_makers[] = { "docker", "cri-containerd", "nerdctl",
						"crio",	  "libpod",	    "libpod-payload" };

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
		if (part_ends_with(*part, unit_types[i]))
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

#define POD_HASH_LENGTH 32 /* of a static pod, in place of a uid */

/* A uid, with dashes or, where systemd takes dashes for levels of slices, with underscores. */
static size_t pod_uid_length(const char *text)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	size_t i = 0;

	_Static_assert(sizeof(form) - 1 == POD_UID_LENGTH_MAX, "a uid");
	if (strspn(text, "0123456789abcdef") == POD_HASH_LENGTH)
		return POD_HASH_LENGTH;
	for (; form[i]; i++)
		if (form[i] == 'x' ? !text[i] || !strchr("0123456789abcdef", text[i]) :
				     text[i] != '-' && text[i] != '_')
			return 0;
	return i;
}

/*
 * kubepods-burstable-podUID.slice, with something before it where the whole is below another slice
 * (kind: kubelet-kubepods-); podUID without systemd; and the former before a colon where the
 * runtime did not understand that systemd was meant.
 */
static const char *component_pod(const struct text_part *part, size_t *ret_length)
{
	const char *end = part->start + part->length;
	const char *pod = memmem(part->start, part->length, "pod", strlen("pod"));

	for (; pod; pod = memmem(pod + 1, (size_t)(end - pod - 1), "pod", strlen("pod"))) {
		const char *uid = pod + strlen("pod");
		size_t length = pod_uid_length(uid);
		const char *behind = uid + length;

		if (!length || behind > end || (pod > part->start && pod[-1] != '-'))
			continue;
		if (pod == part->start ? behind != end :
					 strncmp(behind, ".slice", strlen(".slice")) != 0 ||
						 !memmem(part->start, part->length, "kubepods", 8))
			continue;
		*ret_length = length;
		return uid;
	}
	return NULL;
}

bool cgroup_path_pod(const char *path, char uid[POD_UID_LENGTH_MAX])
{
	const char *end = path + strlen(path);
	struct text_part part;

	for (; component_before(path, end, &part); end = part.start) {
		size_t length;
		const char *found = component_pod(&part, &length);

		if (!found)
			continue;
		memset(uid, 0, POD_UID_LENGTH_MAX);
		for (size_t i = 0; i < length; i++)
			uid[i] = found[i];
		for (size_t i = 0; i < length; i++)
			if (uid[i] == '_')
				uid[i] = '-';
		return true;
	}
	return false;
}

/* `part` without its id: is it one of the makers' names, with what divides the two? */
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

		if (part_ends_with(maker, ".scope"))
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
