// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * doctor.c - the findings are collected once, as JSON, and printed for people from that.
 *
 * A finding's `state` is ok; absent: the kernel does not have it; refused: the kernel has it but
 * does not allow it; or unsafe: it could harm the kernel, so we do without.
 */
#include "run/doctor.h"

#include <errno.h>
#include <sys/utsname.h>

#include "base/clock.h"
#include "host/cgroup_file.h"
#include "kernel/capability.h"
#include "kernel/probe.h"
#include "run/reload.h"

#define LOCKDOWN_PATH "/sys/kernel/security/lockdown"
#define LSM_PATH "/sys/kernel/security/lsm"
#define LINE_BYTES 512

struct findings {
	struct json_object *all, *checks, *hooks;
	bool failed; /* memory was short for some of them */
};

static void add(struct findings *findings, struct json_object *object, const char *key,
		const char *value)
{
	json_put(&findings->failed, object, key, json_object_new_string(value));
}

static void finding_of_more(struct findings *findings, const char *name, const char *state,
			    const char *what, const char *advice, const char *blind)
{
	struct json_object *object = json_object_new_object();

	add(findings, object, "check", name);
	add(findings, object, "state", state);
	add(findings, object, "what", what);
	if (advice)
		add(findings, object, "advice", advice);
	if (blind)
		add(findings, object, "blind", blind);
	json_append(&findings->failed, findings->checks, object);
}

static void finding(struct findings *findings, const char *name, const char *state,
		    const char *what, const char *advice)
{
	finding_of_more(findings, name, state, what, advice, NULL);
}

/* The file's first line; "" if there is none. */
static void read_line(const char *path, char *line, size_t size)
{
	FILE *file = fopen(path, "re");

	line[0] = 0;
	if (!file)
		return;
	if (fgets(line, (int)size, file))
		line[strcspn(line, "\n")] = 0;
	fclose(file);
}

/* `error`: the result of probe_new(), which has tried to read it. */
static void examine_btf(struct findings *findings, int error)
{
	if (access(KERNEL_BTF_PATH, R_OK) < 0)
		finding(findings, "btf", errno == ENOENT ? "absent" : "refused", KERNEL_BTF_PATH,
			"use a kernel with CONFIG_DEBUG_INFO_BTF=y");
	else if (error == -EBADMSG)
		finding(findings, "btf", "refused", KERNEL_BTF_PATH " cannot be read",
			"it is torn, or a newer libbpf is needed");
	else
		finding(findings, "btf", "ok", KERNEL_BTF_PATH, NULL);
}

/* Is a load that faults mended? extable.h */
static void examine_loads(struct findings *findings, const struct probe *probe)
{
	const char *caution = probe ? probe_caution(probe) : NULL;

	if (!probe)
		return;
	if (!caution)
		finding(findings, "faulting loads", "ok", "the kernel recovers from them", NULL);
	else
		finding(findings, "faulting loads", "unsafe", caution,
			"nothing: netlog makes none here, but copies, which cost more; a newer "
			"kernel needs no such care");
}

static void examine_capabilities(struct findings *findings)
{
	const char *missing = capability_missing();

	if (!missing)
		finding(findings, "capabilities", "ok", "CAP_BPF and CAP_PERFMON", NULL);
	else
		finding(findings, "capabilities", "refused", missing,
			"run it as root (sudo netlog), or give them with setcap(8)");
}

/*
 * kernel_lockdown(7): in mode integrity, BPF programs may still read kernel memory; in mode
 * confidentiality they may not. The mode in force is in brackets.
 */
static void examine_lockdown(struct findings *findings)
{
	char modes[LINE_BYTES];

	read_line(LOCKDOWN_PATH, modes, sizeof(modes));
	if (!modes[0])
		finding(findings, "lockdown", "ok", "none", NULL);
	else if (strstr(modes, "[confidentiality]"))
		finding(findings, "lockdown", "refused", modes,
			"boot with lockdown=integrity or without");
	else
		finding(findings, "lockdown", "ok", modes, NULL);
}

