// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "host/look.h"

#include <errno.h>
#include <time.h>

#include "base/util.h"

#define SHARE 50 /* looking, and waiting for it, take one part each of so many of the time */
#define AT_ONCE_NS (20 * NSEC_PER_MSEC)	 /* of that, after a time without */
#define TAKEN_AT_ONCE 128		 /* findings */
#define PATIENCE_NS (10 * NSEC_PER_MSEC) /* a quarter of the ring, at 200 bytes a us */

static int id_compare(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Those that are awaited are handed over first. */
static void awaited_first(struct look *look)
{
	for (size_t i = 0, first = 0; i < look->count; i++) {
		const struct look_finding finding = look->findings[i];

		if (!look_is_for(look, finding.id))
			continue;
		look->findings[i] = look->findings[first];
		look->findings[first++] = finding;
	}
}

static void *look_run(void *context)
{
	struct look *look = context;
	struct timespec cpu = {};

	if (look->id_count)
		qsort(look->ids, look->id_count, sizeof(*look->ids), id_compare);
	look->work(look);
	awaited_first(look);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu);
	look->cpu_ns = (uint64_t)cpu.tv_sec * NSEC_PER_SEC + (uint64_t)cpu.tv_nsec;
	sem_post(&look->over);
	return NULL;
}

static void look_clear(struct look *look)
{
	for (size_t i = look->taken; i < look->count; i++)
		free(look->findings[i].text);
	free(look->findings);
	free(look->ids);
	sem_destroy(&look->over);
	*look = (struct look){ .error = look->error,
			       .next_look = look->next_look,
			       .next_wait = look->next_wait };
}

/* When the next one may begin, after so much has been spent. */
static void next_set(uint64_t *next, uint64_t now_ns, uint64_t spent_ns)
{
	const uint64_t least = now_ns > SHARE * AT_ONCE_NS ? now_ns - SHARE * AT_ONCE_NS : 0;

	*next = (*next > least ? *next : least) + SHARE * spent_ns;
}

bool look_is_due(const struct look *look, uint64_t now_ns)
{
	return now_ns >= look->next_look;
}

int look_begin(struct look *look, void (*work)(struct look *look), void *context,
	       const uint64_t *ids, size_t id_count, uint64_t now_ns)
{
	int r;

	*look = (struct look){ .work = work,
			       .context = context,
			       .id_count = id_count,
			       .next_look = look->next_look,
			       .next_wait = look->next_wait };
	sem_init(&look->over, 0, 0);
	look->ids = malloc((id_count ?: 1) * sizeof(*ids));
	if (look->ids && id_count)
		memcpy(look->ids, ids, id_count * sizeof(*ids));
	r = look->ids ? -pthread_create(&look->thread, NULL, look_run, look) : -ENOMEM;
	look->begun = r == 0;
	if (r < 0) {
		look_clear(look);
		look->next_look = now_ns + NSEC_PER_SEC;
	}
	return r;
}

bool look_is_for(const struct look *look, uint64_t id)
{
	return look->id_count &&
	       bsearch(&id, look->ids, look->id_count, sizeof(id), id_compare) != NULL;
}

bool look_is_stopped(const struct look *look)
{
	return __atomic_load_n(&look->stop, __ATOMIC_RELAXED);
}

/* If there is no memory for one, the look is not complete, and those not found may be there. */
void look_add(struct look *look, uint64_t id, const char *text)
{
	char *copy = strdup(text);

	if (copy && look->count == look->room) {
		const size_t room = 2 * look->room + 16;
		struct look_finding *more =
			reallocarray(look->findings, room, sizeof(*look->findings));

		if (more) {
			look->findings = more;
			look->room = room;
		}
	}
	if (!copy || look->count == look->room) {
		free(copy);
		look->error = -ENOMEM;
		return;
	}
	look->findings[look->count++] = (struct look_finding){ id, copy };
}

static uint64_t monotonic_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * NSEC_PER_SEC + (uint64_t)time.tv_nsec;
}

static bool is_over(struct look *look)
{
	look->seen_over |= sem_trywait(&look->over) == 0;
	return look->seen_over;
}

void look_wait(struct look *look)
{
	const uint64_t begun = monotonic_ns(), until = begun + PATIENCE_NS;
	const struct timespec limit = { .tv_sec = (time_t)(until / NSEC_PER_SEC),
					.tv_nsec = (long)(until % NSEC_PER_SEC) };

	if (!look->begun || is_over(look) || begun < look->next_wait)
		return;
	look->seen_over = sem_clockwait(&look->over, CLOCK_MONOTONIC, &limit) == 0;
	next_set(&look->next_wait, begun, monotonic_ns() - begun);
}

bool look_take(struct look *look, uint64_t now_ns,
	       void (*found)(void *context, uint64_t id, const char *text), void *context)
{
	if (!look->begun || !is_over(look))
		return false;
	for (int i = 0; i < TAKEN_AT_ONCE && look->taken < look->count; i++) {
		const struct look_finding *finding = &look->findings[look->taken++];

		found(context, finding->id, finding->text);
		free(finding->text);
	}
	if (look->taken < look->count)
		return false;
	pthread_join(look->thread, NULL); /* it is about to return */
	next_set(&look->next_look, now_ns, look->cpu_ns);
	if (look->error)
		look->next_look = now_ns + NSEC_PER_SEC;
	look_clear(look);
	return true;
}

void look_end(struct look *look)
{
	if (!look->begun)
		return;
	__atomic_store_n(&look->stop, true, __ATOMIC_RELAXED);
	pthread_join(look->thread, NULL);
	look_clear(look);
}
