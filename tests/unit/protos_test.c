// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * protos_test - what holds for every protocol, checked over its corpus.
 *
 * The rows are the .conv files of tests/corpus/, with OBI_CORPUS=NAME those of one
 * protocol (while working on it). With OBI_WRITE_WANT=1 in the
 * environment the first test writes the .want files instead of comparing.
 */
#include <check.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/feed.h"

Suite *protos_suite(void);

enum { ROWS = 1024, SHORT = 2048, TRIES = 100 };

static const struct {
	enum proto_id id;
} protos[] = {
#define PROTO(NUM, NAME, file) { PROTO_##NAME },
#include "proto/protos.def"
#undef PROTO
};

enum { NPROTOS = sizeof(protos) / sizeof(*protos) };

static struct row {
	const char *path;
	const struct proto *proto;
} rows[ROWS];
static size_t nrows;

/* The protocol by the folder; a folder that no protocol owns is a mistake. */
static void find_rows(void)
{
	const char *only = getenv("OBI_CORPUS"), *mine = getenv("OBI_UNIT_PART");
	unsigned int part = 0, parts = 1;
	char pattern[64];
	static glob_t found;

	snprintf(pattern, sizeof(pattern), "tests/corpus/%s/*.conv", only ? only : "*");
	if (nrows || glob(pattern, 0, NULL, &found))
		return;
	if (mine && sscanf(mine, "%u/%u", &part, &parts) != 2)
		return;
	for (size_t i = part; i < found.gl_pathc && nrows < ROWS; i += parts) {
		const char *dir = found.gl_pathv[i] + strlen("tests/corpus/");
		struct str name = { dir, (size_t)(strchr(dir, '/') - dir) };

		rows[nrows].path = found.gl_pathv[i];
		rows[nrows++].proto = proto_by_id(proto_by_name(name));
	}
}

/* One conversation, its text and the protocol that should understand it. */
struct fixture {
	struct conv conv;
	const struct proto *proto;
	const char *path;
	bool broken; /* on purpose: the parser gives up at some place */
};

static struct buf whole(const struct fixture *x);

static void load(struct fixture *x, int row)
{
	struct buf got;

	*x = (struct fixture){ .proto = rows[row].proto, .path = rows[row].path };
	ck_assert_msg(x->proto, "%s: the folder is named like no protocol", x->path);
	ck_assert_msg(!conv_load(&x->conv, x->path), "%s: malformed", x->path);
	got = whole(x);
	x->broken = got.p && strstr(got.p, " bad at=");
	buf_free(&got);
}

/* Runs the conversation and hands out the messages; how much is in the caller's hand. */
static struct buf done(struct feed *f, const struct fixture *x)
{
	struct buf out;

	ck_assert_msg(!f->broken, "%s: %s", x->path, f->broken);
	feed_finish(f);
	buf_ch(&f->out, '\0');
	f->out.len--;
	out = f->out;
	f->out = (struct buf){ 0 };
	feed_free(f);
	return out;
}

static const uint8_t *bytes_of(const struct fixture *x, const struct conv_seg *s)
{
	return (const uint8_t *)x->conv.bytes.p + s->off;
}

/* Every segment in pieces of `piece` bytes. */
static struct buf in_pieces(const struct fixture *x, size_t piece)
{
	struct feed f;

	feed_init(&f, x->proto);
	for (size_t i = 0; i < x->conv.nsegs; i++) {
		const struct conv_seg *s = &x->conv.segs[i];

		for (size_t off = 0; off < s->len; off += piece)
			feed_push(&f, s->dir, bytes_of(x, s) + off,
			          s->len - off < piece ? s->len - off : piece);
		if (s->cut)
			feed_cut(&f, s->dir);
	}
	return done(&f, x);
}

static struct buf whole(const struct fixture *x)
{
	return in_pieces(x, SIZE_MAX / 2);
}

static void same(const struct fixture *x, struct buf *got, const char *want, const char *how,
                 size_t at)
{
	ck_assert_msg(!strcmp(got->p, want), "%s: %s %zu\n--- got\n%s--- want\n%s", x->path, how,
	              at, got->p, want);
	buf_free(got);
}

