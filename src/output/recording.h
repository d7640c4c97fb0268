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
#ifndef NETLOG_RECORDING_H
#define NETLOG_RECORDING_H

#include "base/util.h"
#include "schema/item.h"

#define RECORDING_MAGIC "\x8fnetlog\n" /* 8 bytes; no text begins so */
#define RECORDING_VERSION 1
#define RECORDING_BYTE_ORDER 0x01020304 /* as the writer's machine has it */
#define RECORDING_ALIGNMENT 8
#define RECORDING_PAYLOAD_MAX 32768 /* bytes, of a frame */

/* The first three stay what they are in every version of the format. */
struct recording_header {
	char magic[8];
	uint32_t byte_order;
	uint16_t version;
	uint16_t size;	      /* of the header, bytes */
	uint64_t fingerprint; /* event_fingerprint() */
	char program[20];     /* version of the netlog that wrote it, a text */
	uint32_t crc;	      /* of all the other bytes */
	struct origin origin;
};

enum recording_type {
	recording_header = 0, /* none of a frame: the reader's */
	recording_event = 1,
	recording_line = 2, /* a control line, verbatim */
	recording_name = 3, /* struct recording_name_frame, and the name's bytes, if any */
};

struct recording_name_frame {
	uint64_t id;
	uint64_t source; /* enum name_source */
};

/* Bytes of payload */
#define RECORDING_NAME_MAX (sizeof(struct recording_name_frame) + NAME_TEXT_MAX)

/* What a name's frame says. */
struct recording_naming {
	enum name_source source;
	uint64_t id;
	char text[NAME_TEXT_MAX + 1]; /* "": none any more */
};

struct recording_frame {
	uint32_t type;
	uint32_t size; /* of the payload, bytes; zeros follow up to the alignment */
	uint64_t seq;
	int64_t offset_ns;     /* of an event: CLOCK_REALTIME - CLOCK_BOOTTIME */
	uint32_t crc;	       /* of all the other bytes, the payload included */
	uint32_t previous_crc; /* of the frame or header before, in the same file */
};

/* What a frame or header has, as it is put and read. */
struct recording_item {
	enum recording_type type;
	const void *payload; /* aligned */
	size_t size;	     /* of the payload, bytes */
	uint64_t seq;
	int64_t offset_ns;
	const struct origin *origin; /* of a header, and only there */
};

/* ---- writing ---- */

/* Bytes that an item takes in the recording. */
#define RECORDING_ITEM_BYTES(size)        \
	(sizeof(struct recording_frame) + \
	 (((size_t)(size) + RECORDING_ALIGNMENT - 1) & ~(size_t)(RECORDING_ALIGNMENT - 1)))

/* Write a header or an item to `p` (of any alignment); its CRC becomes *crc, which was that of the
 * one before. */
size_t recording_put_header(char *p, const struct origin *origin, uint32_t *crc);
size_t recording_put(char *p, const struct recording_item *item, uint32_t *crc);

/* The frame of a name, of NAME_TEXT_MAX bytes at the most; NULL: it has none any more. */
size_t recording_put_name(char *p, enum name_source source, uint64_t id, const char *text,
			  uint32_t *crc);

/*
 * Length of the header or frame that begins at `p`, as its writer says; for what recording_put()
 * and recording_put_header() wrote.
 */
size_t recording_length(const char *p);
/* Is it a header, is it a name's frame? */
bool recording_is_header(const char *p);
bool recording_is_name(const char *p);
/* Whose items follow the header at `p`. */
struct origin recording_origin_of(const char *p);
/* What recording_put() wrote at an aligned `p`: what the reader would say of it. */
struct recording_item recording_item_of(const char *p);

/* ---- reading ---- */

struct recording_reader;

/* Reads from `fd`, which stays the caller's. -ENOMEM. */
int recording_reader_new(int fd, struct recording_reader **ret_reader);
void recording_reader_free(struct recording_reader *reader);
DEFINE_CLEANUP(struct recording_reader, recording_reader_free)

/*
 * The next item: 0, and *ret_item is good until recording_fill(). -EAGAIN: bytes are needed first,
 * see recording_fill(). -ENODATA: the recording has ended, where it may. -EBADMSG: it cannot be
 * read on here, see recording_problem().
 */
int recording_read(struct recording_reader *reader, struct recording_item *ret_item);

/* What a name's item says. -EBADMSG: no netlog has written that. */
int recording_naming_of(const struct recording_item *item, struct recording_naming *ret_naming);

/* Read once from the descriptor, waiting if that waits. 0 also at the end; or its error. */
int recording_fill(struct recording_reader *reader);

/* Where the last item begins, in bytes. */
uint64_t recording_position(const struct recording_reader *reader);

#define RECORDING_WRITTEN "; what came before it has been written" /* the end of such a message */

/* After -EBADMSG: what is wrong, at which byte, and what to do. */
const char *recording_problem(const struct recording_reader *reader);

#endif
