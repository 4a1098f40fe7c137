// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * redis_text - the commands of Redis by name, and a command as text in which
 * keys and fields stay and values are ?.
 *
 * Runs for every command of a pipeline: one search in a sorted table, one pass
 * over the arguments that are shown.
 */
#include "proto/redis.h"

static const struct redis_command commands[] = {
#define REDIS_COMMAND(name, shape, n, act) { name, REDIS_##shape, n, REDIS_##act },
#include "proto/redis_commands.def"
#undef REDIS_COMMAND
};

enum { NCOMMANDS = sizeof(commands) / sizeof(*commands), SHOWN_MAX = 128 };

static const struct redis_command unknown = { "", REDIS_FIRST, 1, REDIS_PLAIN };

/* ----- by name ----- */

static inline uint64_t word(const char *s)
{
	uint64_t w;

	memcpy(&w, s, sizeof(w));
	return __builtin_bswap64(w); /* so that numbers compare as the text does */
}

static bool not_after(const char *a, const char *b)
{
	uint64_t x = word(a), y = word(b);

	return x != y ? x < y : memcmp(a + 8, b + 8, REDIS_NAME - 8) <= 0;
}

static char upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c & ~0x20) : c;
}

static const struct redis_command *find(const char name[REDIS_NAME])
{
	size_t at = 0;

	for (size_t n = NCOMMANDS; n > 1; n -= n / 2)
		at += not_after(commands[at + n / 2].name, name) ? n / 2 : 0;
	return memcmp(commands[at].name, name, REDIS_NAME) ? NULL : &commands[at];
}

const struct redis_command *redis_text_find(struct str name)
{
	char padded[REDIS_NAME] = "";

	if (name.len >= REDIS_NAME)
		return NULL;
	for (size_t i = 0; i < name.len; i++)
		padded[i] = upper(name.s[i]);
	return find(padded);
}

/* ----- the text ----- */

struct out {
	char *p, *end;
	bool full;
};

static void add(struct out *o, const char *s, size_t n)
{
	if (o->full || n > (size_t)(o->end - o->p)) {
		o->full = true;
		return;
	}
	memcpy(o->p, s, n);
	o->p += n;
}

/* Whether argument i (from 0, the name and its second word not counted) is shown. */
static bool shown(unsigned int shape, unsigned int n, unsigned int i, uint64_t keys)
{
	switch (shape) {
	case REDIS_ALL:
	case REDIS_SUB_ALL:
		return true;
	case REDIS_BUT:
		return i != n;
	case REDIS_PAIRS:
	case REDIS_SUB_PAIRS:
		return i < n || (i - n) % 2 == 0;
	case REDIS_SCRIPT:
		return i && i < 2 + keys;
	case REDIS_SHA:
		return i < 2 + keys;
	default:
		return i < n;
	}
}

static void add_arg(struct out *o, const struct redis_arg *a, bool show)
{
	if (!show) {
		add(o, " ?", 2);
		return;
	}
	add(o, " ", 1);
	add(o, a->s, a->len < SHOWN_MAX ? a->len : SHOWN_MAX);
	if (a->cut || a->len > SHOWN_MAX)
		add(o, "...", 3);
}

/* Names are letters, digits, and what modules put between them; anything else is no name. */
static void add_name(struct out *o, const struct redis_arg *a)
{
	if (!a->len || a->len > 40 || a->cut) {
		add(o, "_OTHER", 6);
		return;
	}
	for (size_t i = 0; i < a->len; i++) {
		char c = upper(a->s[i]);

		if (c <= ' ' || c > '~' || c == '"' || c == '?') {
			add(o, "_OTHER", 6);
			return;
		}
	}
	for (size_t i = 0; i < a->len; i++)
		*o->p++ = upper(a->s[i]);
}

static uint64_t number_of_keys(const struct redis_words *w)
{
	struct str s = { w->arg[2].s, w->arg[2].len };
	uint64_t n;

	return w->n > 2 && str_u64(s, &n) && n < REDIS_ARGS ? n : 0;
}

const struct redis_command *redis_text_of(struct redis *s, const struct redis_words *w,
                                          struct msg *out)
{
	struct out o = { s->text, s->text + REDIS_TEXT - 4, false };
	const struct redis_command *cmd;
	unsigned int first = 1;
	uint64_t keys;

	cmd = redis_text_find((struct str){ w->arg[0].s, w->arg[0].len });
	if (!cmd)
		cmd = &unknown;
	add_name(&o, &w->arg[0]);
	if (cmd->shape >= REDIS_SUB_ALL && w->n > 1) {
		add(&o, " ", 1);
		add_name(&o, &w->arg[first++]);
	}
	out->op = (struct str){ s->text, (size_t)(o.p - s->text) };
	keys = cmd->shape == REDIS_SCRIPT || cmd->shape == REDIS_SHA ? number_of_keys(w) : 0;
	for (unsigned int i = first; i < w->n && !o.full; i++)
		add_arg(&o, &w->arg[i], shown(cmd->shape, cmd->n, i - first, keys));
	if (o.full || w->total > w->n) {
		memcpy(o.p, " ...", 4); /* room for it was kept back */
		o.p += 4;
	}
	out->target = (struct str){ s->text, (size_t)(o.p - s->text) };
	return cmd;
}
