// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "schema/event.h"

#include <errno.h>

#include "base/util.h"

/*
 * One function for each event, so that its rows can use its record as RECORD and its bits as INDEX.
 */
#define FIELD_DESC(kind, name, doc) { #name, doc, kind_##kind, offsetof(RECORD, name) },
#define NAMED_BIT(kind, name, doc) | (KIND_HAS_NAMES(kind_##kind) ? BIT(offsetof(INDEX, name)) : 0)
#define HOOK_DESC(event_name, part_name, rung_, role_name, program_name, blind_, ...) \
	{ .event = event_##event_name,                                                \
	  .part = #part_name,                                                         \
	  .rung = rung_,                                                              \
	  .role = role_##role_name,                                                   \
	  .program = #program_name,                                                   \
	  .blind = blind_,                                                            \
	  __VA_ARGS__ },
#define DESCRIBE(event_name, FIELDS, HOOKS, event_message_id, event_doc)                  \
	static const struct event_desc *event_name##_desc(void)                           \
	{                                                                                 \
		typedef struct event_name RECORD;                                         \
		typedef struct event_name##_index INDEX;                                  \
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
			.named = 0 COMMON_FIELDS(NAMED_BIT) FIELDS(NAMED_BIT),            \
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

const struct field_desc *field_by_name(const struct event_desc *event, const char *name)
{
	for (unsigned int i = 0; i < event->field_count; i++)
		if (!strcmp(event->fields[i].name, name))
			return &event->fields[i];
	return NULL;
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

static const char *event_word(unsigned int number)
{
	return number == event_none ? NULL : event_desc(number)->name;
}

const struct vocabulary event_words = { "event", event_word, event_types, NULL };

#define CHOICE_WORD(event, choice, help)                            \
	static const char *event##_choice_word(unsigned int number) \
	{                                                           \
		return enum_text(kind_##choice, number);            \
	}                                                           \
	_Static_assert((int)choice##_numbers <= 64,                 \
		       #choice ": sets of a choice's values are bits of a u64");
CHOICES(CHOICE_WORD)

#define CHOICE_WORDS(event, choice, help) \
	[event_##event] = { #choice, event##_choice_word, choice##_numbers, NULL },
const struct vocabulary choice_words[event_types] = { CHOICES(CHOICE_WORDS) };

#define NSEC_OF_ns 1
#define NSEC_OF_us NSEC_PER_USEC
#define MEASURE_UNIT(event, unit) [event_##event] = NSEC_OF_##unit,
const uint32_t measure_units_ns[event_types] = { MEASURES(MEASURE_UNIT) };

enum event_type event_by_name(const char *name)
{
	int number = word_number(&event_words, name);

	return number < 0 ? event_none : (enum event_type)number;
}

unsigned int event_named_numbers(const struct event *event,
				 struct named_number ret_numbers[NAMED_NUMBERS_MAX])
{
	const char *record = (const char *)event;
	const struct event_desc *desc;
	struct event_header header;
	unsigned int count = 0;

	memcpy(&header, record, sizeof(header));
	desc = event_desc(header.type);
	for (uint64_t bits = header.has & desc->named; bits; bits &= bits - 1) {
		const struct field_desc *field = &desc->fields[__builtin_ctzll(bits)];
		struct named_number *number = &ret_numbers[count++];
		uint32_t small;

		number->source = KIND_NAMES(field->kind);
		if (kind_descs[field->kind].size == sizeof(small)) {
			memcpy(&small, record + field->offset, sizeof(small));
			number->id = small;
		} else {
			memcpy(&number->id, record + field->offset, sizeof(number->id));
		}
	}
	return count;
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
	hash = hash_text(hash, kind_descs[kind->written].name);
	hash = hash_number(hash, kind->size);
	if (kind->written == kind_named)
		hash = hash_text(hash, kind->name); /* it has no keys that tell it apart */
	for (unsigned int i = 0; i < kind->numbers; i++)
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

		hash = hash_number(hash_text(hash, desc->kind), desc->key_count);
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
