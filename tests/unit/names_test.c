// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Names from a tree of directories that stands for the cgroups, and from elsewhere.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"
#include "host/names.h"

#include "strict.h"
#include "writing.h"

static char root[] = "/tmp/netlog-test-XXXXXX";

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *ftw)
{
	(void)status;
	(void)kind;
	(void)ftw;
	return remove(path);
}

static void root_remove(void)
{
	nftw(root, remove_one, 64, FTW_DEPTH | FTW_PHYS);
}

static void root_make(void)
{
	CHECK(mkdtemp(root));
	atexit(root_remove);
}

/* Its number is the id. */
static uint64_t make(const char *path)
{
	char whole[600];
	struct stat status;

	snprintf(whole, sizeof(whole), "%s%s", root, path);
	CHECK(mkdir(whole, 0755) == 0 || errno == EEXIST);
	CHECK_EQUAL(stat(whole, &status), 0);
	return status.st_ino;
}

static void unmake(const char *path)
{
	char whole[600];

	snprintf(whole, sizeof(whole), "%s%s", root, path);
	CHECK_EQUAL(rmdir(whole), 0);
}

static struct names *names_from(const char *cgroup_root, const char *netns_directory)
{
	struct names_config config = { .cgroup_root = cgroup_root,
				       .netns_directory = netns_directory };
	struct names *names;

	CHECK_EQUAL(names_new(&config, &names), 0);
	return names;
}

/* A name and its parts, by their keys; "": none is known. */
static void check_name(struct names *names, enum name_source source, uint64_t id,
		       const char *expected)
{
	const struct name_source_desc *desc = &name_source_descs[source];
	const struct name_text *name = names_text(names, source, id);
	char said[4 * NAME_TEXT_MAX] = "";

	if (name) {
		CHECK_EQUAL(name->parts[0].length, strlen(name->text));
		CHECK(name->parts[0].start == name->text);
	}
	for (unsigned int i = 0; name && i < desc->key_count; i++)
		if (name->parts[i].length)
			sprintf(said + strlen(said), "%s%s=%.*s", i ? " " : "", desc->keys[i].name,
				(int)name->parts[i].length, name->parts[i].start);
	CHECK_TEXT(said, expected);
}

/* A file of a process, in a tree that stands for /proc. */
static void process_file(unsigned int pid, const char *file, const char *content)
{
	char path[600];
	FILE *made;

	snprintf(path, sizeof(path), "/%u", pid);
	make(path);
	snprintf(path, sizeof(path), "%s/%u/%s", root, pid, file);
	made = fopen(path, "w");
	CHECK(made && fputs(content, made) >= 0);
	fclose(made);
}

static void process_make(unsigned int pid, const char *name, unsigned int begun,
			 const char *cgroups)
{
	char stat[256];

	snprintf(stat, sizeof(stat),
		 "%u (%s) S 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 %u 23\n", pid, name,
		 begun);
	process_file(pid, "stat", stat);
	process_file(pid, "cgroup", cgroups);
}

static const char *value_of(struct json_object *object, const char *key);
static struct json_object *encode(struct writer *writer, const struct event *event);

#define TICKS(ticks) ((uint64_t)(ticks)*PROCESS_TICK_NS)

/* Until no thread looks any more. */
static void lookers_wait(void)
{
	const uint64_t begun = clock_boot_ns();
	unsigned int threads;

	do {
		DIR *directory = opendir("/proc/self/task");
		const struct dirent *entry;

		CHECK(directory);
		for (threads = 0; (entry = readdir(directory));)
			threads += entry->d_name[0] != '.';
		closedir(directory);
		usleep(threads > 1 ? 100 : 0);
		CHECK_SAYING(clock_boot_ns() - begun < 60 * NSEC_PER_SEC, "%u threads still look",
			     threads - 1);
	} while (threads > 1);
}

/* Until all walks that it is worth have been made. Each call is later than those before. */
static bool refresh(struct names *names)
{
	static uint64_t later_ns;
	bool changed = false;

	for (int i = 0; i < 10; i++, later_ns += 100 * NSEC_PER_SEC) {
		changed |= names_refresh(names, clock_boot_ns() + later_ns);
		lookers_wait();
	}
	return changed;
}

