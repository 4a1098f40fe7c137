// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * grpc - gRPC and gRPC-Web over HTTP/2.
 *
 * What is gRPC's own: its status codes, and how those of HTTP and of a reset
 * stream map to them (grpc/grpc, doc/statuscodes.md, doc/http-grpc-status-mapping.md,
 * PROTOCOL-HTTP2.md). The messages of a connection are read by http2, which marks
 * those of calls; names and errors follow the semantic conventions for RPC: a
 * client's call fails with every status but OK, a server's only with those that
 * say that the server is at fault.
 */
#include "proto/grpc.h"

static const char *const names[GRPC_CODES] = {
	"OK",
	"CANCELLED",
	"UNKNOWN",
	"INVALID_ARGUMENT",
	"DEADLINE_EXCEEDED",
	"NOT_FOUND",
	"ALREADY_EXISTS",
	"PERMISSION_DENIED",
	"RESOURCE_EXHAUSTED",
	"FAILED_PRECONDITION",
	"ABORTED",
	"OUT_OF_RANGE",
	"UNIMPLEMENTED",
	"INTERNAL",
	"UNAVAILABLE",
	"DATA_LOSS",
	"UNAUTHENTICATED",
};

enum {
	DEADLINE_EXCEEDED = 4,
	PERMISSION_DENIED = 7,
	RESOURCE_EXHAUSTED = 8,
	UNIMPLEMENTED = 12,
	INTERNAL = 13,
	UNAVAILABLE = 14,
	DATA_LOSS = 15,
	UNAUTHENTICATED = 16,
};

const char *grpc_status_name(uint32_t code)
{
	return code < GRPC_CODES ? names[code] : NULL;
}

uint32_t grpc_from_http(int32_t status)
{
	switch (status) {
	case 400:
		return INTERNAL;
	case 401:
		return UNAUTHENTICATED;
	case 403:
		return PERMISSION_DENIED;
	case 404:
		return UNIMPLEMENTED;
	case 429:
	case 502:
	case 503:
	case 504:
		return UNAVAILABLE;
	default:
		return GRPC_UNKNOWN;
	}
}

uint32_t grpc_from_reset(uint32_t http2_code)
{
	switch (http2_code) {
	case 0x7: /* REFUSED_STREAM */
		return UNAVAILABLE;
	case 0x8: /* CANCEL */
		return GRPC_CANCELLED;
	case 0xb: /* ENHANCE_YOUR_CALM */
		return RESOURCE_EXHAUSTED;
	case 0xc: /* INADEQUATE_SECURITY */
		return PERMISSION_DENIED;
	default:
		return INTERNAL;
	}
}

static bool servers_fault(uint32_t code)
{
	return code == GRPC_UNKNOWN || code == DEADLINE_EXCEEDED || code == UNIMPLEMENTED ||
	       code == INTERNAL || code == UNAVAILABLE || code == DATA_LOSS;
}

void grpc_fill_status(uint32_t code, struct msg *out)
{
	static const char digits[] = "012345678910111213141516";
	struct str name = str_of(grpc_status_name(code));

	if (!name.s)
		return;
	out->status = (struct str){ digits + (code < 10 ? code : 10 + 2 * (code - 10)),
		                    code < 10 ? 1 : 2 };
	out->code = (int32_t)code;
	out->error = code != GRPC_OK;
	out->server_error = servers_fault(code);
	if (out->error)
		out->error_type = name;
	msg_attr(out, ATTR_RPC_STATUS, name);
}

/* "application/grpc", with "+proto" or parameters behind it; "-web", "-web-text". */
enum grpc_kind grpc_kind_of(struct str type)
{
	static const struct {
		const char *prefix;
		enum grpc_kind kind;
	} kinds[] = {
		{ "application/grpc-web-text", GRPC_WEB_TEXT },
		{ "application/grpc-web", GRPC_WEB },
		{ "application/grpc", GRPC_PLAIN },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		size_t n = strlen(kinds[i].prefix);

		if (str_istarts(type, kinds[i].prefix) &&
		    (type.len == n || (type.s[n] && strchr("+; ", type.s[n]))))
			return kinds[i].kind;
	}
	return GRPC_NO;
}

int32_t grpc_web_status(struct str trailer, struct str *message)
{
	struct cur c = cur_of(trailer.s, trailer.len);
	int32_t status = -1;

	while (cur_left(&c)) {
		struct cur mark = c;
		struct str line = cur_line(&c), value;
		const char *colon;
		uint64_t n;

		if (c.over) {
			line = cur_rest(&mark, SIZE_MAX);
			c = mark;
		}
		colon = line.len ? memchr(line.s, ':', line.len) : NULL;
		if (!colon)
			continue;
		value = str_trim(
			(struct str){ colon + 1, line.len - 1 - (size_t)(colon - line.s) });
		line.len = (size_t)(colon - line.s);
		if (str_iis(line, "grpc-status") && str_u64(value, &n) && n < GRPC_CODES)
			status = (int32_t)n;
		else if (str_iis(line, "grpc-message"))
			*message = value;
	}
	return status;
}

/* ---- the table entry: found and read by http2 ---- */

static enum sure grpc_detect(const struct first *f)
{
	(void)f;
	return SURE_NO;
}

static enum parse grpc_parse(void *state, enum dir dir, struct cur *in, struct msg *out)
{
	(void)state, (void)dir, (void)in, (void)out;
	return PARSE_BAD;
}

static const uint8_t *grpc_resync(void *state, enum dir dir, struct cur in)
{
	(void)state, (void)dir, (void)in;
	return NULL;
}

static const struct proto_op ops[] = {
	{ "unary", OP_PARSED },
	{ "client streaming", OP_PARSED },
	{ "server streaming", OP_PARSED },
	{ "bidirectional streaming", OP_PARSED },
	{ "trailers-only answer", OP_PARSED },
	{ "cancellation", OP_PARSED },
	{ "grpc-web (binary)", OP_PARSED },
	{ "grpc-web-text", OP_NAMED },
	{ "message contents", OP_UNKNOWN },
	{ NULL, OP_UNKNOWN },
};

const struct proto proto_grpc = {
	.name = "grpc",
	.title = "gRPC and gRPC-Web over HTTP/2",
	.system = "grpc",
	.limits = "found as http2, told apart by the Content-Type of the call; a cancelled call "
		  "has the status CANCELLED, whatever made the client cancel it; gRPC-Web over "
		  "HTTP/1.1 is shown as http",
	.ops = ops,
	.over = "http2",
	.family = FAMILY_RPC,
	.detect = grpc_detect,
	.parse = grpc_parse,
	.resync = grpc_resync,
};
