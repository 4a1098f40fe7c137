// SPDX-License-Identifier: GPL-3.0-or-later
/* grid_test - what is drawn stays inside, is cut with a sign, and is harmless. */
#include <check.h>

#include "tests/unit/suites.h"
#include "ui/grid.h"
#include "ui/keys.h"
#include "ui/prompt.h"

static struct buf shown(struct grid *g)
{
	struct buf b = { 0 };

	grid_print(g, &b);
	buf_ch(&b, 0);
	return b;
}

static const struct {
	const char *text;
	int w;
	bool ascii;
	const char *want;
} texts[] = {
	{ "abc", 5, false, "abc" },
	{ "abcdef", 5, false, "abcd\u2026" },
	{ "abcdef", 5, true, "abc.." },
	{ "abcdef", 1, false, "\u2026" },
	{ "abcdef", 0, false, "" },
	{ "\xe6\xbc\xa2\xe5\xad\x97", 4, false, "\xe6\xbc\xa2\xe5\xad\x97" },
	{ "\xe6\xbc\xa2\xe5\xad\x97", 3, false, "\xe6\xbc\xa2\u2026" },
	{ "\xe6\xbc\xa2", 4, true, "?" },
	{ "e\xcc\x81x", 4, false, "e\xcc\x81x" },
	{ "a\nb", 8, false, "a\\nb" },
	{ "\x1b[31m", 8, false, "\\x1b[31m" },
	{ "\xff\xc2", 8, false, "\\xff\\xc2" },
	{ "\xc2\x9b", 8, false, "\\x9b" },
	{ "\xe2\x80\xae", 8, false, "?" },
};

START_TEST(text_is_cut_with_a_sign_and_made_harmless)
{
	struct grid g = { .ascii = texts[_i].ascii };
	struct buf got;

	ck_assert(!grid_resize(&g, 10, 1));
	grid_text(&g, 0, 0, texts[_i].w, ROLE_TEXT, str_of(texts[_i].text));
	got = shown(&g);
	got.p[got.len - 2] = 0; /* the newline */
	ck_assert_str_eq(got.p, texts[_i].want);
	buf_free(&got);
	grid_free(&g);
}
END_TEST

START_TEST(nothing_is_drawn_outside)
{
	struct grid g = { 0 };

	ck_assert(!grid_resize(&g, 4, 2));
	for (int y = -2; y < 4; y++)
		for (int x = -6; x < 8; x++) {
			grid_text(&g, x, y, 9, ROLE_TEXT, STR("\xe6\xbc\xa2\xe5\xad\x97z"));
			grid_hline(&g, x, y, 9, ROLE_TEXT);
			grid_vline(&g, x, y, 9, ROLE_TEXT);
			grid_fill(&g, (struct rect){ x, y, 9, 9 }, ROLE_BAD);
			grid_find(&g, (struct rect){ x, y, 9, 9 }, ROLE_BAD, STR("z"));
		}
	grid_free(&g);
}
END_TEST

START_TEST(half_a_wide_character_does_not_stay)
{
	struct grid g = { 0 };
	struct buf got;

	ck_assert(!grid_resize(&g, 6, 1));
	grid_text(&g, 0, 0, 6, ROLE_TEXT, STR("\xe6\xbc\xa2\xe5\xad\x97"));
	grid_text(&g, 1, 0, 2, ROLE_TEXT, STR("ab"));
	got = shown(&g);
	ck_assert_str_eq(got.p, " ab\n");
	buf_free(&got);
	grid_free(&g);
}
END_TEST

START_TEST(a_scrolled_text_shows_signs_at_both_ends)
{
	struct grid g = { .ascii = true };
	struct buf got;

	ck_assert(!grid_resize(&g, 8, 1));
	grid_scrolled(&g, 0, 0, 8, 4, ROLE_TEXT, STR("0123456789abcdef"));
	got = shown(&g);
	ck_assert_str_eq(got.p, "..6789..\n");
	buf_free(&got);
	grid_free(&g);
}
END_TEST

START_TEST(a_script_gives_the_keys_that_it_names)
{
	static const char *const want[] = { "a", "<F4>",     "<C-d>",    "<Space>", "<",
		                            "x", "\xc3\xa9", "<Resize>", "<Wait>" };
	struct str script = STR("\n# no key\na<F4><C-d> <x\xc3\xa9<Resize 80x24>\n<Wait 5>");
	struct key k;

	for (size_t i = 0; i < sizeof(want) / sizeof(*want); i++) {
		ck_assert(key_next(&script, &k));
		ck_assert_str_eq(k.name, want[i]);
		if (i == 7)
			ck_assert(k.x == 80 && k.y == 24);
		if (i == 8)
			ck_assert_int_eq(k.x, 5);
	}
	ck_assert(!key_next(&script, &k));
}
END_TEST

START_TEST(every_key_has_one_action_and_a_user_may_move_it)
{
	struct keymap *k = keymap_new();
	struct buf b = { 0 };
	char err[512];

	ck_assert_int_eq(keymap_action(k, "<F4>"), ACT_FILTER);
	ck_assert_int_eq(keymap_action(k, "~"), ACT_NONE);
	ck_assert(!keymap_bind(k, "filter z <F4>", err));
	ck_assert_int_eq(keymap_action(k, "z"), ACT_FILTER);
	ck_assert_int_eq(keymap_action(k, "f"), ACT_NONE);
	ck_assert(keymap_bind(k, "nonsense z", err) < 0);
	keymap_label(k, ACT_FILTER, &b);
	ck_assert(str_is(buf_slice(&b), "F4"));
	buf_free(&b);
	keymap_free(k);
}
END_TEST

static void type(struct prompt *p, const char *keys)
{
	struct str script = str_of(keys);
	struct key k;

	while (key_next(&script, &k))
		prompt_key(p, &k);
}

START_TEST(a_prompt_edits_recalls_and_ends)
{
	struct prompt *p = calloc(1, sizeof(*p));
	struct prompt_spec spec = { .label = ":" };

	prompt_open(p, &spec);
	type(p, "helo<Left>l<End>\xc3\xa9<Left><Del> x<C-w>you");
	ck_assert_str_eq(p->text, "hello you");
	type(p, "<Enter>");
	ck_assert(!p->open);
	prompt_open(p, &spec);
	type(p, "q<Up>");
	ck_assert_str_eq(p->text, "hello you");
	type(p, "<Down>");
	ck_assert_str_eq(p->text, "");
	type(p, "<Esc>");
	ck_assert(!p->open);
	free(p);
}
END_TEST

Suite *grid_suite(void)
{
	Suite *s = suite_create("grid");
	TCase *t = tcase_create("grid");

	tcase_add_loop_test(t, text_is_cut_with_a_sign_and_made_harmless, 0,
	                    (int)(sizeof(texts) / sizeof(*texts)));
	tcase_add_test(t, nothing_is_drawn_outside);
	tcase_add_test(t, half_a_wide_character_does_not_stay);
	tcase_add_test(t, a_scrolled_text_shows_signs_at_both_ends);
	tcase_add_test(t, a_script_gives_the_keys_that_it_names);
	tcase_add_test(t, every_key_has_one_action_and_a_user_may_move_it);
	tcase_add_test(t, a_prompt_edits_recalls_and_ends);
	suite_add_tcase(s, t);
	return s;
}
