// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * sink_journald.c - entries to the journal.
 *
 * sd_journal_sendv(3) waits while journald is slow or stopped, so it runs in a thread of its own. A
 * buffer in two halves stands between: one half is filled while the other is sent.
 *
 * An entry that could not be sent stays: the thread tries it again when asked to.
 */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/uio.h>
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include "base/entry.h"
#include "output/output.h"

#define JOURNAL_SOCKET "/run/systemd/journal/socket"
#define HALF_BYTES (256 * 1024)
#define TIMEOUT_NS (5 * NSEC_PER_SEC) /* of a journald that takes nothing at all */
#define EVENTFD_FULL (UINT64_MAX - 1)

struct half {
	size_t end; /* of the bytes in it */
	size_t entries;
	char buffer[HALF_BYTES];
};

struct journald {
	struct sink sink;
	pthread_t thread;
	bool running; /* the thread exists */

	pthread_mutex_t mutex; /* protects everything below, and the swap of the halves */
	pthread_cond_t asked;  /* there is something to send, or to try again */
	struct half *filling;  /* used by the main thread */
	struct half *sending;  /* used by the thread, which alone swaps the two */
	size_t sent;	       /* bytes of it that journald has taken */
	size_t unsent;	       /* entries of it that journald has not taken */
	int error;	       /* of the last attempt */
	bool again;	       /* try the same entry again */
	bool stop;
	/* An eventfd. While the main thread waits for progress it is full, so not writable. */
	int progress_fd;
};

/* ---- one entry ---- */

/* Returns 0 once journald has the entry. */
static int send_entry(const char *entry)
{
	struct iovec fields[ENTRY_FIELDS_MAX];
	int count = 0, r, state;
	size_t at = 0, length;
	const char *field;

	while (count < ENTRY_FIELDS_MAX && (field = entry_field(entry, &at, &length)))
		fields[count++] = (struct iovec){ (void *)field, length };
	/*
	 * waiting for a stopped journald must not keep netlog from ending: here the thread can be
	 * cancelled
	 */
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &state);
	r = sd_journal_sendv(fields, count);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	/* if there is no socket, it returns 0 and does nothing */
	if (r == 0 && access(JOURNAL_SOCKET, W_OK) < 0)
		return -errno;
	return r == -EAGAIN ? -ENOBUFS : r; /* -EAGAIN means something else to callers */
}

/* ---- the thread ---- */

static void lock(struct journald *journald)
{
	pthread_mutex_lock(&journald->mutex);
}

static void unlock(struct journald *journald)
{
	pthread_mutex_unlock(&journald->mutex);
}

/* Make the eventfd writable, in case the main thread is waiting for it. */
static void progress_tell(struct journald *journald)
{
	uint64_t count;

	if (read(journald->progress_fd, &count, sizeof(count)) < 0)
		return; /* the main thread is not waiting */
}

/* Send unsent entries until one fails. */
static int send_half(struct journald *journald)
{
	const struct half *half = journald->sending;

	while (journald->sent < half->end) {
		const char *entry = half->buffer + journald->sent;
		int r = send_entry(entry);

		if (r < 0)
			return r;
		lock(journald);
		journald->sent += entry_size(entry);
		journald->unsent--;
		unlock(journald);
	}
	return 0;
}

/* Wait until there is something to send or to try again. False: the sink is being freed. */
static bool work_wait(struct journald *journald)
{
	bool wanted;

	lock(journald);
	while (!journald->stop &&
	       (journald->unsent ? !journald->again : !journald->filling->entries))
		pthread_cond_wait(&journald->asked, &journald->mutex);
	wanted = !journald->stop;
	journald->again = false;
	if (!journald->unsent) {
		struct half *empty = journald->sending;

		empty->end = empty->entries = 0;
		journald->sending = journald->filling;
		journald->unsent = journald->sending->entries;
		journald->sent = 0;
		journald->filling = empty;
	}
	unlock(journald);
	progress_tell(journald); /* there is room again */
	return wanted;
}

static void *thread_run(void *argument)
{
	struct journald *journald = argument;
	int r;

	/* cancel it only while it may be waiting for journald: see send_entry() */
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	while (work_wait(journald)) {
		r = send_half(journald);
		lock(journald);
		journald->error = r;
		unlock(journald);
		progress_tell(journald);
	}
	return NULL;
}

