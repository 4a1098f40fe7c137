// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * ends - the two sockets of a connection whose ends are both on this host.
 *
 * They are found by their addresses, which are the same but for the direction,
 * once, when the second of them becomes known. Loopback addresses mean another
 * host in each network namespace; others are the same everywhere.
 */
#include <netinet/in.h>
#include <sys/socket.h>

#include "conn/table.h"

/* Where a socket is and where its other end is: address and port, or kernel address. */
struct end {
	uint64_t scope, local[3], remote[3];
};

static bool is_loopback(const uint8_t addr[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	static const uint8_t one[16] = { [15] = 1 };

	return !memcmp(addr, one, 16) || (!memcmp(addr, mapped, 12) && addr[12] == 127);
}

/* IPv4 as IPv6 shows it: one end may be the one, the other the other. */
static void inet_place(const struct ev_conn *e, const uint8_t *addr, uint16_t port,
                       uint8_t wide[16], uint64_t out[3])
{
	memset(wide, 0, 16);
	if (e->family == AF_INET6) {
		memcpy(wide, addr, 16);
	} else {
		wide[10] = wide[11] = 0xff;
		memcpy(wide + 12, addr, 4);
	}
	memcpy(out, wide, 16);
	out[2] = port;
}

/* False where the socket has no other end that could be found. */
static bool end_of(const struct conn *c, struct end *out)
{
	const struct ev_conn *e = &c->info;
	uint8_t here[16], there[16];

	*out = (struct end){ .scope = e->type };
	if (e->family == AF_UNIX) {
		out->local[0] = e->sock;
		out->remote[0] = e->peer;
		out->scope |= 1ull << 63;
		return e->sock && e->peer;
	}
	if (e->family != AF_INET && e->family != AF_INET6)
		return false;
	inet_place(e, e->laddr, e->lport, here, out->local);
	inet_place(e, e->raddr, e->rport, there, out->remote);
	if (is_loopback(here) || is_loopback(there))
		out->scope |= (uint64_t)e->netns << 16;
	return e->lport && e->rport;
}

static uint64_t key_of(const struct end *e)
{
	const uint64_t word[] = { e->local[0],  e->local[1],  e->local[2],
		                  e->remote[0], e->remote[1], e->remote[2] };
	uint64_t h = e->scope;

	for (size_t i = 0; i < sizeof(word) / sizeof(*word); i++) {
		h = (h ^ word[i]) * 0x9e3779b97f4a7c15;
		h ^= h >> 32;
	}
	return h;
}

static struct conn *find(const struct conns *t, const struct end *e)
{
	struct conn *c = hash_get(&t->ends, key_of(e));
	struct end found;

	return c && end_of(c, &found) && !memcmp(&found, e, sizeof(found)) ? c : NULL;
}

static struct end reversed(const struct end *e)
{
	struct end r = { .scope = e->scope };

	memcpy(r.local, e->remote, sizeof(r.local));
	memcpy(r.remote, e->local, sizeof(r.remote));
	return r;
}

void ends_drop(struct conns *t, struct conn *c)
{
	struct end e;
	uint64_t key;

	if (c->other_end)
		c->other_end->other_end = NULL;
	c->other_end = NULL;
	if (!c->have_info || !end_of(c, &e))
		return;
	key = key_of(&e);
	if (hash_get(&t->ends, key) == c)
		hash_del(&t->ends, key);
}

void ends_pid(struct conn *c)
{
	if (c->other_end && c->pid)
		c->other_end->peer_pid = c->pid;
}

void ends_add(struct conns *t, struct conn *c)
{
	struct end e, back;
	struct conn *old;

	if (!end_of(c, &e))
		return;
	/* Its place is taken: that socket is gone, and what was at its other end is no one's. */
	old = find(t, &e);
	if (old && old->other_end)
		ends_drop(t, old->other_end);
	back = reversed(&e);
	old = find(t, &back);
	if (old && !old->other_end) {
		old->other_end = c;
		c->other_end = old;
		ends_pid(c);
		ends_pid(old);
	}
	/* Without room the other end stays unknown. */
	(void)hash_set(&t->ends, key_of(&e), c);
}
