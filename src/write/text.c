// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * text - spans for people, one a line, under a header.
 *
 * By default TIME PROTO SIDE PROCESS PEER OPERATION STATUS REQ RESP TTFB DUR
 * FLAGS; with a list of columns these as they are. Columns keep their width
 * from line to line; a longer text pushes its line to the right and is never
 * cut. What came from the traced programs is escaped. With rows of all tables
 * (-v) connections that could not be read are lines too.
 */
#include "write/writer.h"

#include <errno.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/json.h"
#include "write/columns.h"
#include "write/lines.h"

/* The default list: cells that are put together of several columns. */
enum field_kind {
	FIELD_COLUMN,
	FIELD_CLOCK,
	FIELD_PEER,
	FIELD_OPERATION,
	FIELD_SIZE,
	FIELD_DURATION,
};

struct field {
	const char *title;
	const char *column; /* NULL: put together */
	enum field_kind kind;
	int width; /* negative: to the right */
};

static const struct field fields[] = {
	{ "TIME", "time", FIELD_CLOCK, 15 },      { "PROTO", "proto", FIELD_COLUMN, 10 },
	{ "SIDE", "kind", FIELD_COLUMN, 6 },      { "PROCESS", "process", FIELD_COLUMN, 19 },
	{ "PEER", NULL, FIELD_PEER, 21 },         { "OPERATION", NULL, FIELD_OPERATION, 44 },
	{ "STATUS", "status", FIELD_COLUMN, 7 },  { "REQ", "req_bytes", FIELD_SIZE, -7 },
	{ "RESP", "resp_bytes", FIELD_SIZE, -7 }, { "TTFB", "ttfb_ms", FIELD_DURATION, -8 },
	{ "DUR", "dur_ms", FIELD_DURATION, -8 },  { "FLAGS", "flags", FIELD_COLUMN, 0 },
};
enum { NFIELDS = sizeof(fields) / sizeof(fields[0]) };

struct text_out {
	struct lines lines;     /* the first member: lines_rows() and others see only this */
	struct columns columns; /* n == 0: the default list */
	unsigned int hidden;    /* fields that the screen has no room for, bits */
	int operation;          /* width of that field; 0: any */
	int column[NFIELDS];    /* of each field, -1: put together */
	struct buf cell;
};

/* Characters on a screen, as far as one can tell without a locale. */
static int width_of(struct str s)
{
	int n = 0;

	for (size_t i = 0; i < s.len; i++)
		n += ((uint8_t)s.s[i] & 0xc0) != 0x80;
	return n;
}

static void put_padded(struct text_out *w, int width, bool last)
{
	struct str s = w->cell.len ? buf_slice(&w->cell) : STR("-");
	int blanks = width > 0 && last ? 0 : abs(width) - width_of(s);
	size_t n = blanks > 0 ? (size_t)blanks : 0;
	char *p = buf_room(&w->lines.text, n + s.len + 1);

	if (!p)
		return;
	w->lines.text.len += n + s.len + 1;
	memset(width < 0 ? p : p + s.len, ' ', n);
	memcpy(width < 0 ? p + n : p, s.s, s.len);
	p[n + s.len] = last ? '\n' : ' ';
}

/* Hundredths, with two places behind the point. */
static void put_hundredths(struct buf *b, int64_t n)
{
	buf_i64(b, n / 100);
	buf_ch(b, '.');
	buf_ch(b, (char)('0' + n / 10 % 10));
	buf_ch(b, (char)('0' + n % 10));
}

/* 980us 4.12ms 1.50s */
static void put_duration(struct buf *b, int64_t ns)
{
	if (ns == COL_NULL)
		return;
	if (ns < 0)
		buf_ch(b, '-');
	ns = ns < 0 ? -ns : ns;
	if (ns < 1000000) {
		buf_i64(b, (ns + 500) / 1000);
		buf_z(b, "us");
	} else if (ns < 1000000000) {
		put_hundredths(b, (ns + 5000) / 10000);
		buf_z(b, "ms");
	} else {
		put_hundredths(b, (ns + 5000000) / 10000000);
		buf_z(b, "s");
	}
}

static void put_size(struct buf *b, int64_t n)
{
	static const char units[] = "KMGTPE";
	double v = (double)n;
	int unit = -1;

	if (n == COL_NULL)
		return;
	if (n > -10000 && n < 10000) {
		buf_i64(b, n);
		return;
	}
	while ((v >= 1024 || v <= -1024) && unit < 5) {
		v /= 1024;
		unit++;
	}
	buf_fmt(b, "%.1f%c", v, units[unit]);
}

