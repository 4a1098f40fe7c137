// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * view_sql - what a person asks: a statement, typed at `;`, and its rows.
 *
 * It begins as the statement that the view below is. While it is typed it is
 * compiled, not run; Enter runs it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "store/complete.h"
#include "ui/sheet.h"

enum { CHECK_MS = 300 };

struct sql {
	struct sheet sheet;
	char *text;
	bool given;               /* the statement is the command line's */
	struct answer *functions; /* their names, for Tab */
	struct answer *check;     /* of what is being typed */
	struct completions words;
	struct arena names; /* while words are made */
};

static void sql_text(struct sheet *s, struct buf *out)
{
	buf_z(out, ((struct sql *)s)->text);
}

static const struct sheet_spec spec = {
	.what = "rows",
	.sql = sql_text,
	.enter = sheet_to_trace,
};

static int sql_open_view(struct pane *p, char *err)
{
	static const char find[] = "select distinct name from pragma_function_list where"
				   " name glob '[a-z]*' and name not glob 'sqlite*'"
				   " and name <> 'load_extension'";
	const struct ui_opts *o = app_opts(p->app);
	struct sql *v = p->state;
	int e = sheet_open(p, &spec, NULL, false, err);

	if (e)
		return e;
	v->given = !p->filter && o->sql;
	v->text = strdup(p->filter ? p->filter : o->sql ? o->sql : "select * from spans");
	for (size_t i = 0; v->given && i < o->nparams && i < ANSWER_PARAMS; i++)
		v->sheet.params[v->sheet.nparams++] =
			(struct answer_param){ o->params[2 * i], o->params[2 * i + 1] };
	v->functions = answer_start(app_store(p->app), find, NULL, 0);
	return v->text ? 0 : err_set(err, ENOMEM, "out of memory");
}

static void sql_close_view(struct pane *p)
{
	struct sql *v = p->state;

	sheet_close(p);
	answer_free(v->functions);
	answer_free(v->check);
	complete_free(&v->words);
	arena_free(&v->names);
	free(v->text);
}

/* ---- the prompt ---- */

/* Compiles the statement; false with words in err where it is wrong. */
static bool compiles(struct sql *v, const char *text, char *err)
{
	struct buf sql = { 0 };

	answer_free(v->check);
	buf_fmt(&sql, "explain %s", text);
	buf_ch(&sql, 0);
	v->check = sql.failed ? NULL
	                      : answer_start(app_store(v->sheet.pane->app), sql.p, v->sheet.params,
	                                     v->sheet.nparams);
	buf_free(&sql);
	return !v->check || !answer_wait(v->check, CHECK_MS) || !answer_error(v->check, err);
}

static bool prompt_result(struct pane *p, const char *text, bool changed, struct buf *out)
{
	struct sql *v = p->state;
	char err[ERR_TEXT] = "";

	if (changed && text[strspn(text, " ")])
		(void)compiles(v, text, err);
	else if (v->check && answer_wait(v->check, 0))
		(void)answer_error(v->check, err);
	buf_z(out, err[0] ? err : "Enter runs it, Tab completes, Esc leaves it as it was");
	return err[0];
}

static int prompt_done(struct pane *p, const char *text, char *err)
{
	struct sql *v = p->state;
	char *copy;

	if (!text[strspn(text, " ;")])
		return err_set(err, EINVAL, "type a statement: select ... from spans");
	if (!compiles(v, text, err))
		return -EINVAL;
	copy = strdup(text);
	if (!copy)
		return err_set(err, ENOMEM, "out of memory");
	free(v->text);
	v->text = copy;
	v->sheet.filter[0] = 0;
	v->sheet.table.sort = NULL;
	(void)sheet_stop(&v->sheet);
	sheet_again(&v->sheet);
	return 0;
}

