// SPDX-License-Identifier: GPL-3.0-or-later
/* capture_test - raw recordings: written, read back, damaged. */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

#include "base/err.h"
#include "capture/capture.h"
#include "capture/probes_why.h"
#include "suites.h"

enum { SEEN_MAX = 64 };

/* What a replay handed out. */
struct seen {
	size_t n;
	uint64_t bytes;
	uint16_t kind[SEEN_MAX];
	uint8_t payload[SEEN_MAX];
	int stop_at, result;
};

static int see(void *ctx, const struct ev_head *rec, size_t size)
{
	struct seen *s = ctx;

	ck_assert_uint_eq(size, rec->size);
	if (s->n < SEEN_MAX) {
		s->kind[s->n] = rec->kind;
		if (rec->kind == EV_DATA)
			s->payload[s->n] = ((const struct ev_data *)rec)->bytes[0];
	}
	s->n++;
	s->bytes += size;
	return s->stop_at && s->n == (size_t)s->stop_at ? s->result : 0;
}

/* One data record of n payload bytes, each c. */
static void add_data(struct record_writer *w, uint32_t n, char c)
{
	struct ev_data *d = calloc(1, sizeof(*d) + n);

	d->h = (struct ev_head){ .size = (uint32_t)sizeof(*d) + n, .kind = EV_DATA };
	d->len = d->head_len = n;
	memset(d->bytes, c, n);
	ck_assert_int_eq(record_add(w, &d->h, d->h.size), 0);
	free(d);
}

static void add_kind(struct record_writer *w, uint16_t kind, size_t size)
{
	struct ev_head *h = calloc(1, size);

	*h = (struct ev_head){ .size = (uint32_t)size, .kind = kind };
	ck_assert_int_eq(record_add(w, h, size), 0);
	free(h);
}

static int scratch(void)
{
	int fd = memfd_create("raw", 0);

	ck_assert_int_ge(fd, 0);
	return fd;
}

