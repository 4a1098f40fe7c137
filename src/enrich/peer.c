// SPDX-License-Identifier: GPL-3.0-or-later
/* peer - the other side of a span as one text, for grouping. */
#include "enrich/peer.h"

static void fill_peer(struct span *row, struct batch *b)
{
	struct str host = row->peer_name.s ? row->peer_name : row->peer_ip;
	struct buf text = { 0 };
	bool bracket;

	if (row->peer.s || !host.s)
		return;
	if (row->peer_port == COL_NULL || str_is(row->kind, "server")) {
		row->peer = host;
		return;
	}
	bracket = memchr(host.s, ':', host.len);
	buf_fmt(&text, "%s%.*s%s:", bracket ? "[" : "", STR_ARG(host), bracket ? "]" : "");
	buf_i64(&text, row->peer_port);
	if (!text.failed)
		row->peer = batch_text(b, buf_slice(&text));
	buf_free(&text);
}

/* Client and producer spans begin here, server and consumer spans at the other side. */
static bool begins_here(const struct span *row)
{
	return str_is(row->kind, "client") || str_is(row->kind, "producer");
}

void peer_fill(struct span *row, struct batch *b)
{
	fill_peer(row, b);
	if (row->caller.s || !row->kind.s || str_is(row->kind, "internal"))
		return;
	if (begins_here(row))
		row->caller = row->process;
	else
		row->caller = row->peer_process.s ? row->peer_process : row->peer;
}
