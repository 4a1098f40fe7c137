// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * proto_bench - events a second of one core by protocol: from the record of the
 * kernel through connection, detection, parser and pairing to rows of spans.
 *
 *   proto_bench     from the root; the conversations are those of tests/corpus/
 *
 * Each conversation is a connection of its own, told again and again under new
 * numbers, so what beginning costs is in it. Prints a line for each protocol:
 * name, events, spans and payload bytes, nanoseconds.
 */
#include <dirent.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "conn/conn.h"
#include "span/pair.h"
#include "tests/unit/feed.h"

enum { CONVS = 64, PIECE = 32 << 10 };
#define ENOUGH 400000000u /* ns for each protocol */

struct rig {
	struct batch_pool *pool;
	struct pairs *pairs;
	struct conns *conns;
	uint64_t events, bytes, conn, now;
	bool upgrades;
	union {
		struct ev_data data;
		uint8_t room[sizeof(struct ev_data) + PIECE];
	} e;
};

static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void drop(void *ctx, struct batch *b)
{
	(void)ctx;
	batch_put(b);
}

static struct ev_head head(struct rig *r, enum ev_kind kind, size_t size)
{
	r->events++;
	return (struct ev_head){
		.ts_ns = r->now += 1000, .pid = 7, .tid = 7, .size = (__u32)size, .kind = kind
	};
}

static void move(struct rig *r, enum ev_dir d, uint64_t *off, const uint8_t *p, size_t n)
{
	struct ev_data *e = &r->e.data;

	*e = (struct ev_data){ .conn = r->conn, .off = *off, .dir = d };
	e->h = head(r, EV_DATA, sizeof(*e) + n);
	e->len = e->head_len = (__u32)n;
	memcpy(e->bytes, p, n);
	conns_record(r->conns, &e->h, e->h.size);
	*off += n;
	r->bytes += n;
}

/* What only begins in a conversation of HTTP: WebSocket. */
static const char upgrade[] = "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n"
			      "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
			      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
static const char upgraded[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
			       "Connection: Upgrade\r\n"
			       "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/* As the client's side sees it: requests are sent. */
static void tell(struct rig *r, const struct conv *c)
{
	struct ev_conn open = { .conn = ++r->conn, .family = AF_INET, .type = SOCK_STREAM };
	struct ev_close close = { .conn = r->conn };
	uint64_t off[2] = { 0, 0 };

	open.lport = 40000, open.rport = 40001;
	open.flags = EV_C_FROM_START | EV_C_CONNECTED;
	open.h = head(r, EV_CONN, sizeof(open));
	conns_record(r->conns, &open.h, sizeof(open));
	if (r->upgrades) {
		move(r, EV_SEND, &off[1], (const uint8_t *)upgrade, sizeof(upgrade) - 1);
		move(r, EV_RECV, &off[0], (const uint8_t *)upgraded, sizeof(upgraded) - 1);
	}
	for (size_t i = 0; i < c->nsegs; i++) {
		const struct conv_seg *s = &c->segs[i];
		const uint8_t *p = (const uint8_t *)c->bytes.p + s->off;
		enum ev_dir d = s->dir == DIR_REQ ? EV_SEND : EV_RECV;

		for (size_t at = 0; at < s->len; at += PIECE)
			move(r, d, &off[d], p + at, s->len - at < PIECE ? s->len - at : PIECE);
	}
	close.off[0] = off[0], close.off[1] = off[1];
	close.h = head(r, EV_CLOSE, sizeof(close));
	conns_record(r->conns, &close.h, sizeof(close));
}

static size_t load_all(const char *proto, struct conv *to)
{
	char path[600];
	DIR *d;
	size_t n = 0;

	snprintf(path, sizeof(path), "tests/corpus/%s", proto);
	d = opendir(path);
	for (struct dirent *e; d && n < CONVS && (e = readdir(d));) {
		if (!strstr(e->d_name, ".conv") || !strncmp(e->d_name, "bad", 3))
			continue;
		snprintf(path, sizeof(path), "tests/corpus/%s/%s", proto, e->d_name);
		if (!conv_load(&to[n], path) && (!to[n].nodetect || !strcmp(proto, "websocket")))
			n++;
	}
	if (d)
		closedir(d);
	return n;
}

static int measure(const char *proto)
{
	struct pair_opts po = { .emit = drop, .seed = 1 };
	struct conns_opts co = { 0 };
	struct rig *r = calloc(1, sizeof(*r));
	struct pair_stats st;
	struct conv convs[CONVS];
	size_t n = load_all(proto, convs);
	uint64_t began, took = 0;

	if (!r || !n)
		return free(r), 0;
	r->upgrades = !strcmp(proto, "websocket");
	r->pool = po.pool = batch_pool_new(8, 1024);
	r->pairs = pair_new(&po);
	r->conns = r->pairs ? conns_new(&co, pair_sink(r->pairs)) : NULL;
	if (!r->conns)
		return perror("proto_bench"), 1;
	for (began = cpu_ns(); took < ENOUGH; took = cpu_ns() - began)
		for (size_t i = 0; i < n; i++)
			tell(r, &convs[i]);
	pair_stats(r->pairs, &st);
	printf("%s %llu %llu %llu %llu\n", proto, (unsigned long long)r->events,
	       (unsigned long long)st.started, (unsigned long long)r->bytes,
	       (unsigned long long)took);
	conns_free(r->conns);
	pair_free(r->pairs);
	batch_pool_free(r->pool);
	for (size_t i = 0; i < n; i++)
		conv_free(&convs[i]);
	free(r);
	return 0;
}

int main(void)
{
	int failed = 0;

#define PROTO(NUM, NAME, file) failed |= measure(proto_by_id(PROTO_##NAME)->name);
#include "proto/protos.def"
#undef PROTO
	return failed;
}
