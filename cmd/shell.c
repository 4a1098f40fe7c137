// SPDX-License-Identifier: GPL-3.0-or-later
/* shell - statements from standard input, and what is shown of their rows. */
#include "cmd/shell.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "base/err.h"
#include "cmd/page.h"

/* On a terminal rows are held until the statement has ended. */
enum { HELD_BYTES = 16 << 20 };

/* Whose statement Ctrl-C stops; a signal handler can be told in no other way. */
static struct sqlh *volatile running;
static volatile sig_atomic_t interrupts;

static void on_interrupt(int sig)
{
	(void)sig;
	interrupts = 1;
	if (running)
		sql_cancel(running);
}

bool shell_interrupted(void)
{
	return interrupts;
}

void shell_clear_interrupt(void)
{
	interrupts = 0;
}

void shell_catch(bool on)
{
	static struct sigaction old;
	static bool is_on;
	struct sigaction act = { .sa_handler = on_interrupt };

	if (on != is_on)
		sigaction(SIGINT, on ? &act : &old, on ? &old : NULL);
	is_on = on;
}

void shell_open(struct shell *s, enum table_mode mode)
{
	s->mode = mode;
	s->timer = s->prompt;
}

void shell_no_params(struct shell *s)
{
	for (size_t i = 0; i < s->nparams; i++) {
		free(s->params[i].name);
		free(s->params[i].value);
	}
	s->nparams = 0;
}

void shell_close(struct shell *s)
{
	shell_no_params(s);
	if (s->to)
		fclose(s->to);
	free(s->to_path);
	free(s->last);
	s->to = NULL;
	s->to_path = s->last = NULL;
}

static void set_param(struct shell *s, const char *name, const char *value)
{
	size_t i = 0;

	while (i < s->nparams && strcmp(s->params[i].name, name) != 0)
		i++;
	if (i == SHELL_PARAMS)
		return; /* no recipe has more */
	if (i == s->nparams)
		s->params[s->nparams++] = (struct shell_param){ .name = strdup(name) };
	free(s->params[i].value);
	s->params[i].value = strdup(value);
}

const char *shell_params(struct shell *s, const struct recipe *r, const char *const *set, size_t n)
{
	shell_no_params(s);
	for (size_t i = 0; i < r->nparams; i++)
		if (r->params[i].def)
			set_param(s, r->params[i].name, r->params[i].def);
	for (size_t i = 0; i < n; i++) {
		const char *eq = strchr(set[i], '=');
		size_t k = 0, len = eq ? (size_t)(eq - set[i]) : 0;

		while (eq && k < r->nparams &&
		       (strlen(r->params[k].name) != len ||
		        strncmp(r->params[k].name, set[i], len) != 0))
			k++;
		if (!eq || k == r->nparams)
			return set[i];
		set_param(s, r->params[k].name, eq + 1);
	}
	return NULL;
}

/* ---- running ---- */

/* Rows to the table; on a terminal only as many as can be shown. */
struct held {
	struct table_out *out;
	FILE *f;
	bool full;
};

static int held_head(void *ctx, int n, const char *const *names)
{
	struct held *h = ctx;
	const struct sql_sink *sink = table_sink(h->out);

	return sink->head(sink->ctx, n, names);
}

