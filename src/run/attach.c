// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "run/attach.h"

#include <errno.h>
#include <sysexits.h>

#include "base/log.h"
#include "host/cgroup_file.h"
#include "kernel/capability.h"
#include "run/reload.h"

/* Of an event's choice, values that were named one by one and have no hook, as bits. */
static uint64_t values_lacking(const struct options *options, const struct probe_hook *hooks,
			       unsigned int count, enum event_type type)
{
	const struct word_choice *choice = &options->kernel.choices[type];
	uint64_t lacking = choice->bits;

	if (!choice->named || !(options->kernel.events.bits & BIT(type)))
		return 0;
	for (unsigned int i = 0; i < count; i++)
		if (hooks[i].served && hooks[i].desc->event == type &&
		    hooks[i].desc->role == role_lines)
			lacking &= hooks[i].desc->value ? ~BIT(hooks[i].desc->value) : 0;
	return lacking;
}

/* Of a part that nothing serves, the last one refused tells why; those before are for the doctor. */
static bool part_unserved(const struct probe_hook *hooks, unsigned int count, unsigned int i)
{
	for (unsigned int k = i + 1; k < count; k++)
		if (hooks[k].error && hooks[k].desc->event == hooks[i].desc->event &&
		    !strcmp(hooks[k].desc->part, hooks[i].desc->part))
			return false;
	return hooks[i].error && hooks[i].error != -ECANCELED && !hooks[i].served;
}

/* Tell what is not as asked. Returns whether the user named something that cannot be served. */
static bool report_hooks(const struct probe *probe, const struct options *options)
{
	unsigned int count;
	const struct probe_hook *hooks = probe_hooks(probe, &count);
	const uint64_t missing = options->kernel.events.bits & ~probe_events(probe);
	uint64_t lacking[event_types] = {};
	bool named_missing = false;
	char others[parts_text_max] = "";

	for_each_event_type(type) {
		lacking[type] = values_lacking(options, hooks, count, type);
		named_missing |= lacking[type] != 0;
	}
	for (unsigned int i = 0; i < count; i++) {
		const struct hook_desc *desc = hooks[i].desc;

		if (!part_unserved(hooks, count, i))
			continue;
		if (!(missing & BIT(desc->event)) && !(lacking[desc->event] & BIT(desc->value)))
			list_add(others, sizeof(others), desc->part);
		else if (hook_absent(&hooks[i]))
			log_warning("%s of event %s is not served: this kernel has no %s",
				    desc->part, event_desc(desc->event)->name, hooks[i].section);
		else
			log_warning("%s of event %s is not served: the kernel refused %s: %s",
				    desc->part, event_desc(desc->event)->name, hooks[i].section,
				    hooks[i].reason ?: strerror(-hooks[i].error));
	}
	if (others[0])
		log_info("this host does not serve all parts: %s; netlog --doctor says why",
			 others);
	for_each_event_type(type) {
		if (!(missing & BIT(type)))
			continue;
		log_warning("event %s cannot be served on this host", event_desc(type)->name);
		named_missing |= options->kernel.events.named;
	}
	return named_missing;
}

int attach_probe(const struct options *options, const struct output *output,
		 struct probe **ret_probe)
{
	const struct probe_outputs outputs = outputs_of(options, output);
	struct probe_config config = { .settings = &options->kernel,
				       .outputs = &outputs,
				       .ring_bytes = options->ring_bytes,
				       .tick_ns = clock_tick_ns(),
				       .processes = cgroup_v1() == cgroup_v1_told,
				       .filter_fixed = !options->config_path };
	const char *missing = capability_missing();
	int r;

	if (missing) {
		log_error("%s missing, which loading BPF programs needs; run netlog as root (sudo "
			  "netlog), or give them with setcap(8)",
			  missing);
		return EX_NOPERM;
	}
	r = probe_new(&config, ret_probe);
	if (r == -ENODATA) {
		log_error("the kernel has no BTF (" KERNEL_BTF_PATH
			  "), by which netlog finds its way in it; a kernel with "
			  "CONFIG_DEBUG_INFO_BTF=y is needed");
		return EX_OSFILE;
	}
	if (r == -EBADMSG) {
		log_error("the kernel's BTF (" KERNEL_BTF_PATH
			  ") cannot be read: it is torn, or libbpf is older than its format");
		return EX_OSFILE;
	}
	if (r < 0 && r != -ENOTSUP) {
		log_error("cannot load into the kernel: %s", strerror(-r));
		return EX_OSERR;
	}
	if (report_hooks(*ret_probe, options)) {
		log_error("what was asked for by name cannot be served; nothing is logged");
		return EX_UNAVAILABLE;
	}
	if (r == -ENOTSUP) {
		log_error("no event can be served on this host; nothing is logged");
		return EX_OSERR;
	}
	return 0;
}

void attach_drop_capabilities(const struct options *options, struct probe *probe,
			      const struct output *output)
{
	uint64_t keep = 0;
	int r;

	if (options->config_path || output_reopens(output))
		keep |= BIT(CAP_DAC_OVERRIDE);
	r = capability_suspend(keep);
	if (r == 0 && probe_check(probe) < 0)
		keep |= BIT(CAP_BPF);
	if (r == 0)
		r = capability_drop(keep);
	if (r < 0)
		log_warning("cannot drop capabilities: %s; going on with them", strerror(-r));
}
