// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * file.c - fuzz target: files and recordings, on a disk that is full, slow and broken, and with
 * others who move, remove, cut and append. In the end each line or record is in the files once, in
 * order and whole, or it is counted as lost; and without such others none is lost.
 *
 * The input is a byte for the output, and then a byte and its arguments for each thing done.
 *
 * options: -max_len=256
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "directory.h"
#include "output/recording.h"
#include "tests/unit/texts.h"

#define LINES_MAX 8192
#define CONTENTS_MAX 128
#define STEPS_MAX 96
#define BYTES_MAX (1024 * 1024)

/* ---- the disk ---- */

enum call { call_write, call_fallocate, call_open, call_rename, calls };

static struct {
	bool armed;	 /* only then is it as follows */
	bool no_reserve; /* it gives no room beforehand */
	uint64_t left;	 /* bytes that it has room for */
	struct {
		unsigned int times; /* that the call fails */
		int error;	    /* 0: write(2) takes a part */
	} fails[calls];
	bool cuts; /* something of that may cut a line */
} disk;

static bool fails(enum call call, int *ret_error)
{
	if (!disk.armed || !disk.fails[call].times)
		return false;
	disk.fails[call].times--;
	*ret_error = disk.fails[call].error;
	return true;
}

static int failed(int error)
{
	errno = error;
	return -1;
}

ssize_t write(int fd, const void *bytes, size_t size)
{
	ssize_t n;
	int error;

	if (fails(call_write, &error)) {
		if (error)
			return failed(error);
		size = size / 2 ?: size;
	}
	if (disk.armed && size > disk.left)
		size = disk.left;
	if (disk.armed && !size)
		return failed(ENOSPC);
	n = syscall(SYS_write, fd, bytes, size);
	if (disk.armed && n > 0)
		disk.left -= (uint64_t)n;
	return n;
}

int fallocate(int fd, int mode, off_t at, off_t length)
{
	int error;

	(void)fd;
	(void)mode;
	(void)at;
	if (fails(call_fallocate, &error))
		return failed(error ?: EINTR);
	if (disk.no_reserve)
		return failed(EOPNOTSUPP);
	return disk.armed && (uint64_t)length > disk.left ? failed(ENOSPC) : 0;
}

int open(const char *path, int flags, ...)
{
	int error;

	if (flags & O_CREAT && fails(call_open, &error))
		return failed(error ?: EMFILE);
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags, 0640);
}

int renameat2(int from_directory, const char *from, int to_directory, const char *to,
	      unsigned int flags)
{
	int error;

	if (fails(call_rename, &error))
		return failed(error ?: EINVAL); /* the latter: it knows no flags */
	return (int)syscall(SYS_renameat2, from_directory, from, to_directory, to, flags);
}

/* ---- what is written ---- */

static struct {
	struct output *output;
	struct sink *sink;
	bool records;
	bool meddled; /* others have cut or removed a file, or written to it */
	unsigned int count;
	uint64_t refused; /* for want of room in the buffer */
	uint64_t now_ns;
	uint64_t bytes;
	unsigned short lengths[LINES_MAX];
	bool taken[LINES_MAX];
} run;

static char path[96];

static size_t line_make(unsigned int number, size_t length, char *line)
{
	memset(line, (int)('a' + number % 26), length);
	sprintf(line, "%08u", number);
	line[8] = ' ';
	line[length - 1] = '\n';
	return length;
}

#define IDS 3

/* Names that come and go, so that a new file needs other ones than the buffer's first. */
static const char *name_of(unsigned int number)
{
	static const char *const units[] = { "/a.service", "/b.service", NULL };

	return units[number / 7 % ARRAY_SIZE(units)];
}

static void record_write(unsigned int number)
{
	const char *const names[NAMED_NUMBERS_MAX] = { name_of(number) };
	struct rtt record = { .header.type = event_rtt, .header.size = sizeof(record) };
	const struct item item = { .type = event_rtt,
				   .event = (const struct event *)&record,
				   .seq = number,
				   .takers = ITEM_FOR_ALL,
				   .names = names };

	record.header.has = BIT(offsetof(struct rtt_index, cgroup_id));
	record.cgroup_id = number % IDS;
	output_write(run.output, &item);
}