static int held_row(void *ctx, int n, const char *const *texts, const int *lens, const int *types)
{
	struct held *h = ctx;
	const struct sql_sink *sink = table_sink(h->out);

	h->full = h->f && ftell(h->f) > HELD_BYTES;
	return h->full ? -EFBIG : sink->row(sink->ctx, n, texts, lens, types);
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* 0 or -errno, said on stderr after the rows that came before it. */
static int run(struct shell *s, const char *sql, FILE *screen, char *err)
{
	struct held h = { .out = s->out, .f = screen };
	struct sql_sink sink = { .head = held_head, .row = held_row, .ctx = &h };
	bool ours = s->prompt;
	int e;

	for (size_t i = 0; i < s->nparams; i++)
		(void)sql_param(s->sql, s->params[i].name, s->params[i].value);
	running = s->sql;
	if (!ours) {
		shell_clear_interrupt();
		shell_catch(true);
	}
	/* At a prompt a Ctrl-C counts from the moment the line was taken. */
	e = shell_interrupted() ? err_set(err, ECANCELED, "canceled")
	                        : sql_run(s->sql, sql, &sink, err);
	if (!ours)
		shell_catch(false);
	running = NULL;
	if (h.full)
		e = err_set(err, EFBIG, "more rows than a screen can hold: .export FILE, or LIMIT");
	if (table_end(s->out))
		return -EPIPE;
	if (e && !err[0])
		err_set(err, -e, "%s", strerror(-e));
	return e;
}

static void thousands(uint64_t v, char out[32])
{
	char digits[32];
	int n = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)v), k = 0;

	for (int i = 0; i < n; i++) {
		if (i && !((n - i) % 3))
			out[k++] = ',';
		out[k++] = digits[i];
	}
	out[k] = 0;
}

/* "(4 rows, 3.1 ms, 13,725 rows read)" */
static void footer(struct shell *s, double ms)
{
	struct table_count c = table_count(s->out);
	char rows[32], read[32];
	FILE *f = s->prompt ? stdout : stderr;

	thousands(c.rows, rows);
	thousands(sql_rows_read(s->sql), read);
	fprintf(f, "(%s row%s, %.*f ms, %s rows read", rows, c.rows == 1 ? "" : "s", ms < 100, ms,
	        read);
	if (c.hidden > 0)
		fprintf(f, "; %d of %d columns have no room: .mode line, .width off", c.hidden,
		        c.columns);
	fputc(')', f);
	if (s->prompt && !s->hinted && c.hidden <= 0)
		fputs("   .view to browse  .watch 2 to repeat  .export FILE", f);
	s->hinted = true;
	fputc('\n', f);
}

static void prepare(struct shell *s, FILE *f, enum table_mode mode, bool fit)
{
	table_to(s->out, f);
	table_mode(s->out, mode);
	table_fit(s->out, fit ? page_size().columns : 0);
}

/* On the terminal: all rows first, then page by page, or as many as fit. */
static int on_screen(struct shell *s, const char *sql, bool fit, int keep)
{
	char err[ERR_TEXT] = "", *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	double start = now_ms(), ms;
	int e;

	if (!f)
		return -ENOMEM;
	prepare(s, f, s->mode, fit);
	e = run(s, sql, f, err);
	ms = now_ms() - start;
	fclose(f);
	if (e)
		shell_clear_interrupt(); /* one key stops one thing: what there is is shown */
	if (keep)
		page_head(text, len, keep);
	else
		page_show(text, len, shell_interrupted);
	free(text);
	table_to(s->out, stdout);
	if (e)
		fprintf(stderr, "%sobi: %s\n", e == -ECANCELED ? "\n" : "", err);
	else if (s->timer && table_count(s->out).columns)
		footer(s, ms);
	fflush(stdout);
	return e;
}

static int straight(struct shell *s, const char *sql, FILE *f, enum table_mode mode)
{
	char err[ERR_TEXT] = "";
	double start = now_ms();
	int e;

	prepare(s, f, mode, false);
	e = run(s, sql, NULL, err);
	if (e && e != -EPIPE)
		fprintf(stderr, "obi: %s\n", err);
	else if (!e && s->timer)
		footer(s, now_ms() - start);
	return e;
}

int shell_statement(struct shell *s, const char *sql)
{
	if (sql != s->last) {
		free(s->last);
		s->last = strdup(sql);
	}
	if (s->prompt && !s->to)
		return on_screen(s, sql, !s->wide, 0);
	return straight(s, sql, s->to ? s->to : stdout, s->mode);
}

static bool nothing_yet(const struct shell *s)
{
	if (!s->last)
		fprintf(stderr, "obi: there is no statement to repeat\n");
	return !s->last;
}