/* Only once there is something to send: by then netlog has dropped its capabilities. */
static int thread_start(struct journald *journald)
{
	sigset_t all, before;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before); /* the main thread handles signals */
	r = -pthread_create(&journald->thread, NULL, thread_run, journald);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	journald->running = r == 0;
	return r;
}

/* ---- the sink ---- */

static size_t journald_room(const struct sink *sink)
{
	struct journald *journald = (struct journald *)sink;
	size_t room;

	lock(journald);
	room = HALF_BYTES - journald->filling->end;
	unlock(journald);
	return room;
}

static void journald_write(struct sink *sink, const char *entry, size_t length)
{
	struct journald *journald = (struct journald *)sink;
	struct half *half;

	lock(journald);
	half = journald->filling;
	memcpy(half->buffer + half->end, entry, length);
	half->end += length;
	half->entries++;
	unlock(journald);
	sink->end += length;
}

/* The result of a flush; after -EAGAIN the descriptor can be watched for progress. */
static int journald_state(struct journald *journald)
{
	const uint64_t full = EVENTFD_FULL;

	if (!journald->sink.end)
		return 0;
	if (journald->error)
		journald->again = true;
	if (write(journald->progress_fd, &full, sizeof(full)) < 0 && errno != EAGAIN)
		return -errno;
	return journald->error ?: -EAGAIN;
}

static int journald_flush(struct sink *sink)
{
	struct journald *journald = (struct journald *)sink;
	int r;

	if (!journald->running && !journald->stop && journald->filling->entries) {
		r = thread_start(journald);
		if (r < 0)
			return r == -EAGAIN ? -ENOMEM : r;
	}
	lock(journald);
	sink->end = journald->sending->end - journald->sent + journald->filling->end;
	r = journald_state(journald);
	pthread_cond_signal(&journald->asked);
	unlock(journald);
	return r;
}

static size_t journald_pending(const struct sink *sink)
{
	struct journald *journald = (struct journald *)sink;
	size_t entries;

	lock(journald);
	entries = journald->unsent + journald->filling->entries;
	unlock(journald);
	return entries;
}

static int journald_fd(const struct sink *sink)
{
	return ((const struct journald *)sink)->progress_fd;
}

static void journald_stop(struct sink *sink)
{
	struct journald *journald = (struct journald *)sink;

	if (!journald->running)
		return;
	lock(journald);
	journald->stop = true;
	pthread_cond_signal(&journald->asked);
	unlock(journald);
	pthread_cancel(journald->thread);
	pthread_join(journald->thread, NULL);
	journald->running = false;
}

static void journald_free(struct sink *sink)
{
	struct journald *journald = (struct journald *)sink;

	journald_stop(sink);
	if (journald->progress_fd >= 0)
		close(journald->progress_fd);
	free(journald->filling);
	free(journald->sending);
	free(journald);
}

static const struct sink_ops journald_ops = {
	.room = journald_room,
	.write = journald_write,
	.flush = journald_flush,
	.pending = journald_pending,
	.fd = journald_fd,
	.stop = journald_stop,
	.free = journald_free,
	.timeout_ns = TIMEOUT_NS,
};

int sink_journald_open(const struct sink_spec *spec _unused_, struct maker *maker _unused_,
		       struct sink **ret_sink)
{
	struct journald *journald;

	if (access(JOURNAL_SOCKET, W_OK) < 0)
		return -errno;
	journald = calloc(1, sizeof(*journald));
	if (!journald)
		return -ENOMEM;
	journald->sink.ops = &journald_ops;
	pthread_mutex_init(&journald->mutex, NULL);
	pthread_cond_init(&journald->asked, NULL);
	journald->filling = calloc(1, sizeof(*journald->filling));
	journald->sending = calloc(1, sizeof(*journald->sending));
	journald->progress_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (!journald->filling || !journald->sending || journald->progress_fd < 0) {
		journald_free(&journald->sink);
		return -ENOMEM;
	}
	*ret_sink = &journald->sink;
	return 0;
}
