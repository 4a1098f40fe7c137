// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * sql_summary - what a statement does and to what, without a grammar.
 *
 * One pass over the tokens with a few bits per bracket depth: words that are
 * operations are written down, and so is the name that follows a word like
 * FROM, JOIN or INTO. Names inside of expressions are never looked at.
 */
#include "proto/sql.h"

#include "proto/sql_lex.h"

enum act {
	A_NONE,
	A_SELECT, /* an operation wherever it stands; its FROM names a list of targets */
	A_CHANGE, /* an operation at the start of a statement or of a subquery */
	A_DELETE, /* likewise, with its targets behind FROM and USING */
	A_NAMED,  /* an operation at the start only; its target follows at once */
	A_DDL,    /* likewise, then a kind of object, then its name */
	A_PREFIX, /* an operation that is followed by another: EXPLAIN */
	A_PLAIN,  /* an operation without a target */
	A_WITH,
	A_FROM,
	A_USING,
	A_TARGET, /* a target follows: JOIN, INTO */
	A_PASS,   /* may stand between such a word and its target */
	A_END,    /* no more targets in this list */
};

/* clang-format off */
static const struct keyword {
	const char *word;
	enum act act;
} keywords[] = {
	{ "SELECT", A_SELECT }, { "FROM", A_FROM }, { "JOIN", A_TARGET }, { "WHERE", A_END },
	{ "INSERT", A_CHANGE }, { "UPDATE", A_CHANGE }, { "DELETE", A_DELETE }, { "INTO", A_TARGET },
	{ "SET", A_PLAIN }, { "VALUES", A_END }, { "ORDER", A_END }, { "GROUP", A_END },
	{ "LIMIT", A_END }, { "HAVING", A_END }, { "OFFSET", A_END }, { "RETURNING", A_END },
	{ "UNION", A_END }, { "EXCEPT", A_END }, { "INTERSECT", A_END }, { "WINDOW", A_END },
	{ "FOR", A_END }, { "OUTFILE", A_END }, { "DUMPFILE", A_END }, { "AS", A_END },
	{ "WITH", A_WITH }, { "USING", A_USING }, { "MERGE", A_DELETE }, { "REPLACE", A_NAMED },
	{ "BEGIN", A_PLAIN }, { "START", A_PLAIN }, { "COMMIT", A_PLAIN }, { "END", A_PLAIN },
	{ "ROLLBACK", A_PLAIN }, { "ABORT", A_PLAIN }, { "SAVEPOINT", A_PLAIN },
	{ "RELEASE", A_PLAIN }, { "SHOW", A_PLAIN }, { "RESET", A_PLAIN }, { "DISCARD", A_PLAIN },
	{ "FETCH", A_PLAIN }, { "MOVE", A_PLAIN }, { "CLOSE", A_PLAIN }, { "DO", A_PLAIN },
	{ "DEALLOCATE", A_PLAIN }, { "PREPARE", A_PREFIX }, { "DECLARE", A_PREFIX },
	{ "EXPLAIN", A_PREFIX }, { "XA", A_PLAIN }, { "KILL", A_PLAIN }, { "FLUSH", A_PLAIN },
	{ "GRANT", A_PLAIN }, { "REVOKE", A_PLAIN }, { "CHECKPOINT", A_PLAIN }, { "SECURITY", A_PLAIN },
	{ "COMMENT", A_PLAIN }, { "REASSIGN", A_PLAIN }, { "IMPORT", A_PLAIN }, { "UNLOCK", A_PLAIN },
	{ "LOAD", A_PLAIN }, { "HANDLER", A_PLAIN }, { "OPTIMIZE", A_PLAIN }, { "CHECK", A_PLAIN },
	{ "REPAIR", A_PLAIN }, { "INSTALL", A_PLAIN }, { "UNINSTALL", A_PLAIN }, { "HELP", A_PLAIN },
	{ "DESCRIBE", A_NAMED }, { "DESC", A_NAMED }, { "CALL", A_NAMED }, { "EXECUTE", A_NAMED },
	{ "EXEC", A_NAMED },
	{ "TRUNCATE", A_NAMED }, { "COPY", A_NAMED }, { "LOCK", A_NAMED }, { "VACUUM", A_NAMED },
	{ "ANALYZE", A_NAMED }, { "USE", A_NAMED }, { "LISTEN", A_NAMED }, { "UNLISTEN", A_NAMED },
	{ "NOTIFY", A_NAMED }, { "CLUSTER", A_NAMED }, { "REINDEX", A_DDL }, { "REFRESH", A_DDL },
	{ "CREATE", A_DDL }, { "ALTER", A_DDL }, { "DROP", A_DDL }, { "RENAME", A_DDL },
	{ "TABLE", A_PASS }, { "TABLES", A_PASS }, { "ONLY", A_PASS }, { "LATERAL", A_PASS },
	{ "IF", A_PASS }, { "NOT", A_PASS }, { "EXISTS", A_PASS }, { "IGNORE", A_PASS },
	{ "LOW_PRIORITY", A_PASS }, { "HIGH_PRIORITY", A_PASS }, { "DELAYED", A_PASS },
	{ "QUICK", A_PASS }, { "CONCURRENTLY", A_PASS }, { "FULL", A_PASS }, { "FREEZE", A_PASS },
	{ "VERBOSE", A_PASS }, { "STRAIGHT_JOIN", A_PASS }, { "ATTACH", A_DDL }, { "DETACH", A_DDL },
	{ "WATCH", A_NAMED },
};

