// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * bench - the cost of a line, next to other ways to write the same.
 *
 *   bench                          the same JSON from all; then medians and ratios, taken in turns
 *   bench WAY EVENTS [FLOWS]       run one way once, for a counter of instructions around it
 *
 * Times are of this thread on a CPU. Each round runs every way over the same records once, so that
 * the machine's other work slows all of them alike.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <sys/stat.h>
#include <time.h>

#include "line/writer.h"
#include "records.h"
#include "run/lines.h"

#define RECORDS 20000
#define ROUNDS 41
#define FLOWS 1000
#define CHUNK_BYTES (208 * 1024) /* of the writes: what netlog's sinks write at once */
#define HOSTNAME "web1"

struct bench {
	const char *records;
	unsigned int count;
	struct writer *writers[formats];
	struct wall_clock clock;
	struct lines lines;
	struct output *output; /* the lines' */
	char file[64];
	int fd;	    /* of the file, for those who write without netlog */
	char *made; /* lines of all records, one after the other */
	size_t made_end;
	char *line;
};

static _Noreturn void die(const char *what)
{
	perror(what);
	exit(1);
}

static uint64_t wall_of(const struct bench *bench, const struct event *record)
{
	return wall_clock_of(&bench->clock, record->header.time_ns);
}

/* ---- the ways: each makes the line of one record at bench->line and returns its length ---- */

static size_t by_format(struct bench *bench, enum format_id format, const struct event *record,
			uint64_t seq)
{
	const struct item item = { .type = (enum event_type)record->header.type,
				   .event = record,
				   .seq = seq,
				   .offset_ns = bench->clock.offset_ns };

	return writer_line(bench->writers[format], &item, bench->line);
}

static size_t by_netlog(struct bench *bench, const struct event *record, uint64_t seq)
{
	if (event_check(record, record->header.size) < 0)
		abort();
	return by_format(bench, format_flat, record, seq);
}

static size_t by_ecs(struct bench *bench, const struct event *record, uint64_t seq)
{
	return by_format(bench, format_ecs, record, seq);
}

static void timestamp_text(uint64_t wall_ns, char text[64])
{
	time_t second = (time_t)(wall_ns / NSEC_PER_SEC);
	struct tm tm;

	gmtime_r(&second, &tm);
	strftime(text, 64, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + 19, 45, ".%06uZ", (unsigned int)(wall_ns % NSEC_PER_SEC / NSEC_PER_USEC));
}

/* A number of any of the sizes that kinds have. */
static uint64_t number_of(const struct event *record, const struct field_desc *field)
{
	uint64_t number = 0;

	memcpy(&number, (const char *)record + field->offset, kind_descs[field->kind].size);
	return number;
}

/* The text of a value that is a string; NULL if it is a number. */
static const char *text_of(const struct event *record, const struct field_desc *field,
			   char text[64])
{
	const void *value = (const char *)record + field->offset;

	switch (kind_written(field->kind)) {
	case kind_u8:
	case kind_u16:
	case kind_u32:
	case kind_u64:
		return NULL;
	case kind_id:
		snprintf(text, 64, "%llu", (unsigned long long)*(const uint64_t *)value);
		return text;
	case kind_ip:
		return inet_ntop(record->ip_version == 4 ? AF_INET : AF_INET6, value, text, 64);
	case kind_comm:
	case kind_ifname:
		return value;
	case kind_xmit_error:
		return strerrorname_np(-*(const int32_t *)value);
	default:
		return enum_text(field->kind, *(const uint8_t *)value);
	}
}

static void set_string(struct json_object *object, const char *key, const char *text)
{
	json_object_object_add_ex(object, key, json_object_new_string(text),
				  JSON_C_OBJECT_ADD_KEY_IS_NEW | JSON_C_OBJECT_ADD_CONSTANT_KEY);
}

static void set_number(struct json_object *object, const char *key, uint64_t number)
{
	json_object_object_add_ex(object, key, json_object_new_uint64(number),
				  JSON_C_OBJECT_ADD_KEY_IS_NEW | JSON_C_OBJECT_ADD_CONSTANT_KEY);
}

static size_t by_json_c(struct bench *bench, const struct event *record, uint64_t seq)
{
	const struct event_desc *desc = event_desc(record->header.type);
	struct json_object *object = json_object_new_object();
	const char *line;
	char text[64];
	size_t length;

	timestamp_text(wall_of(bench, record), text);
	set_string(object, "timestamp", text);
	set_string(object, "event_type", desc->name);
	set_number(object, "seq", seq);
	set_string(object, "hostname", HOSTNAME);
	for (unsigned int i = 0; i < desc->field_count; i++) {
		const struct field_desc *field = &desc->fields[i];
		const char *string = text_of(record, field, text);

		if (string)
			set_string(object, field->name, string);
		else
			set_number(object, field->name, number_of(record, field));
	}
	line = json_object_to_json_string_length(object, JSON_C_TO_STRING_PLAIN, &length);
	memcpy(bench->line, line, length);
	bench->line[length++] = '\n';
	json_object_put(object);
	return length;
}