static void line_write(size_t length)
{
	static char line[UINT16_MAX + 16];
	const enum event_type type = run.records ? event_rtt : event_none;
	const uint64_t taken = run.sink->taken.of[type], lost = run.sink->lost.of[type];

	if (run.count == LINES_MAX || run.bytes > BYTES_MAX)
		return;
	run.bytes += length;
	run.lengths[run.count] = (unsigned short)length;
	if (run.records)
		record_write(run.count);
	else
		write_text(run.output, type, line, line_make(run.count, length, line));
	run.taken[run.count++] = run.sink->taken.of[type] == taken + 1;
	CHECK_EQUAL(run.sink->taken.of[type] + run.sink->lost.of[type], taken + lost + 1);
	run.refused += run.sink->lost.of[type] - lost;
}

/* ---- what is there in the end ---- */

struct content {
	char *bytes;
	size_t size;
	uint64_t number;    /* of a rotated file; 0: it is none */
	unsigned int first; /* of its lines; LINES_MAX: it has none */
};

static struct {
	unsigned int count;
	struct content of[CONTENTS_MAX];
} contents;

static int removed[STEPS_MAX]; /* files, still open */
static unsigned int removed_count;

static void content_add(int fd, uint64_t number)
{
	const off_t size = lseek(fd, 0, SEEK_END);
	struct content *content = &contents.of[contents.count++];

	CHECK(contents.count < CONTENTS_MAX && size >= 0);
	*content = (struct content){ malloc((size_t)size + 1), (size_t)size, number, LINES_MAX };
	CHECK_EQUAL(pread(fd, content->bytes, (size_t)size, 0), size);
	content->bytes[size] = 0;
}

/* All files of the directory, of which none stays. */
static void contents_gather(void)
{
	DIR *stream = opendir(directory);
	const struct dirent *entry;

	for (unsigned int i = 0; i < removed_count; i++) {
		content_add(removed[i], 0);
		close(removed[i]);
	}
	removed_count = 0;
	while ((entry = readdir(stream))) {
		int fd = entry->d_name[0] == '.' ?
				 -1 :
				 openat(dirfd(stream), entry->d_name, O_RDONLY | O_CLOEXEC);

		if (fd < 0)
			continue;
		content_add(fd, !strncmp(entry->d_name, "lines.", 6) ?
					strtoull(entry->d_name + 6, NULL, 10) :
					0);
		close(fd);
		CHECK_EQUAL(unlinkat(dirfd(stream), entry->d_name, 0), 0);
	}
	closedir(stream);
}

static unsigned int seen_count, torn_count;
static bool seen[LINES_MAX];

static void see(struct content *content, unsigned int number, unsigned int *last)
{
	CHECK_SAYING(number < run.count && run.taken[number], "line %u", number);
	CHECK_SAYING(!seen[number], "line %u is there twice", number);
	CHECK_SAYING(content->first == LINES_MAX || number > *last, "line %u after %u", number,
		     *last);
	seen[number] = true;
	seen_count++;
	*last = number;
	if (content->first == LINES_MAX)
		content->first = number;
}

static void lines_see(struct content *content)
{
	static char line[UINT16_MAX + 16];
	unsigned int last = 0;

	for (char *p = content->bytes, *end; p < content->bytes + content->size; p = end) {
		const unsigned int number = (unsigned int)strtoul(p, NULL, 10);
		size_t length;

		end = strchrnul(p, '\n');
		end += *end == '\n';
		length = (size_t)(end - p);
		if (length > 9 && p[8] == ' ' && number < run.count &&
		    length == run.lengths[number] &&
		    !memcmp(p, line, line_make(number, length, line)))
			see(content, number, &last);
		else if (strncmp(p, "other\n", length) != 0 || length != strlen("other\n"))
			torn_count++;
	}
}

