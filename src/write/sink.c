// SPDX-License-Identifier: GPL-3.0-or-later
/* sink - the file below a writer. */
#include "write/sink.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/err.h"
#include "base/own.h"

enum { FRAME_NS = 1000000000 }; /* a frame is ended at least so often */

struct sink {
	char *path;
	size_t ending; /* of path: where its ending starts */
	int fd;
	bool own_fd, regular;
	int error;        /* the first one; sticks */
	uint64_t bytes;   /* in this file */
	uint64_t pending; /* given since the frame began, before compression */
	uint64_t rotate;  /* 0: never */
	unsigned int keep;
	enum sink_pack pack;
	z_stream gz;
	ZSTD_CCtx *zstd;
	struct buf packed; /* not yet written */
	bool in_frame;
	int64_t frame_ns; /* when the frame began */
};

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static bool ends_with(const char *path, size_t len, const char *ending)
{
	size_t n = strlen(ending);

	return len > n && !memcmp(path + len - n, ending, n);
}

enum sink_pack sink_pack_of(const char *path)
{
	size_t len = strlen(path);

	return ends_with(path, len, ".zst")  ? SINK_ZSTD
	       : ends_with(path, len, ".gz") ? SINK_GZIP
	                                     : SINK_PLAIN;
}

/* Where the ending of the file's name starts: ".otlp", ".otlp.zst"; its end if it has none. */
static size_t ending_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t name = slash ? (size_t)(slash - path) + 1 : 0, len = strlen(path), end = len;
	bool packed = sink_pack_of(path) != SINK_PLAIN;

	for (size_t i = len; i > name + 1; i--) {
		if (path[i - 1] != '.')
			continue;
		end = i - 1;
		if (!packed)
			break;
		packed = false;
	}
	return end;
}

static int open_file(struct sink *s)
{
	struct stat st;

	s->fd = own_create(s->path);
	if (s->fd < 0)
		return s->fd;
	s->regular = !fstat(s->fd, &st) && S_ISREG(st.st_mode);
	s->bytes = 0;
	return 0;
}

static int init_pack(struct sink *s)
{
	if (s->pack == SINK_ZSTD) {
		s->zstd = ZSTD_createCCtx();
		return s->zstd ? 0 : -ENOMEM;
	}
	if (s->pack == SINK_GZIP && deflateInit2(&s->gz, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16,
	                                         8, Z_DEFAULT_STRATEGY)) {
		s->pack = SINK_PLAIN; /* nothing to end */
		return -ENOMEM;
	}
	return 0;
}

static char *path_with_part(const char *path, const char *part)
{
	size_t at = ending_of(path);
	char *p;

	if (!part)
		return strdup(path);
	if (asprintf(&p, "%.*s.%s%s", (int)at, path, part, path + at) < 0)
		return NULL;
	return p;
}

static void sink_free(struct sink *s)
{
	if (s->pack == SINK_GZIP)
		deflateEnd(&s->gz);
	ZSTD_freeCCtx(s->zstd);
	if (s->own_fd && s->fd >= 0)
		close(s->fd);
	buf_free(&s->packed);
	free(s->path);
	free(s);
}

struct sink *sink_open(const struct writer_opts *o, const char *part, enum sink_pack pack,
                       char *err)
{
	struct sink *s = calloc(1, sizeof(*s));
	bool std = o->fd >= 0 || !strcmp(o->path, "-");
	int e = 0;

	if (!s)
		goto nomem;
	s->pack = pack;
	s->fd = std ? (o->fd >= 0 ? o->fd : STDOUT_FILENO) : -1;
	s->own_fd = !std;
	s->path = std ? strdup("standard output") : path_with_part(o->path, part);
	e = init_pack(s);
	if (!s->path || e)
		goto nomem;
	s->ending = ending_of(s->path);
	s->keep = o->keep;
	e = std ? 0 : open_file(s);
	if (e) {
		err_set(err, -e, "cannot write %s: %s", s->path, strerror(-e));
		sink_free(s);
		errno = -e;
		return NULL;
	}
	s->rotate = s->regular ? o->rotate_bytes : 0;
	return s;
nomem:
	if (s)
		sink_free(s);
	err_set(err, ENOMEM, "cannot open the output: %s", strerror(ENOMEM));
	errno = ENOMEM;
	return NULL;
}

