// SPDX-License-Identifier: GPL-3.0-or-later
/* postgres_resp - what the server of a PostgreSQL connection sends. */
#include "proto/postgres.h"

enum { MESSAGE_MAX = 256 };

/* ---- groups ---- */

/* Whether the end of the group under way has been sent, and is still known. */
static bool ended(const struct pg *s)
{
	return s->sent != s->answered && s->sent - s->answered <= PG_GROUPS;
}

/* What `done` will be when each request of the group under way is answered. */
static uint16_t limit(const struct pg *s)
{
	return ended(s) ? s->end[(s->answered + 1) % PG_GROUPS] : s->reqs;
}

static bool is_simple(const struct pg *s)
{
	uint64_t slot = (s->answered + 1) % PG_GROUPS;

	return ended(s) && s->simple[slot / 64] >> slot % 64 & 1;
}

static bool is_empty(const struct pg *s)
{
	return s->end[s->answered % PG_GROUPS] == limit(s);
}

/*
 * An answer has come, so the group under way is one that waits for answers. A
 * Sync may never be answered: the server ignores it while it copies data in.
 */
static void advance(struct pg *s, bool empty_only)
{
	while (ended(s) && s->done == limit(s) && (!empty_only || is_empty(s))) {
		s->answered++;
		s->held = false;
	}
}

/*
 * The last part of a request's answer. The last request of a group stays open
 * until ReadyForQuery: the commit that comes before it may still fail, and the
 * client waits for it.
 */
static void answer(struct pg *s, struct msg *out)
{
	out->kind = MSG_RESP;
	if (is_simple(s)) {
		out->kind = MSG_INTERIM;
	} else if (s->done != limit(s)) {
		s->done++;
		s->held = ended(s) && s->done == limit(s);
		out->kind = s->held ? MSG_INTERIM : MSG_RESP;
	}
	s->rows = 0;
}

static void close_group(struct pg *s)
{
	if (ended(s))
		s->done = limit(s);
	s->answered++;
	s->held = false;
	s->rows = 0;
}

/* A part of the answer, the first of which tells when it began. */
static void part(struct msg *out)
{
	out->kind = MSG_INTERIM;
	out->flags |= MSG_F_BODY;
}

static enum parse ready_for_query(struct pg *s, struct cur *in, struct pg_frame *f, struct msg *out)
{
	uint8_t status = cur_u8(&f->body);

	if (f->whole && status != 'I' && status != 'T' && status != 'E')
		return PARSE_BAD;
	if (s->sent != s->answered) {
		out->kind = is_simple(s) || s->held ? MSG_RESP : MSG_BARRIER;
		if (out->kind == MSG_BARRIER)
			out->id = s->answered + 1;
		close_group(s);
	}
	return pg_take_head(in, f, out);
}

/* ---- errors ---- */

struct error {
	struct str severity, state, message;
};

/* Fields of one letter and a text each; what is cut stays empty. */
static struct error read_error(struct cur *c)
{
	struct error e = { STR(""), STR(""), STR("") };
	bool plain = false; /* the severity that is never translated has come */

	while (!c->over && cur_left(c)) {
		uint8_t field = cur_u8(c);
		struct str value = cur_cstr(c);

		if (!field || c->over)
			break;
		if (field == 'V' || (field == 'S' && !plain))
			e.severity = value;
		else if (field == 'C')
			e.state = value;
		else if (field == 'M')
			e.message = value;
		plain = plain || field == 'V';
	}
	return e;
}

/* At most MESSAGE_MAX bytes, and no half character at the end. */
static struct str shortened(struct str s)
{
	size_t n = MESSAGE_MAX;

	if (s.len <= n)
		return s;
	while (n && ((unsigned char)s.s[n] & 0xc0) == 0x80)
		n--;
	return str_head(s, n);
}

/* Whom an error answers. */
static void place_error(struct pg *s, bool fatal, struct msg *out)
{
	advance(s, true);
	if (fatal && (is_simple(s) || s->held)) {
		out->kind = MSG_RESP; /* no ReadyForQuery will follow */
		close_group(s);
	} else if (s->held) {
		out->kind = MSG_INTERIM; /* the commit at Sync failed */
	} else if (ended(s) && !is_simple(s) && s->done == limit(s)) {
		out->kind = MSG_PUSH; /* likewise, but each request has its answer */
	} else {
		answer(s, out);
	}
}

static enum parse error_response(struct pg *s, struct cur *in, struct pg_frame *f, struct msg *out)
{
	struct error e = read_error(&f->body);