static size_t prompt_complete(struct pane *p, const char *text, size_t at)
{
	struct sql *v = p->state;
	const char *functions[512];
	struct complete_names names = { functions, 0 };
	size_t from = complete_word(text, at);

	complete_free(&v->words);
	if (v->functions && answer_wait(v->functions, CHECK_MS)) {
		const struct answer_rows *rows = answer_rows(v->functions);

		while (names.n_functions < rows->n && names.n_functions < 512) {
			struct str s = answer_text(v->functions, names.n_functions, 0);
			char *z = arena_alloc(&v->names, s.len + 1);

			if (!z)
				break;
			memcpy(z, s.s, s.len);
			z[s.len] = 0;
			functions[names.n_functions++] = z;
		}
	}
	complete_sql(&names, text, from, at, &v->words);
	complete_sort(&v->words);
	arena_reset(&v->names);
	return from;
}

static const char *prompt_word(struct pane *p, size_t i)
{
	const struct sql *v = p->state;

	return i < v->words.n ? v->words.v[i] : NULL;
}

/* On one line: comments left out, blanks squeezed. False: it is too long to be typed. */
static bool on_one_line(const char *text, char out[PROMPT_TEXT])
{
	size_t n = 0;
	char quote = 0;

	for (; *text && n < PROMPT_TEXT - 1; text++) {
		if (!quote && text[0] == '-' && text[1] == '-') {
			text += strcspn(text, "\n");
			if (!*text)
				break;
		}
		if (quote || (*text != '\n' && *text != '\t' && *text != ' '))
			out[n++] = *text;
		else if (n && out[n - 1] != ' ')
			out[n++] = ' ';
		if (*text == '\'' || *text == '"')
			quote = !quote ? *text : quote == *text ? 0 : quote;
	}
	out[n] = 0;
	return !*text;
}

static void ask_statement(struct sql *v)
{
	char line[PROMPT_TEXT];
	struct prompt_spec prompt = {
		.label = "SQL: ",
		.text = on_one_line(v->text, line) ? line : "select * from spans",
		.result = prompt_result,
		.done = prompt_done,
		.word = prompt_word,
		.complete = prompt_complete,
	};

	app_prompt(v->sheet.pane->app, &prompt);
}

static void sql_shown(struct pane *p)
{
	struct sql *v = p->state;

	if (!v->given)
		ask_statement(v);
}

static enum handled sql_act(struct pane *p, enum action a, const char *key)
{
	if (a != ACT_SQL)
		return sheet_act(p, a, key);
	ask_statement(p->state);
	return UI_HANDLED | UI_REDRAW;
}

static void sql_status(struct pane *p, struct buf *left, struct buf *right)
{
	struct sql *v = p->state;
	struct buf rest = { 0 };

	buf_fmt(left, "SQL: %s", v->text);
	if (v->sheet.filter[0])
		buf_fmt(left, "  filter: %s", v->sheet.filter);
	sheet_status(p, &rest, right);
	buf_free(&rest);
}

const struct view view_sql = {
	.name = "sql",
	.title = "SQL over what was captured",
	.legend = "; the statement again: Enter runs it, Tab completes names\n"
		  "Ctrl-C stops a statement that takes long   - NULL\n"
		  "Enter the trace of the row where it names one, else the row in full\n"
		  ":write FILE.csv, FILE.json the rows; :view NAME a ready query\n",
	.keys = { { "o", "Split", "the row beside the list, or below" } },
	.offers = { ACT_SQL, ACT_SEARCH, ACT_FILTER, ACT_SORT, ACT_MARK, ACT_PAUSE, ACT_COMMAND,
	            ACT_COPY, ACT_COLUMNS },
	.state_size = sizeof(struct sql),
	.every_ms = 100,
	.open = sql_open_view,
	.close = sql_close_view,
	.shown = sql_shown,
	.ask = sheet_ask,
	.draw = sheet_draw,
	.act = sql_act,
	.mouse = sheet_mouse,
	.status = sql_status,
	.sql = sheet_sql,
	.copy = sheet_copy,
	.write = sheet_write,
	.columns = sheet_columns,
};