TEST(a_cgroup_that_is_there_has_its_names)
{
	struct names *names;
	uint64_t service, inner;
	struct stat status;

	root_make();
	make("/system.slice");
	service = make("/system.slice/a.service");
	inner = make("/system.slice/a.service/\"\x01");
	names = names_from(root, "");
	check_name(names, names_of_cgroup_id, service,
		   "cgroup=/system.slice/a.service unit=a.service");
	check_name(names, names_of_cgroup_id, inner,
		   "cgroup=/system.slice/a.service/\"\x01 unit=a.service");
	CHECK_EQUAL(stat(root, &status), 0);
	check_name(names, names_of_cgroup_id, status.st_ino, "cgroup=/");
	check_name(names, names_of_netns, service, "");
	names_free(names);
}

TEST(a_cgroup_that_comes_later_is_found_and_one_that_goes_keeps_its_name)
{
	struct names *names;
	uint64_t late;

	root_make();
	names = names_from(root, "");
	late = make("/late.service");
	check_name(names, names_of_cgroup_id, UINT64_MAX, "");
	names_text(names, names_of_cgroup_id, late);
	refresh(names);
	check_name(names, names_of_cgroup_id, late, "cgroup=/late.service unit=late.service");
	CHECK(!refresh(names));
	unmake("/late.service");
	check_name(names, names_of_cgroup_id, 12345, "");
	refresh(names);
	check_name(names, names_of_cgroup_id, late, "cgroup=/late.service unit=late.service");
	names_free(names);
}

/*
 * In a tree that is walked through in a moment. Other processes may be at work: not each time then.
 */
TEST(a_new_cgroup_has_its_name_from_its_first_line_on)
{
	struct names *names;
	bool known = false;
	char path[32];

	root_make();
	names = names_from(root, "");
	for (int i = 0; i < 100 && !known; i++) {
		snprintf(path, sizeof(path), "/%d", i);
		known = names_text(names, names_of_cgroup_id, make(path));
		lookers_wait();
		usleep(20000); /* there is a pause between two walks */
		names_refresh(names, clock_boot_ns());
	}
	CHECK(known);
	names_free(names);
}

/* Else each line of a cgroup that is gone would cost another walk. */
TEST(what_two_walks_did_not_find_is_not_looked_for_again)
{
	struct names *names;
	uint64_t id;

	root_make();
	id = make("/x");
	unmake("/x");
	names = names_from(root, "");
	check_name(names, names_of_cgroup_id, id, "");
	refresh(names);
	for (int i = 0; i < 3 && make("/x") != id; i++)
		unmake("/x");
	check_name(names, names_of_cgroup_id, id, "");
	CHECK(!refresh(names));
	check_name(names, names_of_cgroup_id, id, "");
	names_free(names);
}

TEST(a_tree_of_very_many_is_looked_through)
{
	struct names *names;
	uint64_t last = 0, first;
	char path[64];

	root_make();
	first = make("/0");
	names = names_from(root, "");
	for (int i = 1; i < 600; i++) {
		snprintf(path, sizeof(path), "/%d", i);
		last = make(path);
	}
	names_text(names, names_of_cgroup_id, last);
	refresh(names);
	check_name(names, names_of_cgroup_id, last, "cgroup=/599");
	check_name(names, names_of_cgroup_id, first, "cgroup=/0");
	names_free(names);
}

static uint64_t cpu_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (uint64_t)time.tv_sec * NSEC_PER_SEC + (uint64_t)time.tv_nsec;
}

/*
 * New cgroups come all the time, and there is always one that is not found: the walks take a small
 * part of the time all the same, on average a fiftieth, and a bit at once.
 */
