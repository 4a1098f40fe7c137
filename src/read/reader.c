// SPDX-License-Identifier: GPL-3.0-or-later
/* reader - recordings back into rows. */
#include "read/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "base/pb.h"
#include "read/frame.h"
#include "read/otlp.h"
#include "store/db_read.h"

enum { SNIFF = 64 << 10, SNIFF_PIPE = 64 }; /* a pipe is not waited for */

struct reader {
	int fd;
	struct input in;
	enum recording kind;
	struct read_stats stats;
	struct db_read *db;
	int spool; /* the unpacked stream as a file; -1: none */
	/* OTLP */
	enum frame (*frame)(struct input *in, struct str *out, uint64_t *at);
	struct otlp_dec dec;
	bool in_message, json; /* json: what walks this message */
	bool sound;            /* this message is whole: damage inside counts */
	bool after_bad;        /* damage that goes on counts once */
	uint64_t message_at;
	struct buf unpacked; /* a message that was packed by itself */
	struct otlp_json_walk json_walk;
	struct otlp_pb_walk pb_walk;
};

/* ---- what is it ---- */

static bool holds(struct str s, const char *what)
{
	return memmem(s.s, s.len, what, strlen(what));
}

static struct str without_blanks(struct str s)
{
	while (s.len && strchr(" \t\r\n\xef\xbb\xbf", *s.s) && *s.s)
		s.s++, s.len--;
	return s;
}

static int sniff_json(struct reader *r, const char *name, struct str s, char *err)
{
	static const char *const keys[] = { "\"resourceSpans\"",   "\"resource_spans\"",
		                            "\"resourceLogs\"",    "\"resource_logs\"",
		                            "\"resourceMetrics\"", "\"resource_metrics\"" };
	static const char cut[] = "{\"resource";

	r->kind = RECORDING_OTLP_JSON;
	r->frame = frame_json;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (holds(s, keys[i]))
			return 0;
	if (s.len < 32 && !memcmp(s.s, cut, s.len < sizeof(cut) - 1 ? s.len : sizeof(cut) - 1))
		return 0; /* ended inside its first key */
	if (holds(s, "\"traceID\"") && (holds(s, "\"data\"") || holds(s, "\"spanID\"")))
		return err_set(err, EINVAL,
		               "%s is in the format of Jaeger's interface; obi reads OTLP: have "
		               "Jaeger or the Collector's file exporter write OTLP JSON",
		               name);
	if (holds(s, "\"trace_id\"") && holds(s, "\"start_ns\""))
		return err_set(
			err, EINVAL,
			"%s is the output of -o json, which cannot be read back; record with "
			"-w FILE.otlp",
			name);
	return err_set(err, EINVAL, "%s is JSON, but holds no OTLP (resourceSpans, resourceLogs)",
	               name);
}

/* One protobuf message from the first byte on: nothing but fields number 1, as far as one sees. */
static bool is_single_pb(const struct reader *r, struct str s)
{
	struct cur c = cur_of(s.s, s.len);
	struct pb_field f;
	unsigned int n = 0;

	if (!s.len || *s.s != 0x0a)
		return false;
	while (pb_next(&c, &f)) {
		if (f.num != 1 || f.type != PB_LEN || !f.s.len || !strchr("\x0a\x12\x1a", *f.s.s))
			return false;
		n++;
	}
	if (!c.over)
		return true;
	/* cut: by the end of what one sees, or of the file */
	return (n || s.len > 8) && !r->in.end;
}

static bool is_framed_pb(struct str s)
{
	uint32_t len = 0;

	for (unsigned int i = 0; i < 4 && i < s.len; i++)
		len = len << 8 | (uint8_t)s.s[i];
	return s.len > 4 && len && len <= FRAME_MAX &&
	       (s.s[4] == 0x0a || s.s[4] == '{' ||
	        (s.len > 8 && !memcmp(s.s + 4, "\x28\xb5\x2f\xfd", 4)));
}

