// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * redact - takes secrets out of rows.
 *
 * Names decide, not values: a parameter, header or attribute whose name says
 * that it is a credential loses its value. The one thing known by its value is
 * a card number (13 to 19 digits with a right check digit, ISO/IEC 7812).
 */
#include "span/redact.h"

#include "base/json.h"
#include "proto/proto.h"
#include "proto/sql.h"
#include "span/people.h"
#include "span/secret.h"

enum { SQL_BYTES = 16384, CARD_DIGITS = 13 };

/* ---- card numbers ---- */

static bool luhn(const char *digits, size_t n)
{
	unsigned int sum = 0;

	for (size_t i = 0; i < n; i++) {
		unsigned int d = (unsigned int)(digits[n - 1 - i] - '0') << (i & 1);

		sum += d > 9 ? d - 9 : d;
	}
	return sum % 10 == 0 && sum > 0;
}

/* Length of a card number at the start of s (digits, blanks or dashes between groups), or 0. */
static size_t card_at(struct str s)
{
	char digits[20];
	size_t n = 0, i = 0, end = 0;

	for (; i < s.len && n < sizeof(digits); i++) {
		if (s.s[i] >= '0' && s.s[i] <= '9')
			digits[n++] = s.s[i], end = i + 1;
		else if ((s.s[i] != ' ' && s.s[i] != '-') || i == 0 || end != i)
			break;
	}
	return n >= CARD_DIGITS && n <= 19 && luhn(digits, n) ? end : 0;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Cheap, for nearly all texts: too few digits for a card. */
static bool no_card(struct str s)
{
	unsigned int digits = 0;

	for (size_t i = 0; i < s.len; i++)
		digits += is_digit(s.s[i]);
	return digits < CARD_DIGITS;
}

static void add_without_cards(struct buf *b, struct str s)
{
	if (no_card(s)) {
		buf_str(b, s);
		return;
	}
	for (size_t i = 0; i < s.len;) {
		bool start = is_digit(s.s[i]) && (!i || !is_digit(s.s[i - 1]));
		size_t n = start ? card_at((struct str){ s.s + i, s.len - i }) : 0;

		if (n && (i + n == s.len || !is_digit(s.s[i + n]))) {
			buf_z(b, "[card]");
			i += n;
		} else {
			buf_ch(b, s.s[i++]);
		}
	}
}

/* ---- URLs ---- */

/* "a=1&token=x" with the values of credentials left out; `sep` stands between them. */
static void add_pairs(struct buf *b, struct str q, char sep)
{
	while (q.len) {
		const char *amp = memchr(q.s, sep, q.len);
		struct str kv = { q.s, amp ? (size_t)(amp - q.s) : q.len };
		const char *eq = memchr(kv.s, '=', kv.len);
		struct str name = { kv.s, eq ? (size_t)(eq - kv.s) : kv.len };

		if (eq && secret_name(name)) {
			buf_str(b, name);
			buf_z(b, "=REDACTED");
		} else {
			add_without_cards(b, kv);
		}
		if (amp)
			buf_ch(b, sep);
		q.s += kv.len + (amp != NULL);
		q.len -= kv.len + (amp != NULL);
	}
}

/* Path and query, or a URL with user:password@ in front of the host. */
static void add_url(struct buf *b, struct str url)
{
	const char *mark = memchr(url.s, '?', url.len);
	struct str path = { url.s, mark ? (size_t)(mark - url.s) : url.len };
	const char *slashes = path.len > 3 ? memmem(path.s, path.len, "://", 3) : NULL;

	if (slashes) {
		size_t left = (size_t)(path.s + path.len - slashes - 3);
		const char *slash = memchr(slashes + 3, '/', left);
		size_t host = slash ? (size_t)(slash - slashes - 3) : left;
		const char *at = memchr(slashes + 3, '@', host);

		if (at) {
			buf_add(b, path.s, (size_t)(slashes + 3 - path.s));
			buf_z(b, "REDACTED:REDACTED");
			path = (struct str){ at, (size_t)(path.s + path.len - at) };
		}
	}
	add_without_cards(b, path);
	if (!mark)
		return;
	buf_ch(b, '?');
	add_pairs(b, (struct str){ mark + 1, (size_t)(url.s + url.len - mark - 1) }, '&');
}

/* ---- messages and attributes ---- */

/* 'quoted' values of an error message become '?'. */
static void add_message(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		const char *end = s.s[i] == '\'' ? memchr(s.s + i + 1, '\'', s.len - i - 1) : NULL;

		buf_ch(b, s.s[i]);
		if (s.s[i] != '\'')
			continue;
		buf_ch(b, '?');
		if (!end)
			return;
		buf_ch(b, '\'');
		i = (size_t)(end - s.s);
	}
}

