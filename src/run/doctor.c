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

/* If memory is short, the key is missing: there is no better way to say it. */
static void add(struct json_object *object, const char *key, const char *value)
{
	json_object_object_add(object, key, json_object_new_string(value));
}

static struct json_object *finding(struct json_object *list, const char *name, const char *state,
				   const char *what)
{
	struct json_object *object = json_object_new_object();

	add(object, "check", name);
	add(object, "state", state);
	add(object, "what", what);
	json_object_array_add(list, object);
	return object;
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
static void examine_btf(struct json_object *checks, int error)
{
	if (access(KERNEL_BTF_PATH, R_OK) < 0)
		add(finding(checks, "btf", errno == ENOENT ? "absent" : "refused", KERNEL_BTF_PATH),
		    "advice", "use a kernel with CONFIG_DEBUG_INFO_BTF=y");
	else if (error == -EBADMSG)
		add(finding(checks, "btf", "refused", KERNEL_BTF_PATH " cannot be read"), "advice",
		    "it is torn, or a newer libbpf is needed");
	else
		finding(checks, "btf", "ok", KERNEL_BTF_PATH);
}

/* Is a load that faults mended? extable.h */
static void examine_loads(struct json_object *checks, const struct probe *probe)
{
	const char *caution = probe ? probe_caution(probe) : NULL;

	if (!probe)
		return;
	if (!caution)
		finding(checks, "faulting loads", "ok", "the kernel recovers from them");
	else
		add(finding(checks, "faulting loads", "unsafe", caution), "advice",
		    "nothing: netlog makes none here, but copies, which cost more; a newer kernel "
		    "needs no such care");
}

static void examine_capabilities(struct json_object *checks)
{
	const char *missing = capability_missing();

	if (!missing)
		finding(checks, "capabilities", "ok", "CAP_BPF and CAP_PERFMON");
	else
		add(finding(checks, "capabilities", "refused", missing), "advice",
		    "run it as root (sudo netlog), or give them with setcap(8)");
}

/*
 * kernel_lockdown(7): in mode integrity, BPF programs may still read kernel memory; in mode
 * confidentiality they may not. The mode in force is in brackets.
 */
static void examine_lockdown(struct json_object *checks)
{
	char modes[LINE_BYTES];

	read_line(LOCKDOWN_PATH, modes, sizeof(modes));
	if (!modes[0])
		finding(checks, "lockdown", "ok", "none");
	else if (strstr(modes, "[confidentiality]"))
		add(finding(checks, "lockdown", "refused", modes), "advice",
		    "boot with lockdown=integrity or without");
	else
		finding(checks, "lockdown", "ok", modes);
}

static void examine_lsm(struct json_object *checks)
{
	char modules[LINE_BYTES];

	read_line(LSM_PATH, modules, sizeof(modules));
	finding(checks, "lsm", "ok", modules[0] ? modules : "not known");
}

static void examine_cgroups(struct json_object *checks)
{
	if (!cgroup_v1_in_use())
		finding(checks, "cgroups", "ok", "version 2 tells units and containers");
	else
		add(finding(checks, "cgroups", "ok",
			    "version 1 tells units and containers: they are those of the "
			    "process, as in /proc/PID/cgroup, while it runs"),
		    "blind",
		    "--unit and --cgroup ask for the socket's cgroup of version 2: a container's "
		    "may lie in the unit of its manager there, or nowhere");
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

static void examine_hook(struct json_object *hooks, const struct probe_hook *hook)
{
	struct json_object *object = json_object_new_object();

	add(object, "event", hook_event_name(hook->desc));
	add(object, "part", hook->desc->part);
	add(object, "hook", hook->section);
	if (hook->standby)
		add(object, "state", "standby");
	else if (!hook->error)
		add(object, "state", "ok");
	else
		add(object, "state", hook_absent(hook) ? "absent" : "refused");
	if (hook->error) {
		add(object, "what", hook->reason ?: strerror(-hook->error));
		add(object, "advice", advice(hook));
	} else if (hook->desc->blind[0]) {
		add(object, "blind", hook->desc->blind);
	}
	json_object_array_add(hooks, object);
}

/*
 * `probe` NULL: it could not be made, because of `error`. Returns whether everything that the
 * options ask for is served.
 */
static bool examine_probe(const struct options *options, const struct probe *probe, int error,
			  struct json_object *findings, struct json_object *checks)
{
	struct json_object *hooks = json_object_new_array(), *events = json_object_new_object();
	const struct probe_hook *hook;
	unsigned int count = 0;
	uint64_t served = 0;
	char text[LINE_BYTES];

	if (probe) {
		served = probe_events(probe);
		hook = probe_hooks(probe, &count);
		for (unsigned int i = 0; i < count; i++)
			examine_hook(hooks, &hook[i]);
	}
	snprintf(text, sizeof(text), "%llu bytes", (unsigned long long)options->ring_bytes);
	if (served)
		finding(checks, "ring buffer", "ok", text);
	else
		add(finding(checks, "ring buffer", "refused",
			    error == -ENOTSUP			   ? "not tried: no hook" :
			    error == -ENODATA || error == -EBADMSG ? "not tried: no BTF" :
								     strerror(-error)),
		    "advice", "see the other checks");
	for_each_event_type(type)
		if (options->kernel.events.bits & BIT(type))
			json_object_object_add(events, event_desc(type)->name,
					       json_object_new_boolean((served & BIT(type)) != 0));
	json_object_object_add(findings, "hooks", hooks);
	json_object_object_add(findings, "events", events);
	return (served & options->kernel.events.bits) == options->kernel.events.bits;
}

int doctor_examine(const struct options *options, struct json_object **ret_findings,
		   bool *ret_healthy)
{
	struct json_object *findings = json_object_new_object();
	struct json_object *checks = json_object_new_array();
	_cleanup_(probe_freep) struct probe *probe = NULL;
	struct probe_outputs all = { .of[0].events = UINT64_MAX };
	struct probe_config config = { .settings = &options->kernel,
				       .outputs = &all,
				       .ring_bytes = options->ring_bytes,
				       .tick_ns = clock_tick_ns(),
				       .processes = cgroup_v1_in_use(),
				       .filter_fixed = !options->config_path };
	struct utsname name;
	int r;

	if (!findings || !checks) {
		json_object_put(findings);
		json_object_put(checks);
		return -ENOMEM;
	}
	/* any bits, so that the programs are those that a run would load */
	for (unsigned int i = 0; i < options->output_count; i++)
		all.of[i].filters = options->outputs[i].filters;
	r = probe_new(&config, &probe);
	uname(&name);
	add(findings, "version", NETLOG_VERSION);
	finding(checks, "kernel", "ok", name.release);
	examine_btf(checks, r);
	examine_loads(checks, probe);
	examine_capabilities(checks);
	examine_lockdown(checks);
	examine_lsm(checks);
	examine_cgroups(checks);
	json_object_object_add(findings, "checks", checks);
	*ret_healthy = examine_probe(options, probe, r, findings, checks);
	*ret_findings = findings;
	return 0;
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
