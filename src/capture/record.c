// SPDX-License-Identifier: GPL-3.0-or-later
/* record - writes a raw recording, see struct raw_head. */
#include <errno.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "capture/capture.h"
#include "capture/record_raw.h"

enum { ROOM = 1 << 16 };

struct record_writer {
	int fd;
	int err; /* the first that happened: later calls repeat it */
	size_t used;
	uint8_t room[ROOM];
};

static int put(int fd, const uint8_t *p, size_t n)
{
	while (n) {
		ssize_t done = write(fd, p, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		if (!done)
			return -EIO;
		p += done;
		n -= (size_t)done;
	}
	return 0;
}

static int flush(struct record_writer *w)
{
	if (!w->err)
		w->err = put(w->fd, w->room, w->used);
	w->used = 0;
	return w->err;
}

static void add(struct record_writer *w, const void *p, size_t n)
{
	if (n > ROOM - w->used)
		flush(w);
	if (n > ROOM) {
		if (!w->err)
			w->err = put(w->fd, p, n);
		return;
	}
	memcpy(w->room + w->used, p, n);
	w->used += n;
}

/* The first line of a file, or nothing. */
static void read_line(const char *path, char *out, size_t size)
{
	FILE *f = fopen(path, "re");

	if (!f)
		return;
	if (!fgets(out, (int)size, f))
		out[0] = '\0';
	out[strcspn(out, "\n")] = '\0';
	fclose(f);
}

struct record_writer *record_open(int fd, int64_t wall_offset_ns)
{
	struct record_writer *w = calloc(1, sizeof(*w));
	struct raw_head h = {
		.magic = RAW_MAGIC,
		.byte_order = RAW_BYTE_ORDER,
		.version = RAW_VERSION,
		.head_size = sizeof(h),
		.sizes = { sizeof(struct ev_head), sizeof(struct ev_data), sizeof(struct ev_conn),
		           sizeof(struct ev_close), sizeof(struct ev_proc) },
		.wall_offset_ns = wall_offset_ns,
	};
	struct utsname u;

	if (!w) {
		close(fd);
		errno = ENOMEM;
		return NULL;
	}
	if (!uname(&u)) {
		snprintf(h.arch, sizeof(h.arch), "%.15s", u.machine);
		snprintf(h.kernel, sizeof(h.kernel), "%.63s", u.release);
		snprintf(h.host, sizeof(h.host), "%.63s", u.nodename);
	}
	read_line("/proc/sys/kernel/random/boot_id", h.boot_id, sizeof(h.boot_id));
	w->fd = fd;
	add(w, &h, sizeof(h));
	return w;
}

int record_add(struct record_writer *w, const struct ev_head *rec, size_t size)
{
	static const uint8_t zeros[8];

	if (w->err)
		return w->err;
	if (size < sizeof(*rec) || size != rec->size)
		return -EINVAL;
	add(w, rec, size);
	add(w, zeros, raw_padded(size) - size);
	return w->err;
}

int record_close(struct record_writer *w, const struct capture_stats *stats)
{
	struct raw_end end = { .h = { .size = sizeof(end), .kind = RAW_END } };
	int err;

	if (!w)
		return 0;
	if (stats) {
		end.fired = stats->fired;
		end.records = stats->records;
		end.lost = stats->lost;
		end.lost_bytes = stats->lost_bytes;
		end.muted = stats->muted;
		end.faults = stats->faults;
		end.storage_full = stats->storage_full;
		add(w, &end, sizeof(end));
	}
	err = flush(w);
	if (close(w->fd) && !err)
		err = -errno;
	free(w);
	return err;
}
