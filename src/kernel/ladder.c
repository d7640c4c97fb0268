// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "kernel/ladder.h"

#include "base/util.h"

void hook_fail(struct probe_hook *hook, int error, const char *words)
{
	const char *text = strerror(-error);
	bool more = words && words[0] && !strstr(words, text);

	hook->error = error;
	if (hook_absent(hook)) {
		text = "not in this kernel";
		more = false;
	}
	free(hook->reason);
	if (asprintf(&hook->reason, "%s%s%s", text, more ? ": " : "", more ? words : "") < 0)
		hook->reason = NULL;
	if (!hook->reason)
		return;
	hook->reason[strcspn(hook->reason, "\n")] = 0;
	if (strlen(hook->reason) >= PROBE_REASON_MAX)
		strcpy(hook->reason + PROBE_REASON_MAX - sizeof("..."), "...");
}

/*
 * The values of the event's choice that need the hook, as bits. 0: all values, or it has no choice.
 */
static uint64_t hook_values(const struct hook_desc *desc)
{
	return desc->needed_by | (desc->value ? BIT(desc->value) : 0);
}

static bool hook_wanted(const struct probe_settings *settings, const struct hook_desc *desc)
{
	const uint64_t values = hook_values(desc);

	if (desc->event == event_none)
		return settings->events.bits != 0;
	if (!(settings->events.bits & BIT(desc->event)))
		return false;
	return !values || settings->choices[desc->event].bits & values;
}

bool ladder_makes_lines(const struct ladder *ladder, const struct probe_hook *hook)
{
	const struct hook_desc *desc = hook->desc;

	return desc->role == role_lines &&
	       (!desc->value || ladder->choices[desc->event] & BIT(desc->value));
}

static bool same_part(const struct hook_desc *a, const struct hook_desc *b)
{
	return a->event == b->event && !strcmp(a->part, b->part);
}

/* Can every hook of this hook's rung be used? */
static bool rung_stands(const struct ladder *ladder, const struct hook_desc *desc)
{
	for (unsigned int i = 0; i < ladder->hook_count; i++) {
		const struct probe_hook *hook = &ladder->hooks[i];

		if (same_part(hook->desc, desc) && hook->desc->rung == desc->rung &&
		    hook->desc->role != role_extra && hook->error)
			return false;
	}
	return true;
}

/* The rung that serves the part: the first that can be used; 0: none. */
static unsigned int rung_of_part(const struct ladder *ladder, const struct hook_desc *part)
{
	unsigned int best = 0;

	for (unsigned int i = 0; i < ladder->hook_count; i++) {
		const struct hook_desc *desc = ladder->hooks[i].desc;

		if (same_part(desc, part) && (!best || desc->rung < best) &&
		    rung_stands(ladder, desc))
			best = desc->rung;
	}
	return best;
}

bool hook_in_use(const struct ladder *ladder, const struct probe_hook *hook)
{
	return !hook->error && hook->desc->rung == rung_of_part(ladder, hook->desc);
}

/* Does the part make lines by itself? If not, the event's other parts depend on it. */
static bool part_has_lines(const struct ladder *ladder, const struct hook_desc *part)
{
	for (unsigned int i = 0; i < ladder->hook_count; i++) {
		const struct hook_desc *desc = ladder->hooks[i].desc;

		if (same_part(desc, part) && desc->role == role_lines)
			return true;
	}
	return false;
}

/*
 * An event is served if one of its line-making parts is, and all parts that others depend on are.
 * Hooks of an event that is not served would work for nothing, so they are put on standby.
 */
void ladder_settle(struct ladder *ladder)
{
	uint64_t served = 0, broken = 0, useful;

	for (unsigned int i = 0; i < ladder->hook_count; i++) {
		struct probe_hook *hook = &ladder->hooks[i];

		hook->served = rung_of_part(ladder, hook->desc);
		hook->standby = !hook->error && !hook_in_use(ladder, hook);
		if (hook->served && hook->desc->role == role_lines)
			served |= BIT(hook->desc->event);
		if (!hook->served && hook->desc->role == role_required &&
		    !part_has_lines(ladder, hook->desc))
			broken |= BIT(hook->desc->event);
	}
	ladder->events = served & ~broken;
	/* hooks for all events are useful while there is any event */
	useful = ladder->events | (ladder->events ? BIT(event_none) : 0);
	for (unsigned int i = 0; i < ladder->hook_count; i++) {
		struct probe_hook *hook = &ladder->hooks[i];

		if (hook_at_work(hook) && !(useful & BIT(hook->desc->event)))
			hook_fail(hook, -ECANCELED, "useless without the event's other hooks");
	}
}

void ladder_init(struct ladder *ladder, const struct probe_settings *settings)
{
	*ladder = (struct ladder){};
	for_each_event_type(type)
		ladder->choices[type] = settings->choices[type].bits;
}

void ladder_add(struct ladder *ladder, const struct probe_settings *settings,
		const struct hook_desc *hooks, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		if (hook_wanted(settings, &hooks[i]))
			ladder->hooks[ladder->hook_count++].desc = &hooks[i];
}

void ladder_add_all(struct ladder *ladder, const struct probe_settings *settings)
{
	const struct hook_desc *common;
	unsigned int count;

	for_each_event_type(type)
		ladder_add(ladder, settings, event_desc(type)->hooks, event_desc(type)->hook_count);
	common = hooks_common(&count);
	ladder_add(ladder, settings, common, count);
}

void ladder_done(struct ladder *ladder)
{
	for (unsigned int i = 0; i < ladder->hook_count; i++)
		free(ladder->hooks[i].reason);
	*ladder = (struct ladder){};
}