TEST(walks_do_not_take_all_the_time)
{
	struct names *names;
	uint64_t begun, spent = 0, unknown = 1ULL << 40;
	char path[32];

	root_make();
	for (int i = 0; i < 300; i++) {
		snprintf(path, sizeof(path), "/%d", i);
		make(path);
	}
	names = names_from(root, "");
	begun = clock_boot_ns();
	while (clock_boot_ns() - begun < NSEC_PER_SEC) {
		uint64_t before = cpu_ns();

		names_text(names, names_of_cgroup_id, unknown++);
		names_refresh(names, clock_boot_ns());
		spent += cpu_ns() - before;
		usleep(1000);
	}
	CHECK_SAYING(spent < (clock_boot_ns() - begun) / 8, "%llu ms of CPU in a second",
		     (unsigned long long)(spent / NSEC_PER_MSEC));
	names_free(names);
}

TEST(too_deep_or_too_long_is_left_out)
{
	const struct name_text *name;
	struct names *names;
	char path[600] = "";
	uint64_t deepest = 0;

	root_make();
	for (int i = 0; i < 70; i++) {
		strcat(path, "/d");
		deepest = make(path);
	}
	names = names_from(root, "");
	check_name(names, names_of_cgroup_id, deepest, "");
	refresh(names);
	check_name(names, names_of_cgroup_id, deepest, "");
	memset(path, 'x', sizeof(path));
	path[NAME_TEXT_MAX + 1] = 0;
	CHECK_EQUAL(names_feed(names, names_of_cgroup_id, 1, path), -E2BIG);
	path[NAME_TEXT_MAX] = 0;
	CHECK_EQUAL(names_feed(names, names_of_cgroup_id, 1, path), 0);
	/* no file may have so long a name, and no line has room for it twice */
	memcpy(path + NAME_TEXT_MAX - 8, ".service", 8);
	CHECK_EQUAL(names_feed(names, names_of_cgroup_id, 2, path), 0);
	name = names_text(names, names_of_cgroup_id, 2);
	CHECK_EQUAL(name->parts[0].length, NAME_TEXT_MAX);
	CHECK_EQUAL(name->parts[1].length, 0);
	path[NAME_MAX + 1] = 0;
	CHECK_EQUAL(names_feed(names, names_of_netns, 1, path), -E2BIG);
	path[NAME_MAX] = 0;
	CHECK_EQUAL(names_feed(names, names_of_netns, 1, path), 0);
	names_free(names);
}

TEST(a_process_is_told_by_its_cgroups_of_version_1_and_by_when_it_began)
{
	const uint64_t web = PROCESS_OF(7, TICKS(1234)), late = PROCESS_OF(7, TICKS(1235)),
		       odd = PROCESS_OF(8, TICKS(99) + 5), gone = PROCESS_OF(9, TICKS(1));
	const struct names_config config = { .processes = root };
	const struct name_text *name;
	struct names *names;

	root_make();
	process_make(7, "web", 1234,
		     "4:memory:/\n1:name=systemd:/system.slice/web.service\n0::/x\n");
	process_make(8, "a) R 1 2 (b", 99,
		     "4:memory:/docker/0123456789abcdef0123456789abcdef"
		     "0123456789abcdef0123456789abcdef\n");
	CHECK_EQUAL(names_new(&config, &names), 0);
	for (unsigned int i = 0; i < 2; i++) { /* the first asks */
		names_text(names, names_of_process, web);
		names_text(names, names_of_process, late);
		names_text(names, names_of_process, odd);
		names_text(names, names_of_process, gone);
		refresh(names);
	}
	CHECK_TEXT(names_text(names, names_of_process, web)->text,
		   "1:name=systemd:/system.slice/web.service");
	CHECK(!names_text(names, names_of_process, late));
	CHECK(!names_text(names, names_of_process, gone));
	name = names_text(names, names_of_process, odd);
	CHECK(name && !name->parts[1].length && name->parts[2].length == 64);
	/* another one has the pid now: the first one's name stays, and is not the other's */
	process_make(7, "new", 5678, "1:name=systemd:/system.slice/new.service\n");
	names_text(names, names_of_process, PROCESS_OF(7, TICKS(5678)));
	refresh(names);
	CHECK_TEXT(names_text(names, names_of_process, PROCESS_OF(7, TICKS(5678)))->text,
		   "1:name=systemd:/system.slice/new.service");
	CHECK_TEXT(names_text(names, names_of_process, web)->text,
		   "1:name=systemd:/system.slice/web.service");
	names_free(names);
}

