// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * build - rows from requests and connections: names, times, ids, attributes by
 * the semantic conventions (1.44).
 */
#include <stdio.h>
#include <sys/socket.h>

#include "base/ip.h"
#include "base/json.h"
#include "proto/sql.h"
#include "span/body.h"
#include "span/guess.h"
#include "span/place.h"
#include "span/req.h"

enum { SUMMARY_BYTES = 256, QUERY_BYTES = 8192 };

/* ---- attributes ---- */

static void add_attr_key(struct buf *b, const char *key)
{
	if (b->len && b->p[b->len - 1] != '{')
		buf_ch(b, ',');
	buf_ch(b, '"');
	buf_z(b, key);
	buf_z(b, "\":");
}

static void add_attr(struct buf *b, const char *key, struct str text, int64_t num)
{
	add_attr_key(b, key);
	if (text.s)
		json_str(b, text);
	else
		buf_i64(b, num);
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

/* ---- by family ---- */

/* The word behind the command, which may have two words itself ("CONFIG SET"). */
static struct str key_of(struct str s, struct str op)
{
	const char *p = s.s && s.len > op.len && s.s[op.len] == ' ' ? s.s + op.len : NULL, *end;

	if (!p)
		return STR_NULL;
	p++;
	end = memchr(p, ' ', (size_t)(s.s + s.len - p));
	return (struct str){ p, (size_t)((end ? end : s.s + s.len) - p) };
}

static enum sql_dialect dialect(const struct conn *c)
{
	return sql_dialect(str_of(c->proto->name));
}

static void name_sql(const struct conn *c, struct batch *b, struct span *row)
{
	char query[QUERY_BYTES], summary[SUMMARY_BYTES + sizeof("BATCH")] = "BATCH ";
	size_t n, batch = str_is(row->op, "BATCH") ? sizeof("BATCH") : 0;

	if (!row->target.s || !row->target.len)
		return;
	n = sql_normalise(row->target, dialect(c), query, sizeof(query));
	row->query = batch_text(b, (struct str){ query, n });
	n = sql_summary(row->target, dialect(c), summary + batch, SUMMARY_BYTES);
	if (n)
		row->name = batch_text(b, (struct str){ summary, batch + n });
}

static void set_name(struct str a, struct str b, struct batch *batch, struct span *row)
{
	struct buf name = { 0 };

	buf_str(&name, a);
	buf_ch(&name, ' ');
	buf_str(&name, b);
	row->name = batch_text(batch, buf_slice(&name));
	buf_free(&name);
}

/* "find orders" (db.query.summary), else the operation alone. */
static void name_documents(const struct req *r, struct batch *b, struct span *row)
{
	row->query = batch_text(b, req_get(r, r->query));
	if (row->op.len && row->target.len)
		set_name(row->op, row->target, b, row);
}

/* "Produce orders" (messaging spans: operation and destination). */
static void name_messaging(const struct req *r, struct batch *b, struct span *row)
{
	row->topic = batch_text(b, req_get(r, r->topic));
	if (row->topic.len && !r->temporary)
		set_name(row->op, row->topic, b, row);
}

/* "/package.Service/Method" is the operation, and there is nothing else to say. */
static void name_rpc(const struct proto *p, struct span *row)
{
	struct str t = row->target;

	row->op = STR_NULL;
	if (t.len > 1 && *t.s == '/') {
		row->op = (struct str){ t.s + 1, t.len - 1 };
		row->target = STR_NULL;
	}
	row->name = row->op.s ? row->op : str_of(p->name);
}

/* "DNS AAAA", "TLS handshake" */
static void name_named(const struct proto *p, struct batch *b, struct span *row)
{
	char name[16];
	size_t n = 0;

	for (const char *s = p->name; *s && n < sizeof(name); s++)
		name[n++] = (char)(*s >= 'a' && *s <= 'z' ? *s - 'a' + 'A' : *s);
	set_name((struct str){ name, n }, row->op, b, row);
}

/* The method, which gets its route later; with a level "tools/call get-weather". */
static void name_http(const struct req *r, struct batch *b, struct span *row)
{
	row->level = str_of(r->level);
	row->name = row->op.s ? row->op : STR("HTTP");
	if (r->level && r->subject.len)
		set_name(row->op, req_get(r, r->subject), b, row);
}

static void name_row(const struct req *r, const struct conn *c, const struct proto *p,
                     struct batch *b, struct span *row)
{
	row->name = row->op;
	switch (p ? p->family : FAMILY_OTHER) {
	case FAMILY_SQL:
		name_sql(c, b, row);
		break;
	case FAMILY_KV:
		row->query = row->target;
		row->key = key_of(row->target, row->op);
		break;
	case FAMILY_DOCUMENTS:
		name_documents(r, b, row);
		break;
	case FAMILY_MESSAGING:
		name_messaging(r, b, row);
		break;
	case FAMILY_RPC:
		name_rpc(p, row);
		break;
	case FAMILY_HTTP:
		name_http(r, b, row);
		break;
	case FAMILY_NAMED:
		name_named(p, b, row);
		break;
	case FAMILY_OTHER:
		break;
	}
}

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
	if (r->status.known && r->error)
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
