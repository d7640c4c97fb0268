// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Contents of /proc/PID/cgroup, as hosts of version 1, of both and of version 2 have them.
 */
#include "host/cgroup_file.h"

#include <limits.h>

#include "test.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define ID2 "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
#define UID "1b2c3d4e-5f60-7182-93a4-b5c6d7e8f901"
#define POD \
	"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1b2c3d4e_5f60_7182_93a4_b5c6d7e8f901.slice"

static void check_part(const struct text_part *part, const char *expected, const char *text)
{
	CHECK_SAYING(part->length == strlen(expected) &&
			     !memcmp(part->start ?: "", expected, part->length),
		     "%s: %.*s, not %s", text, (int)part->length, part->start, expected);
}

/* The same of the whole text and of what is kept of it. */
static void check(const char *text, const char *unit, const char *container, const char *pod)
{
	char kept[512 + 1] = "";
	const size_t length = cgroup_file_keep(text, kept, sizeof(kept));
	const char *const texts[] = { text, kept };

	CHECK_EQUAL(length, strlen(kept));
	for (unsigned int i = 0; i < 2; i++) {
		const struct cgroup_file_parts parts = cgroup_file_parts(texts[i]);

		check_part(&parts.unit, unit, texts[i]);
		check_part(&parts.container, container, texts[i]);
		CHECK_TEXT(parts.pod_uid, pod);
	}
}

static void check_kept(const char *text, const char *expected)
{
	char kept[512 + 1] = "";

	cgroup_file_keep(text, kept, sizeof(kept));
	CHECK_TEXT(kept, expected);
}

TEST(a_host_has_version_1_if_units_or_containers_are_told_by_it)
{
	CHECK(!cgroup_file_has_v1("0::/system.slice/web.service\n"));
	CHECK(cgroup_file_has_v1("1:name=systemd:/\n0::/\n"));
	CHECK(cgroup_file_has_v1("5:cpuset:/\n4:cpu,cpuacct:/\n0::/\n"));
	CHECK(cgroup_file_has_v1("2:pids:/"));
	/* of a VPN's split tunnel, of elogind, and of nothing */
	CHECK(!cgroup_file_has_v1("1:net_cls:/\n0::/init.scope\n"));
	CHECK(!cgroup_file_has_v1("1:name=elogind:/7\n0::/\n"));
	CHECK(!cgroup_file_has_v1("1:memory_not:/\n2:not,memory2:/\n"));
	CHECK(!cgroup_file_has_v1(""));
}

TEST(units_of_systemd_on_version_1)
{
	check("11:memory:/system.slice/web.service\n2:cpu,cpuacct:/system.slice/web.service\n"
	      "1:name=systemd:/system.slice/web.service\n",
	      "web.service", "", "");
	/* controllers that are not delegated stay above */
	check("11:memory:/user.slice\n1:name=systemd:/user.slice/user-1000.slice/session-3.scope\n",
	      "session-3.scope", "", "");
	check("11:memory:/user.slice/user-1000.slice/user@1000.service\n"
	      "1:name=systemd:/user.slice/user-1000.slice/user@1000.service/app.slice/x.service\n",
	      "x.service", "", "");
}

TEST(units_of_systemd_on_a_host_of_both)
{
	check("12:pids:/system.slice/web.service\n1:name=systemd:/system.slice/web.service\n"
	      "0::/system.slice/web.service\n",
	      "web.service", "", "");
	/* version 1 has not put it anywhere */
	check("4:memory:/\n1:name=systemd:/\n0::/system.slice/web.service\n", "web.service", "",
	      "");
	check("4:memory:/\n1:name=systemd:/\n0::/\n", "", "", "");
}

TEST(docker_on_version_1)
{
	check("10:memory:/docker/" ID "\n1:name=systemd:/docker/" ID
	      "\n0::/system.slice/containerd.service\n",
	      "", ID, "");
	check("10:memory:/system.slice/docker-" ID ".scope\n1:name=systemd:/system.slice/docker-" ID
	      ".scope\n0::/system.slice/docker.service\n",
	      "docker-" ID ".scope", ID, "");
	/* without systemd: there is no other hierarchy of a name */
	check("3:memory:/docker/" ID "\n2:cpuset:/\n", "", ID, "");
	check("4:cpuset:/docker/" ID "\n3:blkio:/docker/" ID "\n0::/\n", "", ID, "");
}

TEST(kubelet_on_version_1)
{
	check("7:pids:" POD "/cri-containerd-" ID ".scope\n1:name=systemd:" POD
	      "/cri-containerd-" ID ".scope\n0::/\n",
	      "cri-containerd-" ID ".scope", ID, UID);
	check("7:pids:/kubepods/burstable/pod" UID "/" ID
	      "\n1:name=systemd:/kubepods/burstable/pod" UID "/" ID
	      "\n0::/system.slice/containerd.service\n",
	      "", ID, UID);
	/* systemd's form taken for a path: there are colons in it */
	check("7:pids:/system.slice/containerd.service/kubepods-burstable-pod1b2c3d4e_5f60_7182_93a4_"
	      "b5c6d7e8f901.slice:cri-containerd:" ID "\n",
	      "", ID, UID);
}

