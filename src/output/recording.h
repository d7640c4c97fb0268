/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * recording.h - recordings: written by -w, read by -r.
 *
 * A recording has headers, which say who wrote it, and frames: an event's record, a control line,
 * or a name that holds for events up to the next header. All are multiples of 8 bytes long, so that
 * a record can be used in place. A frame has all that its line needs, such as the seq and the
 * offset of the wall clock. So files of a rotated recording, or pieces cut between frames, can be
 * replayed one by one. A header may stand wherever a frame may: recordings one after the other are
 * a recording.
 *
 * Every frame has a CRC-32C over itself (RFC 3385 says why this polynomial). It detects every burst
 * of up to 32 bits, and any 3 wrong bits in frames as long as ours; processors have an instruction
 * for it. A frame also has the CRC of the frame before, so that a missing frame is detected.
 */
#ifndef NETLOG_RECORDING_H
#define NETLOG_RECORDING_H

#include "base/util.h"
#include "schema/item.h"

#define RECORDING_MAGIC "\x8fnetlog\n" /* 8 bytes that no text begins with */
#define RECORDING_VERSION 1
#define RECORDING_BYTE_ORDER 0x01020304 /* in the byte order of the writer's machine */
#define RECORDING_ALIGNMENT 8
#define RECORDING_PAYLOAD_MAX 32768 /* bytes of a frame, without its head */

/* The first three members are the same in every version of the format. */
struct recording_header {
	char magic[8];
	uint32_t byte_order;
	uint16_t version;
	uint16_t size;	      /* of the header, bytes */
	uint64_t fingerprint; /* event_fingerprint() */
	char program[20];     /* the version of netlog that wrote it, a text */
	uint32_t crc;	      /* of all the other bytes */
	struct origin origin;
};

enum recording_type {
	recording_header = 0, /* only as the type of an item: headers are not frames */
	recording_event = 1,
	recording_line = 2, /* a control line as text */
	recording_name = 3, /* struct recording_name_frame, and the name's bytes, if any */
};

struct recording_name_frame {
	uint64_t id;
	uint64_t source; /* enum name_source */
};

/* Bytes of a name's payload. */
#define RECORDING_NAME_MAX (sizeof(struct recording_name_frame) + NAME_TEXT_MAX)

/* The contents of a name's frame. */
struct recording_naming {
	enum name_source source;
	uint64_t id;
	char text[NAME_TEXT_MAX + 1]; /* "": it has no name any more */
};

struct recording_frame {
	uint32_t type;
	uint32_t size; /* of the payload, bytes; zeros follow it up to the alignment */
	uint64_t seq;
	int64_t offset_ns;     /* of an event: CLOCK_REALTIME - CLOCK_BOOTTIME */
	uint32_t crc;	       /* of all the other bytes, the payload included */
	uint32_t previous_crc; /* of the frame or header before, in the same file */
};

/* A header or frame as it is written and read. */
struct recording_item {
	enum recording_type type;
	const void *payload; /* aligned */
	size_t size;	     /* of the payload, bytes */
	uint64_t seq;
	int64_t offset_ns;
	const struct origin *origin; /* of a header only */
};

/* ---- writing ---- */

/* The bytes that an item takes up in the recording. */
#define RECORDING_ITEM_BYTES(size)        \
	(sizeof(struct recording_frame) + \
	 (((size_t)(size) + RECORDING_ALIGNMENT - 1) & ~(size_t)(RECORDING_ALIGNMENT - 1)))

/*
 * Write a header or an item at `p` (of any alignment). *crc is the CRC of the one before, and
 * becomes that of this one.
 */
size_t recording_put_header(char *p, const struct origin *origin, uint32_t *crc);
size_t recording_put(char *p, const struct recording_item *item, uint32_t *crc);

/* Write a name's frame, with at most NAME_TEXT_MAX bytes of text. NULL: it has no name any more. */
size_t recording_put_name(char *p, enum name_source source, uint64_t id, const char *text,
			  uint32_t *crc);

/*
 * The length of the header or frame at `p`, which recording_put() or recording_put_header() wrote.
 */
size_t recording_length(const char *p);
/* Is it a header? Is it a name's frame? */
bool recording_is_header(const char *p);
bool recording_is_name(const char *p);
/* Whose items follow the header at `p`. */
struct origin recording_origin_of(const char *p);
/* What recording_put() wrote at an aligned `p`: what the reader would say of it. */
struct recording_item recording_item_of(const char *p);

/* ---- reading ---- */

struct recording_reader;

/* A reader of `fd`, which stays the caller's. -ENOMEM. */
int recording_reader_new(int fd, struct recording_reader **ret_reader);
void recording_reader_free(struct recording_reader *reader);
DEFINE_CLEANUP(struct recording_reader, recording_reader_free)

/*
 * The next item. 0: *ret_item is valid until recording_fill(). -EAGAIN: call recording_fill()
 * first. -ENODATA: the recording has ended, between two items. -EBADMSG: it cannot be read any
 * further; recording_problem() says why.
 */
int recording_read(struct recording_reader *reader, struct recording_item *ret_item);

/* The contents of a name's item. -EBADMSG: netlog has not written it. */
int recording_naming_of(const struct recording_item *item, struct recording_naming *ret_naming);

/* Read once from the descriptor, which may wait. 0 (also at the end), or its error. */
int recording_fill(struct recording_reader *reader);

/* Where the last item begins, in bytes. */
uint64_t recording_position(const struct recording_reader *reader);

#define RECORDING_WRITTEN "; what came before it has been written" /* the end of such a message */

/* After -EBADMSG: what is wrong, at which byte, and what to do. */
const char *recording_problem(const struct recording_reader *reader);

#endif