/* No DOM and no memory to fetch, but printf's formatting. It escapes nothing. */
static size_t by_snprintf(struct bench *bench, const struct event *record, uint64_t seq)
{
	const struct event_desc *desc = event_desc(record->header.type);
	char *p = bench->line, *end = p + OUTPUT_LINE_MAX;
	char text[64];

	timestamp_text(wall_of(bench, record), text);
	p += snprintf(
		p, (size_t)(end - p),
		"{\"timestamp\":\"%s\",\"event_type\":\"%s\",\"seq\":%llu,\"hostname\":\"%s\"",
		text, desc->name, (unsigned long long)seq, HOSTNAME);
	for (unsigned int i = 0; i < desc->field_count; i++) {
		const struct field_desc *field = &desc->fields[i];
		const char *string = text_of(record, field, text);

		if (string)
			p += snprintf(p, (size_t)(end - p), ",\"%s\":\"%s\"", field->name, string);
		else
			p += snprintf(p, (size_t)(end - p), ",\"%s\":%llu", field->name,
				      (unsigned long long)number_of(record, field));
	}
	p = stpcpy(p, "}\n");
	return (size_t)(p - bench->line);
}

typedef size_t (*line_way)(struct bench *bench, const struct event *record, uint64_t seq);

static void all_lines(struct bench *bench, line_way way)
{
	for (unsigned int i = 0; i < bench->count; i++)
		way(bench, record_at(bench->records, i), i + 1);
}

/* ---- the ways over all records ---- */

/* Only makes the records, whose cost is taken off a count of instructions. */
static void run_none(struct bench *bench)
{
	(void)bench;
}

static void run_netlog(struct bench *bench)
{
	all_lines(bench, by_netlog);
}

static void run_ecs(struct bench *bench)
{
	all_lines(bench, by_ecs);
}

static void run_json_c(struct bench *bench)
{
	all_lines(bench, by_json_c);
}

static void run_snprintf(struct bench *bench)
{
	all_lines(bench, by_snprintf);
}

/* All that netlog does with a record from the ring, and the writing to the file. */
static void run_path(struct bench *bench)
{
	for (unsigned int i = 0; i < bench->count; i++) {
		const struct event *record = record_at(bench->records, i);

		if (!lines_event(&bench->lines, record, record->header.size) &&
		    output_flush(bench->output, 0) < 0)
			die(bench->file);
	}
	if (output_flush(bench->output, 0) < 0)
		die(bench->file);
}

static void run_write(struct bench *bench)
{
	for (size_t done = 0, length; done < bench->made_end; done += length) {
		length = bench->made_end - done;
		if (length > CHUNK_BYTES)
			length = CHUNK_BYTES;
		if (write(bench->fd, bench->made + done, length) != (ssize_t)length)
			die(bench->file);
	}
}

static const struct way {
	const char *name;
	void (*run)(struct bench *bench);
} ways[] = {
	{ "netlog", run_netlog }, { "json-c", run_json_c },    { "snprintf", run_snprintf },
	{ "path", run_path },	  { "write-only", run_write }, { "records", run_none },
	{ "ecs", run_ecs },
};
enum { WAY_NETLOG, WAY_JSON_C, WAY_SNPRINTF, WAY_PATH, WAY_WRITE, WAY_NONE, WAY_ECS, WAYS };

/* ---- set up, compare, measure ---- */

static void output_make(struct bench *bench)
{
	char text[80], *message = NULL;
	const char *failed;
	const struct origin origin = { .hostname = HOSTNAME };
	struct output *removed;
	struct sink_spec spec;

	snprintf(text, sizeof(text), "file:%s", bench->file);
	if (sink_spec_parse(text, NULL, &spec, &message) < 0 || lines_init(&bench->lines) < 0 ||
	    output_new(NULL, &removed) < 0 ||
	    output_configure(bench->lines.output, &spec, 1, removed, &failed) < 0)
		die(text);
	lines_set_origin(&bench->lines, &origin);
	bench->output = bench->lines.output;
	output_free(removed);
}

static void bench_make(struct bench *bench, unsigned int count, unsigned int flows)
{
	bench->count = count;
	bench->records = records_make(event_rtt, count, flows);
	bench->line = malloc(OUTPUT_LINE_MAX);
	if (!bench->records || !bench->line)
		die("memory");
	for (enum format_id format = 0; format < formats; format++) {
		if (writer_new(format, &bench->writers[format]) < 0)
			die("memory");
		writer_set_hostname(bench->writers[format], HOSTNAME);
	}
	wall_clock_measure(&bench->clock);
	output_make(bench);
	bench->lines.clock = bench->clock;
}

