// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * build - rows from requests and connections: names, times, ids, attributes by
 * the semantic conventions (1.44).
 */
#include <stdio.h>
#include <sys/socket.h>

#include "base/ip.h"
#include "base/json.h"
#include "span/body.h"
#include "span/guess.h"
#include "span/name.h"
#include "span/place.h"
#include "span/req.h"

/* ---- attributes ---- */

static void add_attr_key(struct buf *b, const char *key)
{
	size_t n = strlen(key);
	char *p = buf_room(b, n + 4);

	if (!p)
		return;
	if (b->len && p[-1] != '{')
		*p++ = ',';
	*p++ = '"';
	memcpy(p, key, n);
	memcpy(p + n, "\":", 2);
	b->len = (size_t)(p + n + 2 - b->p);
}

static void add_attr(struct buf *b, const char *key, struct str text, int64_t num)
{
	add_attr_key(b, key);
	if (text.s)
		json_str(b, text);
	else
		buf_i64(b, num);
}

static bool has_attr(const struct req *r, enum attr key)
{
	return r->has[key / 64] >> key % 64 & 1;
}

void req_attrs(struct req *r, const struct msg *m)
{
	for (unsigned int i = 0; i < m->nattrs; i++) {
		const struct msg_attr *a = &m->attrs[i];
		uint64_t bit = (uint64_t)1 << a->key % 64;
		struct str value = a->text;
		char text[24];

		if (r->has[a->key / 64] & bit)
			continue;
		r->has[a->key / 64] |= bit;
		if (!value.s && attr_is_truth(a->key)) {
			add_attr_key(&r->attrs, attr_name(a->key));
			buf_z(&r->attrs, a->num ? "true" : "false");
			continue;
		}
		if (!value.s && !attr_is_int(a->key)) { /* a number that is text in OTLP */
			snprintf(text, sizeof(text), "%lld", (long long)a->num);
			value = str_of(text);
		}
		if (attr_is_list(a->key)) {
			add_attr_key(&r->attrs, attr_name(a->key));
			json_lines(&r->attrs, value);
		} else {
			add_attr(&r->attrs, attr_name(a->key), value, a->num);
		}
	}
}

/* ---- who and where ---- */

static struct str address(struct batch *b, uint16_t family, const uint8_t *addr)
{
	char text[INET6_ADDRSTRLEN];

	return batch_text(b, ip_text(family, addr, text));
}

static int64_t port(const struct conn *c, uint16_t n)
{
	return c->have_info && c->info.family != AF_UNIX ? n : COL_NULL;
}

/* The other side; of a socket for datagrams what these say, where they do. */
static void set_peer(const struct conn *c, const struct conn_peer *peer, struct str *ip,
                     int64_t *number, struct batch *b)
{
	if (c->dgram && peer->known) {
		*ip = address(b, AF_INET6, peer->addr);
		*number = peer->port;
	} else if (!c->dgram || c->info.rport) {
		*ip = address(b, c->info.family, c->info.raddr);
		*number = port(c, c->info.rport);
	}
}

static struct str conn_name(struct batch *b, const struct conn *c)
{
	char text[24];

	snprintf(text, sizeof(text), "%llx", (unsigned long long)c->id);
	return batch_text(b, str_of(text));
}

static const char *transport(const struct conn *c)
{
	return c->dgram ? "udp" : !c->have_info ? NULL : c->info.family == AF_UNIX ? "unix" : "tcp";
}

/* ---- ids ---- */

static uint64_t mix(uint64_t x)
{
	x ^= x >> 33;
	x *= 0xff51afd7ed558ccd;
	x ^= x >> 33;
	x *= 0xc4ceb9fe1a85ec53;
	return x ^ x >> 33;
}

/* Ids follow from the seed and from what the request is, so that a replay gives the same. */
static void make_ids(const struct req *r, const struct conn *c, uint64_t seed, struct span *row)
{
	uint64_t what = mix(seed ^ mix(c->id) ^ mix(r->serial) ^ mix(r->start_ns));
	uint64_t id[3] = { mix(what + 1), mix(what + 2), mix(what + 3) | 1 };

	memcpy(row->trace_id, id, 16);
	memcpy(row->span_id, id + 2, 8);
}

static int hex_digit(char ch)
{
	return ch >= '0' && ch <= '9' ? ch - '0' : ch >= 'a' && ch <= 'f' ? ch - 'a' + 10 : -1;
}

