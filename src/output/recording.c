// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "output/recording.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>

#include "base/crc.h"

#define READER_BYTES (256 * 1024) /* more than the longest frame */
#define PROBLEM_BYTES 512

_Static_assert(sizeof(struct recording_header) % RECORDING_ALIGNMENT == 0, "frames follow aligned");
_Static_assert(sizeof(struct recording_frame) % RECORDING_ALIGNMENT == 0,
	       "payloads follow aligned");
_Static_assert(READER_BYTES > RECORDING_ITEM_BYTES(RECORDING_PAYLOAD_MAX), "a frame has room");

/* ---- writing ---- */

static uint32_t header_crc(const struct recording_header *header)
{
	const char *after = (const char *)&header->crc + sizeof(header->crc);
	uint32_t crc = crc32c(0, header, offsetof(struct recording_header, crc));

	return crc32c(crc, after, sizeof(*header) - (size_t)(after - (const char *)header));
}

/* The CRC of the frame's head up to its CRC, and of everything after that. */
static uint32_t frame_crc(const char *frame, size_t length)
{
	const size_t behind = offsetof(struct recording_frame, previous_crc);
	uint32_t crc = crc32c(0, frame, offsetof(struct recording_frame, crc));

	return crc32c(crc, frame + behind, length - behind);
}

size_t recording_put_header(char *p, const struct origin *origin, uint32_t *crc)
{
	struct recording_header header = {
		.magic = RECORDING_MAGIC,
		.byte_order = RECORDING_BYTE_ORDER,
		.version = RECORDING_VERSION,
		.size = sizeof(header),
		.fingerprint = event_fingerprint(),
	};

	/* zeros after the texts, so that no other bytes of memory are written */
	snprintf(header.program, sizeof(header.program), "%s", NETLOG_VERSION);
	snprintf(header.origin.hostname, sizeof(header.origin.hostname), "%s", origin->hostname);
	snprintf(header.origin.boot_id, sizeof(header.origin.boot_id), "%s", origin->boot_id);
	header.crc = header_crc(&header);
	memcpy(p, &header, sizeof(header));
	*crc = header.crc;
	return sizeof(header);
}

size_t recording_put(char *p, const struct recording_item *item, uint32_t *crc)
{
	const struct recording_frame frame = {
		.type = item->type,
		.size = (uint32_t)item->size,
		.seq = item->seq,
		.offset_ns = item->offset_ns,
		.previous_crc = *crc,
	};
	size_t length = RECORDING_ITEM_BYTES(item->size);

	memset(p + length - RECORDING_ALIGNMENT, 0, RECORDING_ALIGNMENT);
	memcpy(p, &frame, sizeof(frame));
	memcpy(p + sizeof(frame), item->payload, item->size);
	if (item->type == recording_event) /* which outputs took it means nothing to a reader */
		memset(p + sizeof(frame) + offsetof(struct event_header, takers), 0,
		       sizeof(((struct event_header *)NULL)->takers));
	*crc = frame_crc(p, length);
	memcpy(p + offsetof(struct recording_frame, crc), crc, sizeof(*crc));
	return length;
}

size_t recording_put_name(char *p, enum name_source source, uint64_t id, const char *text,
			  uint32_t *crc)
{
	const struct recording_name_frame frame = { .id = id, .source = source };
	const size_t length = text ? strlen(text) : 0;
	char payload[RECORDING_NAME_MAX];
	const struct recording_item item = { .type = recording_name,
					     .payload = payload,
					     .size = sizeof(frame) + length };

	memcpy(payload, &frame, sizeof(frame));
	if (length)
		memcpy(payload + sizeof(frame), text, length);
	return recording_put(p, &item, crc);
}

bool recording_is_header(const char *p)
{
	return !memcmp(p, RECORDING_MAGIC, sizeof(((struct recording_header *)NULL)->magic));
}

bool recording_is_name(const char *p)
{
	struct recording_frame frame;

	if (recording_is_header(p))
		return false;
	memcpy(&frame, p, sizeof(frame));
	return frame.type == recording_name;
}

struct recording_item recording_item_of(const char *p)
{
	struct recording_frame frame;

	if (recording_is_header(p))
		return (struct recording_item){ .type = recording_header };
	memcpy(&frame, p, sizeof(frame));
	return (struct recording_item){
		.type = (enum recording_type)frame.type,
		.payload = p + sizeof(frame),
		.size = frame.size,
		.seq = frame.seq,
		.offset_ns = frame.offset_ns,
	};
}

