/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_READ_INPUT_H
#define OBI_READ_INPUT_H

/*
 * input - the bytes of a recording, unpacked on the way: plain, gzip (any
 * number of members), zstd (any number of frames). What unpacks to more than
 * INPUT_RATIO times its size is refused.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zlib.h>
#include <zstd.h>

#include "base/str.h"

enum { INPUT_RATIO = 1000 };

struct input {
	int fd;
	enum { INPUT_PLAIN, INPUT_GZIP, INPUT_ZSTD } pack;
	bool regular; /* a file: reading never waits */
	bool end;     /* nothing follows what data holds */
	bool cut;     /* it ended inside a compressed frame, or that was damaged */
	int error;    /* -errno */
	struct buf data;
	size_t pos;     /* of data: what has been taken */
	uint64_t taken; /* bytes taken, of the unpacked stream */
	uint64_t raw_bytes, bytes;
	uint8_t *raw; /* packed bytes that wait */
	size_t raw_len, raw_pos;
	bool raw_end, in_frame;
	z_stream gz;
	ZSTD_DCtx *zstd;
};

/* fd stays the caller's. 0 or -errno. */
int input_open(struct input *in, int fd);
void input_close(struct input *in);

/* What can be seen, at least `want` bytes of it unless the input ends before. */
struct str input_view(struct input *in, size_t want);
void input_take(struct input *in, size_t n);

/* One zstd message, whole, at most `max` bytes. 0 or -errno. */
int input_unzstd(struct str packed, size_t max, struct buf *out);

#endif
