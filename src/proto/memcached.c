// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * memcached - Memcached: the text protocol, meta commands included, and the binary one.
 *
 * A line; after it, where the line announces them, so many bytes and CR LF:
 * https://github.com/memcached/memcached/blob/master/doc/protocol.txt
 *
 * Quiet meta commands (flag q) are answered only where something went other
 * than usual, so no answer can be told to be theirs: they are one-way, and what
 * comes before the MN that answers the client's mn belongs to nobody.
 */
#include "proto/memcached_bin.h"

struct memcached {
	struct memcached_bin bin;
	uint64_t rows;  /* values of the answer so far */
	uint64_t quiet; /* quiet commands since the last mn */
	bool watching;  /* from here on the server sends its log */
};

enum { WORDS = 12, LINE_MAX = 8192, TARGET_MAX = 240 };

/* ----- lines and words ----- */

struct line {
	struct str text;
	struct str word[WORDS];
	unsigned int n;
};

static enum parse take_line(struct cur *c, struct line *l)
{
	struct cur at = *c, words;

	l->text = cur_line(&at);
	l->n = 0;
	if (at.over)
		return cur_left(c) < LINE_MAX ? PARSE_MORE : PARSE_BAD;
	words = cur_of(l->text.s, l->text.len);
	while (cur_left(&words)) {
		const char *begin = (const char *)words.p;
		const char *end = memchr(begin, ' ', cur_left(&words));

		if (!end)
			end = (const char *)words.end;
		if (end > begin && l->n < WORDS)
			l->word[l->n++] = (struct str){ begin, (size_t)(end - begin) };
		words.p = (const uint8_t *)end + (end < (const char *)words.end);
	}
	c->p = at.p;
	return PARSE_OK;
}

/* ----- commands ----- */

enum form {
	FORM_LINE,  /* a line alone */
	FORM_DATA,  /* word 4 is the length of what follows */
	FORM_META,  /* flags from word 2 on */
	FORM_STORE, /* likewise from word 3; word 2 is the length of what follows */
	FORM_LAST,  /* not answered: the connection ends */
};

static const struct command {
	struct str word, op;
	enum form form;
	unsigned int min; /* words at least */
} commands[] = {
	{ STR("get"), STR("GET"), FORM_LINE, 2 },
	{ STR("gets"), STR("GETS"), FORM_LINE, 2 },
	{ STR("set"), STR("SET"), FORM_DATA, 5 },
	{ STR("mg"), STR("MG"), FORM_META, 2 },
	{ STR("ms"), STR("MS"), FORM_STORE, 3 },
	{ STR("md"), STR("MD"), FORM_META, 2 },
	{ STR("ma"), STR("MA"), FORM_META, 2 },
	{ STR("mn"), STR("MN"), FORM_LINE, 1 },
	{ STR("me"), STR("ME"), FORM_LINE, 2 },
	{ STR("add"), STR("ADD"), FORM_DATA, 5 },
	{ STR("cas"), STR("CAS"), FORM_DATA, 6 },
	{ STR("replace"), STR("REPLACE"), FORM_DATA, 5 },
	{ STR("append"), STR("APPEND"), FORM_DATA, 5 },
	{ STR("prepend"), STR("PREPEND"), FORM_DATA, 5 },
	{ STR("delete"), STR("DELETE"), FORM_LINE, 2 },
	{ STR("incr"), STR("INCR"), FORM_LINE, 3 },
	{ STR("decr"), STR("DECR"), FORM_LINE, 3 },
	{ STR("touch"), STR("TOUCH"), FORM_LINE, 3 },
	{ STR("gat"), STR("GAT"), FORM_LINE, 3 },
	{ STR("gats"), STR("GATS"), FORM_LINE, 3 },
	{ STR("stats"), STR("STATS"), FORM_LINE, 1 },
	{ STR("version"), STR("VERSION"), FORM_LINE, 1 },
	{ STR("verbosity"), STR("VERBOSITY"), FORM_LINE, 2 },
	{ STR("flush_all"), STR("FLUSH_ALL"), FORM_LINE, 1 },
	{ STR("cache_memlimit"), STR("CACHE_MEMLIMIT"), FORM_LINE, 2 },
	{ STR("slabs"), STR("SLABS"), FORM_LINE, 2 },
	{ STR("lru"), STR("LRU"), FORM_LINE, 2 },
	{ STR("lru_crawler"), STR("LRU_CRAWLER"), FORM_LINE, 2 },
	{ STR("watch"), STR("WATCH"), FORM_LINE, 1 },
	{ STR("shutdown"), STR("SHUTDOWN"), FORM_LAST, 1 },
	{ STR("quit"), STR("QUIT"), FORM_LAST, 1 },
};

