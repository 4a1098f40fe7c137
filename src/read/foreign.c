// SPDX-License-Identifier: GPL-3.0-or-later
/* foreign - spans of other programs. */
#include "read/foreign.h"

#include <stdio.h>

enum side { ANY_SIDE, AS_CLIENT, AS_SERVER };

/* The first that a span has wins. */
static const struct alias {
	const char *key, *column;
	enum side side; /* holds only for spans of this side */
} aliases[] = {
	{ "http.request.method", "op", ANY_SIDE },
	{ "http.method", "op", ANY_SIDE },
	{ "db.operation.name", "op", ANY_SIDE },
	{ "db.operation", "op", ANY_SIDE },
	{ "rpc.method", "op", ANY_SIDE },
	{ "messaging.operation.name", "op", ANY_SIDE },
	{ "messaging.operation", "op", ANY_SIDE },
	{ "graphql.operation.type", "op", ANY_SIDE },
	{ "url.path", "target", ANY_SIDE },
	{ "http.target", "target", ANY_SIDE },
	{ "url.full", "target", ANY_SIDE },
	{ "http.url", "target", ANY_SIDE },
	{ "db.statement", "query", ANY_SIDE },
	{ "messaging.destination", "topic", ANY_SIDE },
	{ "db.system.name", "proto", ANY_SIDE },
	{ "db.system", "proto", ANY_SIDE },
	{ "messaging.system", "proto", ANY_SIDE },
	{ "rpc.system.name", "proto", ANY_SIDE },
	{ "rpc.system", "proto", ANY_SIDE },
	{ "http.response.status_code", "status", ANY_SIDE },
	{ "http.status_code", "status", ANY_SIDE },
	{ "rpc.response.status_code", "status", ANY_SIDE },
	{ "rpc.grpc.status_code", "status", ANY_SIDE },
	{ "db.response.status_code", "status", ANY_SIDE },
	{ "net.sock.peer.addr", "peer_ip", ANY_SIDE },
	{ "net.peer.ip", "peer_ip", ANY_SIDE },
	{ "net.sock.peer.port", "peer_port", ANY_SIDE },
	{ "net.peer.port", "peer_port", ANY_SIDE },
	{ "net.host.ip", "local_ip", ANY_SIDE },
	{ "net.host.port", "local_port", ANY_SIDE },
	{ "server.address", "peer_name", AS_CLIENT },
	{ "net.peer.name", "peer_name", AS_CLIENT },
	{ "server.port", "peer_port", AS_CLIENT },
	{ "client.address", "peer_name", AS_SERVER },
	{ "server.port", "local_port", AS_SERVER },
	{ "tls.protocol.version", "tls", ANY_SIDE },
	{ "exception.type", "error_type", ANY_SIDE },
};
enum { NALIASES = sizeof(aliases) / sizeof(aliases[0]) };
_Static_assert((int)NALIASES <= (int)OTLP_ALIASES, "each alias has a place to remember its value");

void foreign_attr(struct otlp_dec *d, struct str key, const struct otlp_val *v)
{
	for (unsigned int i = 0; i < NALIASES; i++) {
		if (!str_is(key, aliases[i].key))
			continue;
		d->seen[i] = *v;
		d->seen[i].s = batch_text(d->batch, v->s);
	}
}

static bool fits(enum side side, uint64_t kind)
{
	bool server = kind == 2 || kind == 5;

	return side == ANY_SIDE || (side == AS_SERVER) == server;
}

static bool is_unknown(const struct span *s, unsigned int column)
{
	struct cell cell;

	cell_get(TABLE_SPANS, column, s, &cell);
	return cell.kind == CELL_NULL;
}

static void set_alias(struct otlp_dec *d, const struct alias *a, const struct otlp_val *v)
{
	int column = column_find(TABLE_SPANS, str_of(a->column));
	const struct column *c = &tables[TABLE_SPANS].columns[column];
	void *field = (char *)d->row + c->offset;
	struct buf text = { 0 };

	if (c->type == COL_I && v->kind == VAL_INT)
		*(int64_t *)field = v->i;
	if (c->type != COL_T)
		return;
	if (v->kind == VAL_TEXT) {
		*(struct str *)field = v->s;
		return;
	}
	otlp_val_json(&text, v);
	*(struct str *)field = batch_text(d->batch, buf_slice(&text));
	buf_free(&text);
}

/* "name[pid]", as obi shows its own. */
static void set_process(struct otlp_dec *d, struct span *s)
{
	struct buf text = { 0 };
	struct str name = s->comm.s ? s->comm : s->service;

	if (!name.s)
		return;
	buf_str(&text, name);
	if (s->pid != COL_NULL)
		buf_fmt(&text, "[%lld]", (long long)s->pid);
	s->process = batch_text(d->batch, buf_slice(&text));
	buf_free(&text);
}

void foreign_span(struct otlp_dec *d, const struct otlp_fields *f)
{
	struct span *s = d->row;

	for (unsigned int i = 0; i < NALIASES; i++) {
		int column = column_find(TABLE_SPANS, str_of(aliases[i].column));

		if (d->seen[i].kind != VAL_NONE && fits(aliases[i].side, f->kind) &&
		    is_unknown(s, (unsigned int)column))
			set_alias(d, &aliases[i], &d->seen[i]);
	}
	if (!s->proto.s && (d->seen[0].kind != VAL_NONE || d->seen[1].kind != VAL_NONE))
		s->proto = STR("http");
	if (s->code == COL_NULL && s->status.s)
		json_i64(s->status, &s->code); /* stays unknown where it is none */
	if (!s->target.s)
		s->target = s->query.s ? s->query : s->topic;
	if (!s->process.s)
		set_process(d, s);
	if (!f->start) {
		s->start_ns = COL_NULL;
		s->dur_ns = COL_NULL;
	} else if (f->end < f->start) {
		s->dur_ns = COL_NULL; /* was not ended */
	}
	if (!s->name.len)
		s->name = STR_NULL;
	s->flags |= SPAN_F_FOREIGN;
}
