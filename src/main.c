// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * main.c - read the command line, put the parts together, run, and report by the exit status how it
 * went. Statuses above 2 are those of sysexits.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "base/log.h"
#include "host/cgroup_file.h"
#include "host/cgroup_walk.h"
#include "host/namespace.h"
#include "line/json_schema.h"
#include "run/attach.h"
#include "run/daemon.h"
#include "run/doctor.h"
#include "run/reload.h"
#include "run/replay.h"
#include "run/signals.h"
#include "run/trouble.h"
#include "settings/unmatchable.h"

#define EXIT_USAGE 2

/* Flush stdout: whatever was printed must have arrived. */
static int printed(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return EXIT_SUCCESS;
	log_error("cannot write to stdout: %s", strerror(errno));
	return EX_IOERR;
}

static int print_schema(enum format_id format)
{
	struct json_object *schema = schema_json(format);
	int r = schema ? json_print(stdout, schema) : -ENOMEM;

	json_object_put(schema);
	if (r == 0)
		return printed();
	log_error("cannot make the schema: memory is short");
	return EXIT_FAILURE;
}

static int examine(const struct options *options)
{
	struct json_object *findings = NULL;
	bool healthy;
	int r = doctor_examine(options, &findings, &healthy);

	if (r == 0 && options->action.form == form_json)
		r = json_print(stdout, findings);
	else if (r == 0)
		doctor_print(findings);
	json_object_put(findings);
	if (r < 0) {
		log_error("cannot examine this host: memory is short");
		return EXIT_FAILURE;
	}
	r = printed();
	return r ?: healthy ? EXIT_SUCCESS : EX_UNAVAILABLE;
}

/*
 * An event that no output takes is not asked of the kernel. But the next configuration may have an
 * output that takes it: so its hooks are attached, and switched off.
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

/* An output could not be opened. */
static int open_status(int error)
{
	return error == -ENOMEM ? EXIT_FAILURE : EX_CANTCREAT;
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
		trouble_open(failed, r, "");
		return open_status(r);
	}
	return 0;
}

/* There the cgroups of all others are out of sight, however the file system is mounted. */
static void cgroup_namespace_warn(void)
{
	if (namespace_is_first(namespace_cgroup) == 0)
		log_warning("this is not the host's cgroup namespace: cgroups of others have no "
			    "names in the lines, and --unit and --cgroup do not find them; run "
			    "the container with --cgroupns=host, and the host's /sys/fs/cgroup");
}

/* Cgroups of version 1 are read there. */
static void hidden_processes_warn(void)
{
	if (cgroup_v1() == cgroup_v1_hidden)
		log_warning("this host has cgroups of version 1, and /proc hides the processes of "
			    "other users (hidepid=, ProtectProc= of a unit, or a pid namespace of "
			    "our own): unit, container_id and pod_uid are those of the socket's "
			    "cgroup of version 2");
}

static int names_find(struct names **ret_names)
{
	char cgroup_root[PATH_MAX];
	struct names_config config = { .cgroup_root = cgroup_root,
				       .netns_directory = NETNS_DIRECTORY,
				       .processes = cgroup_v1() == cgroup_v1_told ? "/proc" : "" };

	cgroup_mount_find("", cgroup_root, sizeof(cgroup_root));
	return names_new(&config, ret_names);
}

/* Called while other processes' environments may still be read. */
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
	hidden_processes_warn();
	r = names_find(&names);
	if (r < 0)
		log_warning("cannot look for names of cgroups: %s; lines go without", strerror(-r));
	lines_set_names(&lines, names);
	ssh_leave_out(options);
	r = attach_probe(options, lines.output, &probe);
	if (r)
		return r;
	output_set_generation(lines.output, probe_generation(probe));
	attach_drop_capabilities(options, probe, lines.output);
	announce(probe, options);
	r = daemon_run(options, probe, &lines);
	log_close();
	if (r == -EIO)
		return EX_IOERR;
	if (r == -ECANCELED)
		return EX_CANTCREAT;
	if (r < 0 && r != -EBADMSG)
		log_error("the event loop failed: %s", strerror(-r));
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Would an output overwrite the recording being read? One that begins may truncate or move it. */
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
	if (strcmp(path, "-") != 0) { /* a pipe may have no writer yet: a signal ends the wait */
		fd = opened = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		if (fd < 0) {
			log_error("cannot open the recording %s: %s", path, strerror(errno));
			return EX_NOINPUT;
		}
	}
	if (written_over(options, fd))
		return EXIT_USAGE;
	signals_hold();
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
	case -ECANCELED:
		return EX_CANTCREAT;
	default:
		return EXIT_FAILURE;
	}
}

/*
 * If standard input, output or error is closed, the next opened file would take its number, and
 * messages or lines would end up in it. So something harmless takes it first.
 */
static void descriptor_reserve(int fd, int flags)
{
	int null;

	if (fcntl(fd, F_GETFD) >= 0)
		return;
	null = open("/dev/null", flags);
	if (null < 0) /* as in a bare chroot(2): this cannot be read or written either */
		null = open("/", O_PATH);
	if (null >= 0 && null != fd) {
		dup2(null, fd);
		close(null);
	}
}

/* They have been read, and so can be used, but for outputs that cannot be opened. */
static int check(const struct options *options)
{
	int status = EXIT_SUCCESS;

	unmatchable_warn(options);
	for (unsigned int i = 0; i < options->output_count; i++) {
		int r = sink_spec_check(options->outputs, i);

		if (r < 0) {
			trouble_open(options->outputs[i].name, r, "");
			status = open_status(r);
		}
	}
	if (status != EXIT_SUCCESS)
		return status;
	puts("the settings can be used");
	return printed();
}

int main(int argc, char **argv)
{
	_cleanup_(options_done) struct options options = {};
	_cleanup_free_ char *message = NULL;
	int r;

	signal(SIGXFSZ, SIG_IGN); /* a file at its limit (RLIMIT_FSIZE) is an error like others */
	descriptor_reserve(STDIN_FILENO, O_RDONLY);
	descriptor_reserve(STDOUT_FILENO, O_PATH); /* writing lines to it fails */
	descriptor_reserve(STDERR_FILENO, O_WRONLY);
	log_open();
	r = options_parse(argc, argv, &options, &message);
	if (r < 0) {
		log_error("%s", message ?: "memory is short");
		if (r == -ENOMEM || !message) /* no fault of theirs */
			return EXIT_FAILURE;  /* the service is tried again */
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