/* The string literal that begins at s.s[at] == '"'; its length with both quotes. */
static size_t json_string(struct str s, size_t at)
{
	size_t i = at + 1;
	const char *end = memchr(s.s + i, '"', s.len - i);

	if (end && !memchr(s.s + i, '\\', (size_t)(end - s.s) - i))
		return (size_t)(end - s.s) + 1 - at;
	while (i < s.len && s.s[i] != '"')
		i += s.s[i] == '\\' ? 2 : 1;
	return (i < s.len ? i + 1 : s.len) - at;
}

static bool ends_with(struct str s, const char *end)
{
	size_t n = strlen(end);

	return s.len >= n && !memcmp(s.s + s.len - n, end, n);
}

#define END(text) text, sizeof(text) - 1

/* What is in an attribute that needs more than a look for card numbers. */
enum inside { INSIDE_TEXT, INSIDE_QUERY, INSIDE_URL, INSIDE_MESSAGE, INSIDE_BAGGAGE, INSIDE_BODY };

static enum inside inside_of(struct str key)
{
	static const struct {
		const char *end;
		size_t len;
		enum inside is;
	} names[] = {
		{ END("url.query"), INSIDE_QUERY },
		{ END("url.full"), INSIDE_URL },
		{ END("error.message"), INSIDE_MESSAGE },
		{ END("baggage"), INSIDE_BAGGAGE },
		{ END(".body.content"), INSIDE_BODY },
		{ END(".referer"), INSIDE_URL },
		{ END("location"), INSIDE_URL }, /* Content-Location, HX-Location */
		{ END("-url"), INSIDE_URL },
		{ END("-uri"), INSIDE_URL },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		size_t n = names[i].len;

		if (key.len >= n && key.s[key.len - 1] == names[i].end[n - 1] &&
		    !memcmp(key.s + key.len - n, names[i].end, n))
			return names[i].is;
	}
	return INSIDE_TEXT;
}

static void add_body(struct buf *b, struct str quoted);

static void add_inside(struct buf *b, enum inside is, struct str value)
{
	switch (is) {
	case INSIDE_TEXT:
		add_without_cards(b, value);
		break;
	case INSIDE_QUERY:
		add_pairs(b, value, '&');
		break;
	case INSIDE_URL:
		add_url(b, value);
		break;
	case INSIDE_MESSAGE:
		add_message(b, value);
		break;
	case INSIDE_BAGGAGE:
		add_pairs(b, value, ',');
		break;
	case INSIDE_BODY:
		add_body(b, value);
		break;
	}
}

static void add_attr_value(struct buf *b, struct str key, struct str value)
{
	if (secret_name(key) && !str_is(key, "obi.db.user"))
		buf_z(b, "REDACTED");
	else
		add_inside(b, inside_of(key), value);
}

/* Nearly all attributes: nothing in them has to change. */
static bool is_harmless(struct str key, struct str value)
{
	return !secret_name(key) && inside_of(key) == INSIDE_TEXT && no_card(value);
}

/* Where a walk over the text of JSON is. */
struct attr_walk {
	struct str key, outer; /* of the value here; of the one that is secret with all inside */
	uint64_t lists;        /* a bit for each level: it is an array */
	unsigned int depth, secret; /* secret: the level from which on all is; 0: none */
	bool value;                 /* a text here is a value, else a key */
};

/* A character outside of texts. */
static void attr_step(struct attr_walk *w, char c)
{
	if (c == '{' || c == '[') {
		w->lists = w->lists << 1 | (c == '[');
		w->depth++;
		if (!w->secret && w->value && secret_name(w->key)) {
			w->secret = w->depth;
			w->outer = w->key;
		}
	} else if (c == '}' || c == ']') {
		if (w->secret == w->depth)
			w->secret = 0;
		w->lists >>= 1;
		w->depth -= w->depth > 0;
	}
	if (c == ',')
		w->value = w->lists & 1;
	else
		w->value = c == ':' || (w->value && c != '{' && c != '}');
}

/* The number that begins at s.s[at]: its length. */
static size_t number(struct str s, size_t at)
{
	size_t i = at;

	if (!is_digit(s.s[i]) && s.s[i] != '-')
		return 0;
	while (i < s.len && (is_digit(s.s[i]) || (s.s[i] && strchr("+-.eE", s.s[i]))))
		i++;
	return i - at;
}

/* A PIN is a secret; how many tokens a model took is none. */
static bool is_secret_number(struct str key)
{
	return secret_name(key) && !ends_with(key, "tokens");
}

/*
 * JSON: the text values of its members, and of what lies inside those; in a body the
 * numbers too. False where nothing has to change: nothing is added.
 */
