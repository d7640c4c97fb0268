// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * main.c - read the command line, put the parts together, run, and say by the exit status how it
 * went. Statuses above 2 are those of sysexits.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "base/log.h"
#include "host/cgroup_walk.h"
#include "kernel/capability.h"
#include "line/json_schema.h"
#include "run/daemon.h"
#include "run/doctor.h"
#include "run/reload.h"
#include "run/replay.h"
#include "run/signals.h"
#include "settings/unmatchable.h"

#define EXIT_USAGE 2
#define CGROUP_NAMESPACE_FIRST "cgroup:[4026531835]" /* PROC_CGROUP_INIT_INO, the host's */

/* What was printed to stdout must have got there. */
static int printed(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return EXIT_SUCCESS;
	log_error("cannot write to stdout: %s", strerror(errno));
	return EX_IOERR;
}

static void print_json(struct json_object *object)
{
	puts(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PRETTY |
							    JSON_C_TO_STRING_SPACED |
							    JSON_C_TO_STRING_NOSLASHESCAPE));
}

static int print_schema(enum format_id format)
{
	struct json_object *schema = schema_json(format);

	if (!schema) {
		log_error("cannot make the schema: memory is short");
		return EXIT_FAILURE;
	}
	print_json(schema);
	json_object_put(schema);
	return printed();
}

static int examine(const struct options *options)
{
	struct json_object *findings;
	bool healthy;
	int r;

	if (doctor_examine(options, &findings, &healthy) < 0) {
		log_error("cannot examine this host: memory is short");
		return EXIT_FAILURE;
	}
	if (options->action.form == form_json)
		print_json(findings);
	else
		doctor_print(findings);
	json_object_put(findings);
	r = printed();
	return r ?: healthy ? EXIT_SUCCESS : EX_UNAVAILABLE;
}

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

/*
 * An event that no output takes is not asked of the kernel at all. But the next configuration may
 * have an output that takes it: then its hooks are there, switched off.
 */
static int events_choose(struct options *options)
{
	const uint64_t taken = events_taken(options);
	char untaken[events_text_max] = "";

	for_each_event_type(type)
		if (options->kernel.events.bits & ~taken & BIT(type))
			list_add(untaken, sizeof(untaken), event_desc(type)->name);
	if (!(options->kernel.events.bits & taken)) {
		log_error("no output takes %s: see events= of --output; nothing is logged",
			  untaken);
		return options->config_path ? EX_CONFIG : EXIT_USAGE;
	}
	if (untaken[0] && options->kernel.events.named)
		log_warning("no output takes %s, which is not logged", untaken);
	if (!options->config_path)
		options->kernel.events.bits &= taken;
	return 0;
}

