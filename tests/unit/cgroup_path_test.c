// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Paths as the container runtimes and systemd make them, each with the unit and the container that
 * it tells; NULL: none.
 */
#include "host/cgroup_path.h"
#include "host/cgroup_walk.h"
#include "test.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define ID2 "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
#define POD "1b2c3d4e_5f60_7182_93a4_b5c6d7e8f901"

static void check_part(bool found, const struct text_part *part, const char *expected,
		       const char *path)
{
	CHECK_SAYING(found == !!expected, "%s", path);
	if (expected)
		CHECK_SAYING(strlen(expected) == part->length &&
				     !memcmp(expected, part->start, part->length),
			     "%s: %.*s, not %s", path, (int)part->length, part->start, expected);
}

static void check(const char *path, const char *unit, const char *container)
{
	struct text_part part = {};

	check_part(cgroup_path_unit(path, &part), &part, unit, path);
	check_part(cgroup_path_container(path, &part), &part, container, path);
}

TEST(units_of_the_system)
{
	check("/system.slice/nginx.service", "nginx.service", NULL);
	check("/init.scope", "init.scope", NULL);
	check("/system.slice/system-getty.slice/getty@tty1.service", "getty@tty1.service", NULL);
	check("/system.slice/systemd-journald.socket", "systemd-journald.socket", NULL);
	check("/system.slice/var-lib.mount", "var-lib.mount", NULL);
	check("/system.slice/nginx.service/worker/1", "nginx.service", NULL);
	/* escaped, since the kernel has files that begin so */
	check("/system.slice/_cpu.service", "cpu.service", NULL);
}

TEST(units_of_users)
{
	check("/user.slice/user-1000.slice/session-3.scope", "session-3.scope", NULL);
	check("/user.slice/user-1000.slice/user@1000.service/app.slice/firefox.service",
	      "firefox.service", NULL);
	check("/user.slice/user-1000.slice/user@1000.service/init.scope", "init.scope", NULL);
	check("/user.slice/user-1000.slice/user@1000.service/app.slice/app-x-1.scope",
	      "app-x-1.scope", NULL);
}

TEST(what_is_no_unit)
{
	check("/", NULL, NULL);
	check("", NULL, NULL);
	check("/system.slice", NULL, NULL);
	check("/mine/my-own", NULL, NULL);
	check("/.service", NULL, NULL);
	check("/_", NULL, NULL);
	check("//x.service//", "x.service", NULL);
}

TEST(docker_with_systemd)
{
	check("/system.slice/docker-" ID ".scope", "docker-" ID ".scope", ID);
}

TEST(docker_without_systemd)
{
	check("/docker/" ID, NULL, ID);
	check("/docker/" ID "/inner", NULL, ID);
}

TEST(containerd_by_kubernetes_with_systemd)
{
	check("/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" POD
	      ".slice/cri-containerd-" ID ".scope",
	      "cri-containerd-" ID ".scope", ID);
}

TEST(containerd_by_kubernetes_without_systemd)
{
	check("/kubepods/besteffort/pod" POD "/" ID, NULL, ID);
}

TEST(containerd_that_takes_systemd_s_form_for_a_path)
{
	check("/system.slice/containerd.service/kubepods-burstable-pod" POD
	      ".slice:cri-containerd:" ID,
	      "containerd.service", ID);
}

TEST(containerd_by_nerdctl)
{
	check("/system.slice/nerdctl-" ID ".scope", "nerdctl-" ID ".scope", ID);
	check("/default/" ID, NULL, ID);
}

TEST(crio_with_systemd)
{
	check("/kubepods.slice/kubepods-pod" POD ".slice/crio-" ID ".scope", "crio-" ID ".scope",
	      ID);
	check("/kubepods.slice/kubepods-pod" POD ".slice/crio-" ID ".scope/container",
	      "crio-" ID ".scope", ID);
}

TEST(crio_without_systemd)
{
	check("/kubepods/burstable/pod" POD "/crio-" ID, NULL, ID);
}

TEST(podman_with_systemd)
{
	check("/machine.slice/libpod-" ID ".scope/container", "libpod-" ID ".scope", ID);
	check("/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID ".scope",
	      "libpod-" ID ".scope", ID);
}

TEST(podman_without_systemd)
{
	check("/libpod_parent/libpod-" ID, NULL, ID);
}

