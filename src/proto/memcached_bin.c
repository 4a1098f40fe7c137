// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * memcached_bin - the binary protocol of Memcached.
 *
 * A header of 24 bytes; so many bytes of extras, of key, of value:
 * https://github.com/memcached/memcached/wiki/BinaryProtocolRevamped
 */
#include "proto/memcached_bin.h"

enum {
	KEY_LONGEST = 250, /* the server refuses longer ones and closes */
	MESSAGE_MAX = 256, /* of an error's words */
};

/* ----- header ----- */

struct header {
	uint8_t opcode, extras, type;
	uint16_t key, status; /* of a request: of the partition, always 0 */
	uint32_t body, value; /* body: extras, key and value */
	bool fits;
};

static struct header header(struct cur *c)
{
	struct header h;

	cur_u8(c);
	h.opcode = cur_u8(c);
	h.key = cur_be16(c);
	h.extras = cur_u8(c);
	h.type = cur_u8(c);
	h.status = cur_be16(c);
	h.body = cur_be32(c);
	cur_take(c, 12); /* what the client wants to see again; version of the item */
	h.fits = !h.type && (uint32_t)h.extras + h.key <= h.body;
	h.value = h.fits ? h.body - h.extras - h.key : 0;
	return h;
}

/* ----- commands ----- */

enum form {
	FORM_ONE,   /* answered once */
	FORM_GET,   /* likewise; ends a run of quiet ones */
	FORM_NOOP,  /* likewise */
	FORM_RUN,   /* a quiet get */
	FORM_QUIET, /* answered only where it fails */
	FORM_MANY,  /* answered by several; the last one has no key */
};

/* What the server asks of a command; of lengths that do not fit it answers with an error. */
struct command {
	struct str op, word; /* word: in the text protocol, where it has the command */
	enum form form;
	uint8_t extras;
	bool key;
};

static const struct command commands[] = {
	[0x00] = { STR("GET"), STR("get"), FORM_GET, 0, true },
	[0x01] = { STR("SET"), STR("set"), FORM_ONE, 8, true },
	[0x02] = { STR("ADD"), STR("add"), FORM_ONE, 8, true },
	[0x03] = { STR("REPLACE"), STR("replace"), FORM_ONE, 8, true },
	[0x04] = { STR("DELETE"), STR("delete"), FORM_ONE, 0, true },
	[0x05] = { STR("INCR"), STR("incr"), FORM_ONE, 20, true },
	[0x06] = { STR("DECR"), STR("decr"), FORM_ONE, 20, true },
	[0x07] = { STR("QUIT"), STR("quit"), FORM_ONE, 0, false },
	[0x08] = { STR("FLUSH_ALL"), STR("flush_all"), FORM_ONE, 4, false },
	[0x09] = { STR("GET"), STR("get"), FORM_RUN, 0, true },
	[0x0a] = { STR("NOOP"), STR("noop"), FORM_NOOP, 0, false },
	[0x0b] = { STR("VERSION"), STR("version"), FORM_ONE, 0, false },
	[0x0c] = { STR("GET"), STR("get"), FORM_GET, 0, true },
	[0x0d] = { STR("GET"), STR("get"), FORM_RUN, 0, true },
	[0x0e] = { STR("APPEND"), STR("append"), FORM_ONE, 0, true },
	[0x0f] = { STR("PREPEND"), STR("prepend"), FORM_ONE, 0, true },
	[0x10] = { STR("STATS"), STR("stats"), FORM_MANY, 0, true },
	[0x11] = { STR("SET"), STR("set"), FORM_QUIET, 8, true },
	[0x12] = { STR("ADD"), STR("add"), FORM_QUIET, 8, true },
	[0x13] = { STR("REPLACE"), STR("replace"), FORM_QUIET, 8, true },
	[0x14] = { STR("DELETE"), STR("delete"), FORM_QUIET, 0, true },
	[0x15] = { STR("INCR"), STR("incr"), FORM_QUIET, 20, true },
	[0x16] = { STR("DECR"), STR("decr"), FORM_QUIET, 20, true },
	[0x17] = { STR("QUIT"), STR("quit"), FORM_QUIET, 0, false },
	[0x18] = { STR("FLUSH_ALL"), STR("flush_all"), FORM_QUIET, 4, false },
	[0x19] = { STR("APPEND"), STR("append"), FORM_QUIET, 0, true },
	[0x1a] = { STR("PREPEND"), STR("prepend"), FORM_QUIET, 0, true },
	[0x1b] = { STR("VERBOSITY"), STR("verbosity"), FORM_ONE, 4, false },
	[0x1c] = { STR("TOUCH"), STR("touch"), FORM_ONE, 4, true },
	[0x1d] = { STR("GAT"), STR("gat"), FORM_GET, 4, true },
	[0x1e] = { STR("GAT"), STR("gat"), FORM_RUN, 4, true },
	[0x20] = { STR("SASL_LIST"), STR("sasl_list"), FORM_ONE, 0, false },
	[0x21] = { STR("SASL_AUTH"), STR("sasl_auth"), FORM_ONE, 0, true },
	[0x22] = { STR("SASL_STEP"), STR("sasl_step"), FORM_ONE, 0, true },
	[0x23] = { STR("GAT"), STR("gat"), FORM_GET, 4, true },
	[0x24] = { STR("GAT"), STR("gat"), FORM_RUN, 4, true },
};

