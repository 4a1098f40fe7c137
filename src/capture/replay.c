// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * replay - a raw recording as a source of records.
 *
 * The file may come from anywhere: every size is checked before it is used, a
 * record that contradicts itself ends the recording there, with what came
 * before it kept.
 */
#include <errno.h>
#include <unistd.h>

#include "base/err.h"
#include "capture/record_raw.h"
#include "capture/source.h"

enum {
	ROOM = 1 << 18,
	BATCH = 4096,         /* records a poll */
	RECORD_MAX = 1 << 17, /* no version writes larger ones */
};

struct replay {
	struct capture base;
	int fd;
	size_t start, end; /* of the unread bytes in room */
	int64_t wall_offset;
	struct capture_stats stats;
	uint64_t given;
	bool ended; /* RAW_END was there */
	bool eof;
	int err; /* -EBADMSG, -EIO: told once what there was is handed out */
	_Alignas(8) uint8_t room[ROOM];
};

static struct replay *replay_of(struct capture *c)
{
	return (struct replay *)c;
}

/* Makes n bytes available at start; false: there are no more. */
static bool want(struct replay *r, size_t n)
{
	if (r->end - r->start >= n)
		return true;
	/* Moves stay multiples of 8: records keep their alignment. */
	memmove(r->room, r->room + r->start, r->end - r->start);
	r->end -= r->start;
	r->start = 0;
	while (!r->eof && r->end < n) {
		ssize_t got = read(r->fd, r->room + r->end, ROOM - r->end);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			r->err = -errno;
		if (got <= 0)
			r->eof = true;
		else
			r->end += (size_t)got;
	}
	return r->end >= n;
}

/* The smallest size that a record of this kind may have here; 0: kind unknown. */
static size_t least(uint16_t kind)
{
	switch (kind) {
	case EV_CONN:
	case EV_LISTEN:
		return sizeof(struct ev_conn);
	case EV_DATA:
		return sizeof(struct ev_data);
	case EV_CLOSE:
		return sizeof(struct ev_close);
	case EV_FORK:
	case EV_EXEC:
	case EV_EXIT:
		return sizeof(struct ev_proc);
	case EV_WHO:
		return sizeof(struct ev_who);
	case RAW_END:
		return sizeof(struct raw_end);
	}
	return 0;
}

static bool sound(const struct ev_head *h)
{
	const struct ev_data *d = (const void *)h;
	const struct ev_who *w = (const void *)h;
	size_t n = least(h->kind);

	if (!n)
		return true;
	if (h->size < n)
		return false;
	if (h->kind == EV_WHO)
		return w->bytes <= h->size - sizeof(*w);
	if (h->kind != EV_DATA)
		return true;
	return d->dir <= EV_SEND && (uint64_t)d->head_len + d->tail_len <= d->len &&
	       (uint64_t)d->head_len + d->tail_len <= h->size - sizeof(*d);
}

static void take_end(struct replay *r, const struct raw_end *e)
{
	r->stats.fired = e->fired;
	r->stats.records = e->records;
	r->stats.lost = e->lost;
	r->stats.lost_bytes = e->lost_bytes;
	r->stats.muted = e->muted;
	r->stats.faults = e->faults;
	r->stats.storage_full = e->storage_full;
	r->ended = true;
}

/* The next record, NULL at the end or where the file makes no sense. */
static const struct ev_head *next(struct replay *r)
{
	const struct ev_head *h;

	if (!want(r, sizeof(*h))) {
		if (r->end != r->start && !r->err)
			r->err = -EBADMSG;
		return NULL;
	}
	h = (const void *)(r->room + r->start);
	if (h->size < sizeof(*h) || h->size > RECORD_MAX || !want(r, raw_padded(h->size))) {
		r->err = r->err ? r->err : -EBADMSG;
		return NULL;
	}
	h = (const void *)(r->room + r->start);
	if (!sound(h)) {
		r->err = -EBADMSG;
		return NULL;
	}
	r->start += raw_padded(h->size);
	return h;
}

/* What a broken file leaves: said once, then it is an end like any other. */
static int finish(struct replay *r)
{
	int err = r->err;

	r->eof = true;
	r->start = r->end = 0;
	r->err = 0;
	return err ? err : -ENODATA;
}

static int replay_poll(struct capture *c, int timeout_ms, capture_fn fn, void *ctx)
{
	struct replay *r = replay_of(c);
	int n = 0, err = 0;

	(void)timeout_ms;
	while (n < BATCH && !err) {
		const struct ev_head *h = r->ended ? NULL : next(r);

		if (!h)
			return n ? n : finish(r);
		if (h->kind == RAW_END) {
			take_end(r, (const void *)h);
		} else if (!least(h->kind)) {
			r->stats.unknown++;
		} else {
			r->given++;
			n++;
			err = fn(ctx, h, h->size);
		}
	}
	return err < 0 ? err : n;
}

static void replay_stats(struct capture *c, struct capture_stats *out)
{
	const struct replay *r = replay_of(c);

	*out = r->stats;
	out->from_recording = true;
	if (!r->ended) /* cut off: what was read is all that is known */
		out->fired = out->records = r->given;
}

static int64_t replay_wall_offset(const struct capture *c)
{
	return ((const struct replay *)c)->wall_offset;
}

static void replay_close(struct capture *c)
{
	struct replay *r = replay_of(c);

	close(r->fd);
	free(r);
}

static const struct source replay_source = {
	.poll = replay_poll,
	.stats = replay_stats,
	.wall_offset = replay_wall_offset,
	.close = replay_close,
};

static int read_head(struct replay *r, char *err)
{
	const uint16_t ours[] = { sizeof(struct ev_head), sizeof(struct ev_data),
		                  sizeof(struct ev_conn), sizeof(struct ev_close),
		                  sizeof(struct ev_proc) };
	struct raw_head h;

	if (!want(r, sizeof(h)))
		return r->err ? err_set(err, -r->err, "cannot read the recording: %s",
		                        strerror(-r->err))
		              : err_set(err, EBADMSG, "not a raw recording: too short");
	memcpy(&h, r->room, sizeof(h));
	if (memcmp(h.magic, RAW_MAGIC, sizeof(h.magic)))
		return err_set(err, EBADMSG, "not a raw recording");
	if (h.byte_order != RAW_BYTE_ORDER)
		return err_set(err, EBADMSG,
		               "the recording is of a machine with another byte order");
	if (h.version > RAW_VERSION)
		return err_set(err, EBADMSG,
		               "the recording is of version %u, this obi reads up to %u", h.version,
		               RAW_VERSION);
	if (h.head_size < sizeof(h) || h.head_size % 8 || !want(r, h.head_size))
		return err_set(err, EBADMSG, "the head of the recording is damaged");
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
		if (h.sizes[i] != ours[i])
			return err_set(err, EBADMSG, "the recording has records of another layout");
	}
	r->start = h.head_size;
	r->wall_offset = h.wall_offset_ns;
	return 0;
}

struct capture *capture_replay(int fd, char *err)
{
	struct replay *r = calloc(1, sizeof(*r));
	int error;

	if (!r) {
		close(fd);
		err_set(err, ENOMEM, "out of memory");
		errno = ENOMEM;
		return NULL;
	}
	r->base.source = &replay_source;
	r->fd = fd;
	error = read_head(r, err);
	if (error) {
		replay_close(&r->base);
		errno = -error;
		return NULL;
	}
	return &r->base;
}
