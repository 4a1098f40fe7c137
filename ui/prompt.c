// SPDX-License-Identifier: GPL-3.0-or-later
/* prompt - one line that is typed: editing, history, completion. */
#include "ui/prompt.h"

#include <stdio.h>

#include "ui/width.h"

static void set_text(struct prompt *p, const char *text)
{
	snprintf(p->text, sizeof(p->text), "%s", text);
	p->len = p->at = strlen(p->text);
	p->changed = true;
	p->err[0] = 0;
}

void prompt_open(struct prompt *p, const struct prompt_spec *spec)
{
	p->spec = *spec;
	p->open = true;
	p->back = 0;
	p->cycling = false;
	p->said[0] = 0;
	set_text(p, spec->text ? spec->text : "");
}

static size_t left_of(const struct prompt *p, size_t at)
{
	if (at)
		at--;
	while (at && ((uint8_t)p->text[at] & 0xc0) == 0x80)
		at--;
	return at;
}

static size_t right_of(const struct prompt *p, size_t at)
{
	if (at < p->len)
		at++;
	while (at < p->len && ((uint8_t)p->text[at] & 0xc0) == 0x80)
		at++;
	return at;
}

static void cut(struct prompt *p, size_t from, size_t to)
{
	memmove(p->text + from, p->text + to, p->len - to + 1);
	p->len -= to - from;
	p->at = from;
	p->changed = true;
	p->err[0] = 0;
}

static void insert(struct prompt *p, const char *s)
{
	size_t n = strlen(s);

	if (p->len + n >= sizeof(p->text))
		return;
	memmove(p->text + p->at + n, p->text + p->at, p->len - p->at + 1);
	memcpy(p->text + p->at, s, n);
	p->len += n;
	p->at += n;
	p->changed = true;
	p->err[0] = 0;
}

static bool in_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '/' || c == '.';
}

static size_t word_start(const struct prompt *p)
{
	size_t at = p->at;

	while (at && !in_word(p->text[at - 1]))
		at--;
	while (at && in_word(p->text[at - 1]))
		at--;
	return at;
}

/* ---- history ---- */

static void remember(struct prompt *p)
{
	size_t n = p->nhistory;

	if (!p->len || (n && !strcmp(p->history[n - 1].text, p->text) &&
	                !strcmp(p->history[n - 1].label, p->spec.label)))
		return;
	if (n == PROMPT_HISTORY) {
		memmove(p->history, p->history + 1, (n - 1) * sizeof(*p->history));
		n--;
	}
	snprintf(p->history[n].label, sizeof(p->history[n].label), "%s", p->spec.label);
	memcpy(p->history[n].text, p->text, p->len + 1);
	p->nhistory = n + 1;
}

/* The nth newest line that was typed at a prompt with this label. */
static const char *recall(const struct prompt *p, size_t nth)
{
	for (size_t i = p->nhistory; i > 0; i--)
		if (!strcmp(p->history[i - 1].label, p->spec.label) && !--nth)
			return p->history[i - 1].text;
	return NULL;
}

static void step_history(struct prompt *p, bool older)
{
	const char *text;

	if (!older && p->back <= 1) {
		p->back = 0;
		set_text(p, "");
		return;
	}
	text = recall(p, older ? p->back + 1 : p->back - 1);
	if (!text)
		return;
	p->back += older ? 1 : (size_t)-1;
	set_text(p, text);
}

/* ---- completion ---- */

static void complete(struct prompt *p)
{
	const char *w = NULL;

	if (!p->spec.word)
		return;
	if (!p->cycling) {
		p->stem_at = p->at;
		while (p->stem_at && in_word(p->text[p->stem_at - 1]))
			p->stem_at--;
		if (p->spec.complete)
			p->stem_at = p->spec.complete(p->spec.pane, p->text, p->at);
		snprintf(p->stem, sizeof(p->stem), "%.*s", (int)(p->at - p->stem_at),
		         p->text + p->stem_at);
		p->next = 0;
	}
	for (int round = 0; round < 2; round++, p->next = 0)
		while ((w = p->spec.word(p->spec.pane, p->next++)))
			if (!strncasecmp(w, p->stem, strlen(p->stem))) {
				cut(p, p->stem_at, p->at);
				insert(p, w);
				p->cycling = true;
				return;
			}
}

