// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * proto - the table of protocols, and which of them a connection speaks.
 *
 * Detection is a waterfall: whoever is certain (SURE_YES) wins at once, in the
 * order of protos.def; a mere likelihood counts only after several messages. The
 * kernel's answer and the port move a protocol to the front of that order and do
 * no more: a service may listen anywhere.
 */
#include "proto/proto.h"

#define PROTO(NUM, NAME, file) extern const struct proto proto_##file;
#include "proto/protos.def"
#undef PROTO

static const struct proto *const table[PROTO_MAX] = {
#define PROTO(NUM, NAME, file) [NUM] = &proto_##file,
#include "proto/protos.def"
#undef PROTO
};

static const enum proto_id order[] = {
#define PROTO(NUM, NAME, file) PROTO_##NAME,
#include "proto/protos.def"
#undef PROTO
};

enum { PROTO_COUNT = sizeof(order) / sizeof(*order), LIKELY_MESSAGES = 3 };

static const struct {
	const char *key;
	enum { ATTR_TEXT, ATTR_INT, ATTR_LIST, ATTR_TRUTH } type;
} attrs[ATTR_MAX] = {
#define ATTR(ID, key, type, help) [ATTR_##ID] = { key, type },
#include "proto/attrs.def"
#undef ATTR
};

const char *attr_name(enum attr a)
{
	return attrs[a].key;
}

bool attr_is_int(enum attr a)
{
	return attrs[a].type == ATTR_INT;
}

bool attr_is_list(enum attr a)
{
	return attrs[a].type == ATTR_LIST;
}

bool attr_is_truth(enum attr a)
{
	return attrs[a].type == ATTR_TRUTH;
}

const struct proto *proto_by_id(enum proto_id id)
{
	return (unsigned int)id < PROTO_MAX ? table[id] : NULL;
}

enum proto_id proto_by_name(struct str name)
{
	for (size_t i = 0; i < PROTO_COUNT; i++)
		if (str_is(name, table[order[i]]->name))
			return order[i];
	return PROTO_UNKNOWN;
}

static bool usual_port(const struct proto *p, uint16_t port)
{
	for (size_t i = 0; port && i < sizeof(p->ports) / sizeof(*p->ports); i++)
		if (p->ports[i] == port)
			return true;
	return false;
}

/* Ports that the system gives out by itself (net.ipv4.ip_local_port_range). */
static bool ephemeral(uint16_t port)
{
	return port >= 32768;
}

/* A usual port is the server's, and one that is not given out rather than one that is. */
static bool better_server(const struct proto *p, uint16_t port, uint16_t other)
{
	if (usual_port(p, port) != usual_port(p, other))
		return usual_port(p, port);
	return ephemeral(other) && !ephemeral(port);
}

/*
 * One protocol's verdict. Where the roles are unknown and both ways fit equally
 * well, the ports decide.
 */
static struct verdict ask(enum proto_id id, const struct first *ab, const struct first *ba,
                          int a_is_client)
{
	const struct proto *p = table[id];
	struct verdict v = { .id = id, .sure = SURE_NO };
	enum sure swapped;

	if (a_is_client)
		v.sure = p->detect(ab);
	if (a_is_client > 0)
		return v;
	swapped = p->detect(ba);
	if (!a_is_client || swapped > v.sure ||
	    (swapped == v.sure && better_server(p, ba->port, ab->port)))
		v = (struct verdict){ .id = id, .sure = swapped, .swapped = true };
	return v;
}

/* The protocols in the order in which they are asked: the hint, those of the port, the others. */
static void candidates(enum proto_id *to, enum proto_id hint, uint16_t a_port, uint16_t b_port)
{
	enum proto_id others[PROTO_COUNT];
	size_t n = 0, nothers = 0;

	for (size_t i = 0; i < PROTO_COUNT; i++)
		if (order[i] == hint)
			to[n++] = hint;
	for (size_t i = 0; i < PROTO_COUNT; i++) {
		const struct proto *p = table[order[i]];

		if (order[i] == hint)
			continue;
		if (usual_port(p, a_port) || usual_port(p, b_port))
			to[n++] = order[i];
		else
			others[nothers++] = order[i];
	}
	memcpy(to + n, others, nothers * sizeof(*to));
}

struct verdict proto_detect_datagram(struct cur in, uint16_t a_port, uint16_t b_port)
{
	struct verdict best = { .id = PROTO_UNKNOWN, .sure = SURE_NO };
	enum proto_id asked[PROTO_COUNT];

	candidates(asked, PROTO_UNKNOWN, a_port, b_port);
	for (size_t i = 0; i < PROTO_COUNT && best.sure < SURE_YES; i++) {
		const struct proto *p = table[asked[i]];
		enum dir sender = DIR_REQ;
		enum sure sure = p->is_datagram ? p->is_datagram(in, &sender) : SURE_NO;

		if (sure > best.sure && sure >= SURE_LIKELY)
			best = (struct verdict){ asked[i], sure, sender == DIR_RESP };
	}
	return best;
}

struct verdict proto_detect(struct cur a, struct cur b, int a_is_client, enum proto_id hint,
                            unsigned int messages, bool from_start, uint16_t a_port,
                            uint16_t b_port)
{
	struct first ab = { .req = a,
		            .resp = b,
		            .messages = messages,
		            .port = b_port,
		            .from_start = from_start,
		            .roles_known = a_is_client >= 0 };
	struct first ba = { .req = b,
		            .resp = a,
		            .messages = messages,
		            .port = a_port,
		            .from_start = from_start,
		            .roles_known = a_is_client >= 0 };
	struct verdict best = { .id = PROTO_UNKNOWN, .sure = SURE_NO };
	enum proto_id asked[PROTO_COUNT];

	candidates(asked, hint, a_port, b_port);
	for (size_t i = 0; i < PROTO_COUNT; i++) {
		struct verdict v = ask(asked[i], &ab, &ba, a_is_client);

		if (v.sure == SURE_LIKELY && messages < LIKELY_MESSAGES)
			v.sure = SURE_MAYBE;
		if (v.sure > best.sure)
			best = v;
		if (best.sure == SURE_YES)
			break;
	}
	if (best.sure < SURE_LIKELY) {
		best.id = PROTO_UNKNOWN;
		best.swapped = false;
	}
	return best;
}