int shell_again(struct shell *s, FILE *f, enum table_mode mode, uint64_t *rows)
{
	bool timer = s->timer;
	int e;

	if (nothing_yet(s))
		return -EINVAL;
	s->timer = false;
	e = straight(s, s->last, f, mode);
	s->timer = timer;
	*rows = table_count(s->out).rows;
	table_to(s->out, stdout);
	return e;
}

void shell_page_again(struct shell *s)
{
	if (!nothing_yet(s))
		(void)on_screen(s, s->last, false, 0);
}

static void head_of_watch(double seconds)
{
	const char *term = getenv("TERM");
	time_t now = time(NULL);
	char text[32];
	struct tm tm;

	localtime_r(&now, &tm);
	strftime(text, sizeof(text), "%H:%M:%S", &tm);
	if (isatty(STDOUT_FILENO) && term && strcmp(term, "dumb") != 0)
		fputs("\033[H\033[2J", stdout);
	printf("every %g s, %s, Ctrl-C ends it\n", seconds, text);
}

void shell_watch(struct shell *s, double seconds)
{
	struct timespec pause = { .tv_sec = (time_t)seconds };
	struct timespec part = { .tv_nsec = 50000000 };
	bool stop = nothing_yet(s);
	double end;

	pause.tv_nsec = (long)((seconds - (double)pause.tv_sec) * 1e9);
	shell_catch(true);
	while (!stop) {
		head_of_watch(seconds);
		stop = on_screen(s, s->last, !s->wide, 3) != 0;
		end = now_ms() + seconds * 1e3;
		while (!stop && now_ms() < end) {
			nanosleep(seconds < 0.05 ? &pause : &part, NULL);
			stop = shell_interrupted() || (s->tick && s->tick(s));
		}
	}
	if (!s->prompt)
		shell_catch(false);
	shell_clear_interrupt();
	fputc('\n', stdout);
}

/* ---- the loop ---- */

/* The next line without its newline; NULL at the end. Freed by the caller. */
static char *next_line(struct shell *s, FILE *in, const struct buf *text)
{
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;

	if (in == stdin && s->prompt)
		return shell_line(s, text->len ? text->p : "");
	errno = 0;
	n = getline(&line, &cap, in);
	if (n < 0) {
		free(line);
		errno = 0;
		return NULL;
	}
	line[strcspn(line, "\n")] = 0;
	return line;
}

static void add_line(struct buf *text, const char *line)
{
	if (!text->len && !line[strspn(line, " \t")])
		return;
	buf_z(text, line);
	buf_add(text, "\n\0", 2); /* a NUL behind it: sql_complete() wants one */
	text->len--;
}

static bool leaves(int e)
{
	return e == 1 || e == -EPIPE;
}

/* A line to the statement so far, or a command. 1: the shell ends; 0 or -errno. */
static int take_line(struct shell *s, struct buf *text, const char *line)
{
	int e;

	if (!text->len && line[strspn(line, " \t")] == '.') {
		if (s->prompt)
			shell_line_keep(s, line);
		return shell_dot(s, line + strspn(line, " \t"));
	}
	add_line(text, line);
	if (!text->len || !sql_complete(text->p))
		return 0;
	if (s->prompt)
		shell_line_keep(s, text->p);
	shell_no_params(s);
	e = shell_statement(s, text->p);
	buf_clear(text);
	return e;
}

int shell_run(struct shell *s, FILE *in)
{
	struct buf text = { 0 };
	int e = 0, last = 0;
	char *line;

	while (!leaves(e)) {
		line = next_line(s, in, &text);
		if (!line && errno == EINTR) {
			buf_clear(&text);
			continue;
		}
		if (!line)
			break;
		e = take_line(s, &text, line);
		last = e && e != 1 ? e : last;
		free(line);
	}
	if (text.len > 1 && !leaves(e) && !(s->prompt && in == stdin)) {
		shell_no_params(s);
		e = shell_statement(s, text.p);
		last = e ? e : last;
	}
	buf_free(&text);
	return last;
}
