// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * clickhouse_type - names of types to instructions how to pass their values.
 *
 * A column is stored type by type, outermost first: Array(Nullable(String)) is the
 * ends of the arrays, then a byte for each value that says whether it is NULL, then
 * the values. Nested types become one list of instructions without any branch.
 */
#include "proto/clickhouse.h"

enum { DEEPEST = 12, WIDEST = 1 << 20, VERSION = 8 };

/* Values of one size; what stands in brackets does not change it. */
static const struct {
	const char *name;
	unsigned int width;
} fixed[] = { { "UInt8", 1 },      { "Int8", 1 },      { "Bool", 1 },       { "Enum8", 1 },
	      { "Nothing", 1 },    { "UInt16", 2 },    { "Int16", 2 },      { "Date", 2 },
	      { "Enum16", 2 },     { "BFloat16", 2 },  { "UInt32", 4 },     { "Int32", 4 },
	      { "Float32", 4 },    { "DateTime", 4 },  { "Date32", 4 },     { "IPv4", 4 },
	      { "Time", 4 },       { "Decimal32", 4 }, { "UInt64", 8 },     { "Int64", 8 },
	      { "Float64", 8 },    { "Time64", 8 },    { "DateTime64", 8 }, { "Decimal64", 8 },
	      { "UUID", 16 },      { "IPv6", 16 },     { "Point", 16 },     { "UInt128", 16 },
	      { "Int128", 16 },    { "UInt256", 32 },  { "Int256", 32 },    { "Decimal128", 16 },
	      { "Decimal256", 32 } };

/* Types that are others by another name. */
static const struct {
	const char *name, *is;
} aliases[] = {
	{ "Ring", "Array(Point)" },
	{ "LineString", "Array(Point)" },
	{ "Polygon", "Array(Array(Point))" },
	{ "MultiLineString", "Array(Array(Point))" },
	{ "MultiPolygon", "Array(Array(Array(Point)))" },
};

struct compiler {
	struct cur c;
	struct ch_code *to;
	unsigned int depth, arrays;
	bool failed;
};

static bool is_letter(uint8_t ch)
{
	return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') ||
	       ch == '_' || ch == '.' || ch >= 0x80;
}

static uint8_t peek(const struct compiler *p)
{
	return cur_left(&p->c) ? *p->c.p : 0;
}

static bool accept(struct compiler *p, char ch)
{
	if (peek(p) != (uint8_t)ch)
		return false;
	p->c.p++;
	return true;
}

static void expect(struct compiler *p, char ch)
{
	p->failed |= !accept(p, ch);
}

static struct str word(struct compiler *p)
{
	const uint8_t *from = p->c.p;

	while (is_letter(peek(p)))
		p->c.p++;
	return (struct str){ (const char *)from, (size_t)(p->c.p - from) };
}

/* Behind the closing quote. */
static void quoted(struct compiler *p, char quote)
{
	while (cur_left(&p->c) && peek(p) != (uint8_t)quote)
		p->c.p += *p->c.p == '\\' && cur_left(&p->c) > 1 ? 2 : 1;
	expect(p, quote);
}

/* Behind the bracket that closes the one just read. */
static void brackets(struct compiler *p)
{
	unsigned int depth = 1;

	while (depth && cur_left(&p->c)) {
		uint8_t ch = *p->c.p++;

		depth += ch == '(';
		depth -= ch == ')';
		if (ch == '\'' || ch == '`')
			quoted(p, (char)ch);
	}
	p->failed |= depth != 0;
}

static uint32_t number(struct compiler *p)
{
	uint32_t n = 0;

	p->failed |= peek(p) < '0' || peek(p) > '9';
	while (peek(p) >= '0' && peek(p) <= '9' && n <= WIDEST)
		n = n * 10 + (uint32_t)(*p->c.p++ - '0');
	p->failed |= n > WIDEST;
	return n;
}

/* Bytes of neighbours of the same number of values become one instruction. */
static void emit(struct compiler *p, enum ch_op op, uint32_t bytes)
{
	struct ch_code *to = p->to;

	if (op == CH_BYTES && to->n && (to->ins[to->n - 1] & 7) == CH_BYTES &&
	    (to->ins[to->n - 1] >> 3) + bytes <= WIDEST) {
		to->ins[to->n - 1] += bytes << 3;
		return;
	}
	p->failed |= to->n == CH_CODE;
	if (!p->failed)
		to->ins[to->n++] = (uint32_t)op | bytes << 3;
}

static void type(struct compiler *p);

static void open_array(struct compiler *p)
{
	emit(p, CH_OFFSETS, 0);
	p->failed |= ++p->arrays == CH_NESTED - 1; /* one more for a dictionary */
}

