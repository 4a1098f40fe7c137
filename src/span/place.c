// SPDX-License-Identifier: GPL-3.0-or-later
/* place - where a column stands in OTLP. */
#include "span/place.h"

#include "base/json.h"

static unsigned int slot_of(struct str key)
{
	uint32_t h = (uint32_t)key.len * 0x9e3779b1u;

	if (key.len) {
		h ^= (uint32_t)(uint8_t)key.s[key.len - 1] * 0x85ebca6bu;
		h ^= (uint32_t)(uint8_t)key.s[key.len / 2] * 0xc2b2ae35u;
	}
	return (h >> 15) % PLACE_SLOTS;
}

static struct place place_of(const struct column *c)
{
	static const char resource[] = "@resource:";
	struct str otlp = str_of(c->otlp);

	if (!strcmp(c->name, "attrs"))
		return (struct place){ PLACE_MEMBERS, STR_NULL };
	if (!otlp.len)
		return (struct place){ PLACE_NONE, STR_NULL };
	if (str_is(otlp, "."))
		return (struct place){ PLACE_FIELD, STR_NULL };
	if (str_starts(otlp, resource))
		return (struct place){ PLACE_RESOURCE, str_of(c->otlp + sizeof(resource) - 1) };
	return (struct place){ PLACE_ATTR, otlp };
}

void places_init(struct places *p)
{
	memset(p, 0, sizeof(*p));
	for (unsigned int t = 0; t < TABLE_MAX; t++) {
		for (unsigned int i = 0; i < tables[t].ncolumns && i < PLACE_COLUMNS; i++) {
			struct place *at = &p->at[t][i];
			unsigned int slot;

			*at = place_of(&tables[t].columns[i]);
			if (!at->key.s)
				continue;
			slot = slot_of(at->key);
			while (p->slots[t][slot])
				slot = (slot + 1) % PLACE_SLOTS;
			p->slots[t][slot] = (uint8_t)(i + 1);
		}
	}
}

int place_find(const struct places *p, enum table t, struct str key)
{
	for (unsigned int slot = slot_of(key); p->slots[t][slot]; slot = (slot + 1) % PLACE_SLOTS) {
		unsigned int column = p->slots[t][slot] - 1u;

		if (str_eq(p->at[t][column].key, key))
			return (int)column;
	}
	return -1;
}

const struct place_list place_lists[PLACE_LISTS] = {
	{ "obi.events",
	  "events",
	  11,
	  { { "time_unix_nano", "timeUnixNano", PART_TIME, 1 },
	    { "name", "name", PART_TEXT, 2 },
	    { "attributes", "attributes", PART_ATTRS, 3 },
	    { "dropped_attributes_count", "droppedAttributesCount", PART_COUNT, 4 } } },
	{ "obi.links",
	  "links",
	  13,
	  { { "trace_id", "traceId", PART_ID, 1 },
	    { "span_id", "spanId", PART_ID, 2 },
	    { "trace_state", "traceState", PART_TEXT, 3 },
	    { "attributes", "attributes", PART_ATTRS, 4 },
	    { "dropped_attributes_count", "droppedAttributesCount", PART_COUNT, 5 },
	    { "flags", "flags", PART_BITS, 6 } } },
};

const struct place_part *place_part(const struct place_list *l, struct str key)
{
	for (const struct place_part *p = l->parts; p->key; p++)
		if (str_is(key, p->key))
			return p;
	return NULL;
}

static bool is_list(const struct place_list *l, struct str text)
{
	struct json j = json_of(text);

	if (json_next(&j) != JSON_ARR)
		return false;
	while (json_next(&j) == JSON_OBJ)
		while (json_next(&j) == JSON_KEY)
			if (!place_part(l, j.text) || !json_skip(&j))
				return false;
	return j.tok == JSON_ARR_END;
}

int place_list_find(struct str key, struct str text)
{
	for (int i = 0; i < PLACE_LISTS; i++)
		if (str_is(key, place_lists[i].key))
			return is_list(&place_lists[i], text) ? i : -1;
	return -1;
}
