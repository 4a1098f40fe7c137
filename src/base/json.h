/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_BASE_JSON_H
#define OBI_BASE_JSON_H

/*
 * json - one pull reader and one writer (RFC 8259).
 *
 * The reader walks text that someone else owns: it allocates nothing, copies
 * nothing and never recurses. Text that ends early gives JSON_CUT, so that what
 * came before can still be used; text that is no JSON gives JSON_BAD. Both are
 * sticky. Invalid UTF-8 and lone surrogates inside strings are let through: the
 * text of traced programs is not always clean.
 *
 *	struct json j = json_of(text);
 *
 *	if (json_next(&j) != JSON_OBJ)
 *		return -EINVAL;
 *	while (json_next(&j) == JSON_KEY) {
 *		if (str_is(j.text, "name"))
 *			json_next(&j), name = json_text(&j, arena);
 *		else
 *			json_skip(&j);
 *	}
 */

#include "base/arena.h"
#include "base/str.h"

enum { JSON_DEPTH = 64, JSON_STRING = 16 << 20 }; /* deeper, longer: JSON_BAD */

enum json_tok {
	JSON_NONE, /* nothing has been asked yet */
	JSON_BAD,
	JSON_CUT,
	JSON_DONE, /* the one value has ended; p is behind it */
	JSON_OBJ,
	JSON_OBJ_END,
	JSON_ARR,
	JSON_ARR_END,
	JSON_KEY,
	JSON_STR,
	JSON_NUM,
	JSON_TRUE,
	JSON_FALSE,
	JSON_NULL,
};

struct json {
	const char *p, *end;
	struct str text;      /* of KEY and STR: between the quotes; of NUM: its digits */
	bool escaped;         /* text holds backslashes: json_text() */
	enum json_tok tok;    /* what json_next() returned last */
	unsigned int depth;   /* of open objects and arrays */
	uint64_t objects;     /* bit d: level d is an object */
	unsigned char expect; /* what may come; private */
};

struct json json_of(struct str text);
enum json_tok json_next(struct json *j);

/*
 * Takes one value: after JSON_KEY its value, in an array the next item, and
 * after JSON_OBJ or JSON_ARR the rest of that. False where it is cut or bad.
 */
bool json_skip(struct json *j);
bool json_rest(struct json *j); /* to the end of the object or array that is open */

/* The text of a KEY or STR without escapes; STR_NULL on ENOMEM. In place where it has none. */
struct str json_text(const struct json *j, struct arena *a);
void json_decode(struct str raw, struct buf *out); /* likewise, appended */

/* Numbers; false where it is none or does not fit. "1e3" and "5.0" are integers too. */
bool json_i64(struct str num, int64_t *out);
bool json_f64(struct str num, double *out);
bool json_is_int(struct str num); /* without fraction and exponent */

/* The first byte that may not stand in a string as it is: quote, backslash, control; or end. */
const char *json_plain_end(const char *p, const char *end);

/* ---- writer: appends to a buffer ---- */

void json_str(struct buf *b, struct str s);       /* quoted; invalid bytes become U+FFFD */
void json_lines(struct buf *b, struct str lines); /* an array of texts, a line each */
void json_clean(struct buf *b, struct str s);     /* s as it is, but for what is no UTF-8: U+FFFD */
void json_num(struct buf *b, double v);           /* shortest that reads back; null for NaN, inf */
void json_ms(struct buf *b, int64_t ns);          /* nanoseconds as milliseconds, exact */
void json_value(struct buf *b, struct str text);  /* JSON text as one line; null where it is none */

#endif