static void close_array(struct compiler *p)
{
	emit(p, CH_POP, 0);
	p->arrays--;
}

/* Types of a Tuple, with or without names. */
static void members(struct compiler *p)
{
	do {
		struct cur at = p->c;

		accept(p, ' ');
		at = p->c;
		if (accept(p, '`')) {
			quoted(p, '`');
			expect(p, ' ');
		} else {
			word(p);
			if (!accept(p, ' '))
				p->c = at;
		}
		type(p);
	} while (!p->failed && accept(p, ','));
}

/* Decimal(P, S): the smallest of four sizes that holds P digits. */
static void decimal(struct compiler *p)
{
	uint32_t digits = number(p);

	emit(p, CH_BYTES, digits <= 9 ? 4 : digits <= 18 ? 8 : digits <= 38 ? 16 : 32);
	brackets(p);
	p->c.p--; /* the caller's */
}

static void dictionary(struct compiler *p)
{
	bool null = false;

	emit(p, CH_KEYS, 0);
	if (cur_left(&p->c) > 9 && !memcmp(p->c.p, "Nullable(", 9)) {
		p->c.p += 9;
		null = true;
	}
	type(p);
	if (null)
		expect(p, ')');
	emit(p, CH_INDEX, 0);
}

/* A type with others inside; false: it is none. */
static bool combined(struct compiler *p, struct str name)
{
	if (str_is(name, "Nullable")) {
		emit(p, CH_BYTES, 1);
		type(p);
	} else if (str_is(name, "Array")) {
		open_array(p);
		type(p);
		close_array(p);
	} else if (str_is(name, "Map") || str_is(name, "Nested")) {
		open_array(p);
		members(p);
		close_array(p);
	} else if (str_is(name, "Tuple")) {
		members(p);
	} else if (str_is(name, "LowCardinality")) {
		dictionary(p);
	} else if (str_is(name, "SimpleAggregateFunction")) {
		word(p);
		if (accept(p, '('))
			brackets(p);
		expect(p, ',');
		accept(p, ' ');
		type(p);
	} else if (str_is(name, "Decimal")) {
		decimal(p);
	} else if (str_is(name, "FixedString")) {
		emit(p, CH_BYTES, number(p));
	} else {
		return false;
	}
	return true;
}

static bool alias(struct compiler *p, struct str name)
{
	for (size_t i = 0; i < sizeof(aliases) / sizeof(*aliases); i++) {
		struct cur rest = p->c;

		if (!str_is(name, aliases[i].name))
			continue;
		p->c = cur_of(aliases[i].is, strlen(aliases[i].is));
		type(p);
		p->c = rest;
		return true;
	}
	return false;
}

static bool of_one_size(struct compiler *p, struct str name)
{
	if (str_starts(name, "Interval")) {
		emit(p, CH_BYTES, 8);
		return true;
	}
	for (size_t i = 0; i < sizeof(fixed) / sizeof(*fixed); i++)
		if (str_is(name, fixed[i].name)) {
			emit(p, CH_BYTES, fixed[i].width);
			if (accept(p, '('))
				brackets(p);
			return true;
		}
	return false;
}

static void type(struct compiler *p)
{
	struct str name = word(p);

	p->failed |= ++p->depth == DEEPEST;
	if (p->failed)
		return;
	if (str_is(name, "String")) {
		emit(p, CH_STRINGS, 0);
	} else if (!of_one_size(p, name) && !alias(p, name)) {
		expect(p, '(');
		if (!p->failed)
			p->failed |= !combined(p, name);
		expect(p, ')');
	}
	p->depth--;
}

/* Each dictionary has a number before everything else. */
static uint32_t dictionaries(struct str name)
{
	static const char word[] = "LowCardinality(";
	const char *p = name.s, *end = name.s + name.len;
	uint32_t n = 0;

	while ((p = memmem(p, (size_t)(end - p), word, sizeof(word) - 1))) {
		p += sizeof(word) - 1;
		n++;
	}
	return n;
}

bool clickhouse_compile(struct str name, bool sparse, struct ch_code *to)
{
	struct compiler p = { .c = cur_of(name.s, name.len), .to = to };
	uint32_t n = dictionaries(name);

	to->n = 0;
	if (n && sparse)
		return false;
	if (n)
		emit(&p, CH_HEAD, n * VERSION);
	if (sparse)
		emit(&p, CH_SPARSE, 0);
	if (!str_starts(name, "Tuple(") || !sparse)
		type(&p);
	else
		p.failed = true; /* each member says for itself */
	return !p.failed && !cur_left(&p.c);
}
