// SPDX-License-Identifier: GPL-3.0-or-later
/* map - the service map as a picture: DOT, a page around the SVG, and the choice by ending. */
#include "write/map.h"

#include <errno.h>

#include "base/err.h"
#include "base/own.h"
#include "write/html.h"

static void label(struct buf *b, const struct map_edge *e)
{
	struct buf text = { 0 };

	buf_str(&text, e->proto);
	if (!isnan(e->rate))
		buf_fmt(&text, "  %.2f/s", e->rate);
	buf_fmt(&text, "  %llu", (unsigned long long)e->count);
	if (e->errors)
		buf_fmt(&text, "  err %.2f%%", 100.0 * (double)e->errors / (double)e->count);
	if (!isnan(e->p95_ms))
		buf_fmt(&text, "  p95 %.3g ms", e->p95_ms);
	html_dot(b, buf_slice(&text));
	buf_free(&text);
}

void map_dot(struct buf *out, const struct map_edge *edges, size_t n, const char *title)
{
	buf_z(out, "digraph map {\n\trankdir=LR;\n\tnode [shape=box, style=rounded];\n\tlabel=");
	html_dot(out, str_of(title));
	buf_z(out, ";\n");
	for (size_t i = 0; i < n; i++) {
		buf_ch(out, '\t');
		html_dot(out, edges[i].from);
		buf_z(out, " -> ");
		html_dot(out, edges[i].to);
		buf_z(out, " [label=");
		label(out, &edges[i]);
		buf_z(out, edges[i].errors ? ", color=red];\n" : "];\n");
	}
	buf_z(out, "}\n");
}

static void cell(struct buf *out, double v)
{
	if (isnan(v))
		buf_z(out, "<td>-</td>");
	else
		buf_fmt(out, "<td>%.3f</td>", v);
}

static void row(struct buf *out, const struct map_edge *e)
{
	buf_z(out, "<tr><td>");
	html_text(out, e->from);
	buf_z(out, "</td><td>");
	html_text(out, e->to);
	buf_z(out, "</td><td>");
	html_text(out, e->proto);
	buf_fmt(out, "</td><td>%llu</td><td>%llu</td>", (unsigned long long)e->count,
	        (unsigned long long)e->errors);
	cell(out, e->rate);
	cell(out, e->p50_ms);
	cell(out, e->p95_ms);
	buf_z(out, "</tr>\n");
}

void map_table(struct buf *out, const struct map_edge *edges, size_t n)
{
	buf_z(out, "<table id=\"calls\"><tr><th>from<th>to<th>protocol<th>requests<th>failed"
	           "<th>per s<th>p50 ms<th>p95 ms</tr>\n");
	for (size_t i = 0; i < n; i++)
		row(out, &edges[i]);
	buf_z(out, "</table>\n");
}

void map_html(struct buf *out, const struct map_edge *edges, size_t n, const char *title)
{
	buf_z(out, "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">\n<title>");
	html_text(out, str_of(title));
	buf_z(out, "</title>\n<style>body{font:14px system-ui,sans-serif;margin:1em}"
	           "table{border-collapse:collapse}td,th{padding:2px 10px;text-align:right}"
	           "td:nth-child(-n+3),th:nth-child(-n+3){text-align:left}"
	           "tr:nth-child(even){background:#8881}</style>\n");
	map_svg(out, edges, n, title);
	map_table(out, edges, n);
	buf_z(out, "</html>\n");
}

static const struct {
	const char *ending;
	void (*draw)(struct buf *out, const struct map_edge *edges, size_t n, const char *title);
} kinds[] = {
	{ ".svg", map_svg },
	{ ".dot", map_dot },
	{ ".html", map_html },
};

static int kind_of(const char *path)
{
	size_t len = strlen(path);

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		size_t n = strlen(kinds[i].ending);

		if (len > n && !strcmp(path + len - n, kinds[i].ending))
			return (int)i;
	}
	return -1;
}

bool map_knows(const char *path)
{
	return kind_of(path) >= 0;
}

int map_export(const char *path, const struct map_edge *edges, size_t n, const char *title,
               char *err)
{
	struct buf out = { 0 };
	int e, kind = kind_of(path);

	if (kind < 0)
		return err_set(err, EINVAL, "%s: unknown ending; use .svg, .dot, .html", path);
	kinds[kind].draw(&out, edges, n, title);
	e = out.failed ? -ENOMEM : own_write(path, buf_slice(&out));
	buf_free(&out);
	return e ? err_set(err, -e, "cannot write %s: %s", path, strerror(-e)) : 0;
}
