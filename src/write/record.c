// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * record - recordings: OTLP messages in a file.
 *
 * JSON: one message a line. Protobuf: each message after its length, four bytes
 * big endian, as the Collector's file exporter does with `format: proto`. A
 * file begins with obi.capture.start and, where it was ended properly, ends
 * with obi.capture.end; with rotation each file begins so, and is rotated before
 * a message that would make it larger than it may be.
 */
#include "write/writer.h"

#include <errno.h>
#include <stdlib.h>

#include "base/err.h"
#include "write/otlp.h"
#include "write/sink.h"

struct record {
	struct otlp_enc enc;
	bool framed;                      /* protobuf: a length before each message */
	struct sink *sinks[OTLP_SIGNALS]; /* both the same without split */
	bool has_rows[OTLP_SIGNALS];      /* the file that goes on there; by place_of() */
	struct buf line;
	struct buf start; /* the record that a file begins with */
	int error;
	uint64_t given, written;  /* rows */
	uint64_t rows[TABLE_MAX]; /* given, by table */
};

/* One file for all signals goes by the first of them. */
static unsigned int place_of(const struct record *r, enum otlp_signal signal)
{
	return r->sinks[signal] == r->sinks[OTLP_TRACES] ? OTLP_TRACES : signal;
}

/* Begins another file where this line does not fit any more; one line always fits. */
static int make_room(struct record *r, enum otlp_signal signal, size_t len)
{
	struct sink *s = r->sinks[signal];
	unsigned int place = place_of(r, signal);
	int err;

	if (!r->has_rows[place] || sink_has_room(s, len)) {
		r->has_rows[place] = true;
		return 0;
	}
	err = sink_rotate(s);
	/* The start of the capture is a log record; a split recording keeps signals apart. */
	if (!err && s == r->sinks[OTLP_LOGS])
		err = sink_write(s, buf_slice(&r->start));
	return err;
}

static void put_line(struct buf *b, struct str message, bool framed)
{
	uint32_t n = (uint32_t)message.len;
	const uint8_t head[4] = { (uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8),
		                  (uint8_t)n };

	buf_clear(b);
	if (framed)
		buf_add(b, head, sizeof(head));
	buf_str(b, message);
	if (!framed)
		buf_ch(b, '\n');
}

static int put_message(void *ctx, enum otlp_signal signal, struct str message, unsigned int rows)
{
	struct record *r = ctx;
	struct buf *line = r->start.len ? &r->line : &r->start;
	int err = 0;

	put_line(line, message, r->framed);
	if (line->failed)
		return -ENOMEM;
	if (rows) /* the last record of all stays with what it ends */
		err = make_room(r, signal, line->len);
	if (!err)
		err = sink_write(r->sinks[signal], buf_slice(line));
	if (!err)
		r->written += rows;
	return err;
}

static void record_free(struct record *r)
{
	otlp_fini(&r->enc);
	buf_free(&r->line);
	buf_free(&r->start);
	free(r);
}

/* Closes the files; the first error counts. */
static int close_sinks(struct record *r, char *err)
{
	bool split = r->sinks[OTLP_LOGS] != r->sinks[OTLP_TRACES];
	int first = r->sinks[OTLP_TRACES] ? sink_close(r->sinks[OTLP_TRACES], err) : 0;
	int second = split && r->sinks[OTLP_LOGS]
	                     ? sink_close(r->sinks[OTLP_LOGS], first ? NULL : err)
	                     : 0;

	return first ? first : second;
}

static int open_sinks(struct record *r, const struct writer_opts *o, char *err)
{
	bool split = o->split && o->fd < 0 && strcmp(o->path, "-") != 0;
	enum sink_pack pack = o->path ? sink_pack_of(o->path) : SINK_PLAIN;

	r->sinks[OTLP_TRACES] = sink_open(o, split ? "traces" : NULL, pack, err);
	if (!r->sinks[OTLP_TRACES])
		return -errno;
	r->sinks[OTLP_LOGS] = split ? sink_open(o, "logs", pack, err) : r->sinks[OTLP_TRACES];
	return r->sinks[OTLP_LOGS] ? 0 : -errno;
}

