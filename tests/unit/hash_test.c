// SPDX-License-Identifier: GPL-3.0-or-later
/* hash_test - the table against a plain array of what it should hold. */
#include <stdlib.h>

#include "suites.h"
#include "base/hash.h"

enum { KEYS = 512 };

static uint64_t rnd(uint64_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	return *s ^= *s << 17;
}

START_TEST(an_empty_table_holds_nothing)
{
	struct hash h = { 0 };
	uint64_t key;
	size_t i = 0;
	void *value;

	ck_assert_ptr_null(hash_get(&h, 0));
	ck_assert_ptr_null(hash_del(&h, 1));
	ck_assert(!hash_next(&h, &i, &key, &value));
	hash_free(&h);
}
END_TEST

START_TEST(any_key_is_fine_and_setting_again_replaces)
{
	static const uint64_t keys[] = { 0, 1, UINT64_MAX, 1ull << 63, 42 };
	struct hash h = { 0 };
	int v[2];

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		ck_assert_int_eq(hash_set(&h, keys[i], &v[0]), 0);
		ck_assert_int_eq(hash_set(&h, keys[i], &v[1]), 0);
		ck_assert_ptr_eq(hash_get(&h, keys[i]), &v[1]);
		ck_assert_uint_eq(h.n, i + 1);
	}
	hash_free(&h);
}
END_TEST

static void same(const struct hash *h, char *const want[KEYS], size_t n)
{
	uint64_t key;
	size_t i = 0, seen = 0;
	void *value;

	ck_assert_uint_eq(h->n, n);
	for (uint64_t k = 0; k < KEYS; k++)
		ck_assert_ptr_eq(hash_get(h, k * 64), want[k]);
	while (hash_next(h, &i, &key, &value)) {
		ck_assert_ptr_eq(want[key / 64], value);
		seen++;
	}
	ck_assert_uint_eq(seen, n);
}

START_TEST(many_changes_leave_what_they_should)
{
	static char things[KEYS];
	char *want[KEYS] = { NULL };
	struct hash h = { 0 };
	uint64_t seed = 88172645463325252u + (uint64_t)_i;
	size_t n = 0;

	for (int step = 0; step < 20000; step++) {
		uint64_t r = rnd(&seed), k = r % KEYS;

		if (r >> 63) {
			n += !want[k];
			want[k] = &things[(r >> 16) % KEYS];
			ck_assert_int_eq(hash_set(&h, k * 64, want[k]), 0);
		} else {
			ck_assert_ptr_eq(hash_del(&h, k * 64), want[k]);
			n -= !!want[k];
			want[k] = NULL;
		}
		if (step % 997 == 0)
			same(&h, want, n);
	}
	same(&h, want, n);
	hash_free(&h);
}
END_TEST

START_TEST(everything_can_be_deleted_while_walking)
{
	struct hash h = { 0 };
	uint64_t key;
	void *value;

	for (uint64_t k = 0; k < KEYS; k++)
		ck_assert_int_eq(hash_set(&h, k, &h), 0);
	for (size_t i = 0; hash_next(&h, &i, &key, &value); i--)
		ck_assert_ptr_eq(hash_del(&h, key), &h);
	ck_assert_uint_eq(h.n, 0);
	hash_free(&h);
}
END_TEST

Suite *hash_suite(void)
{
	Suite *s = suite_create("hash");
	TCase *t = tcase_create("hash");

	tcase_add_test(t, an_empty_table_holds_nothing);
	tcase_add_test(t, any_key_is_fine_and_setting_again_replaces);
	tcase_add_loop_test(t, many_changes_leave_what_they_should, 0, 4);
	tcase_add_test(t, everything_can_be_deleted_while_walking);
	suite_add_tcase(s, t);
	return s;
}
