// SPDX-License-Identifier: GPL-3.0-or-later
/* ldap_req - requests of LDAP. */
#include "proto/ldap.h"

const char *ldap_request_name(uint8_t op)
{
	switch (op) {
	case LDAP_BIND:
		return "bind";
	case LDAP_UNBIND:
		return "unbind";
	case LDAP_SEARCH:
		return "search";
	case LDAP_MODIFY:
		return "modify";
	case LDAP_ADD:
		return "add";
	case LDAP_DELETE:
		return "delete";
	case LDAP_RENAME:
		return "modifyDN";
	case LDAP_COMPARE:
		return "compare";
	case LDAP_ABANDON:
		return "abandon";
	case LDAP_EXTENDED:
		return "extended";
	}
	return NULL;
}

/* "mail,cn": types of attributes, as many as there is room for. */
static void add_type(struct ldap *s, size_t *n, struct str type)
{
	if (*n + type.len + 1 > LDAP_TYPES_LEN)
		return;
	if (*n)
		s->types[(*n)++] = ',';
	memcpy(s->types + *n, type.s, type.len);
	*n += type.len;
}

static void tell_types(struct ldap *s, size_t n, struct msg *out)
{
	if (n)
		msg_attr(out, ATTR_LDAP_ATTRIBUTES, (struct str){ s->types, n });
}

static bool bind_request(struct ldap *s, struct cur c, const struct ldap_head *h, struct msg *out)
{
	struct str mechanism;
	struct ber how;
	uint32_t version;

	if (!ber_number(&c, BER_INTEGER, &version) || !ber_text(&c, BER_OCTETS, &out->target) ||
	    !ber_take(&c, &how))
		return false;
	if (how.tag == BER_CONTEXT) { /* a password: never shown */
		mechanism = !how.len ? STR("anonymous") : STR("simple");
	} else {
		if (how.tag != BER_CONSTRUCTED + 3 || !ber_text(&how.in, BER_OCTETS, &mechanism))
			return false;
		s->sasl = h->id;
	}
	msg_attr(out, ATTR_LDAP_METHOD, mechanism);
	return true;
}

bool ldap_search(struct ldap *s, struct cur c, struct msg *out)
{
	static const char *const scopes[] = { "base", "one", "sub", "subordinate" };
	uint32_t scope, aliases, entries, seconds;
	struct cur types_only, list;
	struct str type;
	size_t n;

	if (!ber_text(&c, BER_OCTETS, &out->target) || !ber_number(&c, BER_ENUM, &scope) ||
	    !ber_number(&c, BER_ENUM, &aliases) || !ber_number(&c, BER_INTEGER, &entries) ||
	    !ber_number(&c, BER_INTEGER, &seconds) || !ber_want(&c, BER_BOOLEAN, &types_only) ||
	    scope >= sizeof(scopes) / sizeof(*scopes))
		return false;
	msg_attr(out, ATTR_LDAP_SCOPE, str_of(scopes[scope]));
	n = ldap_filter(&c, s->filter, sizeof(s->filter));
	if (!n)
		return false;
	msg_attr(out, ATTR_LDAP_FILTER, (struct str){ s->filter, n });
	if (!ber_want(&c, BER_SEQUENCE, &list))
		return false;
	for (n = 0; cur_left(&list);) {
		if (!ber_text(&list, BER_OCTETS, &type))
			return false;
		add_type(s, &n, type);
	}
	tell_types(s, n, out);
	return true;
}

/* Types of what is added; of what is changed they stand behind what is done to them. */
static bool change_request(struct ldap *s, struct cur c, bool add, struct msg *out)
{
	struct cur item, change;
	struct ber list;
	struct str type;
	uint32_t what;
	size_t n = 0;

	if (!ber_text(&c, BER_OCTETS, &out->target) || !ber_take(&c, &list) ||
	    list.tag != BER_SEQUENCE)
		return false;
	while (ber_want(&list.in, BER_SEQUENCE, &item)) {
		if (!add && (!ber_number(&item, BER_ENUM, &what) ||
		             !ber_want(&item, BER_SEQUENCE, &change)))
			return false;
		if (!ber_text(add ? &item : &change, BER_OCTETS, &type))
			return false;
		add_type(s, &n, type);
	}
	tell_types(s, n, out);
	return true;
}

static bool compare_request(struct ldap *s, struct cur c, struct msg *out)
{
	struct cur pair;
	struct str type;
	size_t n = 0;

	if (!ber_text(&c, BER_OCTETS, &out->target) || !ber_want(&c, BER_SEQUENCE, &pair) ||
	    !ber_text(&pair, BER_OCTETS, &type))
		return false;
	add_type(s, &n, type);
	tell_types(s, n, out);
	return true;
}

static struct str extension_name(struct str oid)
{
	static const char *const names[][2] = {
		{ "1.3.6.1.4.1.1466.20037", "StartTLS" },
		{ "1.3.6.1.4.1.4203.1.11.1", "PasswordModify" },
		{ "1.3.6.1.4.1.4203.1.11.3", "WhoAmI" },
		{ "1.3.6.1.1.8", "Cancel" },
		{ "1.3.6.1.4.1.1466.101.119.1", "Refresh" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (str_is(oid, names[i][0]))
			return str_of(names[i][1]);
	return oid;
}

static bool extended_request(struct ldap *s, struct cur c, const struct ldap_head *h,
                             struct msg *out)
{
	struct str oid;

	if (!ber_text(&c, BER_CONTEXT, &oid))
		return false;
	out->target = extension_name(oid);
	if (str_is(out->target, "StartTLS"))
		s->tls = h->id;
	return true;
}

/* It ends another request: without an answer, which nobody waits for any more. */
static bool abandon(struct ldap *s, struct cur c, struct msg *out)
{
	size_t n = cur_left(&c);

	if (!n || n > 4)
		return false;
	out->id = cur_be(&c, n);
	out->kind = MSG_RESP;
	out->flags |= MSG_F_GIVEUP;
	out->op = STR_NULL;
	out->status = STR("abandoned");
	s->gone[s->ngone++ % LDAP_GONE] = (uint32_t)out->id;
	return true;
}

bool ldap_request(struct ldap *s, struct cur c, const struct ldap_head *h, struct msg *out)
{
	out->kind = MSG_REQ;
	out->id = h->id;
	out->op = str_of(ldap_request_name(h->op));
	switch (h->op) {
	case LDAP_BIND:
		return bind_request(s, c, h, out);
	case LDAP_SEARCH:
		return ldap_search(s, c, out);
	case LDAP_ADD:
	case LDAP_MODIFY:
		return change_request(s, c, h->op == LDAP_ADD, out);
	case LDAP_COMPARE:
		return compare_request(s, c, out);
	case LDAP_RENAME:
		return ber_text(&c, BER_OCTETS, &out->target);
	case LDAP_DELETE:
		out->target = cur_rest(&c, cur_left(&c));
		return true;
	case LDAP_EXTENDED:
		return extended_request(s, c, h, out);
	case LDAP_ABANDON:
		return abandon(s, c, out);
	case LDAP_UNBIND:
		out->kind = MSG_ONEWAY;
		return !h->len;
	}
	return false;
}