static int attach(const struct options *options, const struct output *output,
		  struct probe **ret_probe)
{
	const struct probe_outputs outputs = outputs_of(options, output);
	struct probe_config config = { .settings = &options->kernel,
				       .outputs = &outputs,
				       .ring_bytes = options->ring_bytes,
				       .tick_ns = clock_tick_ns(),
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

/*
 * What is attached needs no capability any more. Only a file of somebody else, which root has been
 * told to write to, needs one to be opened anew; and old kernels one for the figures.
 */
static void capabilities_drop(const struct options *options, struct probe *probe,
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

/* Lines to the outputs that the options name. */
static int outputs_open(const struct options *options, struct lines *lines)
{
	_cleanup_(output_freep) struct output *none = NULL;
	const char *failed = "";
	int r;

	r = lines_init(lines) ?: output_new(NULL, &none);
	if (r < 0) {
		log_error("cannot prepare the lines: %s", strerror(-r));
		return EXIT_FAILURE;
	}
	r = output_configure(lines->output, options->outputs, options->output_count, none, &failed);
	if (r < 0) {
		log_error("cannot open the output %s: %s%s", failed, strerror(-r),
			  output_open_advice(failed, r));
		return EX_CANTCREAT;
	}
	return 0;
}

/* There the cgroups of all others are out of sight, however the file system is mounted. */
static void cgroup_namespace_warn(void)
{
	char namespace[64] = "";

	if (readlink("/proc/self/ns/cgroup", namespace, sizeof(namespace) - 1) > 0 &&
	    strcmp(namespace, CGROUP_NAMESPACE_FIRST) != 0)
		log_warning("this is not the host's cgroup namespace: cgroups of others have no "
			    "names in the lines, and --unit and --cgroup do not find them; run "
			    "the container with --cgroupns=host, and the host's /sys/fs/cgroup");
}

static int names_find(struct names **ret_names)
{
	char cgroup_root[PATH_MAX];
	struct names_config config = { .cgroup_root = cgroup_root,
				       .netns_directory = NETNS_DIRECTORY };

	cgroup_mount_find("", cgroup_root, sizeof(cgroup_root));
	return names_new(&config, ret_names);
}

/* While other processes' environments may still be read. */
static void ssh_leave_out(struct options *options)
{
	struct ssh_connection connection;
	char text[SSH_TEXT_MAX];

	if (ssh_connection_find(getenv("SSH_CONNECTION"), "/proc", &connection) < 0 ||
	    !settings_set_ssh(options, &connection))
		return;
	ssh_connection_text(&connection, text);
	log_info("leaving out the connection of this ssh session, %s; --include-ssh logs it, too",
		 text);
}

static int run(struct options *options)
{
	_cleanup_(probe_freep) struct probe *probe = NULL;
	_cleanup_(names_freep) struct names *names = NULL;
	_cleanup_(lines_done) struct lines lines = {};
	struct origin origin = {};
	int r;

	r = events_choose(options);
	if (r)
		return r;
	signals_hold();
	hostname_find(options, &origin);
	r = outputs_open(options, &lines);
	if (r)
		return r;
	lines.origin = origin;
	cgroup_namespace_warn();
	r = names_find(&names);
	if (r < 0)
		log_warning("cannot look for names of cgroups: %s; lines go without", strerror(-r));
	lines_set_names(&lines, names);
	ssh_leave_out(options);
	r = attach(options, lines.output, &probe);
	if (r)
		return r;
	output_set_generation(lines.output, probe_generation(probe));
	capabilities_drop(options, probe, lines.output);
	announce(probe, options);
	r = daemon_run(options, probe, &lines);
	if (r == -EIO)
		return EX_IOERR;
	if (r < 0 && r != -EBADMSG)
		log_error("the event loop failed: %s", strerror(-r));
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Opening an output may already cut or move what is there: before that, it must not be the input. */
static bool written_over(const struct options *options, int fd)
{
	struct stat status;

	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
		return false;
	for (unsigned int i = 0; i < options->output_count; i++) {
		if (!sink_spec_writes_over(&options->outputs[i], &status))
			continue;
		log_error("%s would be written over by %s while it is read; give another output",
			  fd == STDIN_FILENO ? "stdin" : options->read_path,
			  options->outputs[i].name);
		return true;
	}
	return false;
}

static int replay(const struct options *options)
{
	_cleanup_(lines_done) struct lines lines = {};
	const char *path = options->read_path;
	_cleanup_close_ int opened = -1;
	int fd = STDIN_FILENO, r;

	if (options->live_only)
		log_warning("--%s does nothing with --read, where only --events, --count, "
			    "--output and filters choose; use jq for the rest",
			    options->live_only);
	signals_hold();
	if (strcmp(path, "-") != 0) {
		fd = opened = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		if (fd < 0) {
			log_error("cannot open the recording %s: %s", path, strerror(errno));
			return EX_NOINPUT;
		}
	}
	if (written_over(options, fd))
		return EXIT_USAGE;
	r = outputs_open(options, &lines);
	if (r)
		return r;
	switch (replay_run(options, fd, &lines)) {
	case 0:
		return EXIT_SUCCESS;
	case -EBADMSG:
		return EX_DATAERR;
	case -ENODATA:
		return EX_NOINPUT;
	case -EIO:
		return EX_IOERR;
	default:
		return EXIT_FAILURE;
	}
}

/*
 * Where standard input, output or error is closed, the next file to be opened would take its place,
 * and messages or lines would end up in it.
 */
static void descriptor_reserve(int fd, int flags)
{
	int null;

	if (fcntl(fd, F_GETFD) >= 0)
		return;
	null = open("/dev/null", flags);
	if (null >= 0 && null != fd) {
		dup2(null, fd);
		close(null);
	}
}

/* They have been read, and so can be used, but for outputs that cannot be opened. */
static int check(const struct options *options)
{
	bool good = true;

	unmatchable_warn(options);
	for (unsigned int i = 0; i < options->output_count; i++) {
		const char *name = options->outputs[i].name;
		int r = sink_spec_check(&options->outputs[i]);

		if (r < 0)
			log_error("cannot open the output %s: %s%s", name, strerror(-r),
				  output_open_advice(name, r));
		good &= r == 0;
	}
	if (!good)
		return EX_CANTCREAT;
	puts("the settings can be used");
	return printed();
}

int main(int argc, char **argv)
{
	_cleanup_(options_done) struct options options = {};
	_cleanup_free_ char *message = NULL;
	int r;

	descriptor_reserve(STDIN_FILENO, O_RDONLY);
	descriptor_reserve(STDOUT_FILENO, O_PATH); /* nor can anybody write lines there */
	descriptor_reserve(STDERR_FILENO, O_WRONLY);
	r = options_parse(argc, argv, &options, &message);
	if (r < 0) {
		log_error("%s", message ?: "memory is short");
		return r == -EINVAL ? EXIT_USAGE : EX_CONFIG;
	}
	log_set_quiet(options.quiet);
	switch (options.action.wanted) {
	case ACTION_HELP:
		options_help();
		return printed();
	case ACTION_VERSION:
		puts("netlog " NETLOG_VERSION);
		return printed();
	case ACTION_SCHEMA:
		return print_schema((enum format_id)options.action.form);
	case ACTION_DOCTOR:
		return examine(&options);
	case ACTION_CHECK_CONFIG:
		return check(&options);
	case ACTION_PRINT_CONFIG:
		options_print(&options);
		return printed();
	case ACTION_LOG:
		unmatchable_warn(&options);
		return options.read_path ? replay(&options) : run(&options);
	}
	return EXIT_FAILURE;
}
