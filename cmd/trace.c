// SPDX-License-Identifier: GPL-3.0-or-later
/* obi trace - requests, as they happen or from a recording. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/live.h"
#include "cmd/summary.h"
#include "cmd/tui.h"

/* What goes to stdout, unless a recording does. */
static int add_stdout(struct live *l, const struct options *o)
{
	/* A terminal that is held (Ctrl-S) must not hold the capture; a script wants every row. */
	bool must = !isatty(STDOUT_FILENO);

	switch (o->form) {
	case FORM_JSON:
		return live_output(l, &writer_json, "-", STDOUT_FILENO, must);
	case FORM_CSV:
		return live_output(l, &writer_csv, "-", STDOUT_FILENO, must);
	case FORM_OTLP:
		return live_output(l, &writer_otlp_json, "-", STDOUT_FILENO, must);
	case FORM_TEXT:
	case FORM_TUI:
	case FORM_DEFAULT:
		break;
	}
	return live_output(l, &writer_text, "-", STDOUT_FILENO, must);
}

static bool ends(const char *s, const char *tail)
{
	size_t n = strlen(s), m = strlen(tail);

	return n >= m && !strcmp(s + n - m, tail);
}

static int add_recording(struct live *l, const char *path)
{
	const struct writer *w;

	if (ends(path, ".obiraw")) {
		if (!l->o->show_secrets)
			return usage_error("trace",
			                   "%s would hold everything unredacted; "
			                   "say --show-secrets if that is wanted",
			                   path);
		l->opts.raw_path = path;
		return 0;
	}
	w = strcmp(path, "-") != 0 ? writer_for(path) : &writer_otlp_json;
	if (!w)
		return usage_error("trace",
		                   "%s: unknown ending; use .otlp, .jsonl, .otlpb, .db, "
		                   "and .zst or .gz behind",
		                   path);
	return live_output(l, w, path, strcmp(path, "-") != 0 ? -1 : STDOUT_FILENO, true);
}

/* All outputs; *recorded is the first recording that is a file. */
static int add_outputs(struct live *l, const char **recorded)
{
	const struct options *o = l->o;
	bool to_stdout = false;
	int status = 0;

	for (size_t i = 0; !status && i < o->write.n; i++) {
		to_stdout = to_stdout || !strcmp(o->write.v[i], "-");
		if (!*recorded && strcmp(o->write.v[i], "-") != 0)
			*recorded = o->write.v[i];
		status = add_recording(l, o->write.v[i]);
	}
	if (!status && !to_stdout && !tui_wanted(o))
		status = add_stdout(l, o);
	if (!status && o->otlp)
		status = live_output(l, &writer_otlp_http, o->otlp, -1, false);
	return status;
}

static void json_summary(struct live *l)
{
	struct session_counts *c = malloc(sizeof(*c));
	struct buf b = { 0 };

	if (!c)
		return;
	session_counts(l->session, c);
	summary_json(&b, c);
	fwrite(b.p, 1, b.len, stdout);
	fflush(stdout);
	buf_free(&b);
	free(c);
}

/* --columns help */
static int list_columns(void)
{
	const struct table_def *t = &tables[TABLE_SPANS];

	for (unsigned int i = 0; i < t->ncolumns; i++)
		if (t->columns[i].type != COL_V)
			printf("%-16s %s\n", t->columns[i].name, t->columns[i].help);
	return STATUS_OK;
}

static int trace_run(const struct options *o)
{
	const char *recorded = NULL;
	struct live l;
	int status;

	if (o->columns && !strcmp(o->columns, "help"))
		return list_columns();

	live_init(&l, o);
	status = add_outputs(&l, &recorded);
	if (!status && tui_wanted(o)) {
		status = tui_run(&l, "trace", recorded);
		live_free(&l);
		return status;
	}
	if (!status)
		status = live_start(&l);
	if (!status) {
		live_run(&l, NULL);
		status = live_stop(&l, recorded);
		if (o->form == FORM_JSON)
			json_summary(&l);
	}
	live_free(&l);
	return status;
}

const struct cmd cmd_trace = {
	.name = "trace",
	.args = "[TARGET] [FILTER] [OUTPUT] [-- CMD ARGS]",
	.brief = "requests and their answers, as they happen",
	.examples = {
		{ "obi trace -p 4242", "a process and its children" },
		{ "obi trace --comm 'nginx*' --errors", "failed requests of nginx" },
		{ "obi trace -a --slower 50ms", "what is slow on the host" },
		{ "obi trace -p 4242 --proto mysql -o json", "for scripts" },
		{ "obi trace -p 4242 -w run.otlp", "show and record" },
		{ "obi trace -r run.otlp --status 5xx", "read it: no privileges needed" },
		{ "obi trace -- curl -s http://localhost/", "a command, from its start" },
	},
	.takes_cmd = true,
	.run = trace_run,
};