/* Between CREATE and the kind of object. */
static const char *const modifiers[] = {
	"OR", "REPLACE", "TEMP", "TEMPORARY", "UNIQUE", "UNLOGGED", "GLOBAL", "LOCAL", "RECURSIVE",
	"MATERIALIZED", "FOREIGN", "FULLTEXT", "SPATIAL", "EVENT", "CONSTRAINT",
};
/* clang-format on */

static const struct keyword *keyword(struct sql_token t)
{
	if (t.kind != SQL_WORD || t.text.len > 13)
		return NULL;
	for (size_t i = 0; i < sizeof(keywords) / sizeof(*keywords); i++) {
		const char *w = keywords[i].word;

		if ((*t.text.s & ~0x20) == *w && str_iis(t.text, w))
			return &keywords[i];
	}
	return NULL;
}

static enum act act_of(struct sql_token t)
{
	const struct keyword *k = keyword(t);

	return k ? k->act : A_NONE;
}

static bool is_operation(enum act a)
{
	return a >= A_SELECT && a <= A_PLAIN;
}

struct summary {
	char *out;
	size_t len, cap;
	bool full;
	uint64_t select; /* bit per depth: an operation of which FROM has not come yet */
	uint64_t list;   /* likewise: inside a list of targets, a comma brings the next */
	unsigned int depth;
	bool start;  /* nothing of this statement has been written */
	bool want;   /* a target may come */
	bool kind;   /* a kind of object may come (CREATE ...) */
	bool prefix; /* EXPLAIN came: the operation stands further on */
	bool with;   /* WITH came: the operation stands behind a bracket */
	bool deletes;
	struct sql_token prev;
};

static uint64_t bit(const struct summary *s)
{
	return s->depth < 64 ? (uint64_t)1 << s->depth : 0;
}

/* A word, behind a blank unless it is the first of its statement. */
static void say(struct summary *s, struct str word)
{
	size_t blank = s->len > 0;

	s->full = s->full || word.len + blank > s->cap - s->len;
	if (s->full)
		return;
	if (blank)
		s->out[s->len++] = ' ';
	memcpy(s->out + s->len, word.s, word.len);
	s->len += word.len;
}

/* A name with its parts, db."Table", written without the blanks that may stand in it. */
static void say_target(struct summary *s, struct sql_lex *l, struct sql_token t)
{
	size_t from = s->len;

	say(s, t.text);
	for (;;) {
		struct sql_lex at = *l;
		struct sql_token dot = sql_next(&at), name = sql_next(&at);

		if (!sql_is(dot, '.') || (name.kind != SQL_WORD && name.kind != SQL_NAME))
			break;
		if (name.text.len + 1 > s->cap - s->len)
			s->full = true;
		if (s->full)
			break;
		s->out[s->len++] = '.';
		memcpy(s->out + s->len, name.text.s, name.text.len);
		s->len += name.text.len;
		*l = at;
	}
	if (s->full) /* the whole name or none of it */
		s->len = from;
	s->want = false;
}

static void punct(struct summary *s, char c)
{
	if (c == '(') {
		s->want = s->want && !sql_word(s->prev, "USING");
		s->depth++;
		s->select &= ~bit(s);
		s->list &= ~bit(s);
	} else if (c == ')') {
		s->depth -= s->depth > 0;
		s->want = false;
	} else {
		s->want = c == ',' && (s->list & bit(s));
	}
}

/* Whether an operation that is also an ordinary word is one here: ON UPDATE is none. */
static bool operates(const struct summary *s, enum act a)
{
	if (a == A_SELECT || s->start)
		return true;
	if (a != A_CHANGE && a != A_DELETE)
		return false;
	return sql_is(s->prev, '(') || s->prefix || (s->with && sql_is(s->prev, ')'));
}

static void operation(struct summary *s, enum act a, struct str word)
{
	bool several = str_iis(word, "TRUNCATE") || str_iis(word, "DROP") ||
	               str_iis(word, "UPDATE");

	say(s, word);
	s->start = false;
	s->want = a == A_CHANGE || a == A_NAMED || str_iis(word, "MERGE");
	s->kind = a == A_DDL;
	s->prefix = a == A_PREFIX;
	s->deletes = s->deletes || a == A_DELETE;
	if (a == A_SELECT || a == A_CHANGE || a == A_DELETE)
		s->select |= bit(s);
	s->list = several ? s->list | bit(s) : s->list & ~bit(s);
}