static void examine_lsm(struct findings *findings)
{
	char modules[LINE_BYTES];

	read_line(LSM_PATH, modules, sizeof(modules));
	finding(findings, "lsm", "ok", modules[0] ? modules : "not known", NULL);
}

static void examine_cgroups(struct findings *findings)
{
	if (cgroup_v1() == cgroup_v1_absent)
		finding(findings, "cgroups", "ok", "version 2 tells units and containers", NULL);
	else if (cgroup_v1() == cgroup_v1_hidden)
		finding_of_more(
			findings, "cgroups", "refused",
			"version 1 tells units and containers, but /proc hides the processes of "
			"other users",
			"mount /proc without hidepid= (of a unit: ProtectProc=default), in the "
			"host's pid namespace",
			"units and containers are those of the socket's cgroup of version 2: a "
			"container's may lie in the unit of its manager there, or nowhere");
	else
		finding_of_more(
			findings, "cgroups", "ok",
			"version 1 tells units and containers: they are those of the process, as "
			"in /proc/PID/cgroup, while it runs",
			NULL,
			"--unit and --cgroup ask for the socket's cgroup of version 2: a "
			"container's may lie in the unit of its manager there, or nowhere");
}

/* Advice about a hook that is not attached. */
static const char *advice(const struct probe_hook *hook)
{
	if (hook->desc->role == role_extra)
		return "nothing: lines are made without it, and tell less";
	if (hook->served)
		return "nothing: the part is served by another hook, which sees less";
	switch (hook->error) {
	case -ENOENT:
	case -ESRCH:
		return hook->way->advice ?: "this kernel does not have it: a newer one does";
	case -EPERM:
	case -EACCES:
		return capability_missing() ? "missing capabilities, see above" :
					      "a security policy of this host or its VM forbids it";
	case -ECANCELED:
		return "see the event's other hooks";
	default:
		return "please report this, with the words above and uname -r";
	}
}

static void examine_hook(struct findings *findings, const struct probe_hook *hook)
{
	struct json_object *object = json_object_new_object();
	const char *state = "ok";

	if (hook->standby)
		state = "standby";
	else if (hook->error)
		state = hook_absent(hook) ? "absent" : "refused";
	add(findings, object, "event", hook_event_name(hook->desc));
	add(findings, object, "part", hook->desc->part);
	add(findings, object, "hook", hook->section);
	add(findings, object, "state", state);
	if (hook->error) {
		add(findings, object, "what", hook->reason ?: strerror(-hook->error));
		add(findings, object, "advice", advice(hook));
	} else if (hook->desc->blind[0]) {
		add(findings, object, "blind", hook->desc->blind);
	}
	json_append(&findings->failed, findings->hooks, object);
}

static void examine_ring(struct findings *findings, const struct options *options, bool served,
			 int error)
{
	char text[LINE_BYTES];

	snprintf(text, sizeof(text), "%llu bytes", (unsigned long long)options->ring_bytes);
	if (served)
		finding(findings, "ring buffer", "ok", text, NULL);
	else
		finding(findings, "ring buffer", "refused",
			error == -ENOTSUP		       ? "not tried: no hook" :
			error == -ENODATA || error == -EBADMSG ? "not tried: no BTF" :
								 strerror(-error),
			"see the other checks");
}

/*
 * `probe` NULL: it could not be made, because of `error`. Returns whether everything that the
 * options ask for is served.
 */