enum { NCOMMANDS = sizeof(commands) / sizeof(*commands) };

static const struct command *command_of(const struct line *l)
{
	for (size_t i = 0; l->n && i < NCOMMANDS; i++)
		if (str_eq(l->word[0], commands[i].word))
			return &commands[i];
	return NULL;
}

/* Bytes after the line, CR LF included; false where their length is no number. */
static bool data_after(const struct line *l, const struct command *cmd, uint64_t *bytes)
{
	unsigned int at = cmd->form == FORM_DATA ? 4 : 2;

	*bytes = 0;
	if (cmd->form != FORM_DATA && cmd->form != FORM_STORE)
		return true;
	if (l->n <= at || !str_u64(l->word[at], bytes) || *bytes > UINT32_MAX)
		return false;
	*bytes += 2;
	return true;
}

static bool is_quiet(const struct line *l, const struct command *cmd)
{
	if (cmd->form == FORM_META || cmd->form == FORM_STORE)
		for (unsigned int i = cmd->form == FORM_META ? 2 : 3; i < l->n; i++)
			if (str_is(l->word[i], "q"))
				return true;
	return false;
}

static enum parse request(struct memcached *s, struct cur *c, struct msg *out)
{
	const struct command *cmd;
	struct line l;
	bool quiet;
	enum parse r = take_line(c, &l);

	if (r != PARSE_OK)
		return r;
	if (!l.n)
		return PARSE_OK;
	cmd = command_of(&l);
	out->kind = MSG_REQ;
	out->op = cmd ? cmd->op : STR("_OTHER");
	out->target = str_head(l.text, TARGET_MAX);
	if (!cmd)
		return l.word[0].s[0] >= 'a' && l.word[0].s[0] <= 'z' ? PARSE_OK : PARSE_BAD;
	if (!data_after(&l, cmd, &out->skip))
		return PARSE_BAD;
	quiet = is_quiet(&l, cmd);
	s->quiet += quiet;
	s->watching |= str_is(cmd->word, "watch");
	if (quiet || cmd->form == FORM_LAST || str_is(l.word[l.n - 1], "noreply"))
		out->kind = MSG_ONEWAY;
	return PARSE_OK;
}

/* ----- answers ----- */

enum end {
	END_LINE,  /* the answer is this line */
	END_VALUE, /* data follow, and more up to END */
	END_STAT,  /* more up to END */
	END_META,  /* data follow, then the answer is complete */
	END_ERROR, /* END_LINE, and an error */
	END_MARK,  /* what went before is complete */
};

static const struct answer {
	struct str word;
	enum end end;
} answers[] = {
	{ STR("VALUE"), END_VALUE },
	{ STR("END"), END_MARK },
	{ STR("STORED"), END_LINE },
	{ STR("HD"), END_LINE },
	{ STR("VA"), END_META },
	{ STR("EN"), END_LINE },
	{ STR("NF"), END_LINE },
	{ STR("NS"), END_LINE },
	{ STR("EX"), END_LINE },
	{ STR("MN"), END_LINE },
	{ STR("ME"), END_LINE },
	{ STR("NOT_STORED"), END_LINE },
	{ STR("EXISTS"), END_LINE },
	{ STR("NOT_FOUND"), END_LINE },
	{ STR("DELETED"), END_LINE },
	{ STR("TOUCHED"), END_LINE },
	{ STR("OK"), END_LINE },
	{ STR("VERSION"), END_LINE },
	{ STR("STAT"), END_STAT },
	{ STR("RESET"), END_LINE },
	{ STR("BUSY"), END_LINE },
	{ STR("ERROR"), END_ERROR },
	{ STR("CLIENT_ERROR"), END_ERROR },
	{ STR("SERVER_ERROR"), END_ERROR },
};

/* A number alone answers incr and decr. */
static const struct answer number = { { "", 0 }, END_LINE };

static const struct answer *answer_of(const struct line *l)
{
	uint64_t n;

	for (size_t i = 0; l->n && i < sizeof(answers) / sizeof(*answers); i++)
		if (str_eq(l->word[0], answers[i].word))
			return &answers[i];
	return l->n && str_u64(l->word[0], &n) ? &number : NULL;
}

static void complete(struct memcached *s, const struct answer *a, const struct line *l,
                     struct msg *out)
{
	bool noop = str_is(a->word, "MN");

	out->kind = s->quiet && !noop ? MSG_NONE : MSG_RESP;
	if (noop)
		s->quiet = 0;
	if (a->end == END_LINE)
		out->status = a->word;
	if (a->end == END_MARK || a->end == END_META)
		out->rows = (int64_t)s->rows;
	s->rows = 0;
	if (a->end != END_ERROR)
		return;
	out->status = out->error_type = a->word;
	out->error = true;
	out->server_error = !str_is(a->word, "CLIENT_ERROR");
	msg_attr(out, ATTR_ERROR_MESSAGE, str_head(l->text, 256));
}

