// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "line/writer.h"

#include <errno.h>

#include "line/format.h"

/* ---- prepared at the start ---- */

static const struct format *const all_formats[] = {
#define FORMAT_ENTRY(name, doc) [format_##name] = &format_##name##_rows,
	FORMATS(FORMAT_ENTRY)
};

const struct format *format_of(enum format_id id)
{
	return all_formats[id];
}

const char *format_key(const struct format *format, const char *name, char key[LEAD_BYTES])
{
	for (unsigned int i = 0; i < format->rename_count; i++)
		if (!strcmp(format->renames[i].field, name))
			return format->renames[i].key;
	snprintf(key, LEAD_BYTES, "%s%s", format->prefix, name);
	return key;
}

bool rename_concerns(const struct rename *rename, const struct event_desc *event,
		     const struct field_desc *field)
{
	return !strcmp(rename->field, field->name) &&
	       (!rename->event || !strcmp(rename->event, event->name)) &&
	       (!rename->where || field_by_name(event, rename->where));
}

/* Make `,"key":`, and the quote of a string. -E2BIG. */
static int lead_make(struct lead *lead, const char *key, bool number)
{
	int length =
		snprintf(lead->text, sizeof(lead->text), ",\"%s\":%s", key, number ? "" : "\"");

	lead->length = (size_t)length;
	return (size_t)length < sizeof(lead->text) ? 0 : -E2BIG;
}

static enum step_how step_how(const struct step *step, const struct step *before)
{
	if (step->put)
		return STEP_PUT;
	if (KIND_HAS_NAMES(step->kind))
		return STEP_NAMED;
	/* which is only as good where both are written together */
	return before && before->own == step->own && before->how != STEP_PUT &&
			       before->looked_at == step->looked_at && !before->conditional &&
			       !step->conditional ?
		       STEP_AGAIN :
		       STEP_KIND;
}

static int step_add(struct steps *steps, const struct event_desc *event,
		    const struct field_desc *field, const char *key, const struct rename *rename)
{
	static const struct rename none;
	const unsigned int bit = (unsigned int)(field - event->fields);
	struct step *step = &steps->of[steps->count++];
	const struct field_desc *other;
	int is = 0;

	rename = rename ?: &none;
	*step = (struct step){
		.has = BIT(bit),
		.own = BIT(bit),
		.put = rename->put,
		.offset = field->offset,
		.kind = (uint8_t)field->kind,
		.otherwise = rename->otherwise,
		.conditional = rename->otherwise || rename->where,
		.number = rename->put ? rename->number : kind_descs[field->kind].number,
		.text_max = rename->put ? rename->text_max : kind_descs[field->kind].text_max,
	};
	if (rename->where) {
		other = field_by_name(event, rename->where);
		is = enum_by_text(other->kind, rename->is);
		step->has |= BIT(other - event->fields);
		step->where_offset = other->offset;
		step->is = (uint8_t)is;
	}
	other = rename->lacks ? field_by_name(event, rename->lacks) : NULL;
	step->looked_at = step->has | (other ? BIT(other - event->fields) : 0);
	step->how = step_how(step, steps->count > 1 ? step - 1 : NULL);
	if (BIT(bit) & FLOW_MASK)
		steps->flow = steps->count;
	return is < 0 ? -EINVAL : lead_make(&step->lead, key, step->number);
}

static int steps_make(struct steps *steps, const struct format *format,
		      const struct event_desc *event)
{
	char key[LEAD_BYTES];
	int r = 0;

	steps->of = calloc((size_t)event->field_count + format->rename_count, sizeof(*steps->of));
	if (!steps->of)
		return -ENOMEM;
	for (unsigned int i = 0; !r && i < event->field_count; i++) {
		const struct field_desc *field = &event->fields[i];
		bool renamed = false;

		for (unsigned int k = 0; !r && k < format->rename_count; k++) {
			const struct rename *rename = &format->renames[k];

			if (!rename_concerns(rename, event, field))
				continue;
			r = step_add(steps, event, field, rename->key, rename);
			renamed = true;
		}
		if (!renamed)
			r = step_add(steps, event, field, format_key(format, field->name, key),
				     NULL);
	}
	return r;
}

