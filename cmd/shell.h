/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_CMD_SHELL_H
#define OBI_CMD_SHELL_H

/*
 * shell - statements from standard input: with a prompt, line editing, history
 * and completion on a terminal, plainly elsewhere.
 *
 * On a terminal rows are fitted to the screen, long results are paged, and a
 * line below says how many rows there were, how long it took and how many were
 * read. Ctrl-C stops the running statement, at the prompt it clears the line.
 *
 * One thread; zero-initialise, set the first members, shell_open(), and
 * shell_close() at the end.
 */

#include "cmd/table.h"

enum { SHELL_PARAMS = 16 };

struct shell {
	struct sqlh *sql;
	struct table_out *out;
	const struct recipes *recipes;
	bool prompt;
	const char *history; /* file; NULL: none is kept */
	/*
	 * Opens the rows of a statement as a table to look around in (.view): 0, or
	 * -errno with words in err (ERR_TEXT bytes). NULL: they are paged.
	 */
	int (*view)(struct shell *s, const char *sql, char *err);
	void *view_ctx;
	/* Asked ten times a second at the prompt; nonzero: the shell ends. May be NULL. */
	int (*tick)(struct shell *s);
	void *tick_ctx;

	/* what dot commands set */
	enum table_mode mode;
	bool no_heads;
	bool timer; /* the line below a result */
	bool wide;  /* .width off: nothing is cut */
	FILE *to;   /* .output FILE; NULL: standard output */
	char *to_path;

	/* the statement that .watch, .export and .view repeat, with its parameters */
	char *last;
	struct shell_param {
		char *name, *value;
	} params[SHELL_PARAMS];
	size_t nparams;
	unsigned int depth; /* of .read inside .read */
	bool hinted;        /* the first result said what else there is */
};

void shell_open(struct shell *s, enum table_mode mode);
void shell_close(struct shell *s); /* what shell_open() and commands made; not sql, out, recipes */

/* One or more statements. 0, or -errno; a wrong statement is said on stderr. */
int shell_statement(struct shell *s, const char *sql);
/* Until the end of the input or `.quit`. 0, or the -errno of the last statement that failed. */
int shell_run(struct shell *s, FILE *in);

/*
 * Sets the parameters of r: its defaults, then n times NAME=VALUE. NULL, or the
 * one that is wrong: no such parameter, or no value.
 */
const char *shell_params(struct shell *s, const struct recipe *r, const char *const *set, size_t n);
void shell_no_params(struct shell *s);

/* ---- between the files of the shell ---- */

/* shell.c: the last statement again, to f in this form; rows in *rows. 0 or -errno, said on stderr. */
int shell_again(struct shell *s, FILE *f, enum table_mode mode, uint64_t *rows);
/* shell.c: likewise to the terminal, once or on and on until Ctrl-C. */
void shell_page_again(struct shell *s);
void shell_watch(struct shell *s, double seconds);
bool shell_interrupted(void); /* Ctrl-C, since the last statement or prompt began */
void shell_catch(bool on);    /* Ctrl-C is ours */
void shell_clear_interrupt(void);

/* shell_dot.c: a line that begins with a dot. 1: the shell ends; 0, or -errno, said on stderr. */
int shell_dot(struct shell *s, const char *line);
/* Words of a line, quotes taken off, in place; the number of them. */
size_t shell_words(char *line, char **words, size_t max);
/* Names of the dot commands, with the dot; NULL past the end. */
const char *shell_dot_name(size_t i);

/* shell_show.c */
int shell_tables(struct shell *s);
int shell_schema(const char *table); /* NULL: all; -ENOENT, said on stderr */
void shell_recipes(const struct shell *s, const char *part);
void shell_recipe_help(const struct recipe *r);
void shell_banner(struct shell *s, const char *source);

/* shell_line.c: line editing. */
void shell_line_open(struct shell *s);
/* `before`: the lines of the statement so far. NULL with errno EINTR: Ctrl-C; else the end. */
char *shell_line(struct shell *s, const char *before);
/* A whole statement, or a dot command, for the history. */
void shell_line_keep(struct shell *s, const char *text);
void shell_line_close(struct shell *s);
/* Any thread: a message that appears above the prompt. */
void shell_line_say(const char *text);

/* shell_history.c: entries oldest first; a newline inside an entry survives. */
char *shell_history_path(void); /* NULL: no home; free() it */
int shell_history_load(const char *path, void (*entry)(const char *text));
/* Statements that hold what looks like a secret are not written. 0 or -errno. */
int shell_history_add(const char *path, const char *text);
bool shell_history_secret(const char *text);

#endif