static void bench_done(struct bench *bench)
{
	lines_done(&bench->lines);
	for (enum format_id format = 0; format < formats; format++)
		writer_free(bench->writers[format]);
	free(bench->line);
	free((char *)bench->records);
}

/* Every way's line of every record is the same JSON. Leaves netlog's lines in bench->made. */
static void compare(struct bench *bench)
{
	static const line_way line_ways[] = { by_netlog, by_json_c, by_snprintf };

	bench->made = malloc((size_t)bench->count * 1024);
	if (!bench->made)
		die("memory");
	for (unsigned int i = 0; i < bench->count; i++) {
		struct json_object *objects[ARRAY_SIZE(line_ways)];

		for (size_t j = 0; j < ARRAY_SIZE(line_ways); j++) {
			size_t length = line_ways[j](bench, record_at(bench->records, i), i + 1);

			bench->line[length - 1] = 0;
			objects[j] = json_tokener_parse(bench->line);
			if (!objects[j] || !json_object_equal(objects[0], objects[j])) {
				fprintf(stderr, "bench: record %u: %s gives other JSON: %s\n", i,
					ways[j].name, bench->line);
				exit(1);
			}
			if (j > 0)
				continue;
			bench->line[length - 1] = '\n';
			memcpy(bench->made + bench->made_end, bench->line, length);
			bench->made_end += length;
		}
		for (size_t j = 0; j < ARRAY_SIZE(line_ways); j++)
			json_object_put(objects[j]);
	}
	printf("%u records of %s, %d %% IPv6: netlog, json-c and snprintf give the same JSON, "
	       "%zu bytes a line\n",
	       bench->count, event_desc(event_rtt)->name, IPV6_PERCENT,
	       bench->made_end / bench->count);
}

static double cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double values[ROUNDS])
{
	qsort(values, ROUNDS, sizeof(values[0]), by_value);
	return values[ROUNDS / 2];
}

/*
 * Medians of each way's time and of its ratio to another's in the same round: the machine may be
 * slower from round to round, which a ratio does not see.
 */
static void measure(struct bench *bench)
{
	static double ns[WAYS][ROUNDS];
	static const struct {
		const char *words;
		int of, to;
	} ratios[] = {
		{ "json-c's DOM to netlog's writer", WAY_JSON_C, WAY_NETLOG },
		{ "snprintf to netlog's writer", WAY_SNPRINTF, WAY_NETLOG },
		{ "write-only to record-to-file", WAY_WRITE, WAY_PATH },
	};

	for (int round = -1; round < ROUNDS; round++) { /* the first warms up */
		for (int way = 0; way < WAY_NONE; way++) {
			double before;

			if (ftruncate(bench->fd, 0) < 0)
				die(bench->file);
			before = cpu_ns();
			ways[way].run(bench);
			if (round >= 0)
				ns[way][round] = (cpu_ns() - before) / bench->count;
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(ratios); i++) {
		double values[ROUNDS];

		for (int round = 0; round < ROUNDS; round++)
			values[round] = ns[ratios[i].of][round] / ns[ratios[i].to][round];
		printf("ratio | %s | %.2f\n", ratios[i].words, median(values));
	}
	for (int way = 0; way < WAY_NONE; way++)
		printf("median | %s | %.0f ns an event, on this machine, now\n", ways[way].name,
		       median(ns[way]));
}

int main(int argc, char **argv)
{
	struct bench bench = { .fd = -1 };
	const char *directory = getenv("TMPDIR") ?: "/tmp";
	int way = 0;

	while (argc >= 3 && strcmp(argv[1], ways[way].name) != 0) {
		if (++way == WAYS) {
			fprintf(stderr, "bench: no way %s\n", argv[1]);
			return 2;
		}
	}
	snprintf(bench.file, sizeof(bench.file), "%.40s/netlog-bench-XXXXXX", directory);
	bench.fd = mkstemp(bench.file);
	if (bench.fd < 0 || fcntl(bench.fd, F_SETFL, O_APPEND) < 0)
		die(bench.file);
	bench_make(&bench, argc >= 3 ? (unsigned int)atoi(argv[2]) : RECORDS,
		   argc > 3 ? (unsigned int)atoi(argv[3]) : FLOWS);
	if (argc >= 3) {
		ways[way].run(&bench);
	} else {
		compare(&bench);
		measure(&bench);
	}
	unlink(bench.file);
	close(bench.fd);
	free(bench.made);
	bench_done(&bench);
	return 0;
}
