// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * otlp - rows to OTLP messages.
 *
 * Rows of one batch are put into messages of at most OTLP_ROWS rows and about
 * OTLP_BYTES bytes, which keeps a line below what file readers of the
 * OpenTelemetry Collector take (1 MiB) and a request small. Spans with equal
 * resource columns share one resource; their order within it is kept.
 */
#include "write/otlp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "write/otlp_attrs.h"

/* Rows of one message that share a resource, as a list through next[]. */
struct groups {
	const void *rows[OTLP_ROWS];
	enum table tables[OTLP_ROWS];
	unsigned int n;
	uint16_t next[OTLP_ROWS]; /* index + 1 of the next row of the group */
	uint16_t first[OTLP_ROWS], last[OTLP_ROWS];
	unsigned int ngroups;
	uint16_t slots[2 * OTLP_ROWS]; /* group + 1 by hash of its resource */
};

void otlp_init(struct otlp_enc *e, const struct otlp_backend *be, const struct run_info *run,
               otlp_emit emit, void *ctx)
{
	*e = (struct otlp_enc){
		.be = be, .run = run, .emit = emit, .ctx = ctx, .max_bytes = OTLP_BYTES
	};
	e->version = str_of(run && run->version ? run->version : "");
	places_init(&e->places);
}

void otlp_fini(struct otlp_enc *e)
{
	buf_free(&e->out);
	buf_free(&e->text);
	buf_free(&e->state);
	buf_free(&e->message);
}

static void put_text(struct otlp_enc *e, const char *key, struct str s)
{
	if (s.s)
		e->be->attr(e, str_of(key), &(struct otlp_value){ .kind = OTLP_TEXT, .s = s });
}

static void put_int(struct otlp_enc *e, const char *key, int64_t i)
{
	e->be->attr(e, str_of(key), &(struct otlp_value){ .kind = OTLP_INT, .i = i });
}

static unsigned int span_kind(struct str kind)
{
	static const char *const names[] = { "internal", "server", "client", "producer",
		                             "consumer" };

	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (str_is(kind, names[i]))
			return i + 1;
	return 0;
}

/* Fields of a span that have no way to say "unknown". */
static void put_nulls(struct otlp_enc *e, const struct span *s)
{
	const char *const unknown[] = { s->start_ns == COL_NULL ? "start_ns" : NULL,
		                        s->dur_ns == COL_NULL ? "dur_ms" : NULL,
		                        s->name.s ? NULL : "name",
		                        s->error == COL_NULL ? "error" : NULL };
	char list[80];
	size_t n = 0;

	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
		if (unknown[i])
			n += (size_t)snprintf(list + n, sizeof(list) - n, ",\"%s\"", unknown[i]);
	if (!n)
		return;
	list[n++] = ']';
	list[0] = '[';
	e->be->attr(e, STR(PLACE_NULLS),
	            &(struct otlp_value){ .kind = OTLP_NESTED, .s = { list, n } });
}

static const uint8_t *id_or_none(const uint8_t *id, size_t n)
{
	static const uint8_t none[16];

	return memcmp(id, none, n) ? id : NULL;
}

static void put_span(struct otlp_enc *e, const struct span *s)
{
	bool remote = str_starts(s->parent_by, "context") ||
	              str_starts(s->parent_by, "traceparent");
	bool own_id = !s->parent_by.s && !(s->flags & SPAN_F_FOREIGN);
	uint64_t start = s->start_ns == COL_NULL ? 0 : (uint64_t)s->start_ns;
	struct otlp_item it = {
		.trace_id = id_or_none(s->trace_id, 16),
		.span_id = id_or_none(s->span_id, 8),
		.parent = id_or_none(s->parent_span_id, 8),
		.name = s->name,
		.kind = span_kind(s->kind),
		.start = start,
		.end = start + (s->dur_ns == COL_NULL ? 0 : (uint64_t)s->dur_ns),
		.error = s->error == 1,
		/* sampled; a random id; "is remote" is known, and what it is */
		.flags = (s->flags & SPAN_F_UNSAMPLED ? 0 : 1u) | (own_id ? 2u : 0) | 0x100u |
		         (remote ? 0x200u : 0),
	};

	otlp_attrs_clear(e);
	e->error = it.error;
	e->be->item(e, &it);
	otlp_attrs_row(e, TABLE_SPANS, s);
	put_nulls(e, s);
	e->be->item_end(e);
}

