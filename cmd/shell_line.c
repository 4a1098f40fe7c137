// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * shell_line - line editing, history and completion by readline.
 *
 * Its callback interface is used, so that the prompt can do something else
 * while it waits: take messages of the capture, notice the end of a target,
 * clear the line on Ctrl-C. readline keeps all in globals; so one line at a time.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <readline/history.h>
#include <readline/readline.h>

#include "cmd/shell.h"
#include "cmd/shell_complete.h"

enum { TICK_MS = 100, FUNCTIONS = 512, MESSAGES = 16 << 10 };

/* readline's callbacks are given nothing: what they need is here. */
static struct {
	struct shell *shell;
	const char *before; /* lines of the statement so far */
	char *line;
	bool done;
	char *functions[FUNCTIONS];
	size_t nfunctions;
	struct completions list;
	size_t at;
	bool keep; /* in the file */
} now;

static struct {
	pthread_mutex_t lock;
	struct buf text;
} messages = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* ---- completion ---- */

static int add_function(void *ctx, int n, const char *const *texts, const int *lens,
                        const int *types)
{
	(void)ctx, (void)n, (void)lens, (void)types;
	if (texts[0] && now.nfunctions < FUNCTIONS)
		now.functions[now.nfunctions++] = strdup(texts[0]);
	return 0;
}

static void find_functions(struct shell *s)
{
	struct sql_sink sink = { .row = add_function };

	(void)sql_run(s->sql,
	              "SELECT DISTINCT name FROM pragma_function_list WHERE name GLOB '[a-z]*'"
	              " AND name NOT GLOB 'sqlite*' AND name <> 'load_extension'",
	              &sink, NULL);
}

static char *next_match(const char *word, int state)
{
	(void)word;
	now.at = state ? now.at : 0;
	return now.at < now.list.n ? strdup(now.list.v[now.at++]) : NULL;
}

static char **complete(const char *word, int start, int end)
{
	struct shell_names names = { { (const char *const *)now.functions, now.nfunctions },
		                     now.shell->recipes };
	struct buf text = { 0 };
	size_t lead = strlen(now.before);
	char **matches = NULL;
	const char *last;

	buf_z(&text, now.before);
	buf_z(&text, rl_line_buffer);
	buf_ch(&text, 0);
	complete_free(&now.list);
	if (!text.failed)
		shell_complete_at(&names, text.p, lead + (size_t)start, lead + (size_t)end,
		                  &now.list);
	buf_free(&text);
	rl_attempted_completion_over = !now.list.files;
	if (now.list.files)
		return NULL; /* readline's own: file names */
	matches = rl_completion_matches(word, next_match);
	last = matches && !matches[1] ? matches[0] : "";
	rl_completion_append_character = *last && strchr("(=", last[strlen(last) - 1]) ? 0 : ' ';
	return matches;
}

/* A path is one word, an expression is many. */
static char *word_breaks(void)
{
	static char command[] = " \t\n\"'", sql[] = " \t\n\"'`@$><=;|&{(,+-*/%!~)";

	return rl_line_buffer[strspn(rl_line_buffer, " \t")] == '.' && !*now.before ? command : sql;
}

/* ---- messages of the capture ---- */

void shell_line_say(const char *text)
{
	pthread_mutex_lock(&messages.lock);
	if (messages.text.len < MESSAGES)
		buf_fmt(&messages.text, "obi: %s\n", text);
	pthread_mutex_unlock(&messages.lock);
}

static void show_messages(bool editing)
{
	struct buf b;

	pthread_mutex_lock(&messages.lock);
	b = messages.text;
	messages.text = (struct buf){ 0 };
	pthread_mutex_unlock(&messages.lock);
	if (b.len) {
		if (editing) {
			rl_clear_visible_line();
			fflush(rl_outstream);
		}
		fwrite(b.p, 1, b.len, stderr);
		if (editing)
			rl_forced_update_display();
	}
	buf_free(&b);
}

/* ---- the line ---- */

static void take_line(char *line)
{
	now.line = line;
	now.done = true;
	rl_callback_handler_remove(); /* the terminal is as it was while a statement runs */
}

static void drop_line(void)
{
	fputc('\n', stdout); /* behind the ^C that readline shows */
	fflush(stdout);
	rl_callback_sigcleanup();
	rl_callback_handler_remove();
	now.done = true;
}

/* Waits for keys. 0: the line is there; EINTR: Ctrl-C; ECANCELED: the shell must end. */
static int edit(struct shell *s)
{
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };

	while (!now.done) {
		int n = poll(&p, 1, TICK_MS);

		if (rl_pending_signal())
			rl_check_signals();
		if (shell_interrupted()) {
			shell_clear_interrupt();
			drop_line();
			return EINTR;
		}
		if (s->tick && s->tick(s)) {
			rl_callback_handler_remove();
			return ECANCELED;
		}
		show_messages(true);
		if (n > 0)
			rl_callback_read_char();
	}
	return 0;
}

char *shell_line(struct shell *s, const char *before)
{
	int e;

	shell_clear_interrupt();
	show_messages(false);
	now.before = before;
	now.done = false;
	now.line = NULL;
	rl_callback_handler_install(*before ? "...> " : "obi> ", take_line);
	e = edit(s);
	if (e == EINTR) {
		errno = EINTR;
		return NULL;
	}
	if (!now.line)
		fputc('\n', stdout);
	fflush(stdout);
	errno = 0;
	return e ? NULL : now.line;
}

/* ---- history ---- */

void shell_line_keep(struct shell *s, const char *text)
{
	HIST_ENTRY *last = history_length ? history_get(history_base + history_length - 1) : NULL;
	char *entry = strndup(text, strlen(text));
	size_t n = entry ? strlen(entry) : 0;
	int e;

	while (n && entry[n - 1] == '\n')
		entry[--n] = 0;
	if (n && !(last && !strcmp(last->line, entry))) {
		add_history(entry);
		if (now.keep && entry[0] != ' ') {
			e = shell_history_add(s->history, entry);
			now.keep = !e;
			if (e)
				fprintf(stderr, "obi: no history is kept: %s: %s\n", s->history,
				        strerror(-e));
		}
	}
	free(entry);
}

void shell_line_open(struct shell *s)
{
	now.shell = s;
	now.keep = s->history != NULL;
	rl_readline_name = "obi";
	rl_attempted_completion_function = complete;
	rl_completion_word_break_hook = word_breaks;
	rl_filename_quote_characters = " ";
	rl_persistent_signal_handlers = 1;
	rl_catch_signals = 1;
	find_functions(s);
	using_history();
	if (s->history)
		(void)shell_history_load(s->history, add_history);
	shell_catch(true);
}

void shell_line_close(struct shell *s)
{
	(void)s;
	shell_catch(false);
	complete_free(&now.list);
	for (size_t i = 0; i < now.nfunctions; i++)
		free(now.functions[i]);
	now.nfunctions = 0;
	show_messages(false);
}
