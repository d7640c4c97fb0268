// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "schema/event.h"

#include <errno.h>

#include "base/util.h"

#define NAME_KEY(name, doc) { #name, doc },
#define NAME_ONE(name, doc) +1
#define NAME_SOURCE_DESC(named, NAMES)                         \
	[names_of_##named] = {                                 \
		.field = #named,                               \
		.index = offsetof(struct event_index, named),  \
		.offset = offsetof(struct event, named),       \
		.size = sizeof(((struct event *)NULL)->named), \
		.key_count = 0 NAMES(NAME_ONE),                \
		.keys = { NAMES(NAME_KEY) },                   \
	},

/* event_named_number() reads no others */
#define NAMED_SIZE_CHECK(named, NAMES)                                                    \
	_Static_assert(sizeof(((struct event *)NULL)->named) == sizeof(uint32_t) ||       \
			       sizeof(((struct event *)NULL)->named) == sizeof(uint64_t), \
		       "a number");
NAMED_FIELDS(NAMED_SIZE_CHECK)

const struct name_source_desc name_source_descs[name_sources] = { NAMED_FIELDS(NAME_SOURCE_DESC) };

/* A function for each event, so that its rows can say RECORD and mean its record. */
#define FIELD_DESC(kind, name, doc) { #name, doc, kind_##kind, offsetof(RECORD, name) },
#define HOOK_DESC(event, part, rung, role, program, blind) \
	{ event_##event, #part, rung, role_##role, #program, blind },
#define DESCRIBE(event_name, FIELDS, HOOKS, event_message_id, event_doc)                  \
	static const struct event_desc *event_name##_desc(void)                           \
	{                                                                                 \
		typedef struct event_name RECORD;                                         \
		static const struct field_desc fields[] = { COMMON_FIELDS(FIELD_DESC)     \
								    FIELDS(FIELD_DESC) }; \
		static const struct hook_desc hooks[] = { HOOKS(HOOK_DESC) };             \
		static const struct event_desc desc = {                                   \
			.name = #event_name,                                              \
			.message_id = event_message_id,                                   \
			.doc = event_doc,                                                 \
			.size = sizeof(RECORD),                                           \
			.field_count = ARRAY_SIZE(fields),                                \
			.fields = fields,                                                 \
			.hook_count = ARRAY_SIZE(hooks),                                  \
			.hooks = hooks,                                                   \
		};                                                                        \
		return &desc;                                                             \
	}
EVENTS(DESCRIBE)

typedef const struct event_desc *(*describe_function)(void);

#define DESCRIBE_ENTRY(name, FIELDS, HOOKS, message_id, doc) [event_##name] = name##_desc,
static const describe_function describe[event_types] = { EVENTS(DESCRIBE_ENTRY) };

const struct event_desc *event_desc(enum event_type type)
{
	return describe[type]();
}

const struct hook_desc *hooks_common(unsigned int *ret_count)
{
	static const struct hook_desc hooks[] = { COMMON_HOOKS(HOOK_DESC) };

	*ret_count = ARRAY_SIZE(hooks);
	return hooks;
}

const char *hook_event_name(const struct hook_desc *hook)
{
	return hook->event == event_none ? "all" : event_desc(hook->event)->name;
}

enum event_type event_by_name(const char *name)
{
	for_each_event_type(type)
		if (!strcmp(event_desc(type)->name, name))
			return type;
	return event_none;
}

int hook_stage(const struct hook_desc *hook)
{
	for (int i = 0; i < ENUM_NUMBERS; i++) {
		const char *text = kind_descs[kind_stage].texts[i];
		size_t length = text ? strlen(text) : 0;

		if (length && !strncmp(hook->part, text, length) &&
		    (!hook->part[length] || hook->part[length] == '_'))
			return i;
	}
	return -ENOENT;
}

bool event_named_number(const struct event *event, enum name_source source, uint64_t *ret_id)
{
	const struct name_source_desc *desc = &name_source_descs[source];
	const char *value = (const char *)event + desc->offset;
	uint64_t has;
	uint32_t small;

	memcpy(&has, (const char *)event + offsetof(struct event_header, has), sizeof(has));
	if (!(has & BIT(desc->index)))
		return false;
	if (desc->size == sizeof(small)) {
		memcpy(&small, value, sizeof(small));
		*ret_id = small;
	} else {
		memcpy(ret_id, value, sizeof(*ret_id));
	}
	return true;
}

/* FNV-1a, 64 bits */
static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t size)
{
	for (const uint8_t *p = bytes; size--; p++)
		hash = (hash ^ *p) * 0x100000001b3;
	return hash;
}

static uint64_t hash_text(uint64_t hash, const char *text)
{
	return hash_bytes(hash, text, strlen(text) + 1);
}

static uint64_t hash_number(uint64_t hash, uint64_t number)
{
	return hash_bytes(hash, &number, sizeof(number));
}

static uint64_t hash_kind(uint64_t hash, const struct kind_desc *kind)
{
	hash = hash_text(hash, kind->name);
	hash = hash_number(hash, kind->size);
	for (unsigned int i = 0; i < ENUM_NUMBERS; i++)
		if (kind->texts[i])
			hash = hash_text(hash_number(hash, i), kind->texts[i]);
	return hash;
}

uint64_t event_fingerprint(void)
{
	uint64_t hash = hash_number(0xcbf29ce484222325, sizeof(struct event_header));

	for_each_event_type(type) {
		const struct event_desc *desc = event_desc(type);

		hash = hash_number(hash_text(hash, desc->name), desc->size);
		for (unsigned int i = 0; i < desc->field_count; i++) {
			const struct field_desc *field = &desc->fields[i];

			hash = hash_number(hash_text(hash, field->name), field->offset);
			hash = hash_kind(hash, &kind_descs[field->kind]);
		}
	}
	for (enum name_source source = 0; source < name_sources; source++) {
		const struct name_source_desc *desc = &name_source_descs[source];

		hash = hash_number(hash_text(hash, desc->field), desc->key_count);
		for (unsigned int i = 0; i < desc->key_count; i++)
			hash = hash_text(hash, desc->keys[i].name);
	}
	return hash;
}

#define CHECK_ENTRY(name, FIELDS, HOOKS, message_id, doc)              \
	[event_##name] = {                                             \
		.fields = BIT(offsetof(struct name##_index, end)) - 1, \
		.size = sizeof(struct name),                           \
	},
const struct event_check event_checks[event_types] = { EVENTS(CHECK_ENTRY) };
