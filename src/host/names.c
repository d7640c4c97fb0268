// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "host/names.h"

#include <errno.h>

#include "base/clock.h"
#include "host/look.h"

#define SET_BITS 9
#define WAYS 8 /* names in a set; a new one replaces the least recently used */
#define NAMES_MAX (WAYS << SET_BITS)

struct name {
	uint64_t id;
	uint64_t used; /* the last look-up, counted; 0: never, so it may be replaced at once */
	struct name_text said; /* text NULL: it has no name, or none is known */
	uint32_t look;	       /* the last complete look of its source that found it */
	uint8_t source;
	uint8_t tries;	/* complete looks that may still find it; 0: no longer awaited */
	uint16_t place; /* of its number among the awaited ones */
	bool in_use;	/* this place is taken */
	bool answered;	/* a caller has got this name, or the answer that there is none */
};

struct names {
	struct names_source *sources[name_sources]; /* NULL: its names are only fed */
	uint32_t looks[name_sources];		    /* complete looks, plus 1 */
	struct name names[1 << SET_BITS][WAYS];
	uint64_t awaited[name_sources][NAMES_MAX]; /* of each source as many as are wanted */
	uint64_t lookups;
	bool changed; /* a name that a caller has already got */
};

_Static_assert(NAMED_NUMBERS_MAX < WAYS, "looking for the names of one event drops none of them");

/* ---- the names that are known ---- */

/* Recordings rely on which names share a set: a reader must forget the same ones as the writer. */
static struct name *set_of(struct names *names, enum name_source source, uint64_t id)
{
	return names->names[(id + source) * 0x9e3779b97f4a7c15 >> (64 - SET_BITS)];
}

static struct name *name_find(struct names *names, enum name_source source, uint64_t id)
{
	struct name *set = set_of(names, source, id);

	for (unsigned int i = 0; i < WAYS; i++)
		if (set[i].in_use && set[i].id == id && set[i].source == source)
			return &set[i];
	return NULL;
}

static void name_await(struct names *names, struct name *name)
{
	struct names_source *source = names->sources[name->source];
	uint64_t *awaited = names->awaited[name->source];

	/* a look that is midway may have been there already */
	name->tries = (uint8_t)(source->tries + source->midway);
	name->place = (uint16_t)source->wanted;
	awaited[source->wanted++] = name->id;
	source->awaited = awaited;
}

/* Its place among the awaited numbers is taken by the last of them. */
static void name_wait_no_more(struct names *names, struct name *name)
{
	uint64_t *awaited = names->awaited[name->source];

	if (!name->tries)
		return;
	awaited[name->place] = awaited[--names->sources[name->source]->wanted];
	name_find(names, name->source, awaited[name->place])->place = name->place;
	name->tries = 0;
}

static void name_drop(struct names *names, struct name *name)
{
	name_wait_no_more(names, name);
	names->changed |= name->answered && name->said.text;
	free(name->said.text);
	*name = (struct name){};
}

/*
 * A new name, replacing the least recently used one of its set; with `gently`, only an unused one.
 */
static struct name *name_add(struct names *names, enum name_source source, uint64_t id, bool gently)
{
	struct name *set = set_of(names, source, id), *oldest = &set[0];

	for (unsigned int i = 1; i < WAYS && oldest->in_use; i++)
		if (!set[i].in_use || set[i].used < oldest->used)
			oldest = &set[i];
	if (gently && oldest->in_use && oldest->used)
		return NULL;
	name_drop(names, oldest);
	oldest->in_use = true;
	oldest->id = id;
	oldest->source = (uint8_t)source;
	return oldest;
}

/* Takes the text, behind which is as much room again; NULL: none. */
static void said_make(struct name_text *said, enum name_source kind,
		      const struct names_source *source, char *text)
{
	const struct name_source_desc *desc = &name_source_descs[kind];

	*said = (struct name_text){ .text = text };
	if (!text)
		return;
	said->plain = text_is_plain(text, strlen(text));
	said->parts[0] = (struct text_part){ text, strlen(text) };
	if (source && source->parts)
		source->parts(text, text + strlen(text) + 1, said->parts);
	for (unsigned int i = 0; i < desc->key_count; i++)
		if (said->parts[i].length > desc->keys[i].text_max)
			said->parts[i].length = 0;
}

/* `text` NULL: it has no name. */
static int name_set(struct names *names, struct name *name, const char *text)
{
	char *copy = NULL;

	if (text == name->said.text || (text && name->said.text && !strcmp(text, name->said.text)))
		return 0;
	if (text) {
		copy = malloc(2 * strlen(text) + 1);
		if (!copy)
			return -ENOMEM;
		strcpy(copy, text);
	}
	name_wait_no_more(names, name);
	free(name->said.text);
	said_make(&name->said, name->source, names->sources[name->source], copy);
	names->changed |= name->answered;
	return 0;
}

/* ---- looking ---- */

bool names_look(struct names_source *source, struct look *look, void (*work)(struct look *look),
		uint64_t now_ns, const uint64_t *id, names_found *found, void *context)
{
	if (!source->midway)
		source->midway = source->wanted && look_is_due(look, now_ns) &&
				 look_begin(look, work, source, source->awaited, source->wanted,
					    now_ns) == 0;
	if (!source->midway)
		return false;
	if (id)
		look_wait(look);
	source->midway = !look_take(look, now_ns, found, context);
	return !source->midway && !look->error; /* a complete look */
}

struct looking {
	struct names *names;
	enum name_source source;
};