/* Long conversations are tried at so many places, not at every byte. */
static size_t stride(size_t len)
{
	return len <= SHORT ? 1 : len / TRIES;
}

START_TEST(understands_each_conversation)
{
	char path[512];
	struct buf want = { 0 }, got;
	struct fixture x;

	load(&x, _i);
	got = whole(&x);
	snprintf(path, sizeof(path), "%.*s.want", (int)strlen(x.path) - 5, x.path);
	if (getenv("OBI_WRITE_WANT")) {
		FILE *f = fopen(path, "we");

		ck_assert(f && fwrite(got.p, 1, got.len, f) == got.len && !fclose(f));
	}
	ck_assert_msg(!conv_slurp(&want, path), "%s cannot be read", path);
	buf_ch(&want, '\0');
	same(&x, &got, want.p, "as a", (size_t)0);
	buf_free(&want);
	conv_free(&x.conv);
}
END_TEST

START_TEST(says_the_same_byte_by_byte)
{
	struct fixture x;
	struct buf want, got;

	load(&x, _i);
	want = whole(&x);
	got = in_pieces(&x, x.conv.longest > 8192 ? 97 : 1);
	same(&x, &got, want.p, "in pieces of", 1);
	buf_free(&want);
	conv_free(&x.conv);
}
END_TEST

/* The conversation with the segment `which` in two pieces. */
static struct buf split(const struct fixture *x, size_t which, size_t at)
{
	struct feed f;

	feed_init(&f, x->proto);
	for (size_t i = 0; i < x->conv.nsegs; i++) {
		const struct conv_seg *s = &x->conv.segs[i];
		size_t first = i == which ? at : s->len;

		feed_push(&f, s->dir, bytes_of(x, s), first);
		if (first < s->len)
			feed_push(&f, s->dir, bytes_of(x, s) + first, s->len - first);
		if (s->cut)
			feed_cut(&f, s->dir);
	}
	return done(&f, x);
}

START_TEST(says_the_same_when_split_at_any_byte)
{
	struct fixture x;
	struct buf want;

	load(&x, _i);
	want = whole(&x);
	for (size_t i = 0; i < x.conv.nsegs; i++) {
		size_t len = x.conv.segs[i].len;

		for (size_t at = 1; at < len; at += stride(x.conv.bytes.len)) {
			struct buf got = split(&x, i, at);

			same(&x, &got, want.p, "split at", at);
		}
	}
	buf_free(&want);
	conv_free(&x.conv);
}
END_TEST

/* The first n bytes of the conversation; with cut, nothing follows in either direction. */
static void prefix(const struct fixture *x, size_t n, bool cut)
{
	struct feed f;
	struct buf got;

	feed_init(&f, x->proto);
	for (size_t i = 0; i < x->conv.nsegs; i++) {
		const struct conv_seg *s = &x->conv.segs[i];

		if (s->off > n || (s->off == n && s->len))
			break;
		feed_push(&f, s->dir, bytes_of(x, s), s->off + s->len < n ? s->len : n - s->off);
		if (s->cut)
			feed_cut(&f, s->dir);
	}
	ck_assert_msg(!f.nbad || x->broken, "%s: BAD in the first %zu bytes", x->path, n);
	if (cut) {
		feed_cut(&f, DIR_REQ);
		feed_cut(&f, DIR_RESP);
	}
	got = done(&f, x);
	buf_free(&got);
}

START_TEST(never_calls_a_prefix_bad)
{
	struct fixture x;

	load(&x, _i);
	for (size_t n = 0; n <= x.conv.bytes.len; n += stride(x.conv.bytes.len)) {
		prefix(&x, n, false);
		prefix(&x, n, true);
	}
	conv_free(&x.conv);
}
END_TEST