/* ---- keys ---- */

static enum handled enter(struct prompt *p)
{
	struct prompt_spec spec = p->spec;
	char text[PROMPT_TEXT];
	int e;

	memcpy(text, p->text, p->len + 1);
	p->open = false; /* done() may open another one */
	e = spec.done ? spec.done(spec.pane, text, p->err) : 0;
	if (e) {
		p->spec = spec;
		p->open = true;
	} else if (!p->open) {
		remember(p);
	}
	return UI_HANDLED | UI_REDRAW | UI_REFRESH;
}

static bool edit(struct prompt *p, const char *k)
{
	if (!strcmp(k, "<Left>") || !strcmp(k, "<C-b>"))
		p->at = left_of(p, p->at);
	else if (!strcmp(k, "<Right>") || !strcmp(k, "<C-f>"))
		p->at = right_of(p, p->at);
	else if (!strcmp(k, "<Home>") || !strcmp(k, "<C-a>"))
		p->at = 0;
	else if (!strcmp(k, "<End>") || !strcmp(k, "<C-e>"))
		p->at = p->len;
	else if (!strcmp(k, "<Backspace>"))
		cut(p, left_of(p, p->at), p->at);
	else if (!strcmp(k, "<Del>") || !strcmp(k, "<C-d>"))
		cut(p, p->at, right_of(p, p->at));
	else if (!strcmp(k, "<C-w>"))
		cut(p, word_start(p), p->at);
	else if (!strcmp(k, "<C-u>"))
		cut(p, 0, p->at);
	else if (!strcmp(k, "<C-k>"))
		cut(p, p->at, p->len);
	else
		return false;
	return true;
}

static void cut_back(struct prompt *p)
{
	p->open = false;
	if (p->spec.cancelled)
		p->spec.cancelled(p->spec.pane);
}

enum handled prompt_key(struct prompt *p, const struct key *k)
{
	const char *text = key_text(k);

	if (!strcmp(k->name, "<Tab>")) {
		complete(p);
		return UI_HANDLED | UI_REDRAW;
	}
	p->cycling = false;
	if (!strcmp(k->name, "<Enter>"))
		return enter(p);
	if (!strcmp(k->name, "<Esc>") || !strcmp(k->name, "<C-c>"))
		cut_back(p);
	else if (!strcmp(k->name, "<Up>") || !strcmp(k->name, "<C-p>"))
		step_history(p, true);
	else if (!strcmp(k->name, "<Down>") || !strcmp(k->name, "<C-n>"))
		step_history(p, false);
	else if (!edit(p, k->name) && text)
		insert(p, text);
	return UI_HANDLED | UI_REDRAW;
}

void prompt_draw(struct prompt *p, struct grid *g, struct rect r, int *cx, int *cy)
{
	int y = r.y + r.h - 1, x, label = grid_width(g, str_of(p->spec.label)), skip;
	struct buf said = { 0 };

	if (p->spec.result)
		p->bad = p->spec.result(p->spec.pane, p->text, p->changed, &said);
	p->changed = false;
	if (p->err[0]) {
		buf_clear(&said);
		buf_z(&said, p->err);
		p->bad = true;
	}
	if (said.len) {
		grid_clear(g, (struct rect){ r.x, y - 1, r.w, 1 });
		grid_text(g, r.x, y - 1, r.w, p->bad && p->err[0] + said.len ? ROLE_BAD : ROLE_DIM,
		          buf_slice(&said));
	}
	buf_free(&said);
	grid_clear(g, (struct rect){ r.x, y, r.w, 1 });
	grid_text(g, r.x, y, r.w, ROLE_PROMPT, str_of(p->spec.label));
	x = grid_width(g, (struct str){ p->text, p->at });
	skip = x + label >= r.w ? x + label - r.w + 1 : 0;
	/* What was typed is scrolled so that the cursor is seen. */
	for (struct str s = { p->text, p->len }; s.len; skip--) {
		struct glyph gl;

		if (skip <= 0) {
			grid_text(g, r.x + label, y, r.w - label, ROLE_PROMPT, s);
			break;
		}
		width_next(&s, g->ascii, &gl);
		x -= gl.width;
		skip -= gl.width - 1;
	}
	*cx = r.x + label + x;
	*cy = y;
}
