// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Bytes that are no protocol, through detection and parsers: 100 MB over 10,000
 * connections and more, both ways, from the start and joined in the middle.
 * Not one may become a span. The seed and the list of sources are fixed; none of
 * them begins with a valid message of anything.
 */
#include "suites.h"
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <zlib.h>

#include "base/str.h"
#include "conn/conn.h"
#include "span/pair.h"

enum {
	CONNS = 10000,
	SIZE_MIN = 1 << 10,
	SIZE_MAX_ = 64 << 10,
	SEGMENT_MAX = 8 << 10,
	SOURCE = 4 << 20
};
#define TOTAL 100000000u

struct rig {
	struct batch_pool *pool;
	struct pairs *pairs;
	struct conns *conns;
	uint64_t seed, now;
	const char *source; /* of the connection under way */
	unsigned int conn;
	union {
		struct ev_data data;
		uint8_t room[sizeof(struct ev_data) + SEGMENT_MAX];
	} e;
};

/* xorshift64*, Vigna 2016 */
static uint64_t roll(struct rig *r)
{
	r->seed ^= r->seed >> 12;
	r->seed ^= r->seed << 25;
	r->seed ^= r->seed >> 27;
	return r->seed * 0x2545f4914f6cdd1d;
}

static size_t below(struct rig *r, size_t n)
{
	return (size_t)(roll(r) >> 11) % n;
}

/* ---- sources ---- */

static void random_bytes(struct rig *r, struct buf *b)
{
	while (b->len < SOURCE) {
		uint64_t x = roll(r);

		buf_add(b, &x, sizeof(x));
	}
}

static void executables(struct rig *r, struct buf *b)
{
	static const char *const paths[] = { "/bin/bash", "/usr/bin/perl", "/bin/tar", "/bin/ls" };
	char chunk[4096];
	size_t n;

	(void)r;
	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		FILE *f = fopen(paths[i], "re");

		while (f && (n = fread(chunk, 1, sizeof(chunk), f)))
			buf_add(b, chunk, n);
		if (f)
			fclose(f);
	}
	ck_assert_uint_gt(b->len, 1 << 20);
}

static void logs(struct rig *r, struct buf *b)
{
	static const char *const words[] = {
		"started", "GET /index.html HTTP/1.1", "SELECT 1", "timeout",   "PING",
		"worker",  "{\"level\":\"info\"}",     "OK",       "user=alice"
	};

	while (b->len < SOURCE) {
		unsigned int s = (unsigned int)below(r, 86400);
		const char *a = words[below(r, 9)], *z = words[below(r, 9)];

		switch (below(r, 4)) {
		case 0:
			buf_fmt(b, "Nov 21 %02u:%02u:%02u host app[%zu]: %s %s %zu ms\n", s / 3600,
			        s / 60 % 60, s % 60, below(r, 30000), a, z, below(r, 5000));
			break;
		case 1:
			buf_fmt(b,
			        "10.0.%zu.%zu - - [21/Nov/2026:%02u:00:00 +0000] \"%s\" 200 %zu \"-\" \"%s\"\n",
			        below(r, 256), below(r, 256), s / 3600, a, below(r, 100000), z);
			break;
		case 2:
			buf_fmt(b, "{\"ts\":%u,\"msg\":\"%s\",\"n\":%zu,\"who\":\"%s\"}\n", s, a,
			        below(r, 1000), z);
			break;
		default:
			buf_fmt(b, "%u.%03zu [%s] <%s/> %zx,%zu;%zu\n", s, below(r, 1000), a, z,
			        below(r, 1 << 30), below(r, 10), below(r, 100));
		}
	}
}

/* Numbers as programs dump them: small ones in 16, 32, 64 bits of both orders, and floats. */
static void numbers(struct rig *r, struct buf *b)
{
	while (b->len < SOURCE) {
		size_t kind = below(r, 5), n = 200 + below(r, 2000);

		for (size_t i = 0; i < n; i++) {
			uint64_t x = below(r, 3) ? i : below(r, 70000);
			double f = (double)x / 7;
			uint32_t be = __builtin_bswap32((uint32_t)x);

			if (kind < 3)
				buf_add(b, &x, (size_t)2 << kind);
			else
				buf_add(b, kind == 3 ? (void *)&be : (void *)&f, kind == 3 ? 4 : 8);
		}
	}
}

static void compressed(struct rig *r, struct buf *b)
{
	struct buf plain = { 0 };
	Bytef *to = malloc(compressBound(SOURCE));

	logs(r, &plain);
	executables(r, &plain);
	ck_assert_ptr_nonnull(to);
	for (size_t at = 0; at < plain.len; at += 1 << 18) {
		uLongf n = compressBound(SOURCE);
		uLong have = (uLong)(plain.len - at < 1 << 18 ? plain.len - at : 1 << 18);

		ck_assert_int_eq(compress2(to, &n, (Bytef *)plain.p + at, have, 6), Z_OK);
		buf_add(b, to, n);
	}
	free(to);
	buf_free(&plain);
}

static const struct {
	const char *name;
	void (*make)(struct rig *r, struct buf *b);
} sources[] = { { "random", random_bytes },
	        { "executables", executables },
	        { "logs", logs },
	        { "numbers", numbers },
	        { "compressed", compressed } };