static int record_open(const struct writer_opts *o, const struct otlp_backend *be, void **state,
                       char *err)
{
	struct record *r = calloc(1, sizeof(*r));
	int e;

	if (!r)
		return err_set(err, ENOMEM, "cannot open %s: out of memory", o->path);
	otlp_init(&r->enc, be, o->run, put_message, r);
	if (o->rotate_bytes) /* a few messages a file at least */
		r->enc.max_bytes = o->rotate_bytes / 4 < OTLP_BYTES ? o->rotate_bytes / 4
		                                                    : OTLP_BYTES;
	r->framed = be == &otlp_pb;
	e = open_sinks(r, o, err);
	if (!e) {
		e = otlp_capture_start(&r->enc);
		if (!e) {
			*state = r;
			return 0;
		}
	}
	close_sinks(r, err);
	record_free(r);
	return e;
}

static int json_open(const struct writer_opts *o, void **state, char *err)
{
	return record_open(o, &otlp_json, state, err);
}

static int pb_open_file(const struct writer_opts *o, void **state, char *err)
{
	return record_open(o, &otlp_pb, state, err);
}

static int record_rows(void *state, const struct batch *b)
{
	struct record *r = state;

	for (unsigned int i = 0; i < b->n; i++)
		r->rows[b->items[i].table]++;
	r->given += b->n;
	if (!r->error)
		r->error = otlp_batch(&r->enc, b);
	return r->error;
}

static int record_flush(void *state)
{
	struct record *r = state;

	for (unsigned int i = 0; i < OTLP_SIGNALS && !r->error; i++)
		r->error = sink_flush(r->sinks[i]);
	return r->error;
}

static uint64_t record_lost(void *state)
{
	const struct record *r = state;

	return r->given - r->written;
}

static int record_close(void *state, char *err)
{
	struct record *r = state;
	int e = r->error;

	if (!e)
		e = otlp_capture_end(&r->enc, r->rows, record_lost(r));
	if (e == -ENOMEM)
		err_set(err, ENOMEM, "cannot write the recording: out of memory");
	r->error = close_sinks(r, err);
	e = e ? e : r->error;
	record_free(r);
	return e;
}

const struct writer writer_otlp_json = {
	.name = "otlp",
	.open = json_open,
	.rows = record_rows,
	.flush = record_flush,
	.close = record_close,
	.lost = record_lost,
};

const struct writer writer_otlp_pb = {
	.name = "otlpb",
	.open = pb_open_file,
	.rows = record_rows,
	.flush = record_flush,
	.close = record_close,
	.lost = record_lost,
};

/* The ending of a file's name, and what is written there. */
static const struct {
	const char *ending;
	const struct writer *writer;
	bool packs; /* may be followed by .zst or .gz */
} endings[] = {
	{ ".otlp", &writer_otlp_json, true }, { ".jsonl", &writer_otlp_json, true },
	{ ".json", &writer_otlp_json, true }, { ".otlpb", &writer_otlp_pb, true },
	{ ".pb", &writer_otlp_pb, true },     { ".binpb", &writer_otlp_pb, true },
	{ ".db", &writer_db, false },         { ".sqlite", &writer_db, false },
};

const struct writer *writer_for(const char *path)
{
	struct str name = str_of(path);
	enum sink_pack pack = sink_pack_of(path);

	if (!strcmp(path, "-"))
		return &writer_otlp_json;
	if (pack != SINK_PLAIN)
		name.len -= pack == SINK_ZSTD ? 4 : 3;
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		struct str ending = str_of(endings[i].ending);

		if (name.len > ending.len && (endings[i].packs || pack == SINK_PLAIN) &&
		    !memcmp(name.s + name.len - ending.len, ending.s, ending.len))
			return endings[i].writer;
	}
	return NULL;
}
