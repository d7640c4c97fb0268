// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Names from a tree of directories that stands for the cgroups, and from elsewhere.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "host/names.h"
#include "line/encode.h"
#include "strict.h"
#include "test.h"

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
	nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
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

/* In a place of just the size promised. */
static void check_put(struct names *names, enum name_source source, uint64_t id,
		      const char *expected)
{
	char *json = malloc(NAMES_JSON_MAX), *end = names_put(names, source, id, json);

	CHECK_SAYING((size_t)(end - json) == strlen(expected) &&
			     !memcmp(json, expected, strlen(expected)),
		     "%.*s, not %s", (int)(end - json), json, expected);
	free(json);
}

/* Until all walks that it is worth have been made. */
static bool refresh(struct names *names)
{
	bool changed = false;

	for (int i = 0; i < 10; i++)
		changed |= names_refresh(names, clock_boot_ns() + i * 100 * NSEC_PER_SEC);
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
	check_put(names, names_of_cgroup_id, service,
		  ",\"cgroup\":\"/system.slice/a.service\",\"unit\":\"a.service\"");
	check_put(names, names_of_cgroup_id, inner,
		  ",\"cgroup\":\"/system.slice/a.service/\\\"\\u0001\",\"unit\":\"a.service\"");
	CHECK_EQUAL(stat(root, &status), 0);
	check_put(names, names_of_cgroup_id, status.st_ino, ",\"cgroup\":\"/\"");
	check_put(names, names_of_netns, service, "");
	names_free(names);
}

TEST(a_cgroup_that_comes_later_is_found_and_one_that_goes_keeps_its_name)
{
	struct names *names;
	uint64_t late, id;

	root_make();
	names = names_from(root, "");
	late = make("/late.service");
	id = make("/later");
	check_put(names, names_of_cgroup_id, UINT64_MAX, ""); /* it takes no walk at once */
	check_put(names, names_of_cgroup_id, late, "");
	CHECK(refresh(names));
	check_put(names, names_of_cgroup_id, late,
		  ",\"cgroup\":\"/late.service\",\"unit\":\"late.service\"");
	CHECK(!refresh(names));
	unmake("/late.service");
	unmake("/later");
	check_put(names, names_of_cgroup_id, 12345, "");
	refresh(names);
	check_put(names, names_of_cgroup_id, late,
		  ",\"cgroup\":\"/late.service\",\"unit\":\"late.service\"");
	check_put(names, names_of_cgroup_id, id, ",\"cgroup\":\"/later\"");
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
	check_put(names, names_of_cgroup_id, id, "");
	refresh(names);
	for (int i = 0; i < 3 && make("/x") != id; i++)
		unmake("/x");
	check_put(names, names_of_cgroup_id, id, "");
	CHECK(!refresh(names));
	check_put(names, names_of_cgroup_id, id, "");
	names_free(names);
}

TEST(a_tree_of_very_many_is_looked_through_bit_by_bit)
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
	check_put(names, names_of_cgroup_id, last, "");
	CHECK(refresh(names));
	check_put(names, names_of_cgroup_id, last, ",\"cgroup\":\"/599\"");
	check_put(names, names_of_cgroup_id, first, ",\"cgroup\":\"/0\"");
	names_free(names);
}

TEST(too_deep_or_too_long_is_left_out)
{
	struct names *names;
	char path[600] = "";
	uint64_t deepest = 0;

	root_make();
	for (int i = 0; i < 40; i++) {
		strcat(path, "/d");
		deepest = make(path);
	}
	names = names_from(root, "");
	check_put(names, names_of_cgroup_id, deepest, "");
	refresh(names);
	check_put(names, names_of_cgroup_id, deepest, "");
	memset(path, 'x', sizeof(path));
	path[NAME_TEXT_MAX + 1] = 0;
	CHECK_EQUAL(names_feed(names, names_of_cgroup_id, 1, path), -E2BIG);
	path[NAME_TEXT_MAX] = 0;
	CHECK_EQUAL(names_feed(names, names_of_cgroup_id, 1, path), 0);
	memset(path, 1, NAME_TEXT_MAX); /* each six bytes in JSON */
	memcpy(path + NAME_TEXT_MAX - 8, ".service", 8);
	CHECK_EQUAL(names_feed(names, names_of_cgroup_id, 2, path), 0);
	char *json = malloc(NAMES_JSON_MAX);
	CHECK(names_put(names, names_of_cgroup_id, 2, json) <= json + NAMES_JSON_MAX);
	free(json);
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
	check_put(names, names_of_netns, id, "");
	refresh(names);
	check_put(names, names_of_netns, id, "");
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
		check_put(names, names_of_cgroup_id, 1, ",\"cgroup\":\"/mine\"");
	}
	check_put(names, names_of_cgroup_id, 99999, ",\"cgroup\":\"/99999\"");
	check_put(names, names_of_cgroup_id, 2, "");
	names_free(names);
}