static int write_some(int fd, const char *p, size_t len, size_t *done)
{
	while (*done < len) {
		ssize_t n = write(fd, p + *done, len - *done);

		if (n >= 0) {
			*done += (size_t)n;
		} else if (errno == EAGAIN) { /* someone made our standard output non-blocking */
			struct pollfd pfd = { .fd = fd, .events = POLLOUT };

			poll(&pfd, 1, -1);
		} else if (errno != EINTR) {
			return -errno;
		}
	}
	return 0;
}

/* To the file, all of it; a part that is there after an error is taken back. */
static int write_all(struct sink *s, struct str data)
{
	size_t done = 0;
	int err = write_some(s->fd, data.s, data.len, &done);

	s->bytes += done;
	if (!err)
		return 0;
	s->error = err;
	if (s->regular && s->pack == SINK_PLAIN && done &&
	    !ftruncate(s->fd, (off_t)(s->bytes - done)))
		s->bytes -= done;
	return err;
}

static int pack_zstd(struct sink *s, struct str data, bool end)
{
	ZSTD_inBuffer in = { data.s, data.len, 0 };
	size_t left;

	do {
		size_t room = ZSTD_CStreamOutSize();
		ZSTD_outBuffer out = { buf_room(&s->packed, room), room, 0 };

		if (!out.dst)
			return -ENOMEM;
		left = ZSTD_compressStream2(s->zstd, &out, &in, end ? ZSTD_e_end : ZSTD_e_continue);
		if (ZSTD_isError(left))
			return -EIO;
		s->packed.len += out.pos;
	} while (in.pos < in.size || (end && left));
	return 0;
}

static int pack_gzip(struct sink *s, struct str data, bool end)
{
	int r;

	s->gz.next_in = (Bytef *)(uintptr_t)data.s;
	s->gz.avail_in = (uInt)data.len;
	do {
		uInt room = 1 << 16;
		char *p = buf_room(&s->packed, room);

		if (!p)
			return -ENOMEM;
		s->gz.next_out = (Bytef *)p;
		s->gz.avail_out = room;
		r = deflate(&s->gz, end ? Z_FINISH : Z_NO_FLUSH);
		if (r != Z_OK && r != Z_STREAM_END && r != Z_BUF_ERROR)
			return -EIO;
		s->packed.len += room - s->gz.avail_out;
	} while (s->gz.avail_in || (end && r != Z_STREAM_END));
	if (end)
		deflateReset(&s->gz);
	return 0;
}

static int pack(struct sink *s, struct str data, bool end)
{
	int err = s->pack == SINK_ZSTD ? pack_zstd(s, data, end) : pack_gzip(s, data, end);

	if (err) {
		s->error = err;
		return err;
	}
	if (!end && s->packed.len < 1 << 16)
		return 0;
	err = write_all(s, buf_slice(&s->packed));
	buf_clear(&s->packed);
	return err;
}

int sink_write(struct sink *s, struct str record)
{
	int err;

	if (s->error || !record.len)
		return s->error;
	if (s->pack == SINK_PLAIN)
		return write_all(s, record);
	if (!s->in_frame)
		s->frame_ns = now_ns();
	s->in_frame = true;
	s->pending += record.len;
	err = pack(s, record, false);
	if (!err && now_ns() - s->frame_ns >= FRAME_NS)
		err = sink_flush(s);
	return err;
}

int sink_flush(struct sink *s)
{
	if (s->error || !s->in_frame)
		return s->error;
	s->in_frame = false;
	s->pending = 0;
	return pack(s, STR(""), true);
}

bool sink_has_room(struct sink *s, size_t len)
{
	if (!s->rotate)
		return true;
	/* How small it gets is not known before the frame has ended. */
	if (s->in_frame && s->bytes + s->packed.len + s->pending + len > s->rotate)
		sink_flush(s);
	return s->bytes + s->packed.len + s->pending + len <= s->rotate;
}