/* Its unit and container take the place of those of the socket's cgroup, and are written once. */
TEST(where_a_process_has_them_a_line_has_its_unit_and_container)
{
	static const char *const of_process[] = { NULL, "1:name=systemd:/system.slice/web.service",
						  "4:memory:/docker/0123456789abcdef0123456789abcdef"
						  "0123456789abcdef0123456789abcdef" };
	struct event record = { .header = { .type = event_rtt,
					    .size = event_desc(event_rtt)->size,
					    .has = BIT(offsetof(struct event_index, cgroup_id)) |
						   BIT(offsetof(struct event_index, cgroup_v1)) },
				.cgroup_id = 7,
				.cgroup_v1 = 8 };
	static const char *const units[] = { NULL, "web.service", NULL };
	struct names *names = names_from("", "");
	struct writer *writer = writer_make(format_flat, "h");

	writer_set_names(writer, names);
	CHECK_EQUAL(names_feed(names, names_of_cgroup_id, 7, "/system.slice/docker.service"), 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(of_process); i++) {
		struct json_object *object;

		CHECK_EQUAL(names_feed(names, names_of_process, 8, of_process[i]), 0);
		writer_forget(writer);
		object = encode(writer, &record);
		CHECK_TEXT(value_of(object, "cgroup"), "/system.slice/docker.service");
		CHECK_TEXT(value_of(object, "cgroup_v1") ?: "", of_process[i] ?: "");
		CHECK_TEXT(value_of(object, "unit") ?: "", units[i] ?: "");
		CHECK_EQUAL(value_of(object, "container_id") != NULL, i == 2);
		json_object_put(object);
	}
	writer_free(writer);
	names_free(names);
}

/* A file that is none has a number, too. */
TEST(only_namespaces_have_names_of_namespaces)
{
	struct names *names;
	uint64_t id;

	root_make();
	id = make("/blue");
	names = names_from("", root);
	check_name(names, names_of_netns, id, "");
	refresh(names);
	check_name(names, names_of_netns, id, "");
	names_free(names);
}

/* Where the directory cannot be read, nobody knows that a name is not there any more. */
TEST(names_of_namespaces_stay_when_a_look_fails_and_go_with_the_next_that_does_not)
{
	char file[600], moved[600];
	struct names *names;
	struct stat status;
	FILE *made;

	root_make();
	snprintf(file, sizeof(file), "%s/blue", root);
	CHECK_EQUAL(symlink("/proc/self/ns/net", file), 0);
	CHECK_EQUAL(stat(file, &status), 0);
	names = names_from("", root);
	check_name(names, names_of_netns, status.st_ino, "netns_name=blue");
	snprintf(moved, sizeof(moved), "%s.moved", root);
	CHECK_EQUAL(rename(root, moved), 0);
	made = fopen(root, "w"); /* scandir(3): ENOTDIR */
	CHECK(made);
	fclose(made);
	refresh(names);
	check_name(names, names_of_netns, status.st_ino, "netns_name=blue");
	CHECK_EQUAL(unlink(root), 0);
	refresh(names);
	check_name(names, names_of_netns, status.st_ino, "");
	CHECK_EQUAL(rename(moved, root), 0);
	CHECK_EQUAL(unlink(file), 0);
	names_free(names);
}

TEST(memory_is_bounded_and_the_least_used_makes_room)
{
	struct names *names = names_from("", "");
	char text[32];

	CHECK_EQUAL(names_feed(names, names_of_cgroup_id, 1, "/mine"), 0);
	for (unsigned int id = 2; id < 100000; id++) {
		snprintf(text, sizeof(text), "/%u", id);
		CHECK_EQUAL(names_feed(names, names_of_cgroup_id, id, text), 0);
		check_name(names, names_of_cgroup_id, 1, "cgroup=/mine");
	}
	check_name(names, names_of_cgroup_id, 99999, "cgroup=/99999");
	check_name(names, names_of_cgroup_id, 2, "");
	names_free(names);
}

