// SPDX-License-Identifier: GPL-3.0-or-later
/* sample - which spans are kept, by OpenTelemetry's samplers. */
#include "span/sample.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "base/json.h"
#include "span/place.h"

enum { ID_BITS = 56, DIGITS = ID_BITS / 4, PRECISION = 4, STATE_MAX = 512 };

#define ALL_IDS ((uint64_t)1 << ID_BITS)

/* ---- what is asked for ---- */

bool sample_parse(struct str text, struct sampler *out)
{
	static const char legacy[] = ":legacy";
	size_t n = sizeof(legacy) - 1;
	bool old = text.len > n && !memcmp(text.s + text.len - n, legacy, n);
	double ratio;

	if (old)
		text.len -= n;
	if (!json_f64(text, &ratio) || !(ratio >= 0 && ratio <= 1))
		return false;
	*out = (struct sampler){
		.how = old ? SAMPLE_LEGACY : SAMPLE_RATIO,
		.parent_based = true,
		.ratio = ratio,
	};
	return true;
}

int sample_named(struct str name, struct str arg, struct sampler *out)
{
	static const struct {
		const char *name;
		enum sample_how how;
	} all[] = {
		{ "always_on", SAMPLE_ALL },
		{ "always_off", SAMPLE_NONE },
		{ "traceidratio", SAMPLE_RATIO },
	};
	bool parent_based = str_starts(name, "parentbased_");
	size_t skip = parent_based ? strlen("parentbased_") : 0;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct sampler s = { .how = SAMPLE_RATIO, .ratio = 1 };

		if (!str_is((struct str){ name.s + skip, name.len - skip }, all[i].name))
			continue;
		if (all[i].how == SAMPLE_RATIO && arg.s && !sample_parse(arg, &s))
			return -EINVAL;
		if (all[i].how != SAMPLE_RATIO)
			s.how = all[i].how;
		s.parent_based = parent_based;
		*out = s;
		return 0;
	}
	return -EINVAL;
}

bool sample_wanted(const struct sampler *s)
{
	return s->how != SAMPLE_ALL || s->parent_based;
}

/* ---- the threshold ---- */

/* (1 - ratio) x 2^56, rounded to four hexadecimal digits behind the leading f's. */
static uint64_t threshold(double ratio)
{
	int digits = PRECISION, bits;
	uint64_t all;

	if (ratio < 0x1p-56)
		return ALL_IDS;
	for (double r = ratio * 16; r <= 1 && digits < DIGITS; r *= 16)
		digits++;
	bits = ID_BITS - 4 * digits;
	all = ALL_IDS >> bits;
	return (all - (uint64_t)llround(ratio * (double)all)) << bits;
}

bool sample_threshold(const struct sampler *s, char out[15])
{
	uint64_t t = threshold(s->ratio);
	int n = DIGITS;

	if (s->how != SAMPLE_RATIO || t >= ALL_IDS)
		return false;
	snprintf(out, 15, "%014llx", (unsigned long long)t);
	while (n > 1 && out[n - 1] == '0')
		n--;
	out[n] = '\0';
	return true;
}

/* ---- tracestate ---- */

/* The next member of a list; false behind the last. */
static bool next_member(struct str *list, char between, struct str *member)
{
	const char *end;

	while (list->len) {
		end = memchr(list->s, between, list->len);
		*member = (struct str){ list->s, end ? (size_t)(end - list->s) : list->len };
		list->s += member->len + !!end;
		list->len -= member->len + !!end;
		*member = str_trim(*member);
		if (member->len)
			return true;
	}
	return false;
}

/* What OpenTelemetry's member of a tracestate says; "" where there is none. */
static struct str ot_member(struct str state)
{
	struct str m;

	while (next_member(&state, ',', &m))
		if (str_starts(m, "ot="))
			return (struct str){ m.s + 3, m.len - 3 };
	return STR("");
}