/* A recording of one record of each kind; a descriptor at its start. */
static int sample(bool with_end)
{
	struct capture_stats stats = { .fired = 9,
		                       .records = 7,
		                       .lost = 2,
		                       .lost_bytes = 1000,
		                       .muted = 3,
		                       .faults = 4,
		                       .storage_full = 5 };
	int fd = scratch();
	struct record_writer *w = record_open(dup(fd), -42);

	ck_assert_ptr_nonnull(w);
	add_kind(w, EV_CONN, sizeof(struct ev_conn));
	add_data(w, 5, 'a');
	add_data(w, 16384, 'b');
	add_kind(w, EV_CLOSE, sizeof(struct ev_close));
	add_kind(w, EV_EXEC, sizeof(struct ev_proc));
	ck_assert_int_eq(record_close(w, with_end ? &stats : NULL), 0);
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static int drain(struct capture *c, struct seen *s)
{
	int n;

	do {
		n = capture_poll(c, 0, see, s);
	} while (n > 0);
	return n;
}

START_TEST(a_recording_replays_in_order_with_its_counters)
{
	struct capture_stats stats;
	struct seen s = { 0 };
	char err[ERR_TEXT] = "";
	struct capture *c = capture_replay(sample(true), err);

	ck_assert_msg(c, "%s", err);
	ck_assert_int_eq(capture_wall_offset(c), -42);
	ck_assert_int_eq(drain(c, &s), -ENODATA);
	ck_assert_uint_eq(s.n, 5);
	ck_assert_int_eq(s.kind[0], EV_CONN);
	ck_assert_int_eq(s.kind[3], EV_CLOSE);
	ck_assert_int_eq(s.kind[4], EV_EXEC);
	ck_assert_int_eq(s.payload[1], 'a');
	ck_assert_int_eq(s.payload[2], 'b');
	capture_stats(c, &stats);
	ck_assert(stats.from_recording);
	ck_assert_uint_eq(stats.fired, stats.records + stats.lost);
	ck_assert_uint_eq(stats.lost_bytes, 1000);
	ck_assert_uint_eq(stats.storage_full, 5);
	capture_interest(c, 1, EV_LEVEL_FULL); /* nobody listens, nothing breaks */
	ck_assert_int_eq(capture_add(c, 1), -EOPNOTSUPP);
	capture_close(c);
}
END_TEST

START_TEST(a_record_of_an_unknown_kind_is_skipped_and_counted)
{
	int fd = scratch();
	struct record_writer *w = record_open(dup(fd), 0);
	struct capture_stats stats;
	struct seen s = { 0 };
	struct capture *c;

	add_data(w, 1, 'x');
	add_kind(w, 999, 44);
	add_data(w, 1, 'y');
	ck_assert_int_eq(record_close(w, NULL), 0);
	lseek(fd, 0, SEEK_SET);
	c = capture_replay(fd, NULL);
	ck_assert_int_eq(drain(c, &s), -ENODATA);
	ck_assert_uint_eq(s.n, 2);
	ck_assert_int_eq(s.payload[1], 'y');
	capture_stats(c, &stats);
	ck_assert_uint_eq(stats.unknown, 1);
	ck_assert_uint_eq(stats.records, 2);
	capture_close(c);
}
END_TEST

START_TEST(who_stops_the_poll_gets_the_rest_at_the_next)
{
	struct seen s = { .stop_at = 2, .result = 1 };
	struct capture *c = capture_replay(sample(true), NULL);

	ck_assert_int_eq(capture_poll(c, 0, see, &s), 2);
	s.stop_at = 3;
	s.result = -EPIPE;
	ck_assert_int_eq(capture_poll(c, 0, see, &s), -EPIPE);
	s.stop_at = 0;
	ck_assert_int_eq(drain(c, &s), -ENODATA);
	ck_assert_uint_eq(s.n, 5);
	capture_close(c);
}
END_TEST

START_TEST(a_recording_cut_anywhere_gives_what_was_whole)
{
	int from = sample(false), fd = scratch();
	off_t size = lseek(from, 0, SEEK_END);
	char *all = mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, from, 0);

	/* Every byte of the small records, then in steps through the large one. */
	for (off_t cut = 0; cut < size; cut += cut < 600 ? 1 : 97) {
		struct seen s = { 0 };
		struct capture *c;
		int last;

		ck_assert_int_eq(ftruncate(fd, 0), 0);
		ck_assert_int_eq(pwrite(fd, all, (size_t)cut, 0), cut);
		lseek(fd, 0, SEEK_SET);
		c = capture_replay(dup(fd), NULL);
		if (!c) {
			ck_assert_int_lt(cut, (off_t)sizeof(struct raw_head));
			continue;
		}
		last = drain(c, &s);
		ck_assert(last == -ENODATA || last == -EBADMSG);
		ck_assert_uint_lt(s.n, 5);
		ck_assert_int_eq(drain(c, &s), -ENODATA);
		capture_close(c);
	}
	munmap(all, (size_t)size);
	close(from);
	close(fd);
}
END_TEST

START_TEST(a_recording_with_one_wrong_byte_never_hurts)
{
	int fd = sample(true);
	off_t size = lseek(fd, 0, SEEK_END);

	for (off_t at = 0; at < size; at += at < 600 ? 1 : 61) {
		struct seen s = { 0 };
		uint8_t good, bad;
		struct capture *c;

		ck_assert_int_eq(pread(fd, &good, 1, at), 1);
		bad = good ^ 0xff;
		ck_assert_int_eq(pwrite(fd, &bad, 1, at), 1);
		lseek(fd, 0, SEEK_SET);
		c = capture_replay(dup(fd), NULL);
		if (c) {
			drain(c, &s);
			capture_close(c);
		}
		ck_assert_int_eq(pwrite(fd, &good, 1, at), 1);
	}
	close(fd);
}
END_TEST

START_TEST(payload_longer_than_its_record_ends_the_replay)
{
	struct ev_data d = { .h = { .size = sizeof(d), .kind = EV_DATA },
		             .len = 100,
		             .head_len = 100 };
	int fd = scratch();
	struct record_writer *w = record_open(dup(fd), 0);
	struct seen s = { 0 };
	struct capture *c;

	add_data(w, 3, 'k');
	ck_assert_int_eq(record_add(w, &d.h, sizeof(d)), 0);
	record_close(w, NULL);
	lseek(fd, 0, SEEK_SET);
	c = capture_replay(fd, NULL);
	ck_assert_int_eq(capture_poll(c, 0, see, &s), 1);
	ck_assert_int_eq(capture_poll(c, 0, see, &s), -EBADMSG);
	ck_assert_int_eq(capture_poll(c, 0, see, &s), -ENODATA);
	ck_assert_uint_eq(s.n, 1);
	capture_close(c);
}
END_TEST