static void put_peer(struct buf *b, const struct span *s)
{
	struct str host = s->peer_name.s ? s->peer_name : s->peer_ip;
	bool v6 = host.s && memchr(host.s, ':', host.len);

	if (!host.s)
		return;
	buf_z(b, v6 && s->peer_port != COL_NULL ? "[" : "");
	buf_escape(b, host);
	buf_z(b, v6 && s->peer_port != COL_NULL ? "]" : "");
	if (s->peer_port != COL_NULL) {
		buf_ch(b, ':');
		buf_i64(b, s->peer_port);
	}
}

/* What was asked for; a statement starts with its own verb. */
static void put_operation(struct buf *b, const struct span *s)
{
	struct str target = s->query.s && !s->key.s ? s->query : s->target;

	if (s->op.s && !(s->query.s && str_ieq(str_head(target, s->op.len), s->op)))
		buf_escape(b, s->op);
	if (target.s && target.len) {
		if (b->len)
			buf_ch(b, ' ');
		buf_escape(b, target);
	}
	if (!b->len && s->name.s)
		buf_escape(b, s->name);
}

static void put_column(struct buf *b, unsigned int column, const struct span *s)
{
	const struct column *c = &tables[TABLE_SPANS].columns[column];
	struct cell cell;

	if (c->type == COL_MS) {
		int64_t ns = *(const int64_t *)((const char *)s + c->offset);

		if (ns != COL_NULL)
			json_ms(b, ns);
		return;
	}
	cell_get(TABLE_SPANS, column, s, &cell);
	if (cell.kind == CELL_INT)
		buf_i64(b, cell.i);
	else if (cell.kind != CELL_NULL)
		buf_escape(b, cell.text);
}

/* A narrow screen shows less: these go first, and the operation is cut (with a sign). */
static void fit(struct text_out *w, int screen)
{
	static const char *const order[] = {
		"TTFB", "REQ", "FLAGS", "RESP", "PEER", "SIDE", "TIME"
	};
	enum { FLAGS_WIDTH = 10, OPERATION_LEAST = 24 };
	int left = screen - 1;

	for (unsigned int i = 0; i < NFIELDS; i++)
		if (fields[i].kind != FIELD_OPERATION)
			left -= 1 + (fields[i].width ? abs(fields[i].width) : FLAGS_WIDTH);
	for (size_t k = 0; k < sizeof(order) / sizeof(*order) && left < OPERATION_LEAST; k++)
		for (unsigned int i = 0; i < NFIELDS; i++)
			if (!strcmp(fields[i].title, order[k])) {
				left += 1 + (fields[i].width ? abs(fields[i].width) : FLAGS_WIDTH);
				w->hidden |= 1u << i;
			}
	w->operation = left > OPERATION_LEAST ? left : OPERATION_LEAST;
}

/* The cell, at most `width` characters; '+' says that there was more. */
static void cut_cell(struct buf *cell, int width)
{
	size_t at = 0;

	if (width_of(buf_slice(cell)) <= width)
		return;
	for (int n = 0; at < cell->len && n < width; at++)
		n += ((uint8_t)cell->p[at] & 0xc0) != 0x80;
	cell->len = at - 1;
	buf_ch(cell, '+');
}

static int field_width(const struct text_out *w, const struct field *f)
{
	return w->operation && f->kind == FIELD_OPERATION ? w->operation : f->width;
}

static bool is_last(const struct text_out *w, const struct field *f)
{
	return !(~w->hidden & ((1u << NFIELDS) - 1) & ~((2u << (f - fields)) - 1));
}

static void put_field(struct text_out *w, const struct field *f, const struct span *s)
{
	int column = w->column[f - fields];
	const struct column *c = column < 0 ? NULL : &tables[TABLE_SPANS].columns[column];
	const char *at = c ? (const char *)s + c->offset : NULL;
	struct cell cell;

	buf_clear(&w->cell);
	switch (f->kind) {
	case FIELD_COLUMN:
		put_column(&w->cell, (unsigned int)column, s);
		break;
	case FIELD_CLOCK: /* "15:04:05.123456" of the RFC 3339 text */
		cell_get(TABLE_SPANS, (unsigned int)column, s, &cell);
		if (cell.kind == CELL_TEXT && cell.text.len > 26)
			buf_add(&w->cell, cell.text.s + 11, 15);
		break;
	case FIELD_PEER:
		put_peer(&w->cell, s);
		break;
	case FIELD_OPERATION:
		put_operation(&w->cell, s);
		break;
	case FIELD_SIZE:
		put_size(&w->cell, *(const int64_t *)at);
		break;
	case FIELD_DURATION:
		put_duration(&w->cell, *(const int64_t *)at);
		break;
	}
	if (w->operation && f->kind == FIELD_OPERATION)
		cut_cell(&w->cell, w->operation);
	put_padded(w, field_width(w, f), is_last(w, f));
}