static bool add_json(struct buf *b, struct str s, bool numbers)
{
	struct attr_walk w = { .key = STR_NULL };
	size_t done = 0;

	for (size_t i = 0; i < s.len;) {
		struct str text, key = w.secret ? w.outer : w.key;
		size_t n;

		n = numbers && w.value ? number(s, i) : 0;
		if (n && is_secret_number(key)) {
			buf_add(b, s.s + done, i - done);
			buf_z(b, "\"REDACTED\"");
			done = i += n;
			continue;
		}
		if (s.s[i] != '"') {
			attr_step(&w, s.s[i]);
			i++;
			continue;
		}
		n = json_string(s, i);
		text = (struct str){ s.s + i + 1, n > 2 ? n - 2 : 0 };
		if (!w.value || n < 2) {
			w.key = text;
		} else if (!is_harmless(key, text)) {
			buf_add(b, s.s + done, i - done);
			buf_ch(b, '"');
			add_attr_value(b, key, text);
			buf_ch(b, '"');
			done = i + n;
		}
		i += n;
	}
	if (done)
		buf_add(b, s.s + done, s.len - done);
	return done;
}

static void add_attrs(struct buf *b, struct str s)
{
	(void)add_json(b, s, false);
}

/* ---- bodies ---- */

/* The parts of multipart/form-data whose names say that they are secrets lose their contents. */
static void add_parts(struct buf *b, struct str s)
{
	bool head = true, secret = false;

	while (s.len) {
		const char *nl = memchr(s.s, '\n', s.len);
		struct str line = { s.s, nl ? (size_t)(nl + 1 - s.s) : s.len };
		const char *name = memmem(line.s, line.len, "name=\"", 6);

		if (str_starts(line, "--"))
			head = true, secret = false;
		if (head && name)
			secret = secret_name(
				(struct str){ name, (size_t)(line.s + line.len - name) });
		if (head || !secret)
			add_without_cards(b, line);
		if (head && (*line.s == '\r' || *line.s == '\n')) {
			head = false;
			buf_z(b, secret ? "REDACTED\r\n" : "");
		}
		s = (struct str){ line.s + line.len, s.len - line.len };
	}
}

/* "a=1&b=2": a name without blanks comes first. */
static bool is_form(struct str s)
{
	size_t n = 0;

	while (n < s.len && s.s[n] > ' ' && s.s[n] != '=' && s.s[n] != '<')
		n++;
	return n && n < s.len && s.s[n] == '=';
}

/* What a body is, is told by how it begins: Content-Type is not always there, or right. */
static void add_body(struct buf *b, struct str quoted)
{
	struct buf plain = { 0 }, clean = { 0 }, text = { 0 };
	struct str s;
	size_t blank = 0;

	json_decode(quoted, &plain);
	s = buf_slice(&plain);
	while (blank < s.len && strchr(" \t\r\n", s.s[blank]) && s.s[blank])
		blank++;
	if (blank < s.len && (s.s[blank] == '{' || s.s[blank] == '['))
		buf_str(&clean, add_json(&clean, s, true) ? STR("") : s);
	else if (str_starts(s, "--"))
		add_parts(&clean, s);
	else if (is_form(s))
		add_pairs(&clean, s, '&');
	else
		add_without_cards(&clean, s);
	json_str(&text, buf_slice(&clean));
	if (plain.failed || clean.failed || text.failed)
		b->failed = true;
	else
		buf_add(b, text.p + 1, text.len - 2);
	buf_free(&plain);
	buf_free(&clean);
	buf_free(&text);
}

/* ---- rows ---- */

/* May add nothing where nothing has to change. */
typedef void adder(struct buf *b, struct str s);

static void apply(struct str *field, struct batch *b, adder *add)
{
	struct buf t = { 0 };

	if (!field->s || !field->len)
		return;
	add(&t, *field);
	if (t.len && !str_eq(*field, buf_slice(&t)))
		*field = batch_text(b, buf_slice(&t));
	buf_free(&t);
}

static void redact_sql(struct span *row, struct batch *b)
{
	enum sql_dialect d = sql_dialect(row->proto);
	char text[SQL_BYTES];

	if (row->target.s)
		row->target = batch_text(
			b, (struct str){ text, sql_normalise(row->target, d, text, sizeof(text)) });
	if (row->query.s)
		row->query = batch_text(
			b, (struct str){ text, sql_normalise(row->query, d, text, sizeof(text)) });
}

void redact_row(enum table t, void *row, struct batch *b)
{
	const struct proto *p;
	struct span *s = row;

	if (t == TABLE_CONNECTIONS)
		apply(&((struct conn_row *)row)->first_bytes, b, add_without_cards);
	/* Statements and scripts stand on command lines: psql -c "select '...'". */
	if (t == TABLE_PROCESSES)
		apply(&((struct proc_row *)row)->cmdline, b, add_message);
	if (t != TABLE_SPANS)
		return;
	p = proto_by_id(proto_by_name(s->proto));
	if (p && p->family == FAMILY_SQL)
		redact_sql(s, b);
	else if (p && p->family == FAMILY_HTTP)
		apply(&s->target, b, add_url);
	else if (!people_redact(s, b))
		apply(&s->target, b, add_without_cards);
	apply(&s->attrs, b, add_attrs);
}

void redact_batch(struct batch *b)
{
	for (unsigned int i = 0; i < b->n; i++)
		redact_row(b->items[i].table, b->items[i].row, b);
	apply(&b->resource, b, add_attrs);
}