/* Once more, going on after errors as conn/ does. */
static void resynced(const struct fixture *x)
{
	struct feed f;
	struct buf got;

	feed_init(&f, x->proto);
	f.resyncs = true;
	for (size_t i = 0; i < x->conv.nsegs; i++)
		feed_push(&f, x->conv.segs[i].dir, bytes_of(x, &x->conv.segs[i]),
		          x->conv.segs[i].len);
	feed_cut(&f, DIR_REQ);
	feed_cut(&f, DIR_RESP);
	got = done(&f, x);
	buf_free(&got);
}

START_TEST(survives_one_wrong_byte_anywhere)
{
	static const uint8_t flips[] = { 0x01, 0xff };
	struct fixture x;

	load(&x, _i);
	for (size_t n = 0; n < x.conv.bytes.len; n += stride(x.conv.bytes.len)) {
		for (size_t i = 0; i < sizeof(flips); i++) {
			uint8_t *p = (uint8_t *)x.conv.bytes.p + n, was = *p;
			struct buf got;

			*p ^= flips[i];
			got = whole(&x);
			buf_free(&got);
			resynced(&x);
			*p = was;
		}
	}
	conv_free(&x.conv);
}
END_TEST

/* Without the bytes from..to of the segment `which`. */
static void with_hole(const struct fixture *x, size_t which, size_t from, size_t to)
{
	struct feed f;
	struct buf got;

	feed_init(&f, x->proto);
	f.resyncs = true;
	for (size_t i = 0; i < x->conv.nsegs; i++) {
		const struct conv_seg *s = &x->conv.segs[i];
		const uint8_t *p = bytes_of(x, s);

		if (i != which) {
			feed_push(&f, s->dir, p, s->len);
			continue;
		}
		feed_push(&f, s->dir, p, from);
		feed_lose(&f, s->dir, to - from);
		feed_push(&f, s->dir, p + to, s->len - to);
	}
	got = done(&f, x);
	buf_free(&got);
}

START_TEST(survives_a_hole_anywhere)
{
	struct fixture x;

	load(&x, _i);
	for (size_t i = 0; i < x.conv.nsegs; i++) {
		size_t len = x.conv.segs[i].len;

		for (size_t at = 0; at < len; at += stride(x.conv.bytes.len)) {
			with_hole(&x, i, at, at + 1);
			with_hole(&x, i, at, len);
			with_hole(&x, i, 0, at + 1);
		}
	}
	conv_free(&x.conv);
}
END_TEST

/* What each side said first, as far as conn/ would keep it. */
static struct cur said(const struct fixture *x, enum dir dir, struct buf *b)
{
	for (size_t i = 0; i < x->conv.nsegs; i++)
		if (x->conv.segs[i].dir == dir)
			buf_add(b, bytes_of(x, &x->conv.segs[i]), x->conv.segs[i].len);
	return cur_of(b->p ? b->p : "", b->len);
}

/* uWSGI answers in HTTP: where the request is not whole nothing tells that it was none of HTTP. */
static bool is_the_same(const struct fixture *x, const struct proto *p, bool asked)
{
	return !asked && x->proto == proto_by_id(PROTO_UWSGI) && p == proto_by_id(PROTO_HTTP);
}

/* Both directions over once, and the other protocols must hold back. */
static void nobody_else(const struct fixture *x, struct cur req, struct cur resp, bool from_start)
{
	struct first f = { .messages = 4, .from_start = from_start };

	for (size_t i = 0; i < NPROTOS; i++) {
		const struct proto *p = proto_by_id(protos[i].id);

		if (p == x->proto || is_the_same(x, p, from_start && cur_left(&req)))
			continue;
		f.req = req, f.resp = resp;
		ck_assert_msg(p->detect(&f) < SURE_LIKELY, "%s claimed by %s", x->path, p->name);
		f.req = resp, f.resp = req;
		ck_assert_msg(p->detect(&f) < SURE_LIKELY, "%s claimed by %s, roles exchanged",
		              x->path, p->name);
	}
}