/* A column of its own choice: as wide as its values usually are. */
static int column_width(const struct column *c)
{
	static const int widths[] = {
		[COL_T] = 16,   [COL_I] = -12, [COL_B] = -6, [COL_MS] = -12, [COL_AT] = 30,
		[COL_X16] = 32, [COL_X8] = 16, [COL_J] = 30, [COL_F] = 12,   [COL_V] = -12,
	};
	int name = (int)strlen(c->name), width = widths[c->type];

	return width < 0 ? -(name > -width ? name : -width) : name > width ? name : width;
}

static void put_header(struct text_out *w)
{
	const struct column *columns = tables[TABLE_SPANS].columns;
	unsigned int n = w->columns.n ? w->columns.n : NFIELDS;

	for (unsigned int i = 0; i < n; i++) {
		const struct column *c = w->columns.n ? &columns[w->columns.at[i]] : NULL;
		const char *title = c ? c->name : fields[i].title;

		if (!c && w->hidden & 1u << i)
			continue;
		buf_clear(&w->cell);
		for (; *title; title++)
			buf_ch(&w->cell,
			       *title >= 'a' && *title <= 'z' ? (char)(*title - 32) : *title);
		put_padded(w, c ? column_width(c) : field_width(w, &fields[i]),
		           c ? i == n - 1 : is_last(w, &fields[i]));
	}
}

static void put_span(struct text_out *w, const struct span *s)
{
	for (unsigned int i = 0; i < w->columns.n; i++) {
		unsigned int column = w->columns.at[i];

		buf_clear(&w->cell);
		put_column(&w->cell, column, s);
		put_padded(w, column_width(&tables[TABLE_SPANS].columns[column]),
		           i == w->columns.n - 1);
	}
	for (unsigned int i = 0; i < NFIELDS && !w->columns.n; i++)
		if (!(w->hidden & 1u << i))
			put_field(w, &fields[i], s);
}

/* A connection that no parser could read, in the columns of a request: what moved, and why. */
static void put_unread(struct text_out *w, const struct conn_row *c)
{
	bool client = str_is(c->side, "client");
	struct buf why = { 0 };
	struct span s;

	if (!c->why.s || c->tx_bytes + c->rx_bytes <= 0)
		return;
	buf_fmt(&why, "not decoded: %.*s", STR_ARG(c->why));
	if (c->first_bytes.len)
		buf_fmt(&why, "; begins with \"%.*s\"", STR_ARG(c->first_bytes));
	row_init(TABLE_SPANS, &s);
	s.start_ns = c->start_ns;
	s.proto = c->proto;
	s.kind = c->side;
	s.pid = c->pid;
	s.comm = c->comm;
	s.conn = c->conn;
	s.local_ip = c->local_ip;
	s.local_port = c->local_port;
	s.peer_ip = c->peer_ip;
	s.peer_port = c->peer_port;
	s.target = buf_slice(&why);
	s.req_bytes = client ? c->tx_bytes : c->rx_bytes;
	s.resp_bytes = client ? c->rx_bytes : c->tx_bytes;
	s.flags = c->flags;
	put_span(w, &s);
	buf_free(&why);
}

static void put_row(struct lines *l, enum table t, const void *row)
{
	if (t == TABLE_SPANS)
		put_span((struct text_out *)l, row);
	else if (t == TABLE_CONNECTIONS)
		put_unread((struct text_out *)l, row);
}

static int text_close(void *state, char *err)
{
	struct text_out *w = state;
	int e = lines_close(&w->lines, err);

	buf_free(&w->cell);
	free(w);
	return e;
}

static int text_open(const struct writer_opts *o, void **state, char *err)
{
	/* what "+c,-d" counts from: the columns behind the default list */
	static const char def[] = "time,proto,kind,process,peer_name,peer_ip,peer_port,op,target,"
				  "status,req_bytes,resp_bytes,ttfb_ms,dur_ms,flags";
	struct text_out *w = calloc(1, sizeof(*w));
	int e;

	if (!w)
		return err_set(err, ENOMEM, "cannot open the output: out of memory");
	e = o->columns ? columns_choose(&w->columns, def, o->columns, err) : 0;
	if (!e)
		e = lines_open(&w->lines, o, err);
	w->lines.put = put_row;
	w->lines.tables = o->tables;
	for (unsigned int i = 0; i < NFIELDS; i++)
		w->column[i] = fields[i].column ? column_find(TABLE_SPANS, str_of(fields[i].column))
		                                : -1;
	if (!e && o->width > 0)
		fit(w, o->width);
	if (!e) {
		put_header(w);
		e = lines_write(&w->lines);
	}
	if (e) {
		text_close(w, err);
		return e;
	}
	*state = w;
	return 0;
}

const struct writer writer_text = {
	.name = "text",
	.spans = true,
	.open = text_open,
	.rows = lines_rows,
	.flush = lines_flush,
	.close = text_close,
	.lost = lines_lost,
};