/* What a reader of this file alone knows of each id. */
static void naming_see(const struct recording_item *item, struct recording_naming known[IDS])
{
	const struct rtt *record = item->payload;
	struct recording_naming naming;

	if (item->type == recording_header)
		memset(known, 0, IDS * sizeof(known[0]));
	if (item->type == recording_name) {
		CHECK_EQUAL(recording_naming_of(item, &naming), 0);
		CHECK(naming.source == names_of_cgroup_id && naming.id < IDS);
		known[naming.id] = naming;
	}
	if (item->type == recording_event)
		CHECK_TEXT(known[record->cgroup_id % IDS].text,
			   name_of((unsigned int)item->seq) ?: "");
}

static void records_see(struct content *content)
{
	static struct recording_naming known[IDS];
	const int fd = memfd_create("recording", MFD_CLOEXEC);
	struct recording_reader *reader;
	struct recording_item item;
	unsigned int last = 0;
	int r = 0;

	CHECK_EQUAL(syscall(SYS_write, fd, content->bytes, content->size), content->size);
	lseek(fd, 0, SEEK_SET);
	CHECK_EQUAL(recording_reader_new(fd, &reader), 0);
	while (content->size && r != -ENODATA) {
		r = recording_read(reader, &item);
		CHECK_SAYING(r != -EBADMSG, "%s", recording_problem(reader));
		if (r == -EAGAIN)
			CHECK_EQUAL(recording_fill(reader), 0);
		if (r == 0)
			naming_see(&item, known);
		if (r == 0 && item.type == recording_event)
			see(content, (unsigned int)item.seq, &last);
	}
	recording_reader_free(reader);
	close(fd);
}

static int content_compare(const void *a, const void *b)
{
	const struct content *x = a, *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

/* One file has the lines behind another's; of rotated ones, the one with the greater number. */
static void check_order(void)
{
	uint64_t number = 0;

	qsort(contents.of, contents.count, sizeof(contents.of[0]), content_compare);
	for (unsigned int i = 0; i < contents.count; i++) {
		struct content *content = &contents.of[i];

		if (content->number && content->first != LINES_MAX) {
			CHECK(content->number > number);
			number = content->number;
		}
		free(content->bytes);
	}
}

static void check_contents(void)
{
	const struct sink *sink = run.sink;
	const uint64_t lost = sink->lost.of[event_none] + sink->lost.of[event_rtt] - run.refused;
	const uint64_t taken = sink->taken.of[event_none] + sink->taken.of[event_rtt];

	memset(seen, 0, sizeof(seen));
	seen_count = torn_count = 0;
	for (unsigned int i = 0; i < contents.count; i++)
		if (run.records)
			records_see(&contents.of[i]);
		else
			lines_see(&contents.of[i]);
	CHECK_SAYING(seen_count + lost == taken, "taken %llu, there %u, lost %llu",
		     (unsigned long long)taken, seen_count, (unsigned long long)lost);
	CHECK_SAYING(run.meddled || (!lost && !torn_count), "lost %llu, torn %u",
		     (unsigned long long)lost, torn_count);
	/* a front, and the newline that ends it where somebody has written behind it */
	CHECK(torn_count <= 2 * lost);
	check_order();
}

/* ---- what is done ---- */

static void flush(void)
{
	static ino_t inode;
	static off_t size;
	_cleanup_close_ int fd = -1;
	struct stat status;
	char last;

	disk.armed = true;
	run.now_ns += NSEC_PER_SEC / 4;
	output_flush(run.output, run.now_ns);
	disk.armed = false;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &status) < 0)
		return;
	CHECK(status.st_ino != inode || run.meddled || status.st_size >= size);
	inode = status.st_ino;
	size = status.st_size;
	if (size && !run.records && !run.meddled && !disk.cuts)
		CHECK(pread(fd, &last, 1, size - 1) == 1 && last == '\n');
}

static void disk_mend(void)
{
	const bool no_reserve = disk.no_reserve, cuts = disk.cuts;

	memset(&disk, 0, sizeof(disk));
	disk.left = UINT64_MAX;
	disk.no_reserve = no_reserve;
	disk.cuts = cuts;
}

