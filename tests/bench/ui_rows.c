// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * ui_rows - a recording that fills the screens of the interface.
 *
 *   ui_rows FILE [ROWS]      default 1000000
 *
 * An hour of made-up spans: 10 services, 200 routes, 250 peers, some SQL; and
 * 5,000 connections.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "write/writer.h"
#include "tests/bench/made.h"

enum { BATCH = 512, CONNS = 5000 };

static void add_span(struct batch *b, int64_t start, uint64_t *rnd)
{
	struct span *s = batch_add(b, TABLE_SPANS);
	uint64_t r = next_random(rnd);
	unsigned int route = r % 200;
	bool sql = r >> 60 == 0;

	s->start_ns = start;
	s->dur_ns = (int64_t)(100000 + r % 1000000 + (r % 97 ? 0 : 100000000));
	memcpy(s->span_id, &r, 8);
	memcpy(s->trace_id, &r, 8);
	s->kind = sql ? STR("client") : STR("server");
	s->proto = sql ? STR("mysql") : STR("http");
	s->op = sql ? STR("SELECT") : STR("GET");
	s->name = sql ? text(b, "SELECT table%u", route)
	              : text(b, "GET /api/v1/resource%u/{id}", route);
	s->route = sql ? STR_NULL : text(b, "/api/v1/resource%u/{id}", route);
	s->query = sql ? text(b, "SELECT * FROM table%u WHERE id = ?", route) : STR_NULL;
	s->target = text(b, "/api/v1/resource/%u", (unsigned int)(r >> 9) % 100000);
	s->code = r % 50 ? 200 : 500;
	s->status = r % 50 ? STR("200") : STR("500");
	s->error = r % 50 == 0;
	s->service = text(b, "service-%u", route % 10);
	s->comm = s->service;
	s->pid = 1000 + route % 10;
	s->process = text(b, "service[%u]", 1000 + route % 10);
	s->peer_ip = text(b, "10.0.1.%u", (unsigned int)(r >> 20) % 250);
	s->peer_port = 40000;
	s->conn = text(b, "c%u", (unsigned int)(r >> 30) % CONNS);
	s->req_bytes = 200;
	s->resp_bytes = 4000;
}

static void add_conn(struct batch *b, unsigned int i)
{
	struct conn_row *c = batch_add(b, TABLE_CONNECTIONS);

	c->conn = text(b, "c%u", i);
	c->start_ns = START;
	c->pid = 1000 + i % 10;
	c->comm = text(b, "service-%u", i % 10);
	c->proto = STR("http");
	c->side = STR("server");
	c->transport = STR("tcp");
	c->peer_ip = text(b, "10.0.1.%u", i % 250);
	c->peer_port = 40000 + i % 20000;
	c->rx_bytes = 200 * i;
	c->tx_bytes = 4000 * i;
	c->requests = i;
}

int main(int argc, char **argv)
{
	uint64_t rows = argc > 2 ? strtoull(argv[2], NULL, 10) : 1000000;
	const struct writer *w = argc > 1 ? writer_for(argv[1]) : NULL;
	static const struct run_info run = { .version = "0", .host = "bench" };
	struct writer_opts o = { .path = argv[1], .fd = -1, .tables = true, .run = &run };
	struct batch_pool *pool = batch_pool_new(1, BATCH);
	struct batch *b = batch_get(pool, -1);
	uint64_t rnd = 88172645463325252u;
	char err[ERR_TEXT] = "";
	void *state = NULL;
	int e = w ? w->open(&o, &state, err) : -1;

	for (uint64_t i = 0; !e && i < rows + CONNS; i++) {
		if (i < CONNS)
			add_conn(b, (unsigned int)i);
		else
			add_span(b, START + (int64_t)(i - CONNS) * (3600 * SECOND / (int64_t)rows),
			         &rnd);
		if (b->n == b->cap || i + 1 == rows + CONNS) {
			e = w->rows(state, b);
			arena_reset(&b->arena);
			b->n = 0;
		}
	}
	e = e ? e : w->close(state, err);
	if (e)
		fprintf(stderr, "ui_rows: %s\n", err);
	batch_put(b);
	batch_pool_free(pool);
	return e != 0;
}
