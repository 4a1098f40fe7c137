// SPDX-License-Identifier: GPL-3.0-or-later
/* app_record - a recording that is switched on and off by key while the capture goes on. */
#include "ui/app_int.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"

/* obi-20261121-140231.otlp, and a number behind where that is there. */
static void new_name(char *out, size_t cap)
{
	time_t now = time(NULL);
	char at[32] = "";
	struct tm tm;

	if (localtime_r(&now, &tm))
		strftime(at, sizeof(at), "%Y%m%d-%H%M%S", &tm);
	snprintf(out, cap, "obi-%s.otlp", at);
	for (int i = 2; i < 100 && !access(out, F_OK); i++)
		snprintf(out, cap, "obi-%s-%d.otlp", at, i);
}

static const struct recorder_stats *newest(struct app *a)
{
	session_counts(a->session, a->counts);
	return &a->counts->record;
}

static int begin(struct app *a, const char *path, char *err)
{
	uint64_t spans = newest(a)->spans, lost = newest(a)->lost;
	int e = session_record(a->session, path, err);

	if (e)
		return e;
	snprintf(a->recording, sizeof(a->recording), "%s", path);
	a->recorded_before = spans;
	a->record_lost_before = lost;
	newest(a);
	app_say(a, "recording into %s; r ends it", a->recording);
	return 0;
}

static int end(struct app *a, char *err)
{
	char path[sizeof(a->recording)];
	struct buf n = { 0 };
	int e;

	memcpy(path, a->recording, sizeof(path));
	a->recording[0] = 0;
	e = session_record(a->session, NULL, err);
	app_count(&n, newest(a)->spans - a->recorded_before);
	if (!e)
		app_say(a, "%.*s requests recorded: obi trace -r %s", STR_ARG(buf_slice(&n)), path);
	buf_free(&n);
	return e;
}

int app_record(struct app *a, const char *path, char *err)
{
	char name[sizeof(a->recording)];

	if (!a->session)
		return err_set(err, EAGAIN, "nothing runs yet");
	if (a->opts.replay)
		return err_set(err, EINVAL, "this is a recording; :write FILE keeps rows of it");
	if (a->recording[0] && !path)
		return end(a, err);
	if (path && strlen(path) >= sizeof(a->recording))
		return err_set(err, ENAMETOOLONG, "the name is too long");
	if (!path)
		new_name(name, sizeof(name));
	return begin(a, path ? path : name, err);
}

void app_record_sign(struct app *a, struct buf *out)
{
	const struct recorder_stats *r = &a->counts->record;
	struct stat st;

	if (a->opts.record && !stat(a->opts.record, &st))
		buf_fmt(out, "  REC %s %.1fM", a->opts.record, (double)st.st_size / 1e6);
	if (!a->recording[0])
		return;
	buf_fmt(out, "  REC %s ", a->recording);
	app_count(out, r->spans - a->recorded_before);
	if (r->lost <= a->record_lost_before)
		return;
	buf_z(out, " lost ");
	app_count(out, r->lost - a->record_lost_before);
}
