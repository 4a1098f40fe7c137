// SPDX-License-Identifier: GPL-3.0-or-later
/* batch - rows on their way, and the arena under them. */
#include "span/batch.h"

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "tests/unit/suites.h"

START_TEST(arena_gives_aligned_pieces_that_do_not_overlap)
{
	struct arena a = { 0 };
	unsigned char *piece[200];

	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < 200; i++) {
			piece[i] = arena_alloc(&a, i * 37 + 1);
			ck_assert_uint_eq((uintptr_t)piece[i] % 16, 0);
			memset(piece[i], (int)i, i * 37 + 1);
		}
		for (size_t i = 0; i < 200; i++)
			for (size_t k = 0; k < i * 37 + 1; k++)
				if (piece[i][k] != i)
					ck_abort_msg("piece %zu was overwritten", i);
		arena_reset(&a);
		ck_assert_uint_eq(a.used, 0);
	}
	arena_free(&a);
}
END_TEST

START_TEST(arena_keeps_its_chunks_over_a_reset)
{
	struct arena a = { 0 };
	size_t total;

	for (int i = 0; i < 100; i++)
		arena_alloc(&a, 10000);
	total = a.total;
	for (int round = 0; round < 10; round++) {
		arena_reset(&a);
		for (int i = 0; i < 100; i++)
			ck_assert_ptr_nonnull(arena_alloc(&a, 10000));
	}
	ck_assert_uint_eq(a.total, total);
	ck_assert_ptr_null(arena_alloc(&a, SIZE_MAX));
	ck_assert_ptr_null(arena_alloc(&a, SIZE_MAX - 8));
	arena_free(&a);
}
END_TEST

START_TEST(arena_keeps_null_and_empty_apart)
{
	struct arena a = { 0 };

	ck_assert_ptr_null(arena_str(&a, STR_NULL).s);
	ck_assert_ptr_nonnull(arena_str(&a, STR("")).s);
	ck_assert(str_is(arena_str(&a, STR("x")), "x"));
	arena_free(&a);
}
END_TEST

START_TEST(a_batch_takes_as_many_rows_as_it_holds)
{
	struct batch_pool *p = batch_pool_new(2, 3);
	struct batch *b = batch_get(p, -1);

	ck_assert_ptr_nonnull(batch_add(b, TABLE_SPANS));
	ck_assert_ptr_nonnull(batch_add(b, TABLE_CONNECTIONS));
	ck_assert_int_eq(((struct proc_row *)batch_add(b, TABLE_PROCESSES))->pid, COL_NULL);
	ck_assert_ptr_null(batch_add(b, TABLE_CAPTURE));
	ck_assert_uint_eq(b->n, 3);
	ck_assert_int_eq(b->items[1].table, TABLE_CONNECTIONS);
	batch_put(b);
	b = batch_get(p, -1);
	ck_assert_uint_eq(b->n, 0);
	batch_put(b);
	batch_pool_free(p);
}
END_TEST

START_TEST(a_pool_without_batches_makes_the_next_one_wait)
{
	struct batch_pool *p = batch_pool_new(1, 3);
	struct batch *b = batch_get(p, 0);

	ck_assert_ptr_nonnull(b);
	ck_assert_ptr_null(batch_get(p, 20));
	ck_assert_int_eq(errno, ETIMEDOUT);
	batch_ref(b);
	batch_put(b);
	ck_assert_ptr_null(batch_get(p, 0));
	batch_put(b);
	ck_assert_ptr_eq(batch_get(p, 0), b);
	batch_put(b);
	batch_put(NULL);
	batch_pool_free(p);
}
END_TEST

static void *put_later(void *b)
{
	usleep(20000);
	batch_put(b);
	return NULL;
}

START_TEST(a_returned_batch_wakes_who_waits)
{
	struct batch_pool *p = batch_pool_new(1, 3);
	struct batch *b = batch_get(p, 0);
	pthread_t t;

	pthread_create(&t, NULL, put_later, b);
	ck_assert_ptr_eq(batch_get(p, -1), b);
	pthread_join(t, NULL);
	batch_put(b);
	batch_pool_free(p);
}
END_TEST

Suite *batch_suite(void)
{
	Suite *s = suite_create("batch");
	TCase *t = tcase_create("batch");

	tcase_add_test(t, arena_gives_aligned_pieces_that_do_not_overlap);
	tcase_add_test(t, arena_keeps_its_chunks_over_a_reset);
	tcase_add_test(t, arena_keeps_null_and_empty_apart);
	tcase_add_test(t, a_batch_takes_as_many_rows_as_it_holds);
	tcase_add_test(t, a_pool_without_batches_makes_the_next_one_wait);
	tcase_add_test(t, a_returned_batch_wakes_who_waits);
	suite_add_tcase(s, t);
	return s;
}