static void put_log(struct otlp_enc *e, enum table t, const void *row)
{
	int column = column_find(t, STR("start_ns"));
	int64_t at = COL_NULL;

	if (column >= 0)
		at = *(const int64_t *)((const char *)row + tables[t].columns[column].offset);
	e->be->item(e, &(struct otlp_item){ .name = str_of(tables[t].event),
	                                    .start = at == COL_NULL ? 0 : (uint64_t)at });
	otlp_attrs_row(e, t, row);
	e->be->item_end(e);
}

static bool is_foreign(const struct span *s)
{
	return s->flags & SPAN_F_FOREIGN;
}

/* Opens a resource that stands for `row` (NULL: for the host). */
static void begin_resource(struct otlp_enc *e, enum table t, const void *row)
{
	e->be->resource(e);
	if (row)
		otlp_attrs_columns(e, t, row, PLACE_RESOURCE);
	if (e->resource.s)
		otlp_attrs_members(e, e->resource);
	else if (e->run && !(t == TABLE_SPANS && is_foreign(row)))
		put_text(e, PLACE_HOST, str_of(e->run->host));
	e->be->scope(e);
}

static void begin_message(struct otlp_enc *e, enum otlp_signal signal)
{
	buf_clear(&e->out);
	e->signal = signal;
	e->rows = 0;
	e->be->message(e);
}

static int end_message(struct otlp_enc *e)
{
	e->be->message_end(e);
	if (e->out.failed)
		return -ENOMEM;
	return e->emit(e->ctx, e->signal, buf_slice(&e->out), e->rows);
}

static bool same_text(struct str a, struct str b)
{
	return !a.s == !b.s && str_eq(a, b);
}

static bool same_resource(const struct span *a, const struct span *b)
{
	return a->pid == b->pid && same_text(a->service, b->service) &&
	       same_text(a->comm, b->comm) && same_text(a->container_id, b->container_id) &&
	       same_text(a->pod, b->pod) && is_foreign(a) == is_foreign(b);
}

/* The group of spans with this one's resource; a new one where there is none. */
static unsigned int span_group(struct groups *g, const struct span *s)
{
	uint64_t h = ((uint64_t)s->pid * 31 + s->service.len) * 31 + s->comm.len;
	unsigned int slot = (unsigned int)(h * 0x9e3779b97f4a7c15 >> 54) % (2 * OTLP_ROWS);

	while (g->slots[slot]) {
		unsigned int group = g->slots[slot] - 1u;

		if (same_resource(g->rows[g->first[group]], s))
			return group;
		slot = (slot + 1) % (2 * OTLP_ROWS);
	}
	g->slots[slot] = (uint16_t)(g->ngroups + 1);
	return g->ngroups;
}

static void groups_add(struct groups *g, const struct item *it)
{
	unsigned int i = g->n, group;

	g->rows[i] = it->row;
	g->tables[i] = it->table;
	g->next[i] = 0;
	group = it->table == TABLE_SPANS ? span_group(g, it->row) : 0;
	if (group == g->ngroups)
		g->first[g->ngroups++] = (uint16_t)i;
	else
		g->next[g->last[group]] = (uint16_t)(i + 1);
	g->last[group] = (uint16_t)i;
	g->n++;
}