/* "run-2022-09-14T05-02-14.173.otlp" for "run.otlp", as the Collector names them. */
static char *name_at(const struct sink *s, int64_t ms)
{
	time_t secs = ms / 1000;
	struct tm tm;
	char at[32];
	char *name;

	gmtime_r(&secs, &tm);
	strftime(at, sizeof(at), "%Y-%m-%dT%H-%M-%S", &tm);
	if (asprintf(&name, "%.*s-%s.%03d%s", (int)s->ending, s->path, at, (int)(ms % 1000),
	             s->path + s->ending) < 0)
		return NULL;
	return name;
}

/* The name for now, or the first one after it that is free. */
static char *rotated_name(const struct sink *s)
{
	struct timespec now;
	char *name;

	clock_gettime(CLOCK_REALTIME, &now);
	for (int64_t ms = now.tv_sec * 1000ll + now.tv_nsec / 1000000;; ms++) {
		name = name_at(s, ms);
		if (!name || access(name, F_OK))
			return name;
		free(name);
	}
}

/* Whether `name` is what rotated_name() made of a file called base + ending. */
static bool is_rotated(const char *name, const char *base, size_t nbase, const char *ending)
{
	static const char form[] = "-dddd-dd-ddTdd-dd-dd.ddd";
	size_t len = strlen(name), nform = sizeof(form) - 1;

	if (len != nbase + nform + strlen(ending) || memcmp(name, base, nbase) ||
	    strcmp(name + nbase + nform, ending))
		return false;
	for (size_t i = 0; i < nform; i++) {
		char c = name[nbase + i];

		if (form[i] == 'd' ? c < '0' || c > '9' : c != form[i])
			return false;
	}
	return true;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names sort by time: the first are the oldest. */
static void unlink_oldest(int dir, char **names, size_t n, unsigned int keep)
{
	qsort(names, n, sizeof(*names), by_name);
	for (size_t i = 0; i < n; i++) {
		if (i + keep < n && unlinkat(dir, names[i], 0))
			warn(LEVEL_WARN, "cannot remove %s: %s", names[i], strerror(errno));
		free(names[i]);
	}
}

static void remove_old(const struct sink *s)
{
	const char *slash = strrchr(s->path, '/'), *base = slash ? slash + 1 : s->path;
	size_t nbase = s->ending - (size_t)(base - s->path), n = 0, cap = 0;
	char *folder = slash ? strndup(s->path, (size_t)(base - s->path)) : strdup(".");
	DIR *d = folder ? opendir(folder) : NULL;
	char **names = NULL;
	struct dirent *ent;

	free(folder);
	while (d && (ent = readdir(d))) {
		char **more = names;

		if (!is_rotated(ent->d_name, base, nbase, s->path + s->ending))
			continue;
		if (n == cap)
			more = realloc(names, (cap = cap ? 2 * cap : 16) * sizeof(*names));
		if (!more)
			break;
		names = more;
		names[n] = strdup(ent->d_name);
		n += names[n] != NULL;
	}
	if (d) {
		unlink_oldest(dirfd(d), names, n, s->keep);
		closedir(d);
	}
	free(names);
}

int sink_rotate(struct sink *s)
{
	char *old;
	int err = sink_flush(s);

	if (err)
		return err;
	old = rotated_name(s);
	if (!old || rename(s->path, old))
		s->error = old ? -errno : -ENOMEM;
	free(old);
	if (s->error)
		return s->error;
	close(s->fd);
	s->error = open_file(s);
	if (!s->error && s->keep)
		remove_old(s);
	return s->error;
}

int sink_close(struct sink *s, char *err)
{
	int error = sink_flush(s);

	if (s->own_fd && s->fd >= 0) { /* a network file system may say only now that it is full */
		if (close(s->fd) && !error)
			error = -errno;
		s->fd = -1;
	}
	if (error)
		err_set(err, -error, "cannot write %s: %s", s->path, strerror(-error));
	sink_free(s);
	return error;
}
