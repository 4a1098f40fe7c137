// SPDX-License-Identifier: GPL-3.0-or-later
/* procs - processes from records, hostile ones included. */
#include <stdlib.h>
#include <unistd.h>

#include "enrich/who.h"
#include "suites.h"

struct rig {
	struct batch_pool *pool;
	struct batch *b;
	struct procs *p;
};

static struct rig rig_new(void)
{
	struct rig r = { .pool = batch_pool_new(2, 8), .p = procs_new(0) };

	r.b = batch_get(r.pool, 0);
	ck_assert(r.pool && r.p && r.b);
	return r;
}

static void rig_free(struct rig *r)
{
	batch_put(r->b);
	batch_pool_free(r->pool);
	procs_free(r->p);
}

/* n bytes of texts, as a recording may hold them. */
static void introduce(struct rig *r, uint32_t pid, const char *texts, size_t n)
{
	struct ev_who *w = calloc(1, sizeof(*w) + n);

	ck_assert_ptr_nonnull(w);
	w->h = (struct ev_head){ .pid = pid, .kind = EV_WHO, .size = (__u32)(sizeof(*w) + n) };
	w->bytes = (__u32)n;
	memcpy(w->texts, texts, n);
	procs_record(r->p, &w->h, w->h.size);
	free(w);
}

static const struct span *span_of(struct rig *r, int64_t pid)
{
	struct span *s = batch_add(r->b, TABLE_SPANS);

	ck_assert_ptr_nonnull(s);
	s->pid = pid;
	procs_span(r->p, s, 0, r->b);
	return s;
}

static const char shop[] = "python3\0/usr/bin/python3\0python3 shop.py\0ann\0shop.py\0/app\0";

START_TEST(a_process_is_who_it_was_introduced_as)
{
	struct rig r = rig_new();

	introduce(&r, 7, shop, sizeof(shop));
	ck_assert(str_is(span_of(&r, 7)->comm, "python3"));
	ck_assert(str_is(span_of(&r, 7)->service, "shop.py"));
	ck_assert(str_is(span_of(&r, 7)->process, "python3[7]"));
	ck_assert_ptr_null(span_of(&r, 8)->comm.s);
	rig_free(&r);
}
END_TEST

START_TEST(the_process_at_the_other_end_is_named_where_it_is_known)
{
	struct rig r = rig_new();
	struct span *s = batch_add(r.b, TABLE_SPANS);

	introduce(&r, 7, shop, sizeof(shop));
	procs_span(r.p, s, 7, r.b);
	ck_assert(str_is(s->peer_process, "python3[7]"));
	ck_assert_ptr_null(s->process.s);
	s->peer_process = STR_NULL;
	procs_span(r.p, s, 8, r.b);
	ck_assert_ptr_null(s->peer_process.s);
	rig_free(&r);
}
END_TEST

START_TEST(a_child_is_its_parent_until_it_says_otherwise)
{
	struct ev_proc fork = { .h = { .pid = 9, .kind = EV_FORK, .size = sizeof(fork) },
		                .ppid = 7 };
	struct ev_proc exec = { .h = { .pid = 9, .kind = EV_EXEC, .size = sizeof(exec) },
		                .comm = "curl",
		                .file = "/usr/bin/curl" };
	struct rig r = rig_new();

	introduce(&r, 7, shop, sizeof(shop));
	procs_record(r.p, &fork.h, sizeof(fork));
	ck_assert(str_is(span_of(&r, 9)->service, "shop.py"));
	procs_record(r.p, &exec.h, sizeof(exec));
	ck_assert(str_is(span_of(&r, 9)->service, "curl"));
	rig_free(&r);
}
END_TEST

START_TEST(texts_that_are_too_long_are_not_taken)
{
	struct ev_proc fork = { .h = { .pid = 9, .kind = EV_FORK, .size = sizeof(fork) },
		                .ppid = 7 };
	struct rig r = rig_new();
	char *texts = malloc(65536);

	ck_assert_ptr_nonnull(texts);
	memset(texts, 'x', 65536);
	introduce(&r, 7, texts, 65536);
	procs_record(r.p, &fork.h, sizeof(fork));
	ck_assert_ptr_null(span_of(&r, 9)->comm.s);
	free(texts);
	rig_free(&r);
}
END_TEST

START_TEST(this_process_can_be_read)
{
	_Alignas(8) uint8_t out[WHO_RECORD_MAX];
	struct ev_head cause = { .pid = (__u32)getpid(), .kind = EV_DATA };
	struct rig r = rig_new();
	size_t n = who_read(&cause, out);

	ck_assert_uint_gt(n, sizeof(struct ev_who));
	procs_record(r.p, (const void *)out, n);
	ck_assert_ptr_nonnull(span_of(&r, getpid())->comm.s);
	cause.pid = 0x7fffffff;
	ck_assert_uint_eq(who_read(&cause, out), 0);
	rig_free(&r);
}
END_TEST

Suite *procs_suite(void)
{
	Suite *s = suite_create("procs");
	TCase *t = tcase_create("records");

	tcase_add_test(t, a_process_is_who_it_was_introduced_as);
	tcase_add_test(t, the_process_at_the_other_end_is_named_where_it_is_known);
	tcase_add_test(t, a_child_is_its_parent_until_it_says_otherwise);
	tcase_add_test(t, texts_that_are_too_long_are_not_taken);
	tcase_add_test(t, this_process_can_be_read);
	suite_add_tcase(s, t);
	return s;
}