static int put_row(struct otlp_enc *e, const struct groups *g, unsigned int i)
{
	enum table t = g->tables[i];
	const void *owner = t == TABLE_SPANS ? g->rows[i] : NULL;
	int err;

	if (e->out.len > e->max_bytes) { /* goes on in another message */
		e->be->resource_end(e);
		err = end_message(e);
		if (err)
			return err;
		begin_message(e, e->signal);
		begin_resource(e, t, owner);
	}
	if (t == TABLE_SPANS)
		put_span(e, owner);
	else
		put_log(e, t, g->rows[i]);
	e->rows++;
	return 0;
}

/* Writes the groups as one message (more where they are big), and empties them. */
static int flush_groups(struct otlp_enc *e, struct groups *g, enum otlp_signal signal)
{
	int err;

	if (!g->n)
		return 0;
	begin_message(e, signal);
	for (unsigned int group = 0; group < g->ngroups; group++) {
		unsigned int i = g->first[group];

		begin_resource(e, g->tables[i], g->tables[i] == TABLE_SPANS ? g->rows[i] : NULL);
		for (;; i = g->next[i] - 1u) {
			err = put_row(e, g, i);
			if (err)
				return err;
			if (!g->next[i])
				break;
		}
		e->be->resource_end(e);
	}
	memset(g->slots, 0, sizeof(g->slots));
	g->n = g->ngroups = 0;
	return end_message(e);
}

int otlp_signal_batch(struct otlp_enc *e, enum otlp_signal signal, const struct batch *b)
{
	struct groups *g = calloc(1, sizeof(*g));
	int err = 0;

	if (!g)
		return -ENOMEM;
	e->resource = b->resource;
	for (unsigned int i = 0; i < b->n && !err; i++) {
		if ((b->items[i].table == TABLE_SPANS) != (signal == OTLP_TRACES))
			continue;
		groups_add(g, &b->items[i]);
		if (g->n == OTLP_ROWS)
			err = flush_groups(e, g, signal);
	}
	if (!err)
		err = flush_groups(e, g, signal);
	free(g);
	return err;
}

int otlp_batch(struct otlp_enc *e, const struct batch *b)
{
	int err = 0;

	for (unsigned int signal = 0; signal < OTLP_SIGNALS && !err; signal++)
		err = otlp_signal_batch(e, (enum otlp_signal)signal, b);
	return err;
}

/* ---- the frame of a recording ---- */

static void begin_event(struct otlp_enc *e, const char *event)
{
	e->resource = STR_NULL;
	begin_message(e, OTLP_LOGS);
	begin_resource(e, TABLE_CAPTURE, NULL);
	e->be->item(e, &(struct otlp_item){ .name = str_of(event) });
}

static int end_event(struct otlp_enc *e)
{
	e->be->item_end(e);
	e->be->resource_end(e);
	return end_message(e);
}

int otlp_capture_start(struct otlp_enc *e)
{
	begin_event(e, PLACE_START);
	put_text(e, "obi.version", e->version);
	put_int(e, "obi.format", 1);
	put_text(e, "obi.semconv", STR("1.44.0"));
	if (e->run) {
		put_text(e, "obi.kernel", str_of(e->run->kernel));
		put_text(e, "obi.boot_id", str_of(e->run->boot_id));
		put_text(e, "obi.host", str_of(e->run->host));
		put_text(e, "obi.cmdline", str_of(e->run->cmdline));
		put_int(e, "obi.wall_offset_ns", e->run->wall_offset_ns);
		e->be->attr(e, STR("obi.show_secrets"),
		            &(struct otlp_value){ .kind = OTLP_BOOL, .i = e->run->show_secrets });
	}
	return end_event(e);
}

int otlp_capture_end(struct otlp_enc *e, const uint64_t rows[TABLE_MAX], uint64_t lost)
{
	begin_event(e, PLACE_END);
	for (unsigned int t = 0; t < TABLE_MAX; t++) {
		char key[64];

		snprintf(key, sizeof(key), "obi.rows.%s", tables[t].name);
		put_int(e, key, (int64_t)rows[t]);
	}
	put_int(e, "obi.lost", (int64_t)lost);
	return end_event(e);
}