struct origin recording_origin_of(const char *p)
{
	struct recording_header header;

	memcpy(&header, p, sizeof(header));
	return header.origin;
}

size_t recording_length(const char *p)
{
	struct recording_frame frame;

	if (recording_is_header(p))
		return sizeof(struct recording_header);
	memcpy(&frame, p, sizeof(frame));
	return RECORDING_ITEM_BYTES(frame.size);
}

/* ---- reading ---- */

struct recording_reader {
	int fd;
	bool ended;	   /* nothing is left to be read */
	bool begun;	   /* a header has been read */
	bool after_header; /* so the next frame's previous_crc is not that of a frame here */
	uint32_t crc;	   /* of the last frame */
	size_t start;	   /* of the bytes not yet returned */
	size_t end;
	uint64_t position; /* of `start` in the recording */
	uint64_t told;	   /* of the item returned last */
	struct origin origin;
	char problem[PROBLEM_BYTES];
	char buffer[READER_BYTES] __attribute__((aligned(RECORDING_ALIGNMENT)));
};

int recording_reader_new(int fd, struct recording_reader **ret_reader)
{
	struct recording_reader *reader = calloc(1, sizeof(*reader));

	if (!reader)
		return -ENOMEM;
	reader->fd = fd;
	*ret_reader = reader;
	return 0;
}

void recording_reader_free(struct recording_reader *reader)
{
	free(reader);
}

uint64_t recording_position(const struct recording_reader *reader)
{
	return reader->told;
}

const char *recording_problem(const struct recording_reader *reader)
{
	return reader->problem;
}

int recording_fill(struct recording_reader *reader)
{
	ssize_t n;

	/* items are aligned, and so are the bytes that are left */
	memmove(reader->buffer, reader->buffer + reader->start, reader->end - reader->start);
	reader->end -= reader->start;
	reader->start = 0;
	if (reader->ended || reader->end == sizeof(reader->buffer))
		return 0;
	n = read(reader->fd, reader->buffer + reader->end, sizeof(reader->buffer) - reader->end);
	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	reader->ended = n == 0;
	reader->end += (size_t)n;
	return 0;
}

static int problem(struct recording_reader *reader, const char *format, ...) _printf_(2, 3);
static int problem(struct recording_reader *reader, const char *format, ...)
{
	_cleanup_free_ char *what = NULL;
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(&what, format, arguments) < 0)
		what = NULL;
	va_end(arguments);
	snprintf(reader->problem, sizeof(reader->problem), "byte %llu: %s%s",
		 (unsigned long long)reader->position, what ?: "it cannot be read",
		 reader->position ? RECORDING_WRITTEN : "");
	return -EBADMSG;
}

/* The file ends within an item. */
static int too_short(struct recording_reader *reader)
{
	size_t length = reader->end - reader->start;

	if (!reader->ended)
		return -EAGAIN;
	return problem(reader,
		       "the recording is cut: %zu bytes of a record, and the rest is missing; its "
		       "writer was killed, or the file was not copied whole",
		       length);
}

/* Make a header's text safe to print: anybody may have written it. */
static void show(const char *text, size_t size, char *shown)
{
	size_t i = 0;

	for (; i < size - 1 && text[i]; i++)
		shown[i] = (char)(text[i] > ' ' && text[i] < 0x7f ? text[i] : '?');
	shown[i] = 0;
}

static int check_header(struct recording_reader *reader, const struct recording_header *header)
{
	char program[sizeof(header->program)];

	if (header->byte_order == __builtin_bswap32(RECORDING_BYTE_ORDER))
		return problem(reader, "written by a machine of the other byte order; replay it on "
				       "one of the same kind");
	if (header->byte_order == RECORDING_BYTE_ORDER && header->version > RECORDING_VERSION)
		return problem(reader,
			       "written in format %u, and netlog " NETLOG_VERSION
			       " knows those up to %u; replay it with the netlog that wrote "
			       "it",
			       header->version, RECORDING_VERSION);
	if (header->byte_order != RECORDING_BYTE_ORDER || header->version != RECORDING_VERSION ||
	    header->size != sizeof(*header) || header->crc != header_crc(header) ||
	    strnlen(header->origin.hostname, HOST_NAME_MAX + 1) > HOST_NAME_MAX ||
	    header->origin.boot_id[sizeof(header->origin.boot_id) - 1])
		return problem(reader, "the header is damaged; get another copy of the "
				       "file");
	show(header->program, sizeof(program), program);
	if (header->fingerprint != event_fingerprint())
		return problem(reader,
			       "written by netlog %s, whose events are not those of this netlog "
			       "(" NETLOG_VERSION "); replay it with the netlog that wrote "
			       "it",
			       program);
	return 0;
}