/* The word behind CREATE, ALTER, DROP: a modifier, or the kind of object. */
static void object_kind(struct summary *s, struct str word)
{
	for (size_t i = 0; i < sizeof(modifiers) / sizeof(*modifiers); i++)
		if (str_iis(word, modifiers[i]))
			return;
	say(s, word);
	s->kind = false;
	s->want = true;
}

static void from(struct summary *s)
{
	if (!(s->select & bit(s)) || sql_word(s->prev, "DISTINCT"))
		return;
	s->select &= ~bit(s);
	s->list |= bit(s);
	s->want = true;
}

static void word(struct summary *s, struct sql_lex *l, struct sql_token t)
{
	enum act a = act_of(t);

	if (s->kind) {
		object_kind(s, t.text);
	} else if (is_operation(a) && operates(s, a)) {
		operation(s, a, t.text);
	} else if (a == A_WITH && (s->start || s->prefix)) {
		s->start = s->prefix = false;
		s->with = true;
	} else if (a == A_FROM) {
		from(s);
	} else if (a == A_USING) {
		s->want = s->deletes;
	} else if (a == A_TARGET) {
		s->want = true;
	} else if (s->start) {
		operation(s, A_PLAIN, t.text);
	} else if (a == A_END || a == A_PLAIN || a == A_WITH) {
		s->list &= ~bit(s);
		s->want = false;
	} else if (s->want && a != A_PASS) {
		say_target(s, l, t);
	}
}

/* One statement; false when the text has ended. */
static bool statement(struct summary *s, struct sql_lex *l)
{
	struct sql_token t;

	s->select = s->list = 0;
	s->depth = 0;
	s->start = true;
	s->want = s->kind = s->prefix = s->with = s->deletes = false;
	s->prev = (struct sql_token){ .kind = SQL_END };
	for (t = sql_next(l); t.kind != SQL_END; s->prev = t, t = sql_next(l)) {
		if (sql_is(t, ';'))
			return true;
		if (t.kind == SQL_PUNCT)
			punct(s, *t.text.s);
		else if (t.kind == SQL_WORD)
			word(s, l, t);
		else if (t.kind == SQL_NAME && s->want)
			say_target(s, l, t);
		else
			s->want = false;
	}
	return false;
}

size_t sql_summary(struct str text, enum sql_dialect dialect, char *out, size_t cap)
{
	static const struct str batch = { "BATCH ", 6 };
	size_t max = cap < SQL_SUMMARY_MAX ? cap : SQL_SUMMARY_MAX, first = 0;
	struct sql_lex l = sql_lex_of(text, dialect);
	struct summary s = { .out = out + batch.len, .cap = max - batch.len };
	unsigned int statements = 0;
	bool more = true;

	if (max <= batch.len)
		return 0;
	while (more) {
		size_t at = s.len, skip = at > 0;

		more = statement(&s, &l);
		if (s.len == at)
			continue;
		if (!statements++)
			first = s.len;
		else if (str_eq((struct str){ s.out, first },
		                (struct str){ s.out + at + skip, s.len - at - skip }))
			s.len = at; /* the same again */
	}
	if (statements < 2) {
		memmove(out, s.out, s.len);
		return s.len;
	}
	memcpy(out, batch.s, batch.len);
	return batch.len + s.len;
}

/* The verb behind WITH a AS (...), b AS (...). */
static struct sql_token main_verb(struct sql_lex *l)
{
	unsigned int depth = 0;
	struct sql_token t;

	for (t = sql_next(l); t.kind != SQL_END; t = sql_next(l)) {
		enum act a = act_of(t);

		if (sql_is(t, '('))
			depth++;
		else if (sql_is(t, ')'))
			depth -= depth > 0;
		else if (!depth && (a == A_SELECT || a == A_CHANGE || a == A_DELETE))
			break;
	}
	return t;
}

struct str sql_op(struct str text, enum sql_dialect dialect)
{
	struct sql_lex l = sql_lex_of(text, dialect);
	const struct keyword *k;
	struct sql_token t;

	do {
		t = sql_next(&l);
	} while (sql_is(t, '(') || sql_is(t, ';'));
	if (t.kind == SQL_END)
		return (struct str){ "", 0 };
	if (sql_word(t, "WITH")) {
		t = main_verb(&l);
		if (t.kind == SQL_END)
			return STR("WITH");
	}
	k = keyword(t);
	if (k && is_operation(k->act))
		return str_of(k->word);
	if (sql_word(t, "VALUES") || sql_word(t, "TABLE"))
		return STR("SELECT");
	return STR("OTHER");
}