/* As a recorder does it. */
TEST(names_that_are_fed_what_others_say_of_an_event_say_the_same)
{
	static const char *const texts[] = { "/a.service", NULL, "/b", "", "/a.service" };
	struct names *names = names_from("", ""), *replayed = names_from("", "");
	struct event event = { .header = { .type = event_rtt,
					   .has = BIT(offsetof(struct event_index, cgroup_id)) },
			       .cgroup_id = 7,
			       .netns = 7 };
	const char *said[NAMED_NUMBERS_MAX];

	CHECK_EQUAL(names_feed(names, names_of_netns, 7, "blue"), 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(texts); i++) {
		const struct name_text *a, *b;

		CHECK_EQUAL(names_feed(names, names_of_cgroup_id, 7, texts[i]), 0);
		event.header.has = BIT(offsetof(struct event_index, cgroup_id));
		names_of(names, &event, said);
		CHECK_TEXT(said[0] ?: "", texts[i] ?: "");
		CHECK_EQUAL(names_feed(replayed, names_of_cgroup_id, 7, said[0]), 0);
		a = names_text(names, names_of_cgroup_id, 7);
		b = names_text(replayed, names_of_cgroup_id, 7);
		CHECK_TEXT(a ? a->text : "", b ? b->text : "");
		/* of the numbers that it has */
		event.header.has = BIT(offsetof(struct event_index, netns));
		names_of(names, &event, said);
		CHECK_TEXT(said[0], "blue");
	}
	names_free(names);
	names_free(replayed);
}

/* Lines that were made with a name must be made anew: who is asked next says there is none. */
TEST(a_name_that_makes_room_for_others_is_a_change)
{
	struct names *names = names_from("", "");
	bool changed = false;

	CHECK_EQUAL(names_feed(names, names_of_cgroup_id, 1, "/mine"), 0);
	check_name(names, names_of_cgroup_id, 1, "cgroup=/mine");
	CHECK(!names_changed(names));
	for (unsigned int id = 2; id < 100000 && !changed; id++) {
		names_text(names, names_of_cgroup_id, id);
		changed = names_changed(names);
	}
	CHECK(changed);
	check_name(names, names_of_cgroup_id, 1, "");
	names_free(names);
}

TEST(names_that_are_cleared_are_gone)
{
	struct names *names = names_from("", "");

	CHECK_EQUAL(names_feed(names, names_of_cgroup_id, 1, "/mine"), 0);
	check_name(names, names_of_cgroup_id, 1, "cgroup=/mine");
	names_clear(names);
	CHECK(names_changed(names));
	check_name(names, names_of_cgroup_id, 1, "");
	names_free(names);
}

/* Also where the line's common part is copied from the last one of the flow. */
TEST(lines_have_names_behind_their_fields_and_new_ones_once_they_are_known)
{
	static const char *const keys[] = { "cgroup_id", "cgroup", "unit",	 "container_id",
					    "pod_uid",	 "netns",  "netns_name", "sock_cookie" };
	struct names *names = names_from("", "");
	struct event record = { .header = { .type = event_rtt,
					    .size = event_desc(event_rtt)->size,
					    .has = BIT(offsetof(struct event_index, cgroup_id)) |
						   BIT(offsetof(struct event_index, netns)) |
						   BIT(offsetof(struct event_index, sock_cookie)) },
				.cgroup_id = 7,
				.netns = 8,
				.sock_cookie = 9 };
	struct writer *writer;
	struct json_object *object;
	size_t length, position = 4; /* the envelope's */
	char *line, *at;

	writer = writer_make(format_flat, "h");
	writer_set_names(writer, names);
	line = malloc(LINE_MAX_BYTES);
	for (int i = 0; i < 2; i++) {
		length = line_of(writer, &record, 1, 0, line);
		CHECK(!memmem(line, length, "\"cgroup\"", 8));
	}
	CHECK_EQUAL(names_feed(names, names_of_cgroup_id, 7,
			       "/kubepods-pod1b2c3d4e_5f60_7182_93a4_b5c6d7e8f901.slice/"
			       "docker-0123456789abcdef0123456789abcdef"
			       "0123456789abcdef0123456789abcdef.scope"),
		    0);
	CHECK_EQUAL(names_feed(names, names_of_netns, 8, "blue\"\xff"), 0);
	CHECK(names_refresh(names, clock_boot_ns()));
	writer_forget(writer);
	for (int i = 0; i < 2; i++) {
		length = line_of(writer, &record, 1, 0, line);
		object = strict_parse(line, length - 1);
		CHECK(object);
		CHECK_EQUAL(json_object_object_length(object), position + ARRAY_SIZE(keys));
		CHECK_TEXT(json_object_get_string(json_object_object_get(object, "netns_name")),
			   "blue\"\xef\xbf\xbd");
		json_object_put(object);
		at = line;
		for (size_t k = 0; k < ARRAY_SIZE(keys); k++) {
			char key[32];

			snprintf(key, sizeof(key), ",\"%s\":", keys[k]);
			at = memmem(at, length - (size_t)(at - line), key, strlen(key));
			CHECK_SAYING(at, "%s", keys[k]);
		}
	}
	free(line);
	writer_free(writer);
	names_free(names);
}

