// SPDX-License-Identifier: GPL-3.0-or-later
/* input - the bytes of a recording, unpacked on the way. */
#include "read/input.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK = 64 << 10, RATIO_FROM = 64 << 20 };

/* Fills `p`; 0 at the end, where in->raw_end is set. */
static size_t read_some(struct input *in, void *p, size_t n)
{
	ssize_t got;

	do
		got = read(in->fd, p, n);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		in->error = -errno;
	if (got <= 0) {
		in->raw_end = true;
		return 0;
	}
	in->raw_bytes += (uint64_t)got;
	return (size_t)got;
}

static void fill_raw(struct input *in)
{
	if (in->raw_pos < in->raw_len || in->raw_end)
		return;
	in->raw_pos = 0;
	in->raw_len = read_some(in, in->raw, CHUNK);
}

int input_open(struct input *in, int fd)
{
	struct stat st;

	*in = (struct input){ .fd = fd, .raw = malloc(CHUNK) };
	if (!in->raw)
		return -ENOMEM;
	in->regular = !fstat(fd, &st) && S_ISREG(st.st_mode);
	while (in->raw_len < 4 && !in->raw_end)
		in->raw_len += read_some(in, in->raw + in->raw_len, CHUNK - in->raw_len);
	if (in->error)
		return in->error;
	if (in->raw_len >= 4 && !memcmp(in->raw, "\x28\xb5\x2f\xfd", 4)) {
		in->pack = INPUT_ZSTD;
		in->zstd = ZSTD_createDCtx();
		return in->zstd ? 0 : -ENOMEM;
	}
	if (in->raw_len >= 2 && !memcmp(in->raw, "\x1f\x8b", 2)) {
		if (inflateInit2(&in->gz, 15 + 16))
			return -ENOMEM;
		in->pack = INPUT_GZIP;
	}
	return 0;
}

void input_close(struct input *in)
{
	if (in->pack == INPUT_GZIP)
		inflateEnd(&in->gz);
	ZSTD_freeDCtx(in->zstd);
	buf_free(&in->data);
	free(in->raw);
	in->raw = NULL;
}

static size_t unpack_plain(struct input *in, char *p, size_t room)
{
	size_t n = in->raw_len - in->raw_pos;

	if (n > room)
		n = room;
	memcpy(p, in->raw + in->raw_pos, n);
	in->raw_pos += n;
	return n;
}

/* Damaged: what was unpacked before stays good. */
static void set_cut(struct input *in)
{
	in->cut = true;
	in->raw_end = true;
	in->raw_pos = in->raw_len;
}

static size_t unpack_zstd(struct input *in, char *p, size_t room)
{
	ZSTD_inBuffer from = { in->raw, in->raw_len, in->raw_pos };
	ZSTD_outBuffer to = { p, room, 0 };
	size_t left = ZSTD_decompressStream(in->zstd, &to, &from);

	in->raw_pos = from.pos;
	if (ZSTD_isError(left))
		set_cut(in);
	else
		in->in_frame = left != 0;
	return to.pos;
}

static size_t unpack_gzip(struct input *in, char *p, size_t room)
{
	int r;

	in->gz.next_in = in->raw + in->raw_pos;
	in->gz.avail_in = (uInt)(in->raw_len - in->raw_pos);
	in->gz.next_out = (Bytef *)p;
	in->gz.avail_out = (uInt)room;
	in->in_frame = true;
	r = inflate(&in->gz, Z_NO_FLUSH);
	in->raw_pos = in->raw_len - in->gz.avail_in;
	if (r == Z_STREAM_END) {
		inflateReset(&in->gz);
		in->in_frame = false;
	} else if (r != Z_OK && r != Z_BUF_ERROR) {
		set_cut(in);
	}
	return room - in->gz.avail_out;
}

/* More bytes into data, or in->end. */
static void unpack_some(struct input *in)
{
	char *p = buf_room(&in->data, CHUNK);
	size_t n;

	fill_raw(in);
	if (!p || in->error) {
		in->error = in->error ? in->error : -ENOMEM;
		in->end = true;
		return;
	}
	if (in->raw_pos == in->raw_len && !in->in_frame) {
		in->end = true;
		return;
	}
	n = in->pack == INPUT_ZSTD   ? unpack_zstd(in, p, CHUNK)
	    : in->pack == INPUT_GZIP ? unpack_gzip(in, p, CHUNK)
	                             : unpack_plain(in, p, CHUNK);
	in->data.len += n;
	in->bytes += n;
	if (in->bytes > RATIO_FROM && in->bytes / INPUT_RATIO > in->raw_bytes) {
		in->error = -EFBIG;
		in->end = true;
	}
	if (!n && in->raw_end && in->raw_pos == in->raw_len) {
		in->cut |= in->in_frame;
		in->end = true;
	}
}

struct str input_view(struct input *in, size_t want)
{
	if (in->pos && in->pos >= in->data.len / 2) {
		in->data.len -= in->pos;
		memmove(in->data.p, in->data.p + in->pos, in->data.len);
		in->pos = 0;
	}
	while (in->data.len - in->pos < want && !in->end)
		unpack_some(in);
	if (!in->data.p)
		return STR("");
	return (struct str){ in->data.p + in->pos, in->data.len - in->pos };
}

void input_take(struct input *in, size_t n)
{
	in->pos += n;
	in->taken += n;
}

int input_unzstd(struct str packed, size_t max, struct buf *out)
{
	ZSTD_DCtx *d = ZSTD_createDCtx();
	ZSTD_inBuffer from = { packed.s, packed.len, 0 };
	size_t left = 1;
	int err = d ? 0 : -ENOMEM;

	buf_clear(out);
	while (!err && left) {
		ZSTD_outBuffer to = { buf_room(out, CHUNK), CHUNK, 0 };

		if (!to.dst) {
			err = -ENOMEM;
			break;
		}
		left = ZSTD_decompressStream(d, &to, &from);
		if (ZSTD_isError(left) || (left && from.pos == from.size && to.pos < to.size))
			err = -EBADMSG;
		out->len += to.pos;
		if (out->len > max)
			err = -EFBIG;
	}
	ZSTD_freeDCtx(d);
	return err;
}
