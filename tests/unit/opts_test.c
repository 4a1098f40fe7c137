// SPDX-License-Identifier: GPL-3.0-or-later
/* opts_test - the command line: what it becomes, and what is refused in which words. */
#include <errno.h>

#include "suites.h"
#include "base/err.h"
#include "cmd/opts.h"
#include "cmd/suggest.h"
#include "store/store.h"

enum { WORDS_MAX = 24 };

#define ARGS(...)                 \
	(const char *[])          \
	{                         \
		__VA_ARGS__, NULL \
	}

static int parse(struct options *o, const char *cmd, const char **words, char *err)
{
	int n = 0;

	while (words[n])
		n++;
	err[0] = '\0';
	return options_parse(o, cmd, n, (char **)words, err);
}

static void good(struct options *o, const char *cmd, const char **words)
{
	char err[ERR_TEXT];

	ck_assert_msg(!parse(o, cmd, words, err), "%s", err);
}

/* ---- values ---- */

START_TEST(targets_add_up)
{
	struct options o;

	good(&o, "trace",
	     ARGS("-p", "42,43", "--pid=44", "--comm", "ng*", "--comm=redis", "--no-follow"));
	ck_assert_uint_eq(o.npids, 3);
	ck_assert_int_eq(o.pids[0], 42);
	ck_assert_int_eq(o.pids[2], 44);
	ck_assert_uint_eq(o.comms.n, 2);
	ck_assert_str_eq(o.comms.v[1], "redis");
	ck_assert(o.no_follow);
	ck_assert(!o.all);
	options_free(&o);
}
END_TEST

START_TEST(short_flags_may_stand_together)
{
	struct options o;

	good(&o, "trace", ARGS("-qap42", "-ojson"));
	ck_assert(o.quiet && o.all);
	ck_assert_int_eq(o.pids[0], 42);
	ck_assert_int_eq(o.form, FORM_JSON);
	options_free(&o);
}
END_TEST

START_TEST(units_are_understood)
{
	struct options o;

	good(&o, "trace",
	     ARGS("-d", "1.5s", "--mem", "16M", "--ring", "100K", "--payload", "64K", "--rotate=1G",
	          "--keep=3", "--count", "23"));
	ck_assert_uint_eq(o.duration_ns, 1500000000);
	ck_assert_uint_eq(o.mem_bytes, 16 << 20);
	ck_assert_uint_eq(o.ring_bytes, 128 << 10); /* the next power of two */
	ck_assert_uint_eq(o.payload_bytes, 64 << 10);
	ck_assert_uint_eq(o.rotate_bytes, 1 << 30);
	ck_assert_uint_eq(o.keep, 3);
	ck_assert_uint_eq(o.count, 23);
	options_free(&o);
	good(&o, "trace", ARGS("--payload", "none"));
	ck_assert(o.no_payload);
	options_free(&o);
}
END_TEST

START_TEST(a_command_begins_after_two_dashes)
{
	struct options o;

	good(&o, "trace", ARGS("-q", "--", "curl", "-s", "--header", "x"));
	ck_assert_str_eq(o.command[0], "curl");
	ck_assert_str_eq(o.command[2], "--header");
	ck_assert_uint_eq(o.args.n, 0);
	options_free(&o);
}
END_TEST

START_TEST(the_line_can_be_typed_again)
{
	struct options o;

	good(&o, "sql", ARGS("-r", "a b.otlp", "select 'it''s'", "-D", "x=1"));
	ck_assert_str_eq(o.cmdline,
	                 "obi sql -r 'a b.otlp' 'select '\\''it'\\'''\\''s'\\''' -D x=1");
	ck_assert_uint_eq(o.args.n, 1);
	ck_assert_str_eq(o.defines.v[0], "x=1");
	options_free(&o);
}
END_TEST

START_TEST(help_wins_over_what_follows)
{
	struct options o;

	good(&o, "trace", ARGS("-h", "--nonsense"));
	ck_assert(o.short_help);
	options_free(&o);
}
END_TEST

/* ---- refused ---- */