/* The data after a VALUE or VA line; more than the head holds is left to be skipped. */
static enum parse data(struct cur *c, const uint8_t *head, const struct line *l, unsigned int at,
                       uint64_t *skip)
{
	uint64_t n;

	if (l->n <= at || !str_u64(l->word[at], &n) || n > UINT32_MAX)
		return PARSE_BAD;
	n += 2;
	if (n > cur_left(c) && !c->cut && (uint64_t)(c->p - head) + n <= PROTO_HEAD)
		return PARSE_MORE;
	*skip = n > cur_left(c) ? n - cur_left(c) : 0;
	c->p += n - *skip;
	return PARSE_OK;
}

/* One line of an answer and its data; *over where the answer is complete. */
static enum parse item(struct memcached *s, struct cur *c, const uint8_t *head, struct msg *out,
                       bool *over)
{
	const struct answer *a;
	struct line l;
	enum parse r = take_line(c, &l);

	if (r != PARSE_OK)
		return r;
	a = answer_of(&l);
	if (!a)
		return PARSE_BAD;
	if (a->end == END_VALUE || a->end == END_META) {
		r = data(c, head, &l, a->end == END_VALUE ? 3 : 1, &out->skip);
		s->rows += r == PARSE_OK;
	}
	*over = a->end != END_VALUE && a->end != END_STAT;
	if (r == PARSE_OK && *over)
		complete(s, a, &l, out);
	return r;
}

static enum parse answer(struct memcached *s, struct cur *c, struct msg *out)
{
	const uint8_t *head = c->p;
	bool full = cur_left(c) >= PROTO_HEAD || c->cut, over = false;

	while (!over && !out->skip) {
		struct cur at = *c;
		enum parse r = cur_left(c) ? item(s, &at, head, out, &over) : PARSE_MORE;

		if (r == PARSE_MORE && full && c->p != head)
			break;
		if (r != PARSE_OK)
			return r;
		*c = at;
	}
	if (!over)
		out->kind = s->quiet ? MSG_NONE : MSG_INTERIM;
	if (out->skip || !over)
		out->flags |= MSG_F_BODY;
	return PARSE_OK;
}

static enum parse memcached_parse(void *state, enum dir dir, struct cur *in, struct msg *out)
{
	struct memcached *s = state, was = *s;
	struct msg m = MSG_INIT;
	struct cur c = *in;
	enum parse r;

	if (!cur_left(&c))
		return c.cut ? PARSE_BAD : PARSE_MORE;
	if (cur_left(&c) > PROTO_HEAD) { /* a message is the same however much stands behind it */
		c.end = c.p + PROTO_HEAD;
		c.cut = false;
	}
	if (s->watching && dir == DIR_RESP && *c.p != 'O' && *c.p != 'E') {
		m.skip = UINT64_MAX;
		c.p++;
		r = PARSE_OK;
	} else if (dir == DIR_REQ) {
		r = *c.p == MEMCACHED_BIN_REQ ? memcached_bin_request(&s->bin, &c, &m)
		                              : request(s, &c, &m);
	} else {
		r = *c.p == MEMCACHED_BIN_RESP ? memcached_bin_answer(&s->bin, &c, &m)
		                               : answer(s, &c, &m);
	}
	if (r != PARSE_OK) {
		*s = was;
		return r == PARSE_MORE && c.cut ? PARSE_BAD : r;
	}
	*out = m;
	in->p = c.p;
	return PARSE_OK;
}

/* ----- detection, and the place after lost bytes ----- */

/* A whole line of a known command with all it needs. */
static const struct command *asks(struct cur c)
{
	const struct command *cmd;
	struct line l;
	uint64_t bytes;

	if (take_line(&c, &l) != PARSE_OK)
		return NULL;
	cmd = command_of(&l);
	return cmd && l.n >= cmd->min && data_after(&l, cmd, &bytes) ? cmd : NULL;
}

static bool replies(struct cur c)
{
	struct line l;

	return take_line(&c, &l) == PARSE_OK && answer_of(&l) && answer_of(&l) != &number;
}

/* Likewise of the binary protocol: nothing else begins with such a header. */
static enum sure detect_bin(const struct first *f)
{
	size_t heard = cur_left(&f->resp);

	if (heard && *f->resp.p != MEMCACHED_BIN_RESP)
		return SURE_NO;
	if (cur_left(&f->req) < MEMCACHED_BIN_HEADER)
		return SURE_MAYBE;
	if (!memcached_bin_asks(f->req))
		return SURE_NO;
	if (heard && heard < MEMCACHED_BIN_HEADER)
		return SURE_MAYBE;
	return !heard || memcached_bin_replies(f->resp) ? SURE_YES : SURE_NO;
}