/* --cgroups=split: the container is in a cgroup of the unit's own */
TEST(podman_by_quadlet)
{
	check("/system.slice/web.service/libpod-payload-" ID, "web.service", ID);
	check("/user.slice/user-1000.slice/user@1000.service/app.slice/web.service/libpod-payload-" ID
	      "/inner",
	      "web.service", ID);
	check("/system.slice/web.service/runtime", "web.service", NULL);
	check("/system.slice/web.service/libpod-conmon-" ID, "web.service", NULL);
}

static void check_pod(const char *path, const char *expected)
{
	char uid[POD_UID_LENGTH_MAX + 1] = "";
	bool found = cgroup_path_pod(path, uid);

	CHECK_SAYING(found == !!expected, "%s", path);
	if (expected)
		CHECK_TEXT(uid, expected);
}

TEST(pods_of_kubelet)
{
#define UID "1b2c3d4e-5f60-7182-93a4-b5c6d7e8f901"
#define HASH "0123456789abcdef0123456789abcdef"
	check_pod("/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" POD
		  ".slice/cri-containerd-" ID ".scope",
		  UID);
	check_pod("/kubepods.slice/kubepods-pod" POD ".slice/crio-" ID ".scope/container", UID);
	check_pod("/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod" POD ".slice", UID);
	check_pod("/kubepods/besteffort/pod" UID "/" ID, UID);
	check_pod("/kubepods/pod" UID, UID);
	check_pod("/system.slice/containerd.service/kubepods-burstable-pod" POD
		  ".slice:cri-containerd:" ID,
		  UID);
	/* a static pod's is a hash of its file */
	check_pod("/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" HASH
		  ".slice/crio-" ID ".scope",
		  HASH);
	check_pod("/kubepods/burstable/pod" HASH "/" ID, HASH);
	/* of pods in pods the innermost: a node of kind in a cluster */
	check_pod("/kubepods/pod" HASH "/" ID "/kubelet/kubepods/pod" UID "/" ID, UID);
	check_pod("/kubepods.slice/kubepods-burstable.slice", NULL);
	check_pod("/machine.slice/libpod_pod_" ID ".slice", NULL);
	check_pod("/kubepods/podcast", NULL);
	check_pod("/kubepods/pod" UID "x", NULL);
	check_pod("/kubepods/pod" ID, NULL);
	check_pod("/system.slice/my-pod" POD ".service", NULL);
	check_pod("/pod", NULL);
	check_pod("", NULL);
}

TEST(a_container_s_monitor_is_no_container)
{
	check("/machine.slice/libpod-conmon-" ID ".scope", "libpod-conmon-" ID ".scope", NULL);
	check("/libpod_parent/libpod-conmon-" ID, NULL, NULL);
	check("/kubepods.slice/kubepods-pod" POD ".slice/crio-conmon-" ID ".scope",
	      "crio-conmon-" ID ".scope", NULL);
}

TEST(of_containers_in_containers_the_innermost)
{
	check("/docker/" ID "/kubelet/kubepods/pod" POD "/" ID2, NULL, ID2);
	check("/system.slice/docker-" ID ".scope/system.slice/sshd.service", "sshd.service", ID);
}

TEST(what_is_no_container)
{
	check("/docker/0123456789ab", NULL, NULL);
	check("/docker/" ID "0", NULL, NULL);
	check("/mine-" ID, NULL, NULL);
	check("/docker/G" ID, NULL, NULL);
	check("/x:y:" ID, NULL, NULL);
	check("/:docker:" ID, NULL, ID);
	check("/-" ID, NULL, NULL);
	check("/:" ID, NULL, NULL);
}

TEST(a_mount_point_is_what_the_kernel_escaped)
{
	static const char *const texts[][2] = {
		{ "/sys/fs/cgroup", "/sys/fs/cgroup" },
		{ "/a\\040b\\011c\\012", "/a b\tc\n" },
		{ "/a\\134040", "/a\\040" },
		{ "\\303\\274", "\xc3\xbc" },
		{ "/a\\04", "/a\\04" },
		{ "\\", "\\" },
		{ "/\\x20\\400\\080", "/\\x20\\400\\080" },
	};
	char text[64];

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		mountinfo_decode(strcpy(text, texts[i][0]));
		CHECK_TEXT(text, texts[i][1]);
	}
}