/* The id's own randomness, unless the tracestate brings its own. */
static uint64_t randomness(const struct span *row, struct str state)
{
	struct str ot = ot_member(state), m;
	uint64_t r = 0;

	while (next_member(&ot, ';', &m)) {
		char text[DIGITS + 1], *end;

		if (!str_starts(m, "rv:") || m.len != 3 + DIGITS)
			continue;
		memcpy(text, m.s + 3, DIGITS);
		text[DIGITS] = '\0';
		r = strtoull(text, &end, 16);
		if (!*end && text[0] != '-' && text[0] != '+')
			return r;
	}
	r = 0;
	for (int i = 9; i < 16; i++)
		r = r << 8 | row->trace_id[i];
	return r;
}

/* The same tracestate with th (NULL: none) first; the other members stay. */
static void with_threshold(struct buf *out, struct str state, const char *th)
{
	struct str ot = ot_member(state), m;

	if (th)
		buf_fmt(out, "ot=th:%s", th);
	while (next_member(&ot, ';', &m)) {
		if (str_starts(m, "th:"))
			continue;
		buf_z(out, out->len ? ";" : "ot=");
		buf_str(out, m);
	}
	while (next_member(&state, ',', &m)) {
		if (str_starts(m, "ot=") || out->len + m.len >= STATE_MAX)
			continue;
		if (out->len)
			buf_ch(out, ',');
		buf_str(out, m);
	}
}

/* ---- `attrs`, whose member the tracestate is ---- */

/* Copies the members but the tracestate, whose value is in *state. */
static bool split_attrs(struct str attrs, struct buf *others, struct buf *state)
{
	struct json j = json_of(attrs);

	if (!attrs.s)
		return true;
	if (json_next(&j) != JSON_OBJ)
		return false;
	while (json_next(&j) == JSON_KEY) {
		bool mine = str_is(j.text, PLACE_STATE);
		const char *start = j.text.s - 1;

		if (mine && json_next(&j) == JSON_STR) {
			json_decode(j.text, state);
			continue;
		}
		if (!mine && !json_skip(&j))
			return false;
		buf_ch(others, others->len ? ',' : '{');
		buf_str(others, (struct str){ start, (size_t)(j.p - start) });
	}
	return j.tok == JSON_OBJ_END;
}

static void set_state(struct span *row, struct buf *others, struct str state, struct batch *b)
{
	if (state.len) {
		buf_ch(others, others->len ? ',' : '{');
		buf_z(others, "\"" PLACE_STATE "\":");
		json_str(others, state);
	}
	if (others->len)
		buf_ch(others, '}');
	if (!others->failed)
		row->attrs = others->len ? batch_text(b, buf_slice(others)) : STR_NULL;
}

/* ---- the decision ---- */

static bool by_legacy(const struct span *row, double ratio)
{
	uint64_t x = 0;

	for (int i = 8; i < 16; i++)
		x = x << 8 | row->trace_id[i];
	return ratio >= 1 || x >> 1 < (uint64_t)(ratio * 0x1p63);
}

static bool by_ratio(const struct sampler *s, struct span *row, struct batch *b)
{
	struct buf others = { 0 }, old = { 0 }, state = { 0 };
	char th[15];
	bool say = sample_threshold(s, th), whole = split_attrs(row->attrs, &others, &old);
	bool keep = s->how == SAMPLE_LEGACY
	                    ? by_legacy(row, s->ratio)
	                    : randomness(row, buf_slice(&old)) >= threshold(s->ratio);

	/* a decision that others cannot repeat leaves no threshold behind */
	with_threshold(&state, buf_slice(&old), say ? th : NULL);
	if (keep && whole && (state.len || old.len))
		set_state(row, &others, buf_slice(&state), b);
	buf_free(&others);
	buf_free(&old);
	buf_free(&state);
	return keep;
}

bool sample_span(const struct sampler *s, struct span *row, struct batch *b)
{
	static const uint8_t none[8];

	if (s->parent_based && memcmp(row->parent_span_id, none, sizeof(none)) != 0)
		return !(row->flags & SPAN_F_UNSAMPLED);
	switch (s->how) {
	case SAMPLE_ALL:
		return true;
	case SAMPLE_NONE:
		return false;
	default:
		return by_ratio(s, row, b);
	}
}