static int sniff(struct reader *r, const char *name, char *err)
{
	struct str s = input_view(&r->in, r->in.regular ? SNIFF : SNIFF_PIPE);
	struct str text = without_blanks(s);

	if (r->in.error)
		return err_set(err, -r->in.error, "cannot read %s: %s", name,
		               strerror(-r->in.error));
	if (!s.len)
		return err_set(err, ENODATA, "%s is empty: not a recording", name);
	if (str_starts(s, "OBIRAW\r\n")) {
		r->kind = RECORDING_RAW;
		return 0;
	}
	if (s.len >= 16 && !memcmp(s.s, "SQLite format 3", 16)) {
		r->kind = RECORDING_DB;
		return 0;
	}
	r->kind = RECORDING_OTLP_PB;
	r->frame = frame_all;
	if (is_single_pb(r, s))
		return 0;
	r->frame = frame_pb;
	if (is_framed_pb(s))
		return 0;
	if (text.len && (*text.s == '{' || *text.s == '['))
		return sniff_json(r, name, text, err);
	return err_set(err, EINVAL,
	               "%s is not a recording: no OTLP, no SQLite database, no raw records", name);
}

/* ---- the stream as a file, for those that seek ---- */

static int temp_file(void)
{
	const char *dir = getenv("TMPDIR");
	char path[4096];
	int fd;

	dir = dir && *dir ? dir : "/tmp";
	fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0)
		return fd;
	if (snprintf(path, sizeof(path), "%s/obi-XXXXXX", dir) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	unlink(path);
	return fd;
}

static int write_whole(int fd, struct str s)
{
	while (s.len) {
		ssize_t n = write(fd, s.s, s.len);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			s = (struct str){ s.s + n, s.len - (size_t)n };
	}
	return 0;
}