	if (f->whole && !e.severity.len && !e.state.len)
		return PARSE_BAD;
	place_error(s, str_is(e.severity, "FATAL") || str_is(e.severity, "PANIC"), out);
	out->status = e.state;
	out->error_type = e.state.len ? e.state : STR("_OTHER");
	/* Classes 00 and 01 are success and warnings. */
	out->error = !e.state.len || strncmp(e.state.s, "02", 2) >= 0;
	out->server_error = out->error;
	if (e.state.len)
		msg_attr(out, ATTR_DB_STATUS, e.state);
	if (e.message.len)
		msg_attr(out, ATTR_ERROR_MESSAGE, shortened(e.message));
	return pg_take_head(in, f, out);
}

/* ---- ends of answers ---- */

/* The last word of "INSERT 0 5", "SELECT 5", "COPY 5"; "BEGIN" has none. */
static int64_t tag_rows(struct str tag)
{
	const char *blank = memrchr(tag.s, ' ', tag.len);
	uint64_t n;

	if (!blank ||
	    !str_u64((struct str){ blank + 1, (size_t)(tag.s + tag.len - blank) - 1 }, &n))
		return -1;
	return n > INT64_MAX ? -1 : (int64_t)n;
}

static enum parse command_complete(struct pg *s, struct cur *in, struct pg_frame *f,
                                   struct msg *out)
{
	struct str tag = cur_cstr(&f->body);

	if (f->whole && (f->body.over || cur_left(&f->body)))
		return PARSE_BAD;
	advance(s, false);
	answer(s, out);
	if (f->whole)
		out->rows = tag_rows(tag);
	return pg_take_head(in, f, out);
}

static enum parse portal_suspended(struct pg *s, struct cur *in, struct pg_frame *f,
                                   struct msg *out)
{
	out->rows = s->rows;
	advance(s, false);
	answer(s, out);
	return pg_take(in, f, 0, out);
}

static enum parse notification(struct cur *in, struct pg_frame *f, struct msg *out)
{
	cur_be32(&f->body); /* process */
	out->kind = MSG_PUSH;
	out->op = STR("NOTIFY");
	out->target = cur_cstr(&f->body);
	return pg_take_head(in, f, out);
}

static enum parse rows(struct pg *s, struct cur *in, const struct pg_frame *f, struct msg *out)
{
	advance(s, false);
	part(out);
	return pg_take_run(in, f->type, &s->rows, out);
}

/*
 * The answers to Bind and Describe are parts of the answer to the Execute that
 * waits in their group; where none does, they stand for themselves.
 */
static enum parse prelude(struct pg *s, struct cur *in, const struct pg_frame *f, struct msg *out)
{
	if (is_simple(s) || s->done != limit(s))
		part(out);
	return pg_take(in, f, 0, out);
}

static enum parse by_type(struct pg *s, struct cur *in, struct pg_frame *f, struct msg *out)
{
	switch (f->type) {
	case 'Z':
		return ready_for_query(s, in, f, out);
	case 'C':
		return command_complete(s, in, f, out);
	case 'E':
		return error_response(s, in, f, out);
	case 'A':
		return notification(in, f, out);
	case 's':
		return portal_suspended(s, in, f, out);
	case '1': /* ParseComplete */
	case 'I': /* EmptyQueryResponse */
		advance(s, false);
		answer(s, out);
		return pg_take(in, f, 0, out);
	case '2': /* BindComplete */
	case 'T': /* RowDescription */
	case 't': /* ParameterDescription */
	case 'n': /* NoData */
		return prelude(s, in, f, out);
	case 'R': /* Authentication */
	case 'V': /* FunctionCallResponse */
	case 'G': /* CopyInResponse and its like */
	case 'H':
	case 'W':
	case 'c': /* CopyDone */
		part(out);
		return pg_take(in, f, 0, out);
	default: /* parameters, keys, notices, CloseComplete */
		return pg_take(in, f, 0, out);
	}
}

/* The one byte that answers a request for TLS or GSSAPI encryption. */
static bool encryption_answer(struct pg *s, struct cur *in, struct msg *out)
{
	uint8_t c = *in->p;

	if (!s->asked_tls || (c != 'N' && c != 'S' && c != 'G'))
		return false;
	s->asked_tls = false;
	cur_take(in, 1);
	if (c != 'N')
		out->next = PROTO_NEXT_DETECT;
	return true;
}

enum parse pg_response(struct pg *s, struct cur *in, struct msg *out)
{
	struct pg_frame f;
	enum parse r;

	if (encryption_answer(s, in, out))
		return PARSE_OK;
	r = pg_frame(in, DIR_RESP, &f);
	if (r != PARSE_OK)
		return r;
	if (f.type == 'D' || f.type == 'd')
		return rows(s, in, &f, out);
	if (!f.ready && strchr("ZCEA", f.type))
		return PARSE_MORE;
	return by_type(s, in, &f, out);
}
