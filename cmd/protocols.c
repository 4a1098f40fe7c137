// SPDX-License-Identifier: GPL-3.0-or-later
/* obi protocols - what is understood of each protocol, and what is not. */
#include <stdio.h>

#include "base/json.h"
#include "cmd/cmd.h"
#include "proto/proto.h"

static const char *const how_names[] = {
	[OP_PARSED] = "parsed",
	[OP_NAMED] = "named",
	[OP_UNKNOWN] = "unknown",
};

/* The first stage of the waterfall that can tell it. */
static int stage_of(const struct proto *p)
{
	return p->rules[0].len ? 1 : 2;
}

/* ---- text ---- */

static void text_ops(struct buf *b, const struct proto *p, int how)
{
	size_t column = 0;

	for (const struct proto_op *op = p->ops; op && op->name; op++) {
		size_t len = strlen(op->name);

		if ((int)op->how != how)
			continue;
		if (!column || column + len + 2 > 78) {
			buf_fmt(b, column ? ",\n  %-9s" : "  %-9s", column ? "" : how_names[how]);
			column = 11;
		} else {
			buf_z(b, ", ");
			column += 2;
		}
		buf_z(b, op->name);
		column += len;
	}
	if (column)
		buf_ch(b, '\n');
}

static void text_words(struct buf *b, const char *label, const char *words)
{
	size_t column = 11;

	if (!words || !*words)
		return;
	buf_fmt(b, "  %-9s", label);
	while (*words) {
		size_t len = strcspn(words, " ");

		if (column > 11 && column + len + 1 > 78) {
			buf_fmt(b, "\n%11s", "");
			column = 11;
		} else if (column > 11) {
			buf_ch(b, ' ');
			column++;
		}
		buf_add(b, words, len);
		column += len;
		words += len + strspn(words + len, " ");
	}
	buf_ch(b, '\n');
}

static void text(struct buf *b, const struct proto *p)
{
	buf_fmt(b, "%s  %s\n", p->name, p->title);
	if (p->over)
		buf_fmt(b, "  found    in %s\n", p->over);
	else
		buf_fmt(b, "  found    stage %d, %s\n", stage_of(p),
		        stage_of(p) == 1 ? "first bytes, in the kernel"
		                         : "first bytes of both sides");
	for (int how = OP_PARSED; how <= OP_UNKNOWN; how++)
		text_ops(b, p, how);
	text_words(b, "limits", p->limits);
	text_words(b, "untested", p->untested);
}

/* ---- JSON ---- */

static void json_ops(struct buf *b, const struct proto *p, int how)
{
	unsigned int n = 0;

	buf_fmt(b, ",\"ops_%s\":[", how_names[how]);
	for (const struct proto_op *op = p->ops; op && op->name; op++) {
		if ((int)op->how != how)
			continue;
		if (n++)
			buf_ch(b, ',');
		json_str(b, str_of(op->name));
	}
	buf_ch(b, ']');
}

static void json_words(struct buf *b, const char *key, const char *words)
{
	buf_fmt(b, ",\"%s\":", key);
	if (words)
		json_str(b, str_of(words));
	else
		buf_z(b, "null");
}

static void json(struct buf *b, enum proto_id id, const struct proto *p)
{
	unsigned int n = 0;

	buf_fmt(b, "{\"name\":\"%s\",", p->name);
	if (id)
		buf_fmt(b, "\"number\":%d,", (int)id);
	buf_z(b, "\"title\":");
	json_str(b, str_of(p->title));
	if (p->over)
		buf_fmt(b, ",\"over\":\"%s\",\"stage\":null,\"ports\":[", p->over);
	else
		buf_fmt(b, ",\"over\":null,\"stage\":%d,\"ports\":[", stage_of(p));
	for (size_t i = 0; i < sizeof(p->ports) / sizeof(p->ports[0]) && p->ports[i]; i++)
		buf_fmt(b, "%s%u", n++ ? "," : "", p->ports[i]);
	buf_ch(b, ']');
	for (int how = OP_PARSED; how <= OP_UNKNOWN; how++)
		json_ops(b, p, how);
	json_words(b, "limits", p->limits);
	json_words(b, "untested", p->untested);
	buf_z(b, "}\n");
}

static void print(struct buf *b, const struct options *o, enum proto_id id, const struct proto *p)
{
	if (o->form == FORM_JSON) {
		json(b, id, p);
		return;
	}
	if (b->len)
		buf_ch(b, '\n');
	text(b, p);
}

static int protocols_run(const struct options *o)
{
	const struct proto *l;
	struct buf b = { 0 };

	if (o->form != FORM_DEFAULT && o->form != FORM_TEXT && o->form != FORM_JSON)
		return usage_error("protocols", "-o wants text or json here.");
	for (enum proto_id id = 1; id < PROTO_MAX; id++) {
		const struct proto *p = proto_by_id(id);

		if (p)
			print(&b, o, id, p);
	}
	for (unsigned int i = 0; (l = proto_level(i)); i++)
		print(&b, o, PROTO_UNKNOWN, l);
	fwrite(b.p, 1, b.len, stdout);
	buf_free(&b);
	return STATUS_OK;
}

const struct cmd cmd_protocols = {
	.name = "protocols",
	.args = "[-o text|json]",
	.brief = "what is understood, per protocol",
	.examples = {
		{ "obi protocols", "what is parsed, what is only named, what is not seen" },
		{ "obi protocols -o json", "the same, one object a line" },
	},
	.run = protocols_run,
};