TEST(podman_on_version_1)
{
	check("9:memory:/machine.slice/libpod-" ID ".scope\n"
	      "1:name=systemd:/machine.slice/libpod-" ID ".scope/container\n0::/\n",
	      "libpod-" ID ".scope", ID, "");
	/* a user's, on a host of both: only version 2 is his */
	check("9:memory:/user.slice\n1:name=systemd:/user.slice/user-1000.slice/session-1.scope\n"
	      "0::/user.slice/user-1000.slice/session-1.scope\n",
	      "session-1.scope", "", "");
	/* the unit is one, and its container is in another hierarchy */
	check("9:memory:/libpod_parent/libpod-" ID
	      "\n1:name=systemd:/system.slice/web.service\n0::/\n",
	      "web.service", ID, "");
}

TEST(of_nested_ones_the_innermost)
{
	check("9:memory:/docker/" ID "/docker/" ID2 "\n1:name=systemd:/docker/" ID "/docker/" ID2
	      "\n",
	      "", ID2, "");
	check("1:name=systemd:/docker/" ID "/system.slice/sshd.service\n", "sshd.service", ID, "");
}

/* What the manager of the process has in version 2 is not the process's. */
TEST(version_2_is_not_asked_where_version_1_says_something)
{
	check("1:name=systemd:/user.slice\n0::/system.slice/web.service\n", "", "", "");
	check("4:memory:/docker/" ID "\n1:name=systemd:/\n0::/docker/" ID2 "\n", "", ID, "");
}

TEST(only_lines_that_tell_are_kept)
{
	check_kept("12:cpuset:/\n11:memory:/docker/" ID "\n10:pids:/docker/" ID
		   "\n1:name=systemd:/system.slice/web.service\n0::/x\n",
		   "1:name=systemd:/system.slice/web.service\n11:memory:/docker/" ID);
	check_kept("11:memory:/docker/" ID "\n1:name=systemd:/docker/" ID "\n0::/x\n",
		   "1:name=systemd:/docker/" ID);
	check_kept("11:memory:/docker/" ID "\n1:name=systemd:/\n0::/\n", "11:memory:/docker/" ID);
	check_kept("4:memory:/\n1:name=systemd:/\n0::/a.slice\n", "0::/a.slice");
	check_kept("4:memory:/\n1:name=systemd:/\n0::/\n", "");
}

TEST(of_two_lines_without_room_for_both_the_containers_is_kept)
{
	static const char text[] =
		"11:memory:/docker/" ID "\n1:name=systemd:/a.slice/web.service\n";
	static const char container[] = "11:memory:/docker/" ID;
	static const char unit[] = "1:name=systemd:/a.slice/web.service";
	char kept[sizeof(text)];

	CHECK_EQUAL(cgroup_file_keep(text, kept, sizeof(container)), sizeof(container) - 1);
	CHECK_TEXT(kept, container);
	CHECK_EQUAL(cgroup_file_keep(text, kept, sizeof(container) - 1), sizeof(unit) - 1);
	CHECK_TEXT(kept, unit);
	CHECK_EQUAL(cgroup_file_keep(text, kept, sizeof(unit) - 1), 0);
}

/* Whoever has a part of a hierarchy calls his cgroups as he likes; a newline is none of his. */
TEST(contents_of_any_kind_are_borne)
{
	static const char *const texts[] = {
		"",
		"\n\n\n",
		":",
		"::",
		"1:name=systemd",
		"1:name=systemd:",
		"1:name=systemd:no/path.service",
		":::/\n1:,,,:/x.service\n",
		"1:name=systemd\n0::/\n",
	};
	char text[2 * PATH_MAX], kept[512 + 1];
	uint64_t state = 1;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		check(texts[i], "", "", "");
	check("1:name=systemd:/a:b,c \x01\xff\"\\/x.service\n", "x.service", "", "");
	check("1:name=systemd:/0::/x.service\n0::/y.service\n", "x.service", "", "");
	/* longer than anything that is told: then nothing, rather than what is left */
	memset(text, 'x', sizeof(text));
	memcpy(text, "1:name=systemd:/", 16);
	strcpy(text + 600, ".service\n0::/system.slice/docker.service\n");
	CHECK_EQUAL(cgroup_file_keep(text, kept, sizeof(kept)), 0);
	memset(text + 600, 'x', PATH_MAX);
	strcpy(text + PATH_MAX + 600, ".service\n");
	CHECK_EQUAL(cgroup_file_parts(text).unit.length, 0);
	for (unsigned int round = 0; round < 20000; round++) {
		static const char letters[] = "0:/,=\nname=systemdmemory.service";
		const size_t length = test_random(&state) % 120;

		for (size_t i = 0; i < length; i++)
			text[i] = letters[test_random(&state) % (sizeof(letters) - 1)];
		text[length] = 0;
		cgroup_file_has_v1(text);
		cgroup_file_parts(text);
		CHECK(cgroup_file_keep(text, kept, sizeof(kept)) < sizeof(kept));
	}
}