/* ---- of all sources that there are: a new one is covered without a word here ---- */

static struct event *event_with_names(enum event_type type)
{
	const struct event_desc *desc = event_desc(type);
	struct event *event = calloc(1, desc->size);

	event->header = (struct event_header){ .type = (uint16_t)type,
					       .size = desc->size,
					       .has = desc->named };
	for (unsigned int i = 0; i < desc->field_count; i++)
		if (desc->named & BIT(i))
			*((char *)event + desc->fields[i].offset) = (char)(i + 1);
	return event;
}

/* A record in a recording lies where it may. */
TEST(the_numbers_that_have_names_are_told_in_the_order_of_the_fields)
{
	for_each_event_type(type) {
		const struct event_desc *desc = event_desc(type);
		struct event *event = event_with_names(type);
		struct named_number numbers[NAMED_NUMBERS_MAX];
		char *anywhere = malloc(desc->size + 1U);
		unsigned int count = 0;

		memcpy(anywhere + 1, event, desc->size);
		CHECK_EQUAL(event_named_numbers((const struct event *)(anywhere + 1), numbers),
			    __builtin_popcountll(desc->named));
		for (unsigned int i = 0; i < desc->field_count; i++) {
			if (!KIND_HAS_NAMES(desc->fields[i].kind))
				continue;
			CHECK_EQUAL(numbers[count].source, KIND_NAMES(desc->fields[i].kind));
			CHECK_EQUAL(numbers[count++].id, i + 1);
		}
		CHECK(count >= 2 && count <= NAMED_NUMBERS_MAX);
		event->header.has = 0;
		CHECK_EQUAL(event_named_numbers(event, numbers), 0);
		free(anywhere);
		free(event);
	}
}

static const char *value_of(struct json_object *object, const char *key)
{
	return json_object_get_string(json_object_object_get(object, key));
}

/* In a place of just the size promised: a byte too many is seen by the sanitizer. */
static struct json_object *encode(struct writer *writer, const struct event *event)
{
	char *line = malloc(LINE_MAX_BYTES);
	size_t length = line_of(writer, event, UINT64_MAX, 0, line);
	struct json_object *object = strict_parse(line, length - 1);

	CHECK_SAYING(object, "%.*s", (int)length, line);
	free(line);
	return object;
}

/* Are the names in the line of this event these (NULL: none), each in the first key it makes? */
static void check_line(struct writer *writer, const struct event *event, const char *name)
{
	const struct event_desc *desc = event_desc(event->header.type);
	struct json_object *object = encode(writer, event);

	for (unsigned int i = 0; i < desc->field_count; i++) {
		const struct field_desc *field = &desc->fields[i];
		const char *key = field->name;

		if (!KIND_HAS_NAMES(field->kind))
			continue;
		if (kind_descs[field->kind].written != kind_named) {
			CHECK(value_of(object, field->name));
			key = name_source_descs[KIND_NAMES(field->kind)].keys[0].name;
		}
		CHECK_EQUAL(json_object_object_get_ex(object, key, NULL), name != NULL);
		if (name)
			CHECK_TEXT(value_of(object, key), name);
	}
	json_object_put(object);
}