START_TEST(another_file_is_refused_in_words)
{
	char err[ERR_TEXT] = "";
	char text[400];
	int fd = scratch();

	memset(text, 'x', sizeof(text));
	ck_assert_int_eq(write(fd, text, sizeof(text)), sizeof(text));
	lseek(fd, 0, SEEK_SET);
	ck_assert_ptr_null(capture_replay(fd, err));
	ck_assert_int_eq(errno, EBADMSG);
	ck_assert_str_eq(err, "not a raw recording");
}
END_TEST

START_TEST(a_full_disk_is_told_and_remembered)
{
	int fd = open("/dev/full", O_WRONLY);
	struct record_writer *w = record_open(fd, 0);
	int err = 0;

	for (int i = 0; i < 10 && !err; i++) {
		struct ev_data *d = calloc(1, sizeof(*d) + 16384);

		d->h = (struct ev_head){ .size = sizeof(*d) + 16384, .kind = EV_DATA };
		err = record_add(w, &d->h, d->h.size);
		free(d);
	}
	ck_assert_int_eq(err, -ENOSPC);
	ck_assert_int_eq(record_close(w, NULL), -ENOSPC);
}
END_TEST

START_TEST(the_verifiers_reason_is_its_last_line_before_the_figures)
{
	static const struct {
		const char *log, *reason;
	} cases[] = {
		{ "0: (b7) r0 = 0\nR2 unbounded memory access\n"
		  "processed 7 insns (limit 1000000) max_states_per_insn 0\n",
		  "R2 unbounded memory access" },
		{ "combined stack size of 2 calls is 544. Too large",
		  "combined stack size of 2 calls is 544. Too large" },
		{ "last\n\nverification time 12 usec\nstack depth 8\nprocessed 1 insns\n", "last" },
		{ "\n\n", NULL },
		{ "", NULL },
		{ NULL, NULL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct str reason = probes_reason(cases[i].log);

		ck_assert_msg(str_eq(reason, str_of(cases[i].reason)), "case %zu: %.*s", i,
		              STR_ARG(reason));
	}
}
END_TEST

START_TEST(a_refusal_is_told_in_words_and_by_its_kind)
{
	char why[160], err[ERR_TEXT];

	ck_assert_int_eq(probes_why(-EACCES, "R1 invalid mem access\n", why, sizeof(why)),
	                 -ENOEXEC);
	ck_assert_str_eq(why, "the verifier refuses it: R1 invalid mem access");
	ck_assert_int_eq(probes_refused(-ENOEXEC, why, err), -ENOSYS);
	ck_assert_ptr_nonnull(strstr(err, why));
	ck_assert_int_eq(probes_why(-EPERM, "", why, sizeof(why)), -EPERM);
	ck_assert_int_eq(probes_refused(-EPERM, why, err), -EPERM);
	ck_assert_int_eq(probes_why(-ESRCH, NULL, why, sizeof(why)), -ESRCH);
	ck_assert_str_eq(why, "this kernel does not have it");
}
END_TEST

Suite *capture_suite(void)
{
	Suite *s = suite_create("capture");
	TCase *t = tcase_create("recordings");

	tcase_add_test(t, a_recording_replays_in_order_with_its_counters);
	tcase_add_test(t, a_record_of_an_unknown_kind_is_skipped_and_counted);
	tcase_add_test(t, who_stops_the_poll_gets_the_rest_at_the_next);
	tcase_add_test(t, a_recording_cut_anywhere_gives_what_was_whole);
	tcase_add_test(t, a_recording_with_one_wrong_byte_never_hurts);
	tcase_add_test(t, payload_longer_than_its_record_ends_the_replay);
	tcase_add_test(t, another_file_is_refused_in_words);
	tcase_add_test(t, a_full_disk_is_told_and_remembered);
	tcase_add_test(t, the_verifiers_reason_is_its_last_line_before_the_figures);
	tcase_add_test(t, a_refusal_is_told_in_words_and_by_its_kind);
	suite_add_tcase(s, t);
	return s;
}