static void advance(struct recording_reader *reader, size_t length)
{
	reader->told = reader->position;
	reader->position += length;
	reader->start += length;
}

static int read_header(struct recording_reader *reader, struct recording_item *ret_item)
{
	const struct recording_header *header = (const void *)(reader->buffer + reader->start);
	size_t length = reader->end - reader->start;
	int r;

	/* headers of other versions may be shorter, but all have these fields */
	if (length < offsetof(struct recording_header, size))
		return too_short(reader);
	if (length < sizeof(*header) && header->byte_order == RECORDING_BYTE_ORDER &&
	    header->version == RECORDING_VERSION)
		return too_short(reader);
	r = check_header(reader, header);
	if (r < 0)
		return r;
	reader->begun = true;
	reader->after_header = true;
	reader->crc = header->crc;
	reader->origin = header->origin;
	*ret_item = (struct recording_item){ .type = recording_header, .origin = &reader->origin };
	advance(reader, sizeof(*header));
	return 0;
}

static int read_frame(struct recording_reader *reader, struct recording_item *ret_item)
{
	const struct recording_frame *frame = (const void *)(reader->buffer + reader->start);
	size_t length = reader->end - reader->start;

	if (length < sizeof(*frame))
		return too_short(reader);
	/* no CRC has been checked yet, so the size may be anything */
	if (frame->size > RECORDING_PAYLOAD_MAX)
		return problem(reader,
			       "damaged: a record of %u bytes; get another copy of the "
			       "file",
			       frame->size);
	if (length < RECORDING_ITEM_BYTES(frame->size))
		return too_short(reader);
	if (frame->crc != frame_crc((const char *)frame, RECORDING_ITEM_BYTES(frame->size)))
		return problem(reader, "damaged: the checksum does not agree; get another copy of "
				       "the file");
	if (frame->previous_crc != reader->crc && !reader->after_header)
		return problem(reader, "a part is missing before this; get another copy of the "
				       "file");
	if (frame->type != recording_event && frame->type != recording_line &&
	    frame->type != recording_name)
		return problem(reader,
			       "a record of the unknown type %u; replay it with the netlog "
			       "that wrote it",
			       frame->type);
	reader->after_header = false;
	reader->crc = frame->crc;
	*ret_item = recording_item_of((const char *)frame);
	advance(reader, RECORDING_ITEM_BYTES(frame->size));
	return 0;
}

int recording_read(struct recording_reader *reader, struct recording_item *ret_item)
{
	const size_t magic = strlen(RECORDING_MAGIC);
	size_t length = reader->end - reader->start;
	const char *p = reader->buffer + reader->start;

	if (!length && reader->begun)
		return reader->ended ? -ENODATA : -EAGAIN;
	if (!length && reader->ended)
		return problem(reader, "this is empty, and no recording; -r reads what -w has "
				       "written");
	if (!reader->begun && memcmp(p, RECORDING_MAGIC, length < magic ? length : magic) != 0)
		return problem(reader, "this is no recording of netlog; -r reads what -w has "
				       "written");
	if (length < magic)
		return too_short(reader);
	return recording_is_header(p) ? read_header(reader, ret_item) :
					read_frame(reader, ret_item);
}

int recording_naming_of(const struct recording_item *item, struct recording_naming *ret_naming)
{
	struct recording_name_frame frame;
	const char *text = (const char *)item->payload + sizeof(frame);
	size_t length = item->size - sizeof(frame);

	if (item->size < sizeof(frame) || length > NAME_TEXT_MAX)
		return -EBADMSG;
	memcpy(&frame, item->payload, sizeof(frame));
	if (frame.source >= name_sources || length > name_source_descs[frame.source].text_max ||
	    memchr(text, 0, length))
		return -EBADMSG;
	ret_naming->source = (enum name_source)frame.source;
	ret_naming->id = frame.id;
	memcpy(ret_naming->text, text, length);
	ret_naming->text[length] = 0;
	return 0;
}