START_TEST(is_claimed_by_nobody_else)
{
	struct buf b[2] = { { 0 }, { 0 } };
	struct fixture x;
	struct cur req, resp;

	load(&x, _i);
	req = said(&x, DIR_REQ, &b[0]);
	resp = said(&x, DIR_RESP, &b[1]);
	for (int from_start = 0; from_start <= 1; from_start++) {
		nobody_else(&x, req, resp, from_start);
		nobody_else(&x, req, cur_of("", 0), from_start);
		nobody_else(&x, cur_of("", 0), resp, from_start);
	}
	buf_free(&b[0]);
	buf_free(&b[1]);
	conv_free(&x.conv);
}
END_TEST

/* What is left of both where tracing begins late: `part` of 8 parts, and `odd` bytes. */
static struct cur cut_in_front(struct cur c, unsigned int part, unsigned int odd)
{
	cur_take(&c, cur_left(&c) * part / 8);
	cur_take(&c, cur_left(&c) < odd ? cur_left(&c) : odd);
	return c;
}

START_TEST(is_claimed_by_nobody_else_when_cut_in_front)
{
	struct buf b[2] = { { 0 }, { 0 } };
	struct fixture x;
	struct cur req, resp;

	load(&x, _i);
	req = said(&x, DIR_REQ, &b[0]);
	resp = said(&x, DIR_RESP, &b[1]);
	for (unsigned int part = 0; part < 8; part += 2) {
		for (unsigned int odd = part; odd < 20; odd += 3) {
			struct cur q = cut_in_front(req, part, odd);
			struct cur a = cut_in_front(resp, part, 19 - odd);

			nobody_else(&x, q, a, false);
			nobody_else(&x, q, resp, false);
			nobody_else(&x, req, a, false);
		}
	}
	buf_free(&b[0]);
	buf_free(&b[1]);
	conv_free(&x.conv);
}
END_TEST

/* The last byte first: as much of a protocol as noise with its bytes has. */
static void turn(struct buf *b)
{
	for (size_t i = 0; i < b->len / 2; i++) {
		char ch = b->p[i];

		b->p[i] = b->p[b->len - 1 - i];
		b->p[b->len - 1 - i] = ch;
	}
}

START_TEST(is_claimed_by_nobody_else_when_turned_round)
{
	struct buf b[2] = { { 0 }, { 0 } };
	struct fixture x;
	struct cur req, resp;

	load(&x, _i);
	said(&x, DIR_REQ, &b[0]);
	said(&x, DIR_RESP, &b[1]);
	turn(&b[0]);
	turn(&b[1]);
	req = cur_of(b[0].p ? b[0].p : "", b[0].len);
	resp = cur_of(b[1].p ? b[1].p : "", b[1].len);
	nobody_else(&x, req, resp, false);
	nobody_else(&x, req, resp, true);
	buf_free(&b[0]);
	buf_free(&b[1]);
	conv_free(&x.conv);
}
END_TEST

/* Whether the bytes tell who asks: a Redis array, say, may be either side's. */
static bool one_way(const struct fixture *x, struct cur req, struct cur resp)
{
	struct first f = { .req = req, .resp = resp, .messages = 4, .from_start = true };
	struct first g = { .req = resp, .resp = req, .messages = 4, .from_start = true };

	return x->proto->detect(&f) > x->proto->detect(&g);
}

START_TEST(is_claimed_by_its_own)
{
	static const struct {
		int known;
		bool swap;
	} ways[] = { { 1, false }, { 0, true }, { -1, false }, { -1, true } };
	struct buf b[2] = { { 0 }, { 0 } };
	struct fixture x;
	struct cur req, resp;

	load(&x, _i);
	req = said(&x, DIR_REQ, &b[0]);
	resp = said(&x, DIR_RESP, &b[1]);
	for (size_t i = 0; !x.conv.nodetect && i < sizeof(ways) / sizeof(*ways); i++) {
		bool swap = ways[i].swap;
		struct verdict v = proto_detect(swap ? resp : req, swap ? req : resp, ways[i].known,
		                                PROTO_UNKNOWN, 4, true, 0, 0);

		ck_assert_msg(proto_by_id(v.id) == x.proto, "%s: named %d, roles %d", x.path, v.id,
		              ways[i].known);
		ck_assert_msg(v.swapped == swap || !one_way(&x, req, resp),
		              "%s: takes the requester for the responder", x.path);
	}
	buf_free(&b[0]);
	buf_free(&b[1]);
	conv_free(&x.conv);
}
END_TEST