static const struct {
	const char *cmd;
	const char *words[WORDS_MAX];
	const char *says;
} wrong[] = {
	{ "trace", { "--prot", "http" }, "unknown option --prot. Did you mean --port or --proto?" },
	{ "trace", { "--slwoer", "5ms" }, "Did you mean --slower?" },
	{ "trace", { "--zzzzzz" }, "unknown option --zzzzzz." },
	{ "trace", { "-Z" }, "unknown option -Z." },
	{ "trace", { "--propagate=http" }, "--propagate is not available in this version." },
	{ "trace", { "--pod", "x" }, "--pod is not available in this version." },
	{ "trace",
	  { "--pipeline" },
	  "obi trace has no option --pipeline; these commands have it: doctor." },
	{ "sql", { "-o", "tui" }, "obi sql has no interface of its own" },
	{ "trace", { "-o", "xml" }, "--output wants tui|text|json|csv|otlp, not \"xml\"." },
	{ "trace", { "-p" }, "option --pid needs a value: PID[,PID]." },
	{ "trace", { "-p", "nginx" }, "by name: --comm, not \"nginx\"." },
	{ "trace", { "-p", "1,,2" }, "--pid wants process ids" },
	{ "trace", { "-p", "0" }, "--pid wants process ids" },
	{ "trace", { "-p", "99999999999" }, "--pid wants process ids" },
	{ "trace", { "--errors=1" }, "option --errors takes no value." },
	{ "trace", { "--slower", "fast" }, "--slower wants a duration like 250us" },
	{ "trace", { "--mem", "x" }, "--mem wants a size like 64K" },
	{ "trace", { "--count", "0" }, "--count wants a number over 0" },
	{ "trace", { "--side", "both" }, "--side wants client|server, not \"both\"." },
	{ "trace", { "--port", "80,x" }, "--port wants ports like 80,443,8000-8099, not \"x\"." },
	{ "trace", { "--port", "70000" }, "--port wants ports" },
	{ "trace", { "--port", "90-80" }, "--port wants ports" },
	{ "trace", { "--port", "" }, "--port: a value is empty." },
	{ "trace", { "--ip", "10.0.0.0/33" }, "--ip wants an address or network" },
	{ "trace", { "--ip", "10.0.0" }, "--ip wants an address or network" },
	{ "trace", { "--proto", "htpp" }, "no protocol \"htpp\". Did you mean http or http2?" },
	{ "trace", { "-F", " " }, "-F: the expression is empty." },
	{ "trace", { "--" }, "no command after --." },
	{ "sql", { "-D", "=1" }, "--define wants NAME=VALUE" },
};

START_TEST(what_is_wrong_is_said)
{
	struct options o;
	char err[ERR_TEXT];

	ck_assert_int_eq(parse(&o, wrong[_i].cmd, (const char **)wrong[_i].words, err), -EINVAL);
	ck_assert_msg(strstr(err, wrong[_i].says), "%s", err);
	ck_assert_ptr_null(o.where);
	options_free(&o);
}
END_TEST

START_TEST(every_flag_is_either_taken_or_refused_by_name)
{
	static const char *const cmds[] = { "trace",     "sql",        "doctor",
		                            "protocols", "completion", "help" };
	const struct opt *flag = &opts[_i];

	for (size_t i = 0; i < sizeof(cmds) / sizeof(cmds[0]) && flag->name; i++) {
		char text[80], err[ERR_TEXT];
		struct options o;

		snprintf(text, sizeof(text), "--%s%s", flag->name, flag->arg ? "=" : "");
		parse(&o, cmds[i], ARGS(text), err);
		ck_assert_ptr_null(strstr(err, "unknown option"));
		if (opt_taken_by(flag, cmds[i]))
			ck_assert_msg(!strstr(err, "not available"), "%s", err);
		else
			ck_assert_msg(strstr(err, "not available") || strstr(err, "has no option"),
			              "%s", err);
		options_free(&o);
	}
}
END_TEST

START_TEST(no_two_flags_share_a_name)
{
	for (int i = 0; i < OPT_MAX; i++) {
		for (int k = i + 1; k < OPT_MAX; k++) {
			ck_assert(!opts[i].key || opts[i].key != opts[k].key);
			ck_assert(!opts[i].name || !opts[k].name ||
			          strcmp(opts[i].name, opts[k].name));
		}
	}
}
END_TEST

/* ---- filters ---- */