static enum sure memcached_detect(const struct first *f)
{
	const struct command *cmd = asks(f->req);

	if (cur_left(&f->req) && *f->req.p == MEMCACHED_BIN_REQ)
		return detect_bin(f);
	if (!cmd) {
		bool begun = cur_left(&f->req) < 4 || !memchr(f->req.p, '\n', cur_left(&f->req));

		return begun && (!cur_left(&f->req) || (*f->req.p >= 'a' && *f->req.p <= 'w'))
		               ? SURE_MAYBE
		               : SURE_NO;
	}
	if (!cur_left(&f->resp))
		return cmd->form == FORM_DATA || cmd->form == FORM_STORE ? SURE_YES : SURE_MAYBE;
	return replies(f->resp) ? SURE_YES : SURE_NO;
}

static const uint8_t *memcached_resync(void *state, enum dir dir, struct cur in)
{
	struct memcached *s = state;
	const uint8_t *begin = in.p;

	if (dir == DIR_RESP)
		s->rows = s->quiet = 0;
	s->bin.keys = s->bin.runs = 0;
	for (; cur_left(&in); in.p++) {
		bool line = in.p == begin || in.p[-1] == '\n';

		if (dir == DIR_REQ ? (line && asks(in)) || memcached_bin_asks(in)
		                   : (line && replies(in)) || memcached_bin_replies(in))
			return in.p;
	}
	return NULL;
}

static const struct proto_op ops[] = {
	{ "GET", OP_PARSED },         { "GETS", OP_PARSED },
	{ "GAT", OP_PARSED },         { "GATS", OP_PARSED },
	{ "SET", OP_PARSED },         { "ADD", OP_PARSED },
	{ "CAS", OP_PARSED },         { "REPLACE", OP_PARSED },
	{ "APPEND", OP_PARSED },      { "PREPEND", OP_PARSED },
	{ "DELETE", OP_PARSED },      { "INCR", OP_PARSED },
	{ "DECR", OP_PARSED },        { "TOUCH", OP_PARSED },
	{ "MG", OP_PARSED },          { "MS", OP_PARSED },
	{ "MD", OP_PARSED },          { "MA", OP_PARSED },
	{ "MN", OP_PARSED },          { "ME", OP_PARSED },
	{ "STATS", OP_PARSED },       { "VERSION", OP_PARSED },
	{ "VERBOSITY", OP_PARSED },   { "FLUSH_ALL", OP_PARSED },
	{ "SLABS", OP_PARSED },       { "CACHE_MEMLIMIT", OP_PARSED },
	{ "LRU", OP_PARSED },         { "SHUTDOWN", OP_PARSED },
	{ "LRU_CRAWLER", OP_PARSED }, { "QUIT", OP_PARSED },
	{ "NOOP", OP_PARSED },        { "SASL_LIST", OP_PARSED },
	{ "SASL_AUTH", OP_PARSED },   { "SASL_STEP", OP_PARSED },
	{ "WATCH", OP_NAMED },        { NULL, OP_UNKNOWN },
};

#define STARTS(text)                                                        \
	{                                                                   \
		.off = 0, .len = sizeof(text) - 1, .value = text, .mask = { \
			255,                                                \
			255,                                                \
			255,                                                \
			255,                                                \
			255,                                                \
			255,                                                \
			255,                                                \
			255                                                 \
		}                                                           \
	}

/* Magic, a known command, a short key, no type, no partition. */
#define BINARY                                                                \
	{                                                                     \
		.off = 0, .len = 8, .value = { MEMCACHED_BIN_REQ }, .mask = { \
			255,                                                  \
			0xc0,                                                 \
			255,                                                  \
			0,                                                    \
			0,                                                    \
			255,                                                  \
			255,                                                  \
			255                                                   \
		}                                                             \
	}

const struct proto proto_memcached = {
	.name = "memcached",
	.title = "Memcached, text with meta commands, and binary",
	.family = FAMILY_KV,
	.system = "memcached",
	.limits = "quiet commands are one-way, but binary quiet gets: with what ends them they are "
		  "one get of their first key; logs of watch are not read",
	.ops = ops,
	.rules = { STARTS("get "), STARTS("gets "), STARTS("set "), STARTS("add "), STARTS("cas "),
	           STARTS("delete "), STARTS("incr "), STARTS("mg "), STARTS("ms "), BINARY },
	.ports = { 11211 },
	.state_size = sizeof(struct memcached),
	.in_order = true,
	.full_payload = true,
	.detect = memcached_detect,
	.parse = memcached_parse,
	.resync = memcached_resync,
};
