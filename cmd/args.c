// SPDX-License-Identifier: GPL-3.0-or-later
/* args - the value of one flag: checked, and put where options.h wants it. */
#include "cmd/opts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"

enum { BODY_DEFAULT = 4096, BODY_MAX = 65536 };

enum kind { SWITCH, WORD, WORDS, CHOICE, DURATION, SIZE, SIZE32, NUMBER, NUMBER32 };

/* Where a flag without special meaning goes. `also`: a truth that is set beside it. */
static const struct {
	enum opt_id id;
	enum kind kind;
	size_t at, also;
} plain[] = {
#define AT(field)         offsetof(struct options, field), 0
#define AT2(field, truth) offsetof(struct options, field), offsetof(struct options, truth)
	{ OPT_NO_FOLLOW, SWITCH, AT(no_follow) },
	{ OPT_COMM, WORDS, AT(comms) },
	{ OPT_EXE, WORDS, AT(exes) },
	{ OPT_CGROUP, WORDS, AT(cgroups) },
	{ OPT_USER, WORDS, AT(users) },
	{ OPT_ALL, SWITCH, AT(all) },
	{ OPT_PORT, WORDS, AT(port) },
	{ OPT_LOCAL_PORT, WORDS, AT(local_port) },
	{ OPT_REMOTE_PORT, WORDS, AT(remote_port) },
	{ OPT_IP, WORDS, AT(ip) },
	{ OPT_SIDE, CHOICE, AT(side) },
	{ OPT_PROTO, WORDS, AT(proto) },
	{ OPT_METHOD, WORDS, AT(method) },
	{ OPT_PATH, WORDS, AT(path) },
	{ OPT_STATUS, WORDS, AT(status) },
	{ OPT_QUERY, WORDS, AT(query) },
	{ OPT_KEY, WORDS, AT(key) },
	{ OPT_SLOWER, DURATION, AT2(slower_ns, slower) },
	{ OPT_BIGGER, SIZE, AT2(bigger_bytes, bigger) },
	{ OPT_ERRORS, SWITCH, AT(errors) },
	{ OPT_FILTER, WORDS, AT(filter) },
	{ OPT_RECIPE, WORD, AT(recipe) },
	{ OPT_GROUP_BY, WORD, AT(by) },
	{ OPT_SORT, WORD, AT(sort) },
	{ OPT_TOP, NUMBER, AT(top) },
	{ OPT_ONCE, SWITCH, AT(once) },
	{ OPT_ALERT, WORD, AT(alert) },
	{ OPT_EXPORT, WORD, AT(export) },
	{ OPT_FAIL_IF, WORD, AT(fail_if) },
	{ OPT_COLUMNS, WORD, AT(columns) },
	{ OPT_WRITE, WORDS, AT(write) },
	{ OPT_ROTATE, SIZE, AT(rotate_bytes) },
	{ OPT_KEEP, NUMBER32, AT(keep) },
	{ OPT_SPLIT, SWITCH, AT(split) },
	{ OPT_READ, WORDS, AT(read) },
	{ OPT_ROUTE, WORDS, AT(route) },
	{ OPT_IGNORE_ROUTE, WORDS, AT(ignore_route) },
	{ OPT_OTLP, WORD, AT(otlp) },
	{ OPT_SHOW_SECRETS, SWITCH, AT(show_secrets) },
	{ OPT_HEADER, WORDS, AT(header) },
	{ OPT_NO_COLOR, SWITCH, AT(no_color) },
	{ OPT_ASCII, SWITCH, AT(ascii) },
	{ OPT_NO_MOUSE, SWITCH, AT(no_mouse) },
	{ OPT_THEME, WORD, AT(theme) },
	{ OPT_INTERVAL, DURATION, AT(interval_ns) },
	{ OPT_DURATION, DURATION, AT(duration_ns) },
	{ OPT_COUNT, NUMBER, AT(count) },
	{ OPT_MEM, SIZE, AT(mem_bytes) },
	{ OPT_PIPELINE, SWITCH, AT(pipeline) },
	{ OPT_FAIL_EMPTY, SWITCH, AT(fail_empty) },
	{ OPT_QUIET, SWITCH, AT(quiet) },
	{ OPT_VERBOSE, SWITCH, AT(verbose) },
	{ OPT_VERSION, SWITCH, AT(version) },
	{ OPT_SHORT_HELP, SWITCH, AT(short_help) },
	{ OPT_HELP, SWITCH, AT(help) },
#undef AT
#undef AT2
};

int words_add(struct words *w, const char *word)
{
	/* powers of two: grown when n is one */
	if (!(w->n & (w->n - 1))) {
		const char **v = realloc(w->v, sizeof(*v) * (w->n ? w->n * 2 : 1));

		if (!v)
			return -ENOMEM;
		w->v = v;
	}
	w->v[w->n++] = word;
	return 0;
}

static int bad(char *err, enum opt_id id, const char *value, const char *want)
{
	return err_set(err, EINVAL, "--%s wants %s, not \"%s\".", opts[id].name, want, value);
}

/* ---- the kinds ---- */

static bool is_choice(const char *choices, const char *value)
{
	size_t n = strlen(value);

	for (const char *at = choices; *at;) {
		size_t len = strcspn(at, "|");

		if (len == n && !memcmp(at, value, n))
			return true;
		at += len + (at[len] == '|');
	}
	return false;
}

static int choice(enum opt_id id, const char *value, char *err)
{
	return is_choice(opts[id].arg, value) ? 0 : bad(err, id, value, opts[id].arg);
}