static int names_leads_make(struct writer *writer)
{
	char key[LEAD_BYTES];
	int r = 0;

	for (enum name_source source = 0; source < name_sources; source++) {
		const struct name_source_desc *desc = &name_source_descs[source];

		for (unsigned int i = 0; !r && i < desc->key_count; i++)
			r = lead_make(&writer->names_leads[source][i],
				      format_key(writer->format, desc->keys[i].name, key), false);
	}
	return r;
}

void constant_add(struct constants *constants, const char *key, const char *json, ...)
{
	struct constant *constant = &constants->of[constants->count];
	va_list arguments;
	int length;

	constants->full |= constants->count == ARRAY_SIZE(constants->of);
	if (constants->full)
		return;
	va_start(arguments, json);
	length = vsnprintf(constant->json, sizeof(constant->json), json, arguments);
	va_end(arguments);
	constant->key = key;
	constants->full |= length < 0 || (size_t)length >= sizeof(constant->json);
	constants->count++;
}

/* The quote ends the timestamp. */
static int prologue_make(struct prologue *prologue, const struct format *format, const char *name)
{
	const size_t size = sizeof(prologue->text);
	struct constants constants = {};
	size_t length = (size_t)snprintf(prologue->text, size, "\"");

	format->constants(name, &constants);
	for (unsigned int i = 0; i < constants.count && length < size; i++)
		length += (size_t)snprintf(prologue->text + length, size - length, ",\"%s\":%s",
					   constants.of[i].key, constants.of[i].json);
	if (length < size)
		length += (size_t)snprintf(prologue->text + length, size - length,
					   ",\"%s\":", format->seq);
	prologue->length = length;
	return length < size && !constants.full ? 0 : -E2BIG;
}

/* The longest text of the keys of a named kind; see NAMED_ROOM. */
static size_t names_room(const struct writer *writer, enum kind kind)
{
	const struct name_source_desc *desc;
	size_t room = 0;

	if (!KIND_HAS_NAMES(kind))
		return 0;
	desc = &name_source_descs[KIND_NAMES(kind)];
	for (unsigned int i = 0; i < desc->key_count; i++)
		room += writer->names_leads[KIND_NAMES(kind)][i].length + 1 +
			JSON_TEXT_MAX(desc->keys[i].text_max);
	return room;
}

size_t writer_line_max(const struct writer *writer)
{
	size_t longest = 0;

	for_each_event_type(type) {
		const struct steps *steps = &writer->steps[type];
		size_t length = writer->head.length + TIMESTAMP_TEXT_MAX +
				writer->prologues[type].length + U64_TEXT_MAX +
				sizeof(writer->hostname) + sizeof("}\n") - 1;

		for (unsigned int i = 0; i < steps->count; i++) {
			const struct step *step = &steps->of[i];

			length += step->lead.length + !step->number + step->text_max +
				  names_room(writer, step->kind);
		}
		if (length > longest)
			longest = length;
	}
	return longest + LINE_SLACK;
}

int writer_new(enum format_id id, struct writer **ret_writer)
{
	_cleanup_(writer_freep) struct writer *writer = calloc(1, sizeof(*writer));
	int r = 0;

	if (!writer)
		return -ENOMEM;
	writer->format = format_of(id);
	if (strlen(writer->format->timestamp) + strlen("{\"\":\"") > HEAD_BYTES ||
	    strlen(writer->format->hostname) >= LEAD_BYTES)
		return -E2BIG;
	writer->head.length = (size_t)snprintf(writer->head.text, sizeof(writer->head.text),
					       "{\"%s\":\"", writer->format->timestamp);
	for_each_event_type(type)
		r = r ?:
			    prologue_make(&writer->prologues[type], writer->format, event_desc(type)->name) ?:
			    steps_make(&writer->steps[type], writer->format, event_desc(type));
	r = r ?: names_leads_make(writer);
	if (!r && writer_line_max(writer) > LINE_MAX_BYTES)
		r = -E2BIG;
	if (r < 0)
		return r;
	writer_set_hostname(writer, "");
	*ret_writer = writer;
	writer = NULL;
	return 0;
}

void writer_free(struct writer *writer)
{
	if (!writer)
		return;
	for_each_event_type(type)
		free(writer->steps[type].of);
	free(writer);
}

void writer_set_hostname(struct writer *writer, const char *hostname)
{
	char *p = writer->hostname;

	p += sprintf(p, ",\"%s\":\"", writer->format->hostname);
	p = put_json_string(p, hostname, HOST_NAME_MAX);
	*p++ = '"';
	writer->hostname_length = (size_t)(p - writer->hostname);
	writer_forget(writer);
}