static void call_fail(struct input *input)
{
	static const int errors[] = { 0, EIO, EINTR, EAGAIN, ENOSPC, EDQUOT, EACCES, ENOENT };
	const enum call call = (enum call)(input_byte(input) % calls);

	disk.fails[call].error = errors[input_byte(input) % ARRAY_SIZE(errors)];
	disk.fails[call].times = 1 + input_byte(input) % 5;
	disk.cuts |= call == call_write;
	/* that it does not reserve, it is taken to mean from then on */
	disk.cuts |= call == call_fallocate;
}

static void others_move(void)
{
	static unsigned int number;
	char to[sizeof(path) + 16];

	snprintf(to, sizeof(to), "%s/old.%u", directory, number++ % STEPS_MAX);
	if (access(to, F_OK) < 0)
		rename(path, to);
}

static void others_meddle(unsigned int how)
{
	_cleanup_close_ int fd = open(path, O_RDWR | O_APPEND | O_CLOEXEC);

	if (fd < 0 || run.records || contents.count + removed_count > CONTENTS_MAX / 2)
		return;
	run.meddled = true;
	if (how == 0) {
		content_add(fd, 0);
		CHECK_EQUAL(ftruncate(fd, 0), 0);
	} else if (how == 1) {
		CHECK_EQUAL(syscall(SYS_write, fd, "other\n", 6), 6);
	} else {
		CHECK_EQUAL(unlink(path), 0);
		removed[removed_count++] = fd;
		fd = -1;
	}
}

static void step(struct input *input)
{
	const unsigned int what = input_byte(input) % 16, count = what < 6 ? input_byte(input) : 0;
	const size_t length = what < 6 ? 10 + input_number(input, 2) % 48000 : 0;

	switch (what) {
	case 0 ... 5:
		for (unsigned int i = 0; i <= (run.records ? count : count % 16); i++)
			line_write(length);
		break;
	case 6:
		disk.left = input_number(input, 2);
		break;
	case 7:
		disk.no_reserve = !disk.no_reserve;
		disk.cuts = true;
		break;
	case 8:
		call_fail(input);
		break;
	case 9:
		disk_mend();
		break;
	case 10:
		others_move();
		break;
	case 11:
		others_move(); /* as logrotate(8) does */
			       /* fall through */
	case 12:
		disk.armed = true;
		output_reopen(run.output);
		disk.armed = false;
		break;
	case 13:
		others_meddle(input_byte(input) % 3);
		break;
	default:
		break;
	}
	flush();
}

static void begin(unsigned int how)
{
	static const char *const sizes[] = { "", ",max-size=65536,max-files=1000",
					     ",max-size=100000,max-files=1000", "" };
	static const struct origin origin = { .hostname = "web1" };
	struct output *none;
	struct sink_spec spec;
	const char *refused;
	char *message, text[160];

	directory_make();
	memset(&run, 0, sizeof(run));
	memset(&disk, 0, sizeof(disk));
	disk_mend();
	contents.count = 0;
	run.records = how & 4;
	snprintf(path, sizeof(path), "%s/lines", directory);
	snprintf(text, sizeof(text), "%s:%s%s", run.records ? "record" : "file", path,
		 sizes[how % 4]);
	CHECK_EQUAL(sink_spec_parse(text, NULL, &spec, &message), 0);
	CHECK_EQUAL(output_new(&texts, &run.output), 0);
	CHECK_EQUAL(output_new(NULL, &none), 0);
	CHECK_EQUAL(output_configure(run.output, &spec, 1, none, &refused), 0);
	output_set_origin(run.output, &origin);
	output_free(none);
	run.sink = output_sink(run.output, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct input input = { bytes, size };

	begin(input_byte(&input));
	for (unsigned int i = 0; input.left && i < STEPS_MAX; i++)
		step(&input);
	disk_mend();
	for (int i = 0; i < 8 && (!i || run.sink->state != SINK_FLOWING); i++)
		flush();
	CHECK_SAYING(run.sink->state == SINK_FLOWING, "state %d: %s", run.sink->state,
		     strerror(-run.sink->error));
	CHECK(!run.sink->end && !run.sink->ops->pending(run.sink));
	contents_gather();
	check_contents();
	output_free(run.output);
	return 0;
}
