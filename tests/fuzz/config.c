// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * config.c - fuzz target: configurations. What is read of a file must be what json-c reads of the
 * whole; and settings that are printed and read again must be the same, and print the same. The
 * input is a line of arguments, and the file.
 *
 * options: -max_len=4096 -dict=tests/fuzz/config.dict
 */
#include <fcntl.h>
#include <sys/mman.h>

#include <json-c/json.h>

#include "alike.h"
#include "settings/command_line.h"
#include "settings/file.h"

#define ARGUMENTS_MAX 16

/* ---- a file ---- */

static const char *file_path(int *ret_fd)
{
	static char path[32];
	static int fd = -1;

	if (fd < 0) {
		fd = memfd_create("config", MFD_CLOEXEC);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	*ret_fd = fd;
	return path;
}

static const char *file_of(const void *bytes, size_t size)
{
	int fd;
	const char *path = file_path(&fd);

	CHECK_EQUAL(ftruncate(fd, 0), 0);
	CHECK_EQUAL(pwrite(fd, bytes, size, 0), size);
	return path;
}

/* ---- what is read, by json-c alone ---- */

/* Values as a text: a line for each, `name: value`, with an array's brackets. */
struct told {
	FILE *stream;
	char *text;
	size_t size;
};

static char *tell_value(void *context, const struct config_value *value)
{
	struct told *told = context;

	fprintf(told->stream, "%s%s%d %s\n", value->name, value->in_array ? "[" : ":", value->type,
		value->text);
	CHECK(!value->more || value->in_array);
	return NULL;
}

static enum config_type type_of(struct json_object *value)
{
	switch (json_object_get_type(value)) {
	case json_type_boolean:
		return config_boolean;
	case json_type_int:
	case json_type_double:
		return config_number;
	default:
		CHECK_EQUAL(json_object_get_type(value), json_type_string);
		return config_string;
	}
}

static bool tell_json_value(struct told *told, const char *name, const char *separator,
			    struct json_object *value)
{
	const enum config_type type = type_of(value);
	const struct config_value one = { .name = name,
					  .type = type,
					  .in_array = *separator == '[',
					  .text = json_object_get_string(value) };

	/* json-c rounds what is too large, and writes fractions in another way */
	if (type == config_number && strpbrk(one.text, ".eE"))
		return false;
	if (json_object_is_type(value, json_type_int) && strlen(one.text) > 17)
		return false;
	tell_value(told, &one);
	return true;
}

static bool tell_json(struct told *told, struct json_object *whole)
{
	json_object_object_foreach(whole, name, value)
	{
		if (!json_object_is_type(value, json_type_array)) {
			if (!tell_json_value(told, name, ":", value))
				return false;
			continue;
		}
		for (size_t i = 0; i < json_object_array_length(value); i++)
			if (!tell_json_value(told, name, "[", json_object_array_get_idx(value, i)))
				return false;
	}
	return true;
}

/* A number that json-c writes otherwise than it stands there is not compared: 2e is 2 to it. */
static bool has_odd_numbers(const char *text)
{
	for (const char *p = text; (p = strpbrk(p, "-0123456789")); p += strspn(p, "-0123456789"))
		if ((strchr("-0", *p) && p[1] >= '0' && p[1] <= '9') ||
		    (strspn(p, "-+.eE0123456789") > strspn(p, "-0123456789") &&
		     p[strspn(p, "-+.eE0123456789")] == '\n'))
			return true;
	return strstr(text, "-0");
}

/* In an array, whose end json-c finds only if what follows the object is well, too. */
static struct json_object *parse_whole(const char *text)
{
	struct json_tokener *tokener = json_tokener_new();
	_cleanup_free_ char *array = NULL;
	struct json_object *whole;

	CHECK(asprintf(&array, "[%s\n]", text) > 0);
	whole = json_tokener_parse_ex(tokener, array, (int)strlen(array));
	CHECK_SAYING(whole && json_object_array_length(whole) == 1 &&
			     json_object_is_type(json_object_array_get_idx(whole, 0),
						 json_type_object),
		     "%s", text);
	json_tokener_free(tokener);
	return whole;
}

static void check_file(const char *path, const char *text, size_t size)
{
	struct told told = {}, expected = {};
	struct json_object *whole;
	char *message;
	int r;

	told.stream = open_memstream(&told.text, &told.size);
	expected.stream = open_memstream(&expected.text, &expected.size);
	r = config_read(path, tell_value, &told, &message);
	CHECK(r == 0 || (r == -EBADMSG && message && !strncmp(message, path, strlen(path))));
	fflush(told.stream);
	/*
	 * To json-c, a NUL ends the text; to us, in a comment, it is as good as any byte. And
	 * json-c takes no notice of the end of a comment that has another star before it.
	 */
	if (r == 0 && strlen(text) == size && !strstr(text, "**/") && !has_odd_numbers(told.text)) {
		whole = parse_whole(text);
		if (tell_json(&expected, json_object_array_get_idx(whole, 0))) {
			fflush(expected.stream);
			CHECK_SAYING(!strcmp(told.text, expected.text), "%s: %s", told.text,
				     expected.text);
		}
		json_object_put(whole);
	}
	fclose(told.stream);
	fclose(expected.stream);
	free(told.text);
	free(expected.text);
	free(message);
}

/* ---- settings, printed and read again ---- */

static char *print(const struct options *options, size_t *ret_size)
{
	FILE *ours = stdout;
	char *text = NULL;

	stdout = open_memstream(&text, ret_size);
	options_print(options);
	fclose(stdout);
	stdout = ours;
	return text;
}

static bool outputs_alike(const struct options *a, const struct options *b)
{
	for (unsigned int i = 0; i < a->output_count; i++) {
		const struct sink_spec *one = &a->outputs[i], *other = &b->outputs[i];

		if (strcmp(one->text, other->text) != 0 || one->events != other->events ||
		    one->format != other->format || one->max_bytes != other->max_bytes ||
		    one->max_files != other->max_files || !one->filters != !other->filters)
			return false;
		if (one->filters && !filters_alike(&one->filters->filter, &other->filters->filter))
			return false;
	}
	return a->output_count == b->output_count;
}

#define SAME(member) CHECK(!memcmp(&a->member, &b->member, sizeof(a->member)))

static void check_alike(const struct options *a, const struct options *b)
{
	for_each_event_type(type)
		SAME(kernel.choices[type].bits);
	SAME(kernel.events.bits);
	SAME(kernel.rtt_interval_us);
	SAME(kernel.limits_ns);
	SAME(kernel.sample);
	SAME(kernel.max_rate);
	SAME(kernel.adaptive);
	SAME(quiet);
	SAME(duration_us);
	SAME(count);
	SAME(stats_interval_us);
	SAME(ring_bytes);
	SAME(include_ssh);
	CHECK(!strcmp(a->hostname, b->hostname));
	CHECK(filters_alike(&a->kernel.filters.filter, &b->kernel.filters.filter));
	CHECK(outputs_alike(a, b));
}

/* As for a recording: no names of this host are looked up. */
static int parse(char **arguments, unsigned int count, const char *path, struct options *options)
{
	_cleanup_free_ char *config = NULL, *message = NULL;
	char *argv[ARGUMENTS_MAX + 4] = { (char *)"netlog", (char *)"--read=-" };
	int argc = 2, r;

	CHECK(asprintf(&config, "--config=%s", path) > 0);
	argv[argc++] = config;
	for (unsigned int i = 0; i < count; i++)
		argv[argc++] = arguments[i];
	r = options_parse(argc, argv, options, &message);
	CHECK(r == 0 || (message && *message));
	return r;
}

static void check_settings(char **arguments, unsigned int count, const char *path)
{
	static struct options options, again;
	_cleanup_free_ char *first = NULL, *second = NULL;
	size_t size, size_again;

	if (parse(arguments, count, path, &options) < 0)
		return;
	first = print(&options, &size);
	/* they are outputs twice: of --write, and as printed */
	if (!options.write_path) {
		CHECK_SAYING(parse(NULL, 0, file_of(first, size), &again) == 0, "%s", first);
		second = print(&again, &size_again);
		CHECK_SAYING(size == size_again && !memcmp(first, second, size), "%s: %s", first,
			     second);
		check_alike(&options, &again);
		options_done(&again);
	}
	options_done(&options);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct input input = { bytes, size };
	_cleanup_free_ char *line = input_line(&input), *text = NULL;
	char *arguments[ARGUMENTS_MAX], *rest = line;
	unsigned int count = 0;
	const char *path = file_of(input.at, input.left);

	text = strndup((const char *)input.at, input.left);
	for (char *word = strsep(&rest, " "); word; word = strsep(&rest, " "))
		if (*word && count < ARGUMENTS_MAX)
			arguments[count++] = word;
	check_file(path, text, input.left);
	check_settings(arguments, count, path);
	return 0;
}
