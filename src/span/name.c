// SPDX-License-Identifier: GPL-3.0-or-later
/* name - what a span is called, by the family of its protocol. */
#include "span/name.h"

#include "proto/sql.h"

enum { SUMMARY_BYTES = 256, QUERY_BYTES = 8192 };

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

static void name_sql(struct str text, enum sql_dialect dialect, struct batch *b, struct span *row)
{
	char query[QUERY_BYTES], summary[SUMMARY_BYTES + sizeof("BATCH")] = "BATCH ";
	size_t n, batch = str_is(row->op, "BATCH") ? sizeof("BATCH") : 0;

	if (!text.s || !text.len)
		return;
	n = sql_normalise(text, dialect, query, sizeof(query));
	row->query = batch_text(b, (struct str){ query, n });
	n = sql_summary(text, dialect, summary + batch, SUMMARY_BYTES);
	if (n)
		row->name = batch_text(b, (struct str){ summary, batch + n });
}

static void set_name(struct str a, const char *between, struct str b, struct batch *batch,
                     struct span *row)
{
	struct buf name = { 0 };

	buf_str(&name, a);
	buf_z(&name, between);
	buf_str(&name, b);
	row->name = batch_text(batch, buf_slice(&name));
	buf_free(&name);
}

/* "find orders" (db.query.summary), else the operation alone. */
static void name_documents(const struct req *r, struct batch *b, struct span *row)
{
	row->query = batch_text(b, req_get(r, r->query));
	if (row->op.len && row->target.len)
		set_name(row->op, " ", row->target, b, row);
}

/* "Produce orders" (messaging spans: operation and destination). */
static void name_messaging(const struct req *r, struct batch *b, struct span *row)
{
	row->topic = batch_text(b, req_get(r, r->topic));
	if (row->topic.len && !r->temporary)
		set_name(row->op, " ", row->topic, b, row);
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
	set_name((struct str){ name, n }, " ", row->op, b, row);
}

/*
 * The method, which gets its route later; with a level "tools/call get-weather", or
 * "S3.GetObject".
 */
static void name_http(const struct req *r, struct batch *b, struct span *row)
{
	struct str subject = req_get(r, r->subject);

	row->level = str_of(r->level);
	row->name = row->op.s ? row->op : STR("HTTP");
	if (!r->level)
		return;
	row->topic = batch_text(b, req_get(r, r->topic));
	name_sql(req_get(r, r->query), sql_dialect(row->level), b, row);
	if (subject.len && r->dotted)
		set_name(subject, ".", row->op, b, row);
	else if (subject.len)
		set_name(row->op, " ", subject, b, row);
}

void name_row(const struct req *r, const struct conn *c, const struct proto *p, struct batch *b,
              struct span *row)
{
	row->name = row->op;
	switch (p ? p->family : FAMILY_OTHER) {
	case FAMILY_SQL:
		name_sql(row->target, sql_dialect(str_of(c->proto->name)), b, row);
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