TEST(every_number_that_has_a_name_has_it_in_its_line_or_has_no_key)
{
	static const char *const said[] = { NULL, "/\"a\".scope", "b", NULL };
	struct names *names = names_from("", "");
	struct writer *writer;

	writer = writer_make(format_flat, "h");
	writer_set_names(writer, names);
	for_each_event_type(type) {
		struct event *event = event_with_names(type);
		struct named_number numbers[NAMED_NUMBERS_MAX];
		unsigned int count = event_named_numbers(event, numbers);

		for (size_t k = 0; k < ARRAY_SIZE(said); k++) {
			for (unsigned int i = 0; i < count; i++)
				CHECK_EQUAL(names_feed(names, numbers[i].source, numbers[i].id,
						       said[k]),
					    0);
			if (names_changed(names))
				writer_forget(writer);
			check_line(writer, event, said[k]);
			check_line(writer, event, said[k]); /* from what is remembered */
		}
		free(event);
	}
	writer_free(writer);
	names_free(names);
}

/* As many bytes as it may have, each six in JSON; of cgroups with all their parts. */
static void longest_name(enum name_source source, char text[NAME_TEXT_MAX + 1])
{
	const char *id = "/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	const size_t most = name_source_descs[source].text_max;

	memset(text, 1, most);
	text[most] = 0;
	if (source != names_of_cgroup_id && source != names_of_process)
		return;
	if (source == names_of_process)
		memcpy(text, "1:name=systemd:/", 16);
	memcpy(text + most - strlen(id), id, strlen(id));
	memcpy(text + most - strlen(id) - 8, ".service", 8);
	text[most - strlen(id) - 256] = '/';
}

TEST(the_longest_names_of_all_sources_fit_the_longest_line)
{
	char hostname[HOST_NAME_MAX + 1] = "", text[NAME_TEXT_MAX + 2];
	struct names *names = names_from("", "");
	struct writer *writer;

	memset(hostname, 1, HOST_NAME_MAX);
	writer = writer_make(format_flat, hostname);
	writer_set_names(writer, names);
	for_each_event_type(type) {
		const struct event_desc *desc = event_desc(type);
		struct event *event = event_with_names(type);
		struct named_number numbers[NAMED_NUMBERS_MAX];
		unsigned int count;
		struct json_object *object;

		memset((char *)event + sizeof(event->header), 0xff,
		       desc->size - sizeof(event->header));
		event->header.has = BIT(desc->field_count) - 1;
		event->ip_version = 6;
		for (unsigned int i = 0; i < desc->field_count; i++)
			if (kind_descs[desc->fields[i].kind].text_max == JSON_TEXT_MAX(16))
				memset((char *)event + desc->fields[i].offset, 1, 16);
		count = event_named_numbers(event, numbers);
		for (unsigned int i = 0; i < count; i++) {
			longest_name(numbers[i].source, text);
			CHECK_EQUAL(names_feed(names, numbers[i].source, numbers[i].id, text), 0);
			CHECK_EQUAL(names_feed(names, numbers[i].source, 1, text), 0);
			strcat(text, "x");
			CHECK_EQUAL(names_feed(names, numbers[i].source, 1, text), -E2BIG);
		}
		writer_forget(writer);
		object = encode(writer, event);
		CHECK_EQUAL(strlen(value_of(object, "unit")), 255);
		CHECK_EQUAL(strlen(value_of(object, "container_id")), 64);
		json_object_put(object);
		free(event);
	}
	writer_free(writer);
	names_free(names);
}

/* Names that are found by number, as those of symbols are; they have a last letter as a part. */
struct alphabet {
	struct names_source source;
	unsigned int asked, looked;
	bool whole;	  /* what look() says */
	const char *only; /* one that it finds in any look */
};

static bool alphabet_look(struct names_source *source, uint64_t now_ns, const uint64_t *id,
			  names_found *found, void *context)
{
	struct alphabet *alphabet = (struct alphabet *)source;
	const char text[] = { 'a', (char)('a' + (id ? *id : 0)), 0 };

	(void)now_ns;
	*(id ? &alphabet->asked : &alphabet->looked) += 1;
	if (id && *id < 26)
		found(context, *id, text);
	if (alphabet->only)
		found(context, 100, alphabet->only);
	return alphabet->whole;
}