static const struct command *command_of(uint8_t opcode)
{
	static const struct command other = { STR("_OTHER"), STR("_other"), FORM_ONE, 0, true };

	return opcode < sizeof(commands) / sizeof(*commands) && commands[opcode].op.len
	               ? &commands[opcode]
	               : &other;
}

/* The command as the text protocol would have it, as far as there is room: word and key. */
static struct str text_of(struct memcached_bin *s, const struct command *cmd, struct str key)
{
	size_t n = cmd->word.len, room = sizeof(s->text) - n - 1;

	memcpy(s->text, cmd->word.s, n);
	if (key.len) {
		s->text[n++] = ' ';
		key = str_head(key, room);
		memcpy(s->text + n, key.s, key.len);
		n += key.len;
	}
	return (struct str){ s->text, n };
}

/* ----- requests ----- */

/* What a command is where it stands: the end or a part of a run of quiet gets, or none. */
static void place(struct memcached_bin *s, const struct command *cmd, struct msg *out)
{
	bool part = s->keys &&
	            (cmd->form == FORM_RUN || cmd->form == FORM_GET || cmd->form == FORM_NOOP);
	bool ends = s->keys && cmd->form != FORM_RUN && cmd->form != FORM_QUIET;

	if (cmd->form == FORM_RUN)
		s->keys += s->keys < UINT32_MAX;
	/* What ends a run and is no part of it cannot have the answer too: that ends the run. */
	out->kind = cmd->form == FORM_QUIET || (ends && !part) ? MSG_ONEWAY : MSG_REQ;
	if (part)
		out->kind = MSG_NONE;
	if (!ends)
		return;
	s->last = s->keys;
	s->runs += cmd->form == FORM_NOOP;
	s->keys = 0;
}

enum parse memcached_bin_request(struct memcached_bin *s, struct cur *c, struct msg *out)
{
	struct cur at = *c;
	struct header h = header(&at);
	const struct command *cmd = command_of(h.opcode);
	struct str key;

	if (at.over)
		return PARSE_MORE;
	if (!h.fits || h.status || h.key > KEY_LONGEST)
		return PARSE_BAD;
	if (cur_left(&at) < (size_t)h.extras + h.key) {
		if (!at.cut)
			return PARSE_MORE;
		out->flags |= MSG_F_CUT;
		out->skip = h.body - cur_left(&at);
		at.p = at.end;
		key = STR("");
	} else {
		cur_take(&at, h.extras);
		key = cur_str(&at, h.key);
		out->skip = h.value;
	}
	place(s, cmd, out);
	if (out->kind != MSG_NONE) {
		out->op = cmd->op;
		out->target = text_of(s, cmd, key);
	}
	c->p = at.p;
	return PARSE_OK;
}

/* ----- answers ----- */

enum {
	NOT_FOUND = 1,
	INTERNAL = 0x81, /* from here on the server has failed, not the client */
};

/* In the text protocol's words where it has them; these are no errors there. */
static const struct {
	uint16_t code;
	bool error;
	struct str name;
} statuses[] = {
	{ 0x00, false, STR("OK") },
	{ NOT_FOUND, false, STR("NOT_FOUND") },
	{ 0x02, false, STR("EXISTS") },
	{ 0x03, true, STR("E2BIG") },
	{ 0x04, true, STR("EINVAL") },
	{ 0x05, false, STR("NOT_STORED") },
	{ 0x06, true, STR("DELTA_BADVAL") },
	{ 0x07, true, STR("NOT_MY_VBUCKET") },
	{ 0x20, true, STR("AUTH_ERROR") },
	{ 0x21, false, STR("AUTH_CONTINUE") },
	{ INTERNAL, true, STR("UNKNOWN_COMMAND") },
	{ 0x82, true, STR("ENOMEM") },
	{ 0x83, true, STR("ENOTSUP") },
	{ 0x84, true, STR("EINTERNAL") },
	{ 0x85, true, STR("EBUSY") },
	{ 0x86, true, STR("ETMPFAIL") },
};

