// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * recipes - named queries: those of queries/, built in, and the user's own.
 *
 * A file begins with comments that say what it is:
 *
 *   -- slow: the slowest requests
 *   -- view: Slow  key: s  every: 1s
 *   -- :limit   int  = 20    rows
 *
 * The first line is the title, a line with a parameter gives its type, its
 * default and its help. Other comments are for people and for views.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "store/store.h"

enum { PARAMS_MAX = 16, FILE_MAX = 256 << 10 };

struct recipes {
	struct recipe *list;
	size_t n, cap;
	struct arena arena; /* their texts */
};

static const struct {
	const char *name, *text;
} builtin[] = {
#include "queries.inc"
};

static const char *keep(struct recipes *r, struct str s)
{
	char *p = arena_alloc(&r->arena, s.len + 1);

	if (!p)
		return "";
	memcpy(p, s.s, s.len);
	p[s.len] = '\0';
	return p;
}

static struct str take_word(struct str *s)
{
	struct str w;

	*s = str_trim(*s);
	w = *s;
	w.len = 0;
	while (w.len < s->len && s->s[w.len] != ' ' && s->s[w.len] != '\t')
		w.len++;
	*s = (struct str){ s->s + w.len, s->len - w.len };
	return w;
}

/* The default: a word, or a text in single quotes. */
static struct str take_value(struct str *s)
{
	const char *end;
	struct str v;

	*s = str_trim(*s);
	if (!s->len || s->s[0] != '\'')
		return take_word(s);
	end = memchr(s->s + 1, '\'', s->len - 1);
	if (!end)
		return take_word(s);
	v = (struct str){ s->s + 1, (size_t)(end - s->s - 1) };
	*s = (struct str){ end + 1, s->len - v.len - 2 };
	return v;
}

/* ":limit int = 20  rows"; without "= value" the parameter must be given. */
static void parse_param(struct recipes *r, struct str line, struct recipe_param *p)
{
	struct str rest;

	p->name = keep(r, take_word(&line));
	p->type = keep(r, take_word(&line));
	rest = line;
	if (str_is(take_word(&rest), "=")) {
		p->def = keep(r, take_value(&rest));
		line = rest;
	}
	p->help = keep(r, str_trim(line));
}

static struct str next_line(struct str *text)
{
	const char *nl = memchr(text->s, '\n', text->len);
	struct str line = { text->s, nl ? (size_t)(nl - text->s) : text->len };
	size_t taken = line.len + (nl != NULL);

	*text = (struct str){ text->s + taken, text->len - taken };
	return line;
}

/* "slow: the slowest requests": the title is what follows the name. */
static const char *title_of(struct recipes *r, struct str line)
{
	const char *colon = memchr(line.s, ':', line.len);

	if (colon)
		line = (struct str){ colon + 1, (size_t)(line.s + line.len - colon - 1) };
	return keep(r, str_trim(line));
}

static void parse_head(struct recipes *r, struct str text, struct recipe *out)
{
	struct recipe_param params[PARAMS_MAX] = { 0 }, *kept;
	bool first = true;

	while (text.len) {
		struct str line = str_trim(next_line(&text));

		if (!str_starts(line, "--"))
			break;
		line = str_trim((struct str){ line.s + 2, line.len - 2 });
		if (first)
			out->title = title_of(r, line);
		else if (str_starts(line, ":") && out->nparams < PARAMS_MAX)
			parse_param(r, (struct str){ line.s + 1, line.len - 1 },
			            &params[out->nparams++]);
		first = false;
	}
	kept = arena_alloc(&r->arena, sizeof(params));
	if (kept)
		memcpy(kept, params, sizeof(params));
	else
		out->nparams = 0;
	out->params = kept;
}

static int add(struct recipes *r, struct str name, struct str text)
{
	struct recipe new = { .title = "" };
	struct recipe *list;

	if (r->n == r->cap) {
		list = reallocarray(r->list, r->cap ? r->cap * 2 : 32, sizeof(*list));
		if (!list)
			return -ENOMEM;
		r->list = list;
		r->cap = r->cap ? r->cap * 2 : 32;
	}
	new.name = keep(r, name);
	new.sql = keep(r, text);
	parse_head(r, text, &new);
	r->list[r->n++] = new;
	return 0;
}

static int add_file(struct recipes *r, int dir, const char *file, size_t name_len)
{
	int fd = openat(dir, file, O_RDONLY | O_CLOEXEC);
	struct buf b = { 0 };
	char part[4096];
	ssize_t n = -1;
	int err = 0;

	if (fd < 0)
		return -errno;
	while (b.len < FILE_MAX && (n = read(fd, part, sizeof(part))) > 0)
		buf_add(&b, part, (size_t)n);
	if (n == 0 && !b.failed && !memchr(b.p ? b.p : "", 0, b.len))
		err = add(r, (struct str){ file, name_len }, buf_slice(&b));
	else
		err = n < 0 ? -errno : -EINVAL;
	close(fd);
	buf_free(&b);
	return err;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_sql(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return n > 4 && d->d_name[0] != '.' && !strcmp(d->d_name + n - 4, ".sql");
}

static void add_dir(struct recipes *r, const char *path)
{
	struct dirent **list = NULL;
	int n = scandir(path, &list, is_sql, by_name);
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (int i = 0; i < n; i++) {
		const char *file = list[i]->d_name;
		int err = dir < 0 ? -EBADF : add_file(r, dir, file, strlen(file) - 4);

		if (err)
			warn(LEVEL_WARN, "cannot read the query %s/%s: %s", path, file,
			     strerror(-err));
		free(list[i]);
	}
	free(list);
	if (dir >= 0)
		close(dir);
}

struct recipes *recipes_load(const char *user_dir)
{
	struct recipes *r = calloc(1, sizeof(*r));

	for (size_t i = 0; r && i < sizeof(builtin) / sizeof(builtin[0]); i++)
		if (add(r, str_of(builtin[i].name), str_of(builtin[i].text))) {
			recipes_free(r);
			errno = ENOMEM;
			return NULL;
		}
	if (r && user_dir)
		add_dir(r, user_dir);
	return r;
}

/* The last of a name wins: the user's own hides a built-in one. */
const struct recipe *recipe_find(const struct recipes *r, const char *name)
{
	for (size_t i = r->n; i-- > 0;)
		if (!strcmp(r->list[i].name, name))
			return &r->list[i];
	return NULL;
}

const struct recipe *recipe_at(const struct recipes *r, size_t i)
{
	return i < r->n ? &r->list[i] : NULL;
}

void recipes_free(struct recipes *r)
{
	if (!r)
		return;
	arena_free(&r->arena);
	free(r->list);
	free(r);
}
