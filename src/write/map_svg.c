// SPDX-License-Identifier: GPL-3.0-or-later
/* map_svg - the service map as SVG: it needs no other file. */
#include "write/html.h"
#include "write/map_layout.h"

enum { NAME_CHARS = 22 };

/* Scoped: the picture may stand inside a page. */
static const char style[] =
	"<style>.map text{font:12px system-ui,sans-serif;fill:#222}"
	".map .t{font-size:15px;font-weight:600}.map .s{fill:#555;font-size:11px}"
	".map .b{fill:#f6f8fa;stroke:#57606a}.map .bad{stroke:#b42318;stroke-width:2}"
	".map .e{fill:none;stroke:#8c959f}.map .x{stroke:#b42318}"
	".map .l{fill:#fff;fill-opacity:.85}.map .bg{fill:#fff}"
	"@media(prefers-color-scheme:dark){.map text{fill:#e6edf3}.map .s{fill:#9da7b3}"
	".map .b{fill:#161b22;stroke:#9da7b3}.map .l{fill:#0d1117}.map .bg{fill:#0d1117}}"
	"</style>";

static void number(struct buf *b, const char *name, double v, const char *unit)
{
	if (isnan(v))
		return;
	buf_fmt(b, "%s%.*f%s", name, v < 10 ? 2 : v < 100 ? 1 : 0, v, unit);
}

/* "12.3/s  err 2.6%  p95 88 ms" */
static void figures(struct buf *b, const struct map_edge *e)
{
	if (isnan(e->rate))
		buf_fmt(b, "%llu", (unsigned long long)e->count);
	else
		number(b, "", e->rate, "/s");
	if (e->errors)
		number(b, "  err ", 100.0 * (double)e->errors / (double)e->count, "%");
	number(b, "  p95 ", e->p95_ms, " ms");
}

/* All of it, for who points at the line. */
static void all_of(struct buf *b, const struct map_edge *e)
{
	buf_z(b, "<title>");
	html_text(b, e->from);
	buf_z(b, " \xe2\x86\x92 ");
	html_text(b, e->to);
	buf_z(b, " (");
	html_text(b, e->proto);
	buf_fmt(b, "): %llu requests, %llu failed", (unsigned long long)e->count,
	        (unsigned long long)e->errors);
	number(b, ", ", e->rate, "/s");
	number(b, ", p50 ", e->p50_ms, " ms");
	number(b, ", p95 ", e->p95_ms, " ms");
	buf_z(b, "</title>");
}

static void curve(struct buf *b, double x, double y, double to_x, double to_y)
{
	double bend = (to_x - x) / 2;

	buf_fmt(b, "C%.0f %.0f %.0f %.0f %.0f %.0f", x + bend, y, to_x - bend, to_y, to_x, to_y);
}

static void draw_path(struct buf *b, const struct map_layout *l, const struct map_line *e)
{
	const struct map_node *from = &l->nodes[e->from], *to = &l->nodes[e->to];
	double x = from->x + MAP_BOX_W, y = from->y;

	buf_fmt(b, "M%.0f %.0f", x, y);
	if (e->back) { /* round below */
		buf_fmt(b, "C%.0f %.0f %.0f %.0f %.0f %.0f", x + 60, y, x + 60, e->label_y,
		        e->label_x, e->label_y);
		buf_fmt(b, "C%.0f %.0f %.0f %.0f %.0f %.0f", to->x - 60, e->label_y, to->x - 60,
		        to->y, to->x - 3, to->y);
		return;
	}
	for (unsigned int i = 0; i < e->nvia; i++) {
		const struct map_node *p = &l->nodes[e->via[i]];

		curve(b, x, y, p->x, p->y);
		buf_fmt(b, "L%.0f %.0f", p->x + MAP_BOX_W, p->y);
		x = p->x + MAP_BOX_W;
		y = p->y;
	}
	curve(b, x, y, to->x - 3, to->y);
}

