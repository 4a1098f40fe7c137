// SPDX-License-Identifier: GPL-3.0-or-later
/* keys - what a key is called and what it does. */
#include "ui/keys.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"

static const struct {
	const char *name, *keys, *help;
} actions[ACT_MAX] = {
#define KEY(ID, keys, help) [ACT_##ID] = { #ID, keys, help },
#include "ui/keys.def"
#undef KEY
};

enum { BOUND = 160 };

struct keymap {
	struct {
		char name[24];
		enum action action;
	} bound[BOUND];
	size_t n;
};

static bool word(const char **p, struct str *out)
{
	while (**p == ' ')
		(*p)++;
	out->s = *p;
	while (**p && **p != ' ')
		(*p)++;
	out->len = (size_t)(*p - out->s);
	return out->len > 0;
}

static int add(struct keymap *k, struct str name, enum action a)
{
	if (k->n == BOUND || name.len >= sizeof(k->bound[0].name))
		return -ENOSPC;
	snprintf(k->bound[k->n].name, sizeof(k->bound[0].name), "%.*s", STR_ARG(name));
	k->bound[k->n++].action = a;
	return 0;
}

struct keymap *keymap_new(void)
{
	struct keymap *k = calloc(1, sizeof(*k));

	for (int a = 1; k && a < ACT_MAX; a++) {
		const char *p = actions[a].keys;
		struct str name;

		while (word(&p, &name))
			(void)add(k, name, (enum action)a);
	}
	return k;
}

void keymap_free(struct keymap *k)
{
	free(k);
}

static enum action by_name(struct str name)
{
	for (int a = 1; a < ACT_MAX; a++)
		if (str_iis(name, actions[a].name))
			return (enum action)a;
	return ACT_NONE;
}

static void forget(struct keymap *k, struct str name, enum action a)
{
	size_t n = 0;

	for (size_t i = 0; i < k->n; i++)
		if (k->bound[i].action != a && !str_is(name, k->bound[i].name))
			k->bound[n++] = k->bound[i];
	k->n = n;
}

int keymap_bind(struct keymap *k, const char *line, char *err)
{
	const char *p = line;
	struct str name, key;
	enum action a;

	if (!word(&p, &name) || *name.s == '#')
		return 0;
	a = by_name(name);
	if (!a)
		return err_set(err, EINVAL, "no action \"%.*s\"", STR_ARG(name));
	forget(k, STR_NULL, a);
	while (word(&p, &key)) {
		forget(k, key, ACT_NONE);
		if (add(k, key, a))
			return err_set(err, EINVAL, "no key \"%.*s\"", STR_ARG(key));
	}
	return 0;
}

enum action keymap_action(const struct keymap *k, const char *name)
{
	for (size_t i = 0; i < k->n; i++)
		if (!strcmp(k->bound[i].name, name))
			return k->bound[i].action;
	return ACT_NONE;
}

/* <F4> as F4, <C-d> as Ctrl-D. */
static void plain(const char *name, struct buf *out)
{
	size_t n = strlen(name);

	if (n < 3 || name[0] != '<')
		buf_z(out, name);
	else if (!strncmp(name, "<C-", 3))
		buf_fmt(out, "Ctrl-%c", name[3] >= 'a' ? name[3] - 32 : name[3]);
	else if (!strncmp(name, "<S-", 3))
		buf_fmt(out, "Shift-%.*s", (int)n - 4, name + 3);
	else
		buf_add(out, name + 1, n - 2);
}

void keymap_of(const struct keymap *k, enum action a, struct buf *out)
{
	size_t before = out->len;

	for (size_t i = 0; i < k->n; i++) {
		if (k->bound[i].action != a)
			continue;
		if (out->len > before)
			buf_ch(out, ' ');
		plain(k->bound[i].name, out);
	}
}

void keymap_label(const struct keymap *k, enum action a, struct buf *out)
{
	const char *best = NULL;

	for (size_t i = 0; i < k->n; i++)
		if (k->bound[i].action == a && (!best || !strncmp(k->bound[i].name, "<F", 2)))
			best = k->bound[i].name;
	if (best)
		plain(best, out);
}

const char *keymap_help(enum action a)
{
	return a > ACT_NONE && a < ACT_MAX ? actions[a].help : "";
}

const char *key_text(const struct key *key)
{
	if (!strcmp(key->name, "<Space>"))
		return " ";
	if (!strcmp(key->name, "<lt>"))
		return "<";
	return key->name[0] == '<' && key->name[1] ? NULL : key->name;
}

static bool is_name(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!(s[i] >= 'a' && s[i] <= 'z') && !(s[i] >= 'A' && s[i] <= 'Z') &&
		    !(i && (strchr("-, ", s[i]) || (s[i] >= '0' && s[i] <= '9'))))
			return false;
	return n && s[n - 1] != ' ';
}

/* <name>, or <Resize 80x24>, <Click 3,4>; false: a plain "<". */
static bool named(struct str *script, struct key *out)
{
	const char *end = memchr(script->s, '>', script->len);
	size_t n = end ? (size_t)(end - script->s) + 1 : 0;
	char text[40];

	if (n < 4 || n >= sizeof(text) || !is_name(script->s + 1, n - 2))
		return false;
	memcpy(text, script->s, n);
	text[n] = 0;
	if (strchr(text, ' ') &&
	    sscanf(text, "<%20[A-Za-z] %d%*1[x,]%d>", out->name + 1, &out->x, &out->y) >= 2) {
		out->name[0] = '<';
		snprintf(out->name + strlen(out->name), 2, ">");
	} else {
		snprintf(out->name, sizeof(out->name), "%.23s", text);
	}
	script->s += n;
	script->len -= n;
	return true;
}

bool key_next(struct str *script, struct key *out)
{
	bool start = false; /* of a line */
	uint32_t cp;
	size_t n;

	*out = (struct key){ 0 };
	while (script->len && (*script->s == '\n' || (start && *script->s == '#'))) {
		const char *nl = memchr(script->s, '\n', script->len);

		n = nl ? (size_t)(nl - script->s) + 1 : script->len;
		script->s += n;
		script->len -= n;
		start = true;
	}
	if (!script->len)
		return false;
	if (*script->s == '<' && named(script, out))
		return true;
	if (*script->s == ' ') {
		snprintf(out->name, sizeof(out->name), "<Space>");
		n = 1;
	} else {
		n = str_utf8_len((const uint8_t *)script->s, script->len, &cp);
		n = n ? n : 1;
		memcpy(out->name, script->s, n);
	}
	script->s += n;
	script->len -= n;
	return true;
}
