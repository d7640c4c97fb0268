/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * recording.h - recordings: what -w writes and -r reads.
 *
 * A header, which says who wrote it, and frames, each an event's record, a control line, or a name
 * that holds for the events behind it up to the next header. All is a
 * multiple of 8 bytes long, so that a record can be used where it lies. A frame has all that its
 * line needs (the seq, and what made the wall clock of its time since boot), so a recording that is
 * rotated, or cut between two frames, can be replayed piece by piece. A header may stand wherever a
 * frame may: recordings behind one another are a recording.
 *
 * Every frame has a CRC-32C over itself (RFC 3385 says why this polynomial). It finds each burst of
 * up to 32 bits, and each up to 3 bits, in frames as long as ours; processors have an instruction
 * for it. It also has the CRC of the frame before, so that a frame that is missing is found, too.
 */
#ifndef NETLOG_RECORD_H
#define NETLOG_RECORD_H

#include "base/util.h"
#include "schema/event.h"

#define RECORD_MAGIC "\x8fnetlog\n" /* 8 bytes; no text begins so */
#define RECORD_VERSION 1
#define RECORD_BYTE_ORDER 0x01020304 /* as the writer's machine has it */
#define RECORD_ALIGNMENT 8
#define RECORD_PAYLOAD_MAX 32768 /* bytes, of a frame */

/* Who wrote it. Texts, "": not known. */
struct record_origin {
	char hostname[72]; /* any bytes, HOST_NAME_MAX at the most */
	char boot_id[40];  /* 32 hexadecimal digits */
};

/* The first three stay what they are in every version of the format. */
struct record_header {
	char magic[8];
	uint32_t byte_order;
	uint16_t version;
	uint16_t size;	      /* of the header, bytes */
	uint64_t fingerprint; /* event_fingerprint() */
	char program[20];     /* version of the netlog that wrote it, a text */
	uint32_t crc;	      /* of all the other bytes */
	struct record_origin origin;
};

enum record_type {
	record_header = 0, /* none of a frame: the reader's */
	record_event = 1,
	record_line = 2, /* a control line, verbatim */
	record_name = 3, /* struct record_name_frame, and the name's bytes; none: it has none now */
};

struct record_name_frame {
	uint64_t id;
	uint64_t source; /* enum name_source */
};

#define RECORD_NAME_MAX (sizeof(struct record_name_frame) + NAME_TEXT_MAX) /* bytes of payload */

/* What a name's frame says. */
struct record_naming {
	enum name_source source;
	uint64_t id;
	char text[NAME_TEXT_MAX + 1]; /* "": none any more */
};

struct record_frame {
	uint32_t type;
	uint32_t size; /* of the payload, bytes; zeros follow up to the alignment */
	uint64_t seq;
	int64_t offset_ns;     /* of an event: CLOCK_REALTIME - CLOCK_BOOTTIME */
	uint32_t crc;	       /* of all the other bytes, the payload included */
	uint32_t previous_crc; /* of the frame or header before, in the same file */
};

/* What there is to be written, or what has been read. */
struct record_item {
	enum record_type type;
	const void *payload; /* aligned */
	size_t size;	     /* of the payload, bytes */
	uint64_t seq;
	int64_t offset_ns;
	const struct record_origin *origin; /* of a header, and only there */
	const char *names[name_sources];    /* of an event that is to be written; NULL: none */
};

/* ---- writing ---- */

/* Bytes that an item takes in the recording. */
#define RECORD_ITEM_BYTES(size)        \
	(sizeof(struct record_frame) + \
	 (((size_t)(size) + RECORD_ALIGNMENT - 1) & ~(size_t)(RECORD_ALIGNMENT - 1)))

/* Write a header or an item to `p` (of any alignment); its CRC becomes *crc, which was that of the
 * one before. */
size_t record_put_header(char *p, const struct record_origin *origin, uint32_t *crc);
size_t record_put(char *p, const struct record_item *item, uint32_t *crc);

/* The frame of a name, of NAME_TEXT_MAX bytes at the most; NULL: it has none any more. */
size_t record_put_name(char *p, enum name_source source, uint64_t id, const char *text,
		       uint32_t *crc);

/*
 * Length of the header or frame that begins at `p`, as its writer says; for what record_put()
 * and record_put_header() wrote.
 */
size_t record_length(const char *p);
/* Is it a header, is it a name's frame? */
bool record_is_header(const char *p);
bool record_is_name(const char *p);
/* What record_put() wrote at an aligned `p`: what the reader would say of it. */
struct record_item record_item_of(const char *p);

/* ---- reading ---- */

struct record_reader;

/* Reads from `fd`, which stays the caller's. -ENOMEM. */
int record_reader_new(int fd, struct record_reader **ret_reader);
void record_reader_free(struct record_reader *reader);
DEFINE_CLEANUP(struct record_reader, record_reader_free)

/*
 * The next item: 0, and *ret_item is good until record_fill(). -EAGAIN: bytes are needed first, see
 * record_fill(). -ENODATA: the recording has ended, where it may. -EBADMSG: it cannot be read on
 * here, see record_problem().
 */
int record_read(struct record_reader *reader, struct record_item *ret_item);

/* What a name's item says. -EBADMSG: no netlog has written that. */
int record_naming_of(const struct record_item *item, struct record_naming *ret_naming);

/* Read once from the descriptor, waiting if that waits. 0 also at the end; or its error. */
int record_fill(struct record_reader *reader);

/* Where the last item begins, in bytes. */
uint64_t record_position(const struct record_reader *reader);

#define RECORD_WRITTEN "; what came before it has been written" /* the end of such a message */

/* After -EBADMSG: what is wrong, at which byte, and what to do. */
const char *record_problem(const struct record_reader *reader);

#endif