static int number(enum opt_id id, const char *value, uint64_t max, uint64_t *out, char *err)
{
	uint64_t v;

	if (!str_u64(str_of(value), &v) || !v || v > max)
		return bad(err, id, value, "a number over 0");
	*out = v;
	return 0;
}

static int size(enum opt_id id, const char *value, uint64_t max, uint64_t *out, char *err)
{
	uint64_t v;

	if (!clock_parse_size(str_of(value), &v))
		return bad(err, id, value, "a size like 64K, 16M, 1G");
	if (v > max)
		return bad(err, id, value, "a size below 4G");
	*out = v;
	return 0;
}

static int duration(enum opt_id id, const char *value, uint64_t *out, char *err)
{
	if (clock_parse_duration(str_of(value), out))
		return 0;
	return bad(err, id, value, "a duration like 250us, 50ms, 2s, 5m");
}

static int set_plain(struct options *o, size_t i, const char *value, char *err)
{
	enum opt_id id = plain[i].id;
	char *at = (char *)o + plain[i].at;
	uint64_t v = 0;
	int e = 0;

	switch (plain[i].kind) {
	case SWITCH:
		*(bool *)at = true;
		break;
	case WORD:
		*(const char **)at = value;
		break;
	case CHOICE:
		e = choice(id, value, err);
		/* fall through */
	case WORDS:
		e = e ? e : words_add((struct words *)at, value);
		break;
	case DURATION:
		e = duration(id, value, (uint64_t *)at, err);
		break;
	case SIZE:
		e = size(id, value, UINT64_MAX, (uint64_t *)at, err);
		break;
	case NUMBER:
		e = number(id, value, UINT64_MAX, (uint64_t *)at, err);
		break;
	case SIZE32:
	case NUMBER32:
		e = plain[i].kind == SIZE32 ? size(id, value, UINT32_MAX, &v, err)
		                            : number(id, value, UINT32_MAX, &v, err);
		if (!e)
			*(uint32_t *)at = (uint32_t)v;
		break;
	}
	if (plain[i].also)
		*(bool *)((char *)o + plain[i].also) = !e;
	return e;
}

/* ---- flags with a meaning of their own ---- */

static int set_pids(struct options *o, const char *value, char *err)
{
	for (const char *at = value;; at++) {
		size_t len = strcspn(at, ",");
		pid_t *pids = realloc(o->pids, sizeof(*pids) * (o->npids + 1));
		uint64_t v;

		if (!pids)
			return -ENOMEM;
		o->pids = pids;
		if (!str_u64((struct str){ at, len }, &v) || !v || v > INT32_MAX)
			return bad(err, OPT_PID, value, "process ids; by name: --comm");
		o->pids[o->npids++] = (pid_t)v;
		at += len;
		if (!*at)
			return 0;
	}
}

static int set_form(struct options *o, const char *value, char *err)
{
	static const struct {
		const char *name;
		enum form form;
	} forms[] = {
		{ "tui", FORM_TUI }, { "text", FORM_TEXT }, { "json", FORM_JSON },
		{ "csv", FORM_CSV }, { "otlp", FORM_OTLP },
	};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (strcmp(forms[i].name, value))
			continue;
		o->form = forms[i].form;
		return 0;
	}
	return bad(err, OPT_OUTPUT, value, opts[OPT_OUTPUT].arg);
}

static int set_payload(struct options *o, const char *value, char *err)
{
	uint64_t v = 0;
	int e;

	o->no_payload = !strcmp(value, "none");
	if (o->no_payload)
		return 0;
	e = size(OPT_PAYLOAD, value, 16 << 20, &v, err);
	if (!e && !v)
		return bad(err, OPT_PAYLOAD, value, "a size, or none");
	o->payload_bytes = (uint32_t)v;
	return e;
}

/* The kernel wants a power of two of whole pages. */
static int set_ring(struct options *o, const char *value, char *err)
{
	uint64_t v = 0;
	uint32_t bytes = 4096;
	int e = size(OPT_RING, value, 1u << 30, &v, err);

	if (e)
		return bad(err, OPT_RING, value, "a size up to 1G");
	while (bytes < v)
		bytes *= 2;
	o->ring_bytes = bytes;
	return 0;
}

static int set_define(struct options *o, const char *value, char *err)
{
	if (*value == '=' || !strchr(value, '='))
		return bad(err, OPT_DEFINE, value, "NAME=VALUE");
	return words_add(&o->defines, value);
}

static int set_sample(struct options *o, const char *value, char *err)
{
	o->sampled = sample_parse(str_of(value), &o->sampler);
	return o->sampled ? 0 : bad(err, OPT_SAMPLE, value, "a ratio from 0 to 1, e.g. 0.1");
}

static int set_body(struct options *o, const char *value, char *err)
{
	uint64_t v = BODY_DEFAULT;
	int e = value ? size(OPT_BODY, value, BODY_MAX, &v, err) : 0;

	if (e || !v)
		return bad(err, OPT_BODY, value, "a size up to 64K");
	o->body_bytes = (uint32_t)v;
	return 0;
}

int args_set(struct options *o, enum opt_id id, const char *value, char *err)
{
	switch (id) {
	case OPT_PID:
		return set_pids(o, value, err);
	case OPT_OUTPUT:
		return set_form(o, value, err);
	case OPT_PAYLOAD:
		return set_payload(o, value, err);
	case OPT_BODY:
		return set_body(o, value, err);
	case OPT_RING:
		return set_ring(o, value, err);
	case OPT_SAMPLE:
		return set_sample(o, value, err);
	case OPT_DEFINE:
		return set_define(o, value, err);
	default:
		break;
	}
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		if (plain[i].id == id)
			return set_plain(o, i, value, err);
	return err_set(err, EINVAL, "--%s is not available in this version.", opts[id].name);
}