/* As a recorder does it. */
TEST(names_that_are_fed_what_others_say_of_an_event_put_the_same)
{
	static const char *const texts[] = { "/a.service", NULL, "/b", "", "/a.service" };
	struct names *names = names_from("", ""), *replayed = names_from("", "");
	struct event event = { .header = { .has = BIT(offsetof(struct event_index, cgroup_id)) },
			       .cgroup_id = 7,
			       .netns = 7 };
	const char *said[name_sources];
	char a[NAMES_JSON_MAX], b[NAMES_JSON_MAX];

	CHECK_EQUAL(names_feed(names, names_of_netns, 7, "blue"), 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(texts); i++) {
		CHECK_EQUAL(names_feed(names, names_of_cgroup_id, 7, texts[i]), 0);
		names_of(names, &event, said);
		CHECK_TEXT(said[names_of_cgroup_id] ?: "", texts[i] ?: "");
		CHECK(!said[names_of_netns]); /* the event has none, whatever lies there */
		CHECK_EQUAL(names_feed(replayed, names_of_cgroup_id, 7, said[0]), 0);
		for (int again = 0; again < 2; again++) {
			char *a_end = names_put(names, names_of_cgroup_id, 7, a);
			char *b_end = names_put(replayed, names_of_cgroup_id, 7, b);

			CHECK_EQUAL(a_end - a, b_end - b);
			CHECK(!memcmp(a, b, (size_t)(a_end - a)));
		}
	}
	names_free(names);
	names_free(replayed);
}

/* Lines that were made with a name must be made anew: who is asked next says there is none. */
TEST(a_name_that_makes_room_for_others_is_a_change)
{
	struct names *names = names_from("", "");
	char json[NAMES_JSON_MAX];
	bool changed = false;

	CHECK_EQUAL(names_feed(names, names_of_cgroup_id, 1, "/mine"), 0);
	check_put(names, names_of_cgroup_id, 1, ",\"cgroup\":\"/mine\"");
	CHECK(!names_changed(names));
	for (unsigned int id = 2; id < 100000 && !changed; id++) {
		names_put(names, names_of_cgroup_id, id, json);
		changed = names_changed(names);
	}
	CHECK(changed);
	check_put(names, names_of_cgroup_id, 1, "");
	names_free(names);
}

TEST(names_that_are_cleared_are_gone)
{
	struct names *names = names_from("", "");

	CHECK_EQUAL(names_feed(names, names_of_cgroup_id, 1, "/mine"), 0);
	check_put(names, names_of_cgroup_id, 1, ",\"cgroup\":\"/mine\"");
	names_clear(names);
	CHECK(names_changed(names));
	check_put(names, names_of_cgroup_id, 1, "");
	names_free(names);
}

/* Also where the line's common part is copied from the last one of the flow. */
TEST(lines_have_names_behind_their_fields_and_new_ones_once_they_are_known)
{
	static const char *const keys[] = { "cgroup_id", "cgroup",     "unit",	     "container_id",
					    "netns",	 "netns_name", "sock_cookie" };
	struct names *names = names_from("", "");
	struct event record = { .header = { .type = event_rtt,
					    .size = event_desc(event_rtt)->size,
					    .has = BIT(offsetof(struct event_index, cgroup_id)) |
						   BIT(offsetof(struct event_index, netns)) |
						   BIT(offsetof(struct event_index, sock_cookie)) },
				.cgroup_id = 7,
				.netns = 8,
				.sock_cookie = 9 };
	struct encoder *encoder;
	struct json_object *object;
	size_t length, position = 4; /* the envelope's */
	char *line, *at;

	CHECK_EQUAL(encoder_new("h", &encoder), 0);
	encoder_set_names(encoder, names);
	line = malloc(encoder_line_max(encoder));
	for (int i = 0; i < 2; i++) {
		length = encode_event(encoder, &record, 1, 0, line);
		CHECK(!memmem(line, length, "\"cgroup\"", 8));
	}
	CHECK_EQUAL(names_feed(names, names_of_cgroup_id, 7,
			       "/system.slice/docker-0123456789abcdef0123456789abcdef"
			       "0123456789abcdef0123456789abcdef.scope"),
		    0);
	CHECK_EQUAL(names_feed(names, names_of_netns, 8, "blue\"\xff"), 0);
	CHECK(names_refresh(names, clock_boot_ns()));
	encoder_forget(encoder);
	for (int i = 0; i < 2; i++) {
		length = encode_event(encoder, &record, 1, 0, line);
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
	encoder_free(encoder);
	names_free(names);
}