void writer_set_names(struct writer *writer, struct names *names)
{
	writer->names = names;
	writer_forget(writer);
}

void writer_forget(struct writer *writer)
{
	flow_forget(&writer->flows);
}

/* ---- the walk ---- */

static char *put_name_part(char *p, const struct lead *lead, const struct name_text *name,
			   unsigned int i)
{
	const struct text_part *part = &name->parts[i];

	if (!part->length)
		return p;
	memcpy(p, lead->text, sizeof(lead->text));
	p += lead->length;
	p = name->plain ? mempcpy(p, part->start, part->length) :
			  put_json_string(p, part->start, part->length);
	*p++ = '"';
	return p;
}

char *put_name_keys(const struct writer *writer, char *p, enum name_source source,
		    const struct name_text *name, unsigned int first, unsigned int last)
{
	const struct lead *leads = writer->names_leads[source];

	for (unsigned int i = first; i < last && i < name_source_descs[source].key_count; i++)
		p = put_name_part(p, &leads[i], name, i);
	return p;
}

/* Write a field whose kind has names: its value, and the keys of its name. */
static __attribute__((noinline)) char *put_named(const struct writer *writer,
						 const struct step *step, char *p,
						 const void *value, uint64_t has)
{
	return put_value(writer, p, step->lead.length, step->kind, value, 0, has);
}

/* Of a step that has more to ask. `written`: fields that are in the line already, as bits. */
static __attribute__((noinline)) bool step_refuses(const struct step *step,
						   const struct event *event, uint64_t written)
{
	if (step->otherwise && written & step->own)
		return true;
	return step->where_offset && ((const uint8_t *)event)[step->where_offset] != step->is;
}

/*
 * `again`: there may be steps of STEP_AGAIN, for which the last value's length is kept; the fields
 * of a flow have some, which take longest to be made.
 */
static __always_inline char *walk(const struct writer *writer, char *p, const struct event *event,
				  const struct step *step, const struct step *last,
				  const bool again)
{
	uint64_t written = 0;
	size_t length = 0; /* of the last value, which ends at `p` */

	for (; step < last; step++) {
		const void *value = (const char *)event + step->offset;
		char *start = p + step->lead.length, *end;

		if ((event->header.has & step->looked_at) != step->has ||
		    (step->conditional && step_refuses(step, event, written)))
			continue;
		written |= step->own;
		memcpy(p, step->lead.text, sizeof(step->lead.text));
		if (step->how == STEP_NAMED)
			end = put_named(writer, step, p, value, event->header.has);
		else if (step->how == STEP_PUT)
			end = step->put(start, value);
		else if (again && step->how == STEP_AGAIN && length)
			end = mempcpy(start, p - length, length);
		else
			end = kind_put(start, step->kind, value, event->ip_version);
		if (again)
			length = end && step->how != STEP_NAMED ? (size_t)(end - start) : 0;
		if (end) /* else what comes next is written over the key */
			p = end;
	}
	return p;
}

static char *walk_flow(const struct writer *writer, char *p, const struct event *event)
{
	const struct steps *steps = &writer->steps[event->header.type];

	return walk(writer, p, event, steps->of, steps->of + steps->flow, true);
}

static char *walk_own(const struct writer *writer, char *p, const struct event *event)
{
	const struct steps *steps = &writer->steps[event->header.type];

	return walk(writer, p, event, steps->of + steps->flow, steps->of + steps->count, false);
}

/* ---- lines ---- */

char *flow_render(struct writer *writer, char *line, const struct event *event, uint64_t mixed,
		  put_function *put)
{
	char *p = mempcpy(line, writer->hostname, writer->hostname_length);

	p = put(writer, p, event);
	flow_keep(&writer->flows, event, mixed, line, (size_t)(p - line));
	return p;
}

size_t writer_walk(struct writer *writer, const struct item *item, char *p)
{
	return line_put(writer, item, p, walk_flow, walk_own);
}

size_t writer_line(struct writer *writer, const struct item *item, char *p)
{
	const struct format *format = writer->format;

	if (!item->event)
		return control_line_put(format, item->control, p, LINE_MAX_BYTES);
	return format->line ? format->line(writer, item, p) : writer_walk(writer, item, p);
}