static void alphabet_parts(const char *text, char *room _unused_,
			   struct text_part parts[NAME_KEYS_MAX])
{
	parts[1] = (struct text_part){ text + strlen(text) - 1, 1 };
}

static bool is_name(struct names *names, enum name_source source, uint64_t id, const char *text)
{
	const struct name_text *name = names_text(names, source, id);

	return name && text ? !strcmp(name->text, text) : !name && !text;
}

TEST(a_source_is_asked_for_a_number_once_and_for_what_there_is_now_and_then)
{
	for (enum name_source kind = 0; kind < name_sources; kind++) {
		struct alphabet alphabet = { .source = { .look = alphabet_look,
							 .parts = alphabet_parts } };
		struct names *names = names_from("", "");

		names_set_source(names, kind, &alphabet.source);
		for (int i = 0; i < 2; i++) {
			CHECK(is_name(names, kind, 2, "ac"));
			CHECK_EQUAL(names_text(names, kind, 2)->parts[0].length, 2);
			CHECK_EQUAL(*names_text(names, kind, 2)->parts[1].start, 'c');
			CHECK(is_name(names, kind, 77, NULL));
		}
		CHECK_EQUAL(alphabet.asked, 2);
		CHECK(!names_refresh(names, 1));
		CHECK_EQUAL(alphabet.looked, 1);
		/* a name that comes unasked is a change for whoever has asked for it before */
		alphabet.only = "new";
		CHECK(is_name(names, kind, 100, "new"));
		alphabet.only = "newer";
		CHECK(!names_changed(names));
		alphabet.whole = true; /* within a whole look, the first one it finds counts */
		CHECK(!names_refresh(names, 2));
		CHECK(names_refresh(names, 3));
		CHECK(is_name(names, kind, 100, "newer"));
		/* ac was in no such look: gone */
		CHECK(is_name(names, kind, 2, NULL));
		names_free(names);
	}
}

/* As of an enumeration, all of whose names are known from the start, and few of them used. */
TEST(a_name_that_has_made_room_for_others_is_asked_for_again)
{
	struct alphabet alphabet = { .source = { .look = alphabet_look, .lasting = true } };
	struct names *names = names_from("", "");

	names_set_source(names, names_of_netns, &alphabet.source);
	CHECK(is_name(names, names_of_netns, 2, "ac"));
	for (unsigned int id = 1; id < 100000; id++)
		names_text(names, names_of_cgroup_id, id);
	CHECK_EQUAL(alphabet.asked, 1);
	CHECK(is_name(names, names_of_netns, 2, "ac"));
	CHECK_EQUAL(alphabet.asked, 2);
	names_free(names);
}

TEST(a_lasting_name_stays_and_who_waits_for_one_waits_for_so_many_whole_looks)
{
	struct alphabet alphabet = { .source = {
					     .look = alphabet_look, .tries = 2, .lasting = true } };
	struct names *names = names_from("", "");

	names_set_source(names, names_of_netns, &alphabet.source);
	CHECK(is_name(names, names_of_netns, 3, "ad"));
	CHECK_EQUAL(alphabet.source.wanted, 0);
	CHECK(is_name(names, names_of_netns, 55, NULL));
	CHECK_EQUAL(alphabet.source.wanted, 1);
	names_refresh(names, 1); /* no whole one */
	alphabet.source.midway = true;
	CHECK(is_name(names, names_of_netns, 56, NULL));
	CHECK_EQUAL(alphabet.source.wanted, 2);
	alphabet.whole = true;
	names_refresh(names, 2);
	CHECK_EQUAL(alphabet.source.wanted, 2);
	names_refresh(names, 3);
	CHECK_EQUAL(alphabet.source.wanted, 1); /* 56 came when the first one was midway */
	names_refresh(names, 4);
	CHECK_EQUAL(alphabet.source.wanted, 0);
	CHECK(is_name(names, names_of_netns, 3, "ad"));
	CHECK(is_name(names, names_of_netns, 55, NULL));
	CHECK_EQUAL(alphabet.source.wanted, 0); /* not again */
	names_free(names);
}