static void on_found(void *context, uint64_t id, const char *text)
{
	const struct looking *looking = context;
	struct names *names = looking->names;
	struct name *name;

	if (strlen(text) > name_source_descs[looking->source].text_max)
		return;
	name = name_find(names, looking->source, id) ?: name_add(names, looking->source, id, true);
	if (!name || name->look == names->looks[looking->source])
		return; /* if one look finds several names for a number, the first is kept */
	if (name_set(names, name, text) == 0)
		name->look = names->looks[looking->source];
}

/* Awaited numbers that a complete look has not found are awaited for one look less. */
static void on_whole_look(struct names *names, enum name_source kind)
{
	const struct names_source *source = names->sources[kind];

	for (size_t i = 0; i < 1 << SET_BITS && (source->wanted || !source->lasting); i++) {
		for (unsigned int k = 0; k < WAYS; k++) {
			struct name *name = &names->names[i][k];

			if (!name->in_use || name->source != kind)
				continue;
			if (name->tries == 1)
				name_wait_no_more(names, name);
			else if (name->tries)
				name->tries--;
			if (!source->lasting && name->look != names->looks[kind])
				name_set(names, name, NULL);
		}
	}
	names->looks[kind]++;
}

/* `id`: see struct names_source. */
static void source_look(struct names *names, enum name_source kind, uint64_t now_ns,
			const uint64_t *id)
{
	struct names_source *source = names->sources[kind];
	struct looking looking = { names, kind };

	if (source && source->look && source->look(source, now_ns, id, on_found, &looking))
		on_whole_look(names, kind);
}

static struct name *name_want(struct names *names, enum name_source kind, uint64_t id)
{
	struct name *name = name_add(names, kind, id, false);
	struct names_source *source = names->sources[kind];
	bool midway;

	name->used = ++names->lookups; /* so that names found during the look do not replace it */
	if (source && source->tries)
		name_await(names, name);
	if (!source || !source->look)
		return name;
	midway = source->midway;
	source_look(names, kind, clock_boot_ns(), &id);
	if (midway && !source->midway && name->tries) /* that look was not for this number */
		source_look(names, kind, clock_boot_ns(), &id);
	return name;
}

/* ---- the whole ---- */

int names_new(const struct names_config *config, struct names **ret_names)
{
	_cleanup_(names_freep) struct names *names = calloc(1, sizeof(*names));
	int r;

	if (!names)
		return -ENOMEM;
	for (enum name_source source = 0; source < name_sources; source++)
		names->looks[source] = 1;
	r = names_cgroup_new(config->cgroup_root ?: "", &names->sources[names_of_cgroup_id]);
	if (r < 0)
		return r;
	r = names_netns_new(config->netns_directory ?: "", &names->sources[names_of_netns]);
	if (r < 0)
		return r;
	r = names_process_new(config->processes ?: "", &names->sources[names_of_process]);
	if (r < 0)
		return r;
	names_refresh(names, clock_boot_ns());
	*ret_names = names;
	names = NULL;
	return 0;
}

static void source_free(struct names_source *source)
{
	if (source && source->free)
		source->free(source);
}

void names_set_source(struct names *names, enum name_source kind, struct names_source *source)
{
	for (size_t i = 0; i < 1 << SET_BITS; i++)
		for (unsigned int k = 0; k < WAYS; k++)
			if (names->names[i][k].in_use && names->names[i][k].source == kind)
				name_drop(names, &names->names[i][k]);
	source_free(names->sources[kind]);
	names->sources[kind] = source;
}

void names_clear(struct names *names)
{
	for (size_t i = 0; i < 1 << SET_BITS; i++)
		for (unsigned int k = 0; k < WAYS; k++)
			if (names->names[i][k].in_use)
				name_drop(names, &names->names[i][k]);
}

void names_free(struct names *names)
{
	if (!names)
		return;
	names_clear(names);
	for (enum name_source source = 0; source < name_sources; source++)
		source_free(names->sources[source]);
	free(names);
}

/* The name for a caller, marked as answered. */
static struct name *name_answer(struct names *names, enum name_source source, uint64_t id)
{
	struct name *name = name_find(names, source, id) ?: name_want(names, source, id);

	name->used = ++names->lookups;
	name->answered = true;
	return name;
}

const struct name_text *names_text(struct names *names, enum name_source source, uint64_t id)
{
	const struct name *name = name_answer(names, source, id);

	return name->said.text ? &name->said : NULL;
}

/*
 * Look up all numbers first, since that may find or replace other names, and then read the names.
 */
void names_of(struct names *names, const struct event *event,
	      const char *ret_texts[NAMED_NUMBERS_MAX])
{
	struct named_number numbers[NAMED_NUMBERS_MAX];
	const struct name *found[NAMED_NUMBERS_MAX];
	unsigned int count = event_named_numbers(event, numbers);

	for (unsigned int i = 0; i < count; i++)
		found[i] = name_answer(names, numbers[i].source, numbers[i].id);
	for (unsigned int i = 0; i < count; i++)
		ret_texts[i] = found[i]->said.text;
}

bool names_changed(struct names *names)
{
	bool changed = names->changed;

	names->changed = false;
	return changed;
}

bool names_refresh(struct names *names, uint64_t now_ns)
{
	for (enum name_source source = 0; source < name_sources; source++)
		source_look(names, source, now_ns, NULL);
	return names_changed(names);
}

int names_feed(struct names *names, enum name_source source, uint64_t id, const char *text)
{
	struct name *name;

	if (text && strlen(text) > name_source_descs[source].text_max)
		return -E2BIG;
	name = name_find(names, source, id) ?: name_add(names, source, id, false);
	name->used = ++names->lookups; /* it will be asked for next, so it must not be replaced */
	return name_set(names, name, text && *text ? text : NULL);
}