static void draw_line(struct buf *b, const struct map_layout *l, const struct map_line *e)
{
	double share = e->edge->count ? (double)e->edge->errors / (double)e->edge->count : 0;
	double width = 1 + log10(1 + (double)e->edge->count) / 1.5;

	buf_fmt(b, "<g>");
	all_of(b, e->edge);
	buf_fmt(b, "<path class=\"e%s\" stroke-width=\"%.1f\"%s marker-end=\"url(#a)\" d=\"",
	        share > 0.01 ? " x" : "", width, share > 0.01 ? " stroke-dasharray=\"7 3\"" : "");
	draw_path(b, l, e);
	buf_z(b, "\"/></g>\n");
}

static void draw_label(struct buf *b, const struct map_line *e)
{
	struct buf text = { 0 };
	double w;

	figures(&text, e->edge);
	w = (double)(text.len > e->edge->proto.len ? text.len : e->edge->proto.len) * 6 + 8;
	buf_z(b, "<g>");
	all_of(b, e->edge);
	buf_fmt(b,
	        "<rect class=\"l\" x=\"%.0f\" y=\"%.0f\" width=\"%.0f\" height=\"25\" rx=\"3\"/>",
	        e->label_x - w / 2, e->label_y - 13, w);
	buf_fmt(b, "<text text-anchor=\"middle\" x=\"%.0f\" y=\"%.0f\">", e->label_x,
	        e->label_y - 2);
	html_short(b, e->edge->proto, 24);
	buf_fmt(b, "</text><text class=\"s\" text-anchor=\"middle\" x=\"%.0f\" y=\"%.0f\">",
	        e->label_x, e->label_y + 10);
	buf_str(b, buf_slice(&text));
	buf_z(b, "</text></g>\n");
	buf_free(&text);
}

static void draw_node(struct buf *b, const struct map_node *n)
{
	bool bad = n->in && (double)n->errors / (double)n->in > 0.01;

	buf_z(b, "<g><title>");
	html_text(b, n->name);
	buf_fmt(b,
	        "</title><rect class=\"b%s\" x=\"%.0f\" y=\"%.0f\" width=\"%d\" height=\"%d\""
	        " rx=\"6\"/>",
	        bad ? " bad" : "", n->x, n->y - MAP_BOX_H / 2.0, MAP_BOX_W, MAP_BOX_H);
	buf_fmt(b, "<text text-anchor=\"middle\" x=\"%.0f\" y=\"%.0f\">", n->x + MAP_BOX_W / 2.0,
	        n->y - 2);
	html_short(b, n->name, NAME_CHARS);
	buf_fmt(b, "</text><text class=\"s\" text-anchor=\"middle\" x=\"%.0f\" y=\"%.0f\">",
	        n->x + MAP_BOX_W / 2.0, n->y + 14);
	if (n->in)
		buf_fmt(b, "%llu requests%s", (unsigned long long)n->in, bad ? ", errors" : "");
	buf_z(b, "</text></g>\n");
}

void map_svg(struct buf *out, const struct map_edge *edges, size_t n, const char *title)
{
	struct map_layout l;

	if (map_layout(&l, edges, n)) {
		out->failed = true;
		map_layout_free(&l);
		return;
	}
	buf_fmt(out,
	        "<svg class=\"map\" xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\""
	        " viewBox=\"0 0 %.0f %.0f\" role=\"img\">%s\n"
	        "<defs><marker id=\"a\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"9\""
	        " markerHeight=\"9\" markerUnits=\"userSpaceOnUse\" orient=\"auto\">"
	        "<path d=\"M0 0L8 4L0 8z\" fill=\"#57606a\"/></marker></defs>\n"
	        "<rect class=\"bg\" width=\"100%%\" height=\"100%%\"/>"
	        "<text class=\"t\" x=\"24\" y=\"30\">",
	        l.width, l.height, l.width, l.height, style);
	html_text(out, str_of(title));
	if (l.left_out)
		buf_fmt(out, " (%zu calls have no room here)", l.left_out);
	buf_z(out, "</text>\n");
	for (size_t i = 0; i < l.nlines; i++)
		draw_line(out, &l, &l.lines[i]);
	for (size_t i = 0; i < l.services; i++)
		draw_node(out, &l.nodes[i]);
	for (size_t i = 0; i < l.nlines; i++)
		draw_label(out, &l.lines[i]);
	buf_z(out, "</svg>\n");
	map_layout_free(&l);
}
