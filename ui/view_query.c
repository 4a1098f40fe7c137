// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * view_query - a ready query as a view: one of queries/, or a file of the user's.
 *
 * It is opened by `:view NAME`, with parameters behind: `:view slow limit=5`. The
 * head of the file says its title and how often it is asked again:
 *
 *	-- view: Slow  every: 5s
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/err.h"
#include "ui/sheet.h"

struct query {
	struct sheet sheet;
	const struct recipe *recipe;
	char *words; /* of the command: name, parameters; cut up */
	char title[64];
};

static void query_sql(struct sheet *s, struct buf *out)
{
	buf_z(out, ((struct query *)s)->recipe->sql);
}

static const struct sheet_spec spec = {
	.what = "rows",
	.sql = query_sql,
	.enter = sheet_to_trace,
};

/* What stands behind "name:" in the line "-- view: ..." of the head. */
static struct str head_word(const char *sql, const char *name)
{
	const char *line = strstr(sql, "-- view:");
	const char *end = line ? line + strcspn(line, "\n") : NULL, *at;
	struct str s;

	at = line ? strstr(line, name) : NULL;
	if (!at || at >= end)
		return STR_NULL;
	at += strlen(name);
	s = str_trim((struct str){ at, (size_t)(end - at) });
	for (size_t i = 0; i + 1 < s.len; i++) /* two blanks end it */
		if (s.s[i] == ' ' && s.s[i + 1] == ' ')
			return str_head(s, i);
	return s;
}

static void set_param(struct sheet *s, const char *name, const char *value)
{
	size_t i = 0;

	while (i < s->nparams && strcmp(s->params[i].name, name) != 0)
		i++;
	if (i == ANSWER_PARAMS)
		return;
	s->params[i] = (struct answer_param){ name, value };
	s->nparams = i == s->nparams ? i + 1 : s->nparams;
}

/* NAME=VALUE; 0 or -errno with words in err. */
static int take_param(struct query *v, char *word, char *err)
{
	const struct recipe *r = v->recipe;
	char *eq = strchr(word, '=');

	if (eq)
		*eq = 0;
	for (size_t i = 0; eq && i < r->nparams; i++)
		if (!strcmp(r->params[i].name, word)) {
			set_param(&v->sheet, word, eq + 1);
			return 0;
		}
	return err_set(err, EINVAL, "%s has no parameter \"%s\"; it has%s%s%s", r->name, word,
	               r->nparams ? " " : " none", r->nparams ? r->params[0].name : "",
	               r->nparams > 1 ? " and more" : "");
}

static int take_words(struct query *v, struct pane *p, char *err)
{
	const struct recipes *all = app_recipes(p->app);
	char *word = v->words, *next;
	int e = 0;

	for (int n = 0; word && *word && !e; word = next, n++) {
		next = word + strcspn(word, " ");
		if (*next)
			*next++ = 0;
		next += strspn(next, " ");
		if (n) {
			e = take_param(v, word, err);
			continue;
		}
		v->recipe = all ? recipe_find(all, word) : NULL;
		if (!v->recipe)
			return err_set(err, ENOENT, "no query \"%s\"", word);
		for (size_t i = 0; i < v->recipe->nparams; i++)
			if (v->recipe->params[i].def)
				set_param(&v->sheet, v->recipe->params[i].name,
				          v->recipe->params[i].def);
	}
	return v->recipe || e ? e : err_set(err, EINVAL, "say which: :view NAME; Tab lists them");
}

static int query_open_view(struct pane *p, char *err)
{
	struct query *v = p->state;
	struct str title, every;
	uint64_t ns;
	int e = sheet_open(p, &spec, NULL, false, err);

	if (e)
		return e;
	v->words = strdup(p->filter ? p->filter : "");
	e = v->words ? take_words(v, p, err) : err_set(err, ENOMEM, "out of memory");
	if (e) {
		free(v->words);
		v->words = NULL;
		return e;
	}
	title = head_word(v->recipe->sql, "view:");
	every = head_word(v->recipe->sql, "every:");
	snprintf(v->title, sizeof(v->title), "%.*s",
	         STR_ARG(title.len ? title : str_of(v->recipe->name)));
	if (every.len && clock_parse_duration(every, &ns) && ns >= 100000000)
		v->sheet.every_ms = (int)(ns / 1000000);
	return 0;
}

static void query_close_view(struct pane *p)
{
	sheet_close(p);
	free(((struct query *)p->state)->words);
}

static void query_status(struct pane *p, struct buf *left, struct buf *right)
{
	struct query *v = p->state;
	struct buf rest = { 0 };

	buf_fmt(left, "%s: %s", v->title, v->recipe->title);
	for (size_t i = 0; i < v->sheet.nparams; i++)
		buf_fmt(left, "  %s=%s", v->sheet.params[i].name, v->sheet.params[i].value);
	if (v->sheet.filter[0])
		buf_fmt(left, "  filter: %s", v->sheet.filter);
	sheet_status(p, &rest, right);
	buf_free(&rest);
}

/* For `;`: with the values of the parameters in it. */
static void query_text(struct pane *p, struct buf *out)
{
	struct query *v = p->state;
	const char *s = v->recipe->sql;

	while (*s) {
		size_t i = 0,
		       n = *s == ':' ? strspn(s + 1, "abcdefghijklmnopqrstuvwxyz_0123456789") : 0;

		if (s[0] == '-' && s[1] == '-') { /* heads say :limit too */
			n = strcspn(s, "\n");
			buf_add(out, s, n);
			s += n;
			continue;
		}
		while (n && i < v->sheet.nparams &&
		       (strlen(v->sheet.params[i].name) != n ||
		        strncmp(v->sheet.params[i].name, s + 1, n) != 0))
			i++;
		if (!n || i == v->sheet.nparams) {
			buf_ch(out, *s++);
			continue;
		}
		buf_ch(out, '\'');
		for (const char *q = v->sheet.params[i].value; *q; q++) {
			if (*q == '\'')
				buf_ch(out, '\'');
			buf_ch(out, *q);
		}
		buf_ch(out, '\'');
		s += n + 1;
	}
}

const struct view view_query = {
	.name = "query",
	.title = "A ready query, or one of your own",
	.legend = ":view NAME limit=9 another query, its parameters; Tab lists them\n"
		  "your own: ~/.config/obi/queries/NAME.sql, whose head says\n"
		  "  -- NAME: what it is\n"
		  "  -- view: Title  every: 5s\n"
		  "Enter the trace of the row where it names one, else the row in full\n",
	.keys = { { "o", "Split", "the row beside the list, or below" } },
	.offers = { ACT_ENTER, ACT_SEARCH, ACT_FILTER, ACT_SORT, ACT_MARK, ACT_PAUSE, ACT_COMMAND,
	            ACT_SQL, ACT_COPY, ACT_COLUMNS },
	.state_size = sizeof(struct query),
	.every_ms = 100,
	.open = query_open_view,
	.close = query_close_view,
	.ask = sheet_ask,
	.draw = sheet_draw,
	.act = sheet_act,
	.mouse = sheet_mouse,
	.status = query_status,
	.sql = query_text,
	.copy = sheet_copy,
	.write = sheet_write,
	.columns = sheet_columns,
};