enum { SOURCES = sizeof(sources) / sizeof(*sources) };

/* ---- connections ---- */

static void look(void *ctx, struct batch *b)
{
	const struct rig *r = ctx;

	for (unsigned int i = 0; i < b->n; i++) {
		const struct span *s = b->items[i].row;

		if (b->items[i].table == TABLE_SPANS)
			ck_abort_msg("connection %u, %s: a span of %.*s, %.*s %.*s", r->conn,
			             r->source, STR_ARG(s->proto), STR_ARG(s->op),
			             STR_ARG(s->target));
	}
	batch_put(b);
}

static void open_one(struct rig *r, const uint64_t off[2])
{
	static const uint16_t known[] = { 53,   80,   443,  1883, 3306, 4222,
		                          5432, 5672, 6379, 9042, 9092, 27017 };
	struct ev_conn c = {
		.conn = r->conn, .off = { off[0], off[1] }, .family = AF_INET, .type = SOCK_STREAM
	};

	c.h = (struct ev_head){
		.ts_ns = ++r->now, .pid = 7, .tid = 7, .size = sizeof(c), .kind = EV_CONN
	};
	c.lport = below(r, 4) ? (uint16_t)(1024 + below(r, 60000))
	                      : known[below(r, sizeof(known) / 2)];
	c.rport = (uint16_t)(1024 + below(r, 60000));
	c.flags = below(r, 2) ? EV_C_FROM_START : EV_C_PREEXISTING;
	conns_record(r->conns, &c.h, sizeof(c));
}

static void move(struct rig *r, enum ev_dir d, uint64_t off, const char *p, size_t n)
{
	struct ev_data *e = &r->e.data;

	*e = (struct ev_data){ .conn = r->conn, .off = off, .dir = d };
	e->h = (struct ev_head){ .ts_ns = ++r->now, .pid = 7, .tid = 7, .kind = EV_DATA };
	e->h.size = (__u32)(sizeof(*e) + n);
	e->len = e->head_len = (__u32)n;
	memcpy(e->bytes, p, n);
	conns_record(r->conns, &e->h, e->h.size);
}

static void close_one(struct rig *r, const uint64_t off[2])
{
	struct ev_close c = { .conn = r->conn, .off = { off[0], off[1] } };

	c.h = (struct ev_head){
		.ts_ns = ++r->now, .pid = 7, .tid = 7, .size = sizeof(c), .kind = EV_CLOSE
	};
	conns_record(r->conns, &c.h, sizeof(c));
}

/* Small ones are as many as large ones. */
static size_t size_of_one(struct rig *r)
{
	size_t n = (size_t)SIZE_MIN << below(r, 6);

	return n + below(r, n);
}

/* Both directions, in turns of random length; the bytes that moved. */
static size_t converse(struct rig *r, const struct buf *from)
{
	uint64_t off[2] = { roll(r) >> 32, roll(r) >> 32 };
	size_t at[2], left[2], all;

	for (int d = 0; d < 2; d++) {
		left[d] = size_of_one(r);
		at[d] = below(r, from->len - left[d]);
	}
	all = left[0] + left[1];
	open_one(r, off);
	for (int d = (int)below(r, 2); left[0] + left[1]; d = (int)below(r, 2)) {
		size_t n = 1 + below(r, SEGMENT_MAX);

		n = n < left[d] ? n : left[d];
		if (!n)
			continue;
		move(r, (enum ev_dir)d, off[d], from->p + at[d], n);
		off[d] += n;
		at[d] += n;
		left[d] -= n;
	}
	close_one(r, off);
	return all;
}

START_TEST(becomes_no_span)
{
	struct rig *r = calloc(1, sizeof(*r));
	struct pair_opts po = { .emit = look, .ctx = r, .seed = 1 };
	struct conns_opts co = { .pending_max = 2 << 20 };
	struct buf from = { 0 };
	struct pair_stats st;
	size_t moved = 0;

	ck_assert_ptr_nonnull(r);
	r->seed = 0x0b1 + (uint64_t)_i;
	r->source = sources[_i].name;
	r->pool = po.pool = batch_pool_new(8, 32);
	r->pairs = pair_new(&po);
	r->conns = conns_new(&co, pair_sink(r->pairs));
	ck_assert(r->pool && r->pairs && r->conns);
	sources[_i].make(r, &from);
	while (r->conn < CONNS / SOURCES || moved < TOTAL / SOURCES) {
		r->conn++;
		moved += converse(r, &from);
	}
	conns_free(r->conns);
	pair_flush(r->pairs);
	pair_stats(r->pairs, &st);
	ck_assert_uint_eq(st.started, 0);
	pair_free(r->pairs);
	batch_pool_free(r->pool);
	buf_free(&from);
	free(r);
}
END_TEST

Suite *nonsense_suite(void)
{
	Suite *s = suite_create("nonsense");
	TCase *t = tcase_create("connections");

	tcase_set_timeout(t, 300);
	tcase_add_loop_test(t, becomes_no_span, 0, SOURCES);
	suite_add_tcase(s, t);
	return s;
}