static bool examine_probe(struct findings *findings, const struct options *options,
			  const struct probe *probe, int error)
{
	struct json_object *events = json_object_new_object();
	const uint64_t wanted = options->kernel.events.bits;
	const struct probe_hook *hook;
	unsigned int count = 0;
	uint64_t served = 0;

	if (probe) {
		served = probe_events(probe);
		hook = probe_hooks(probe, &count);
		for (unsigned int i = 0; i < count; i++)
			examine_hook(findings, &hook[i]);
	}
	examine_ring(findings, options, served, error);
	for_each_event_type(type)
		if (wanted & BIT(type))
			json_put(&findings->failed, events, event_desc(type)->name,
				 json_object_new_boolean((served & BIT(type)) != 0));
	json_put(&findings->failed, findings->all, "events", events);
	return (served & wanted) == wanted;
}

/* The lists are the whole's from the start. */
static void findings_begin(struct findings *findings)
{
	*findings = (struct findings){ .all = json_object_new_object(),
				       .checks = json_object_new_array(),
				       .hooks = json_object_new_array() };
	add(findings, findings->all, "version", NETLOG_VERSION);
	json_put(&findings->failed, findings->all, "checks", findings->checks);
	json_put(&findings->failed, findings->all, "hooks", findings->hooks);
}

static bool examine(struct findings *findings, const struct options *options,
		    const struct probe *probe, int error)
{
	struct utsname name;

	uname(&name);
	finding(findings, "kernel", "ok", name.release, NULL);
	examine_btf(findings, error);
	examine_loads(findings, probe);
	examine_capabilities(findings);
	examine_lockdown(findings);
	examine_lsm(findings);
	examine_cgroups(findings);
	return examine_probe(findings, options, probe, error);
}

int doctor_examine(const struct options *options, struct json_object **ret_findings,
		   bool *ret_healthy)
{
	_cleanup_(probe_freep) struct probe *probe = NULL;
	struct probe_outputs all = { .of[0].events = UINT64_MAX };
	struct probe_config config = { .settings = &options->kernel,
				       .outputs = &all,
				       .ring_bytes = options->ring_bytes,
				       .tick_ns = clock_tick_ns(),
				       .processes = cgroup_v1() == cgroup_v1_told,
				       .filter_fixed = !options->config_path };
	struct findings findings;
	int r;

	/* any bits, so that the programs are those that a run would load */
	for (unsigned int i = 0; i < options->output_count; i++)
		all.of[i].filters = options->outputs[i].filters;
	r = probe_new(&config, &probe);
	findings_begin(&findings);
	if (!findings.failed)
		*ret_healthy = examine(&findings, options, probe, r);
	if (!findings.failed) {
		*ret_findings = findings.all;
		return 0;
	}
	json_object_put(findings.all);
	return -ENOMEM;
}

/* ---- for people ---- */

static const char *text_of(struct json_object *object, const char *key)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(object, key, &value);
	return value ? json_object_get_string(value) : "";
}

static void print_more(struct json_object *object, const char *key)
{
	const char *text = text_of(object, key);

	if (text[0])
		printf("         %s: %s\n", key, text);
}

static void print_list(struct json_object *findings, const char *key)
{
	struct json_object *list = NULL;

	json_object_object_get_ex(findings, key, &list);
	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		struct json_object *object = json_object_array_get_idx(list, i);
		bool hook = text_of(object, "hook")[0];

		if (hook)
			printf("%-8s %s %s: %s\n", text_of(object, "state"),
			       text_of(object, "event"), text_of(object, "part"),
			       text_of(object, "hook"));
		else
			printf("%-8s %s: %s\n", text_of(object, "state"), text_of(object, "check"),
			       text_of(object, "what"));
		if (hook)
			print_more(object, "what");
		print_more(object, "blind");
		print_more(object, "advice");
	}
}

void doctor_print(struct json_object *findings)
{
	struct json_object *events = NULL;

	print_list(findings, "checks");
	print_list(findings, "hooks");
	json_object_object_get_ex(findings, "events", &events);
	json_object_object_foreach(events, name, served)
	{
		printf("%-8s event %s\n", json_object_get_boolean(served) ? "ok" : "not", name);
	}
}