enum { NSTATUSES = sizeof(statuses) / sizeof(*statuses) };

static bool is_status(uint16_t code)
{
	for (size_t i = 0; i < NSTATUSES; i++)
		if (statuses[i].code == code)
			return true;
	return false;
}

static void take_status(uint16_t code, struct msg *out)
{
	out->code = code;
	out->status = STR("_OTHER");
	out->error = true;
	for (size_t i = 0; i < NSTATUSES; i++) {
		if (statuses[i].code == code) {
			out->status = statuses[i].name;
			out->error = statuses[i].error;
		}
	}
	if (out->error)
		out->error_type = out->status;
	out->server_error = out->error && code >= INTERNAL;
}

/* The words of an error; false where they have still to come. */
static bool take_message(struct cur *c, uint32_t len, struct msg *out)
{
	uint32_t want = len < MESSAGE_MAX ? len : MESSAGE_MAX;

	if (cur_left(c) < want) {
		if (!c->cut)
			return false;
		want = (uint32_t)cur_left(c);
		out->flags |= MSG_F_CUT;
	}
	msg_attr(out, ATTR_ERROR_MESSAGE, cur_str(c, want));
	out->skip = len - want;
	return true;
}

static void count(struct memcached_bin *s, const struct command *cmd, const struct header *h,
                  struct msg *out)
{
	if (cmd->form == FORM_GET || cmd->form == FORM_RUN)
		out->rows = h->status ? h->status == NOT_FOUND ? 0 : -1 : 1;
	if (cmd->form != FORM_NOOP || !s->runs)
		return;
	out->rows = 0;
	if (s->runs == 1) /* else it is not known which run this one is */
		msg_attr_num(out, ATTR_DB_BATCH_SIZE, s->last);
	s->runs--;
}

enum parse memcached_bin_answer(struct memcached_bin *s, struct cur *c, struct msg *out)
{
	struct cur at = *c;
	struct header h = header(&at);
	const struct command *cmd = command_of(h.opcode);

	if (at.over)
		return PARSE_MORE;
	if (!h.fits)
		return PARSE_BAD;
	take_status(h.status, out);
	out->skip = h.body;
	if (out->error && !h.extras && !h.key && h.body && !take_message(&at, h.body, out))
		return PARSE_MORE;
	out->kind = MSG_RESP;
	if (cmd->form == FORM_QUIET)
		out->kind = MSG_PUSH;
	else if (cmd->form == FORM_RUN || (cmd->form == FORM_MANY && !h.status && h.key))
		out->kind = MSG_INTERIM;
	if (out->kind == MSG_INTERIM || (out->kind == MSG_RESP && out->skip))
		out->flags |= MSG_F_BODY;
	count(s, cmd, &h, out);
	c->p = at.p;
	return PARSE_OK;
}

/* ----- detection ----- */

bool memcached_bin_asks(struct cur c)
{
	bool magic = cur_left(&c) && *c.p == MEMCACHED_BIN_REQ;
	struct header h = magic ? header(&c) : (struct header){ 0 };
	const struct command *cmd = command_of(h.opcode);
	bool flush = (h.opcode == 0x08 || h.opcode == 0x18) && !h.extras; /* it may have none */
	bool keyed = cmd->key ? h.key || cmd->form == FORM_MANY : !h.key;

	return magic && !c.over && h.fits && !h.status && h.key <= KEY_LONGEST && keyed &&
	       *cmd->op.s != '_' && (h.extras == cmd->extras || flush);
}

bool memcached_bin_replies(struct cur c)
{
	bool magic = cur_left(&c) && *c.p == MEMCACHED_BIN_RESP;
	struct header h = magic ? header(&c) : (struct header){ 0 };

	return magic && !c.over && h.fits && is_status(h.status) && h.key <= KEY_LONGEST &&
	       (!h.extras || h.extras == 4) && *command_of(h.opcode)->op.s != '_';
}