static bool unhex(const char *s, size_t n, uint8_t *out)
{
	for (size_t i = 0; i < n; i++) {
		int hi = hex_digit(s[2 * i]), lo = hex_digit(s[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return false;
		out[i] = (uint8_t)(hi << 4 | lo);
	}
	return true;
}

/* "00-<32 hex>-<16 hex>-01" (W3C Trace Context, 3.2). */
static void take_context(struct str tp, struct batch *b, struct span *row)
{
	uint8_t trace[16], parent[8];
	static const uint8_t zero[16];

	if (tp.len < 55 || tp.s[2] != '-' || tp.s[35] != '-' || tp.s[52] != '-' ||
	    !unhex(tp.s + 3, 16, trace) || !unhex(tp.s + 36, 8, parent) ||
	    !memcmp(trace, zero, 16) || !memcmp(parent, zero, 8))
		return;
	memcpy(row->trace_id, trace, 16);
	memcpy(row->parent_span_id, parent, 8);
	row->parent_by = batch_text(b, STR("traceparent"));
	if (hex_digit(tp.s[54]) >= 0 && !(hex_digit(tp.s[54]) & 1))
		row->flags |= SPAN_F_UNSAMPLED;
}

/* ---- attributes of a family ---- */

static struct str kind_of(const struct req *r, const struct conn *c)
{
	bool server = c->side == SIDE_SERVER;

	switch (r->does) {
	case MESSAGING_CREATE:
	case MESSAGING_SEND:
		return server ? STR("server") : STR("producer");
	case MESSAGING_PROCESS:
		return server ? STR("producer") : STR("consumer");
	default:
		return server ? STR("server") : STR("client");
	}
}

static void db_attrs(const struct req *r, const struct conn *c, const struct span *row,
                     struct buf *a)
{
	add_attr(a, "db.system.name", str_of(c->proto->system), 0);
	if (r->db.known)
		add_attr(a, "db.namespace", req_get(r, r->db), 0);
	if (c->proto->family == FAMILY_DOCUMENTS && row->name.len)
		add_attr(a, "db.query.summary", row->name, 0);
	if (r->rows >= 0)
		add_attr(a, "db.response.returned_rows", STR_NULL, r->rows);
	if (r->status.known && r->error && !has_attr(r, ATTR_DB_STATUS))
		add_attr(a, "db.response.status_code", req_get(r, r->status), 0);
}

static void messaging_attrs(const struct req *r, const struct conn *c, struct buf *a)
{
	static const char *const types[] = {
		[MESSAGING_CREATE] = "create",   [MESSAGING_SEND] = "send",
		[MESSAGING_RECEIVE] = "receive", [MESSAGING_PROCESS] = "process",
		[MESSAGING_SETTLE] = "settle",
	};

	add_attr(a, "messaging.system", str_of(c->proto->system), 0);
	if (r->op.known)
		add_attr(a, "messaging.operation.name", req_get(r, r->op), 0);
	if (r->does)
		add_attr(a, "messaging.operation.type", str_of(types[r->does]), 0);
	if (r->temporary)
		buf_z(a, ",\"messaging.destination.temporary\":true");
	/* where bytes are missing, the messages in them are not counted */
	if (r->rows >= 0 && !(r->flags & SPAN_F_CUT))
		add_attr(a, "messaging.batch.message_count", STR_NULL, r->rows);
}

/* What HTTP carries: "S3/GetObject"; and the code of a database's error. */
static void level_attrs(const struct req *r, const struct span *row, struct buf *a)
{
	struct str service = req_get(r, r->subject);
	struct buf method = { 0 };

	if (r->dotted && service.len && row->op.len) {
		buf_fmt(&method, "%.*s/%.*s", STR_ARG(service), STR_ARG(row->op));
		add_attr(a, "rpc.method", buf_slice(&method), 0);
		buf_free(&method);
	}
	if (has_attr(r, ATTR_DB_SYSTEM) && r->error && r->status.known &&
	    !has_attr(r, ATTR_DB_STATUS))
		add_attr(a, "db.response.status_code", row->status, 0);
}

static void rpc_attrs(const struct proto *p, const struct span *row, struct buf *a)
{
	add_attr(a, "rpc.system.name", str_of(p->system), 0);
	if (row->op.s)
		add_attr(a, "rpc.method", row->op, 0);
}

static void set_attrs(const struct req *r, const struct proto *p, const struct conn *c,
                      struct batch *b, struct span *row)
{
	struct buf a = { 0 };

	buf_ch(&a, '{');
	buf_str(&a, buf_slice(&r->attrs));
	if (p && p->family == FAMILY_RPC)
		rpc_attrs(p, row, &a);
	else if (r->level)
		level_attrs(r, row, &a);
	else if (c->proto && c->proto->family == FAMILY_MESSAGING)
		messaging_attrs(r, c, &a);
	else if (c->proto && c->proto->system)
		db_attrs(r, c, row, &a);
	body_attrs(r, &a);
	if (r->headers_left_out)
		add_attr(&a, "obi.headers.left_out", STR_NULL, r->headers_left_out);
	if (r->again)
		add_attr(&a, "obi.retransmits", STR_NULL, r->again);
	if (transport(c))
		add_attr(&a, "network.transport", str_of(transport(c)), 0);
	if (row->parent_by.s && r->tracestate.known)
		add_attr(&a, PLACE_STATE, req_get(r, r->tracestate), 0);
	buf_ch(&a, '}');
	if (a.len > 2)
		row->attrs = batch_text(b, buf_slice(&a));
	buf_free(&a);
}

/* ---- rows ---- */

static void set_times(const struct req *r, const struct pair_opts *o, struct span *row)
{
	uint64_t end = r->end_ns, ttfb = r->ttfb_ns;

	row->start_ns = (int64_t)r->start_ns + o->wall_offset_ns;
	if (row->flags & (SPAN_F_OPEN | SPAN_F_GAP) || (!ttfb && !r->no_answer))
		return;
	if (end < r->start_ns || (ttfb && ttfb < r->start_ns))
		row->flags |= SPAN_F_CLAMPED;
	end = end < r->start_ns ? r->start_ns : end;
	ttfb = ttfb < r->start_ns ? r->start_ns : ttfb;
	row->dur_ns = (int64_t)(end - r->start_ns);
	if (!r->no_answer)
		row->ttfb_ns = (int64_t)((ttfb > end ? end : ttfb) - r->start_ns);
}

static void set_place(const struct req *r, const struct conn *c, struct batch *b, struct span *row)
{
	row->conn = conn_name(b, c);
	if (!c->have_info)
		return;
	row->local_ip = address(b, c->info.family, c->info.laddr);
	row->local_port = port(c, c->info.lport);
	set_peer(c, &r->peer, &row->peer_ip, &row->peer_port, b);
}

static struct str copied(const struct req *r, struct piece p, struct batch *b)
{
	return batch_text(b, req_get(r, p));
}

void req_build(const struct req *r, const struct conn *c, const struct pair_opts *o,
               struct span *row, struct batch *b)
{
	const struct proto *p = r->proto ? proto_by_id(r->proto) : c->proto;

	row->flags = r->flags;
	set_times(r, o, row);
	make_ids(r, c, o->seed, row);
	take_context(req_get(r, r->traceparent), b, row);
	row->kind = kind_of(r, c);
	row->proto = str_of(p ? p->name : "unknown");
	row->op = copied(r, r->op, b);
	row->target = copied(r, r->target, b);
	row->status = copied(r, r->status, b);
	row->error_type = r->error ? copied(r, r->error_type, b) : STR_NULL;
	row->code = r->code;
	if (row->dur_ns != COL_NULL && (r->error || !r->no_status))
		row->error = r->error;
	row->pid = r->pid;
	row->tid = r->tid;
	row->req_bytes = (int64_t)r->req_bytes;
	if (r->ttfb_ns)
		row->resp_bytes = (int64_t)r->resp_bytes;
	set_place(r, c, b, row);
	name_row(r, c, p, b, row);
	set_attrs(r, p, c, b, row);
}

static int64_t wall(uint64_t ns, const struct pair_opts *o)
{
	return ns ? (int64_t)ns + o->wall_offset_ns : COL_NULL;
}

static void conn_counts(const struct conn *c, struct conn_row *row)
{
	row->requests = (int64_t)c->requests;
	row->errors = (int64_t)c->errors;
	row->tx_bytes = (int64_t)c->dir[EV_SEND].total;
	row->rx_bytes = (int64_t)c->dir[EV_RECV].total;
	row->seen_bytes = (int64_t)c->seen_bytes;
	row->cut_bytes = (int64_t)c->cut_bytes;
	row->lost_bytes = (int64_t)c->lost_bytes;
	row->unseen_bytes = (int64_t)c->unseen_bytes;
	row->unparsed_bytes = (int64_t)c->unparsed_bytes;
	if (c->srtt_us)
		row->rtt_ns = (int64_t)c->srtt_us * 1000;
	if (c->end_ns)
		row->retransmits = c->retransmits;
}

static const char *conn_proto(const struct conn *c)
{
	const char *guess = c->dgram ? guess_datagram(c->first, c->nfirst) : NULL;

	return c->proto ? c->proto->name : guess ? guess : transport(c);
}

void conn_build(const struct conn *c, const struct pair_opts *o, struct conn_row *row,
                struct batch *b)
{
	static const struct conn_peer nobody;
	struct buf first = { 0 };

	row->conn = conn_name(b, c);
	row->start_ns = wall(c->first_ns, o);
	row->end_ns = wall(c->end_ns, o);
	row->pid = c->pid ? (int64_t)c->pid : COL_NULL;
	row->transport = str_of(transport(c));
	row->side = str_of(c->side == SIDE_CLIENT   ? "client"
	                   : c->side == SIDE_SERVER ? "server"
	                                            : NULL);
	row->proto = str_of(conn_proto(c));
	row->state = c->end_ns ? STR("closed") : STR("open");
	if (c->have_info) {
		row->local_ip = address(b, c->info.family, c->info.laddr);
		row->local_port = port(c, c->info.lport);
		set_peer(c, c->many_peers ? &nobody : &c->only, &row->peer_ip, &row->peer_port, b);
	}
	conn_counts(c, row);
	row->why = str_of(c->proto && c->why != WHY_ENCRYPTED ? NULL : conn_why(c));
	if (!c->proto && c->nfirst) {
		buf_escape(&first, (struct str){ (const char *)c->first, c->nfirst });
		row->first_bytes = batch_text(b, buf_slice(&first));
		buf_free(&first);
	}
	row->flags = (c->flags & CONN_F_JOINED_MID ? SPAN_F_JOINED_MID : 0) |
	             (c->flags & CONN_F_GAP ? SPAN_F_GAP : 0);
}