/* clang-format off */
static const struct {
	const char *words[WORDS_MAX];
	const char *where;
} filters[] = {
	{ { "-q" }, NULL },
	{ { "--errors" }, "error = 1" },
	{ { "--slower", "50ms" }, "dur_ns > 50000000" },
	{ { "--slower", "0" }, "dur_ns > 0" },
	{ { "--bigger", "1K" }, "(req_bytes > 1024 or resp_bytes > 1024)" },
	{ { "--local-port", "80,443,8000-8099" },
	  "(local_port = 80 or local_port = 443 or local_port between 8000 and 8099)" },
	{ { "--port", "80", "--remote-port=1" },
	  "(local_port = 80 or peer_port = 80) and (peer_port = 1)" },
	{ { "--ip", "10.0.0.0/8" },
	  "(cidr_match(local_ip, '10.0.0.0/8') or cidr_match(peer_ip, '10.0.0.0/8'))" },
	{ { "--ip", "::1" }, "(cidr_match(local_ip, '::1') or cidr_match(peer_ip, '::1'))" },
	{ { "--side", "client" }, "(kind in ('client', 'producer'))" },
	{ { "--proto", "http,redis" }, "(proto = 'http' or proto = 'redis')" },
	{ { "--method", "get" }, "(upper(op) = 'GET')" },
	{ { "--path", "/it's/*" },
	  "(proto in ('http', 'http2', 'websocket') and (target glob '/it''s/*' or target glob '/it''s/*[?]*'))" },
	{ { "--status", "5xx,404" },
	  "(proto in ('http', 'http2') and code between 500 and 599 or code = 404 or status = '404')" },
	{ { "--status", "42P01" }, "(status = '42P01')" },
	{ { "--query", "SELECT *", "--query", "delete*" },
	  "(lower(query) glob 'select *' or lower(query) glob 'delete*')" },
	{ { "--key", "user:*" }, "(key glob 'user:*')" },
	{ { "--key", "') or 1=1 --" }, "(key glob ''') or 1=1 --')" },
	{ { "-F", "dur_ms > 50 -- slow", "-F", "code >= 500" },
	  "(dur_ms > 50 -- slow\n) and (code >= 500\n)" },
	{ { "--errors", "--slower", "1s", "-F", "tls is null" },
	  "dur_ns > 1000000000 and error = 1 and (tls is null\n)" },
};
/* clang-format on */

START_TEST(filter_flags_become_one_expression)
{
	struct options o;

	good(&o, "trace", (const char **)filters[_i].words);
	if (filters[_i].where)
		ck_assert_str_eq(o.where, filters[_i].where);
	else
		ck_assert_ptr_null(o.where);
	options_free(&o);
}
END_TEST

START_TEST(the_live_filter_takes_every_one_of_them)
{
	struct options o;
	struct filter *f;
	char err[ERR_TEXT] = "";

	good(&o, "trace", (const char **)filters[_i].words);
	if (o.where) {
		f = filter_new(o.where, err);
		ck_assert_msg(f, "%s: %s", o.where, err);
		filter_free(f);
	}
	options_free(&o);
}
END_TEST

/* ---- did you mean ---- */

START_TEST(distance_counts_edits_and_swaps)
{
	ck_assert_uint_eq(suggest_distance("", ""), 0);
	ck_assert_uint_eq(suggest_distance("", "abc"), 3);
	ck_assert_uint_eq(suggest_distance("trace", "trace"), 0);
	ck_assert_uint_eq(suggest_distance("trcae", "trace"), 1);
	ck_assert_uint_eq(suggest_distance("Trac", "trace"), 1);
	ck_assert_uint_eq(suggest_distance("kitten", "sitting"), 3);
}
END_TEST

START_TEST(the_nearest_come_first_and_the_far_not_at_all)
{
	struct suggest s = { .word = "dctor" };
	char text[SUGGEST_TEXT];

	suggest_offer(&s, "trace");
	suggest_offer(&s, "doctors");
	suggest_offer(&s, "doctor");
	ck_assert_str_eq(suggest_text(&s, "", text), " Did you mean doctor or doctors?");
	s = (struct suggest){ .word = "xyzzy" };
	suggest_offer(&s, "trace");
	ck_assert_str_eq(suggest_text(&s, "", text), "");
}
END_TEST

#define ROWS(a) (int)(sizeof(a) / sizeof((a)[0]))

Suite *opts_suite(void)
{
	Suite *s = suite_create("opts");
	TCase *t = tcase_create("opts");

	tcase_add_test(t, targets_add_up);
	tcase_add_test(t, short_flags_may_stand_together);
	tcase_add_test(t, units_are_understood);
	tcase_add_test(t, a_command_begins_after_two_dashes);
	tcase_add_test(t, the_line_can_be_typed_again);
	tcase_add_test(t, help_wins_over_what_follows);
	tcase_add_loop_test(t, what_is_wrong_is_said, 0, ROWS(wrong));
	tcase_add_loop_test(t, every_flag_is_either_taken_or_refused_by_name, 0, OPT_MAX);
	tcase_add_test(t, no_two_flags_share_a_name);
	tcase_add_loop_test(t, filter_flags_become_one_expression, 0, ROWS(filters));
	tcase_add_loop_test(t, the_live_filter_takes_every_one_of_them, 0, ROWS(filters));
	tcase_add_test(t, distance_counts_edits_and_swaps);
	tcase_add_test(t, the_nearest_come_first_and_the_far_not_at_all);
	suite_add_tcase(s, t);
	return s;
}