START_TEST(has_a_complete_table_entry)
{
	const struct proto *p = proto_by_id(protos[_i].id);
	char corpus[64];

	ck_assert(p && p->name && p->title && p->ops && p->detect && p->parse && p->resync);
	ck_assert_int_eq(proto_by_name(str_of(p->name)), protos[_i].id);
	ck_assert((p->answers && !p->datagram) || p->state_size <= PROTO_STATE);
	for (size_t i = 0; i < PROTO_RULES; i++) {
		ck_assert_int_le(p->rules[i].off + p->rules[i].len, 32);
		ck_assert_int_le(p->rules[i].len, 8);
	}
	snprintf(corpus, sizeof(corpus), "tests/corpus/%s", p->name);
	ck_assert_msg(!access(corpus, R_OK) || p->over, "%s has no corpus", p->name);
}
END_TEST

START_TEST(names_what_is_known_and_nothing_else)
{
	ck_assert_ptr_null(proto_by_id(PROTO_UNKNOWN));
	ck_assert_ptr_null(proto_by_id(PROTO_MAX));
	ck_assert_int_eq(proto_by_name(STR("gopher")), PROTO_UNKNOWN);
	ck_assert_int_eq(proto_by_name(STR_NULL), PROTO_UNKNOWN);
	ck_assert_str_eq(attr_name(ATTR_HTTP_METHOD), "http.request.method");
	ck_assert(attr_is_int(ATTR_HTTP_STATUS) && !attr_is_int(ATTR_URL_PATH));
}
END_TEST

START_TEST(keeps_quiet_without_evidence)
{
	struct cur none = cur_of("", 0), junk = cur_of("\x80\x01\x02\x03\n\n", 6);
	struct verdict v = proto_detect(none, none, -1, PROTO_UNKNOWN, 0, true, 0, 0);

	ck_assert_int_eq(v.id, PROTO_UNKNOWN);
	ck_assert_int_le(v.sure, SURE_MAYBE);
	v = proto_detect(junk, junk, -1, protos[0].id, 1, true, 0, 0);
	ck_assert_int_eq(v.id, PROTO_UNKNOWN);
}
END_TEST

Suite *protos_suite(void)
{
	Suite *s = suite_create("protos");
	TCase *t = tcase_create("protos"), *d = tcase_create("detection");
	int n;

	find_rows();
	n = (int)nrows;
	tcase_set_timeout(t, 120);
	tcase_set_timeout(d, 120);
	tcase_add_loop_test(t, has_a_complete_table_entry, 0, NPROTOS);
	tcase_add_test(t, names_what_is_known_and_nothing_else);
	tcase_add_test(t, keeps_quiet_without_evidence);
	tcase_add_loop_test(t, understands_each_conversation, 0, n);
	tcase_add_loop_test(t, says_the_same_byte_by_byte, 0, n);
	tcase_add_loop_test(t, says_the_same_when_split_at_any_byte, 0, n);
	tcase_add_loop_test(t, never_calls_a_prefix_bad, 0, n);
	tcase_add_loop_test(t, survives_one_wrong_byte_anywhere, 0, n);
	tcase_add_loop_test(t, survives_a_hole_anywhere, 0, n);
	tcase_add_loop_test(d, is_claimed_by_nobody_else, 0, n);
	tcase_add_loop_test(d, is_claimed_by_nobody_else_when_cut_in_front, 0, n);
	tcase_add_loop_test(d, is_claimed_by_nobody_else_when_turned_round, 0, n);
	tcase_add_loop_test(d, is_claimed_by_its_own, 0, n);
	suite_add_tcase(s, t);
	suite_add_tcase(s, d);
	return s;
}