/* All of the unpacked stream in a file without a name: its descriptor or -errno. */
static int spool(struct input *in)
{
	int fd = temp_file(), err = 0;

	if (fd < 0)
		return fd;
	for (;;) {
		struct str s = input_view(in, 1);

		if (!s.len)
			break;
		err = write_whole(fd, s);
		if (err)
			break;
		input_take(in, s.len);
	}
	err = err ? err : in->error;
	if (!err && lseek(fd, 0, SEEK_SET) < 0)
		err = -errno;
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

/* ---- open and close ---- */

static int open_db(struct reader *r, const char *path, char *err)
{
	char spooled[64];

	if (!r->in.regular || r->in.pack != INPUT_PLAIN || !strcmp(path, "-")) {
		r->spool = spool(&r->in);
		if (r->spool < 0)
			return err_set(err, -r->spool, "cannot unpack %s: %s", path,
			               strerror(-r->spool));
		snprintf(spooled, sizeof(spooled), "/proc/self/fd/%d", r->spool);
		path = spooled;
	}
	r->db = db_read_open(path, err);
	return r->db ? 0 : -errno;
}

static int open_it(struct reader *r, const char *path, char *err)
{
	bool std = !strcmp(path, "-");
	const char *name = std ? "standard input" : path;
	int e;

	r->fd = std ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
	if (r->fd < 0)
		return err_set(err, errno, "cannot open %s: %s", name, strerror(errno));
	e = input_open(&r->in, r->fd);
	if (e)
		return err_set(err, -e, "cannot read %s: %s", name, strerror(-e));
	e = sniff(r, name, err);
	if (!e && r->kind == RECORDING_DB)
		e = open_db(r, path, err);
	return e;
}

struct reader *reader_open(const char *path, char *err)
{
	struct reader *r = calloc(1, sizeof(*r));
	int e;

	if (!r) {
		err_set(err, ENOMEM, "cannot open %s: out of memory", path);
		errno = ENOMEM;
		return NULL;
	}
	r->fd = r->spool = -1;
	otlp_dec_init(&r->dec, &r->stats);
	e = open_it(r, path, err);
	if (!e)
		return r;
	reader_close(r);
	errno = -e;
	return NULL;
}

void reader_close(struct reader *r)
{
	if (!r)
		return;
	db_read_close(r->db);
	otlp_dec_fini(&r->dec);
	buf_free(&r->unpacked);
	input_close(&r->in);
	if (r->fd >= 0)
		close(r->fd);
	if (r->spool >= 0)
		close(r->spool);
	free(r);
}

enum recording reader_kind(const struct reader *r)
{
	return r->kind;
}

int reader_take_fd(struct reader *r)
{
	int fd;

	if (r->kind != RECORDING_RAW) {
		errno = EINVAL;
		return -1;
	}
	if (r->in.regular && r->in.pack == INPUT_PLAIN) {
		fd = fcntl(r->fd, F_DUPFD_CLOEXEC, 0);
		if (fd >= 0 && !lseek(fd, 0, SEEK_SET))
			return fd;
		if (fd >= 0)
			close(fd);
		return -1;
	}
	fd = spool(&r->in);
	if (fd < 0) {
		errno = -fd;
		return -1;
	}
	return fd;
}

/* ---- rows ---- */

static void count_bad(struct reader *r)
{
	if (!r->stats.bad)
		r->stats.bad_at = r->message_at;
	if (!r->after_bad)
		r->stats.bad++;
	r->after_bad = true;
}

/* The Collector can pack each message by itself. */
static int unpack_message(struct reader *r, struct str *message)
{
	int err;

	if (message->len < 4 || memcmp(message->s, "\x28\xb5\x2f\xfd", 4) != 0)
		return 0;
	err = input_unzstd(*message, FRAME_MAX, &r->unpacked);
	*message = buf_slice(&r->unpacked);
	return err;
}

/* 1: there is a message to walk (or was one to skip), 0: the end. */
static int next_message(struct reader *r)
{
	struct str message;
	enum frame frame = r->frame(&r->in, &message, &r->message_at);

	if (frame == FRAME_CUT || (frame == FRAME_END && r->in.cut)) {
		r->stats.truncated = true;
		r->stats.cut_at = r->in.taken;
	}
	if (frame == FRAME_END)
		return 0;
	if (frame == FRAME_BAD || unpack_message(r, &message))
		count_bad(r);
	else
		r->after_bad = false;
	r->sound = frame == FRAME_WHOLE;
	r->in_message = true;
	r->json = message.len && *message.s == '{';
	if (r->json)
		otlp_json_begin(&r->json_walk, message);
	else
		otlp_pb_begin(&r->pb_walk, message);
	return 1;
}

static void walk(struct reader *r)
{
	int err = r->json ? otlp_json_next(&r->json_walk, &r->dec)
	                  : otlp_pb_next(&r->pb_walk, &r->dec);

	if (err > 0)
		return;
	r->in_message = false;
	if (err < 0 && r->sound)
		count_bad(r);
}

static int otlp_rows(struct reader *r, struct batch *b)
{
	unsigned int before = b->n;

	r->dec.batch = b;
	while (b->n < b->cap) {
		if (b->n > before && !otlp_fits(&r->dec, b))
			break;
		if (r->in_message) {
			walk(r);
			continue;
		}
		/* what comes slowly is handed on before waiting for more */
		if (b->n > before && !r->in.regular)
			break;
		if (!next_message(r))
			break;
	}
	if (b->n == before && r->in.error)
		return r->in.error;
	return (int)(b->n - before);
}

int reader_next(struct reader *r, struct batch *b)
{
	int n;

	if (r->kind == RECORDING_RAW)
		return -EINVAL;
	if (r->kind != RECORDING_DB)
		return otlp_rows(r, b);
	n = db_read_next(r->db, b);
	for (int i = 0; i < n; i++)
		r->stats.rows[b->items[b->n - (unsigned int)n + (unsigned int)i].table]++;
	return n;
}

void reader_stats(const struct reader *r, struct read_stats *out)
{
	*out = r->stats;
}
