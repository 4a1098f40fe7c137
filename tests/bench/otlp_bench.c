// SPDX-License-Identifier: GPL-3.0-or-later
/* otlp_bench - spans a second of one core: encoding, writing and reading recordings. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "read/reader.h"
#include "write/otlp.h"

enum { ROWS = 1024, ROUNDS = 1000 };

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* A span as an HTTP server gives it: 25 columns known. */
static void fill(struct batch *b, unsigned int i)
{
	struct span *s = batch_add(b, TABLE_SPANS);

	s->start_ns = 1700000000000000000 + i;
	s->dur_ns = 4123456;
	s->ttfb_ns = 4000000;
	for (unsigned int k = 0; k < 16; k++)
		s->trace_id[k] = (uint8_t)(i * 31 + k);
	memcpy(s->span_id, s->trace_id, 8);
	s->kind = STR("server");
	s->proto = STR("http");
	s->name = STR("GET /users/{id}");
	s->op = STR("GET");
	s->target = STR("/users/4711?fields=name");
	s->status = STR("200");
	s->code = 200;
	s->error = 0;
	s->service = i % 4 ? STR("checkout") : STR("cart");
	s->pid = 4711 + i % 4;
	s->tid = 4712;
	s->comm = STR("checkout");
	s->local_ip = STR("10.0.0.1");
	s->local_port = 8080;
	s->peer_ip = STR("10.0.0.2");
	s->peer_port = 40000 + i % 1000;
	s->req_bytes = 412;
	s->resp_bytes = 8231;
	s->route = STR("/users/{id}");
	s->process = STR("checkout[4711]");
	s->conn = STR("c17");
	s->attrs = STR("{\"http.request.method\":\"GET\",\"http.response.status_code\":200,"
	               "\"url.path\":\"/users/4711\",\"network.protocol.version\":\"1.1\"}");
}

static int count(void *ctx, enum otlp_signal signal, struct str message, unsigned int rows)
{
	(void)signal, (void)rows;
	*(uint64_t *)ctx += message.len;
	return 0;
}

static void bench_encode(const char *what, const struct otlp_backend *be, const struct batch *b)
{
	static const struct run_info run = { .version = "0.1", .host = "node" };
	struct otlp_enc e;
	uint64_t bytes = 0;
	double t;

	otlp_init(&e, be, &run, count, &bytes);
	t = now();
	for (unsigned int i = 0; i < ROUNDS; i++)
		otlp_batch(&e, b);
	t = now() - t;
	otlp_fini(&e);
	printf("encode %-8s %6.2f M spans/s  %4.0f ns  %4.0f B a span\n", what,
	       ROWS * ROUNDS / t / 1e6, t / (ROWS * ROUNDS) * 1e9, (double)bytes / (ROWS * ROUNDS));
}

static void bench_file(const char *path, const struct batch *b, struct batch_pool *pool)
{
	const struct writer *w = writer_for(path);
	struct writer_opts o = { .path = path, .fd = -1 };
	char err[ERR_TEXT];
	struct reader *r;
	void *state;
	uint64_t rows = 0;
	double t = now();
	int n;

	if (w->open(&o, &state, err))
		return;
	for (unsigned int i = 0; i < ROUNDS / 4; i++) {
		for (unsigned int k = 0; k < b->n; k++) { /* ids never repeat */
			struct span *s = b->items[k].row;
			uint64_t id = (uint64_t)(i * ROWS + k) * 0x9e3779b97f4a7c15;

			memcpy(s->trace_id, &id, sizeof(id));
			memcpy(s->span_id, &id, sizeof(id));
		}
		w->rows(state, b);
	}
	w->close(state, err);
	t = now() - t;
	printf("write  %-22s %6.2f M spans/s\n", path, ROWS * ROUNDS / 4 / t / 1e6);
	t = now();
	r = reader_open(path, err);
	while (r) {
		struct batch *in = batch_get(pool, -1);

		n = reader_next(r, in);
		rows += n > 0 ? (uint64_t)n : 0;
		batch_put(in);
		if (n <= 0)
			break;
	}
	t = now() - t;
	reader_close(r);
	printf("read   %-22s %6.2f M spans/s, %llu spans\n", path, (double)rows / t / 1e6,
	       (unsigned long long)rows);
	unlink(path);
}

int main(void)
{
	struct batch_pool *pool = batch_pool_new(2, ROWS);
	struct batch *b = batch_get(pool, -1);

	for (unsigned int i = 0; i < ROWS; i++)
		fill(b, i);
	bench_encode("protobuf", &otlp_pb, b);
	bench_encode("JSON", &otlp_json, b);
	bench_file("/tmp/obi-bench.otlpb", b, pool);
	bench_file("/tmp/obi-bench.otlp", b, pool);
	bench_file("/tmp/obi-bench.otlp.zst", b, pool);
	batch_put(b);
	batch_pool_free(pool);
	return 0;
}
