// SPDX-License-Identifier: GPL-3.0-or-later
/* people - takes the names of people out of mail and directories. */
#include "span/people.h"

/* ---- mail ---- */

/* An address, or a name alone: "?@example.org", "?". */
static void add_mailbox(struct buf *b, struct str address)
{
	const char *at = address.len ? memrchr(address.s, '@', address.len) : NULL;

	if (address.len)
		buf_ch(b, '?');
	if (at)
		buf_add(b, at, (size_t)(address.s + address.len - at));
}

/* What stands in front of the @ without quotes (RFC 5321, 4.1.2), UTF-8 too. */
static bool is_local(char ch)
{
	char folded = (char)(ch | 0x20);

	return (folded >= 'a' && folded <= 'z') || (ch >= '0' && ch <= '9') || ch & 0x80 ||
	       (ch && strchr("!#$%&'*+-/=?^_`|~.", ch));
}

/* Where the local part begins that ends at s.s[at]: \"in quotes\", or without. */
static size_t local_part(struct str s, size_t at)
{
	size_t i = at;

	if (i > 1 && s.s[i - 1] == '"' && s.s[i - 2] == '\\') {
		for (i -= 2; i && s.s[i - 1] != '"'; i--)
			;
		return i > 1 && s.s[i - 2] == '\\' ? i - 2 : i;
	}
	while (i && is_local(s.s[i - 1]))
		i--;
	return i;
}

/* Length of "<name>" at s.s[at]; 0: there is none. */
static size_t bracketed(struct str s, size_t at)
{
	size_t i = at + 1;

	while (i < s.len && is_local(s.s[i]))
		i++;
	return s.s[at] == '<' && i > at + 1 && i < s.len && s.s[i] == '>' ? i + 1 - at : 0;
}

/* The text of JSON with `?` in front of each @ and for each <name>. */
static void add_mailboxes(struct buf *b, struct str s)
{
	size_t done = 0;

	for (size_t at = 0; at < s.len; at++) {
		size_t from = s.s[at] == '@' ? local_part(s, at) : at, name = bracketed(s, at);

		if (name) {
			buf_add(b, s.s + done, at - done);
			buf_z(b, "<?>");
			done = at + name;
		} else if (from < at && from >= done) {
			buf_add(b, s.s + done, from - done);
			buf_ch(b, '?');
			done = at;
		}
	}
	buf_add(b, s.s + done, s.len - done);
}

/* ---- directories ---- */

/* Types whose values name no person (RFC 4519). */
static bool names_nobody(struct str type)
{
	static const char *const types[] = { "dc", "ou", "o", "c", "l", "st", "objectClass" };

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (str_iis(type, types[i]))
			return true;
	return false;
}

/* "uid=ann,ou=people,dc=example": "uid=?,ou=people,dc=example" (RFC 4514) */
static void add_dn(struct buf *b, struct str s)
{
	if (!memchr(s.s, '=', s.len)) { /* another way to say who: ann@example.org */
		add_mailbox(b, s);
		return;
	}
	while (s.len) {
		const char *equals = memchr(s.s, '=', s.len);
		struct str type = { s.s, equals ? (size_t)(equals - s.s) : s.len };
		size_t end = type.len + (equals != NULL), from = end;

		while (end < s.len && !strchr(",+;", s.s[end]))
			end += s.s[end] == '\\' && end + 1 < s.len ? 2 : 1;
		buf_add(b, s.s, from);
		if (equals && !names_nobody(str_trim(type)))
			buf_ch(b, '?');
		else
			buf_add(b, s.s + from, end - from);
		if (end < s.len)
			buf_ch(b, s.s[end++]);
		s = (struct str){ s.s + end, s.len - end };
	}
}

/* Length of the text of JSON that begins here, without the quote at its end. */
static size_t json_text(struct str s)
{
	size_t i = 0;

	while (i < s.len && s.s[i] != '"')
		i += s.s[i] == '\\' ? 2 : 1;
	return i < s.len ? i : s.len;
}

/* "(&(objectClass=person)(uid=a*))": "(&(objectClass=person)(uid=?*))" (RFC 4515) */
static void add_filter(struct buf *b, struct str s)
{
	struct str type = { s.s, 0 };

	for (size_t i = 0; i < s.len; i++) {
		size_t end = i + 1;

		buf_ch(b, s.s[i]);
		if (strchr("()&|!", s.s[i]) && s.s[i])
			type = (struct str){ s.s + end, 0 };
		else if (s.s[i] != '=')
			type.len++;
		if (s.s[i] != '=' || names_nobody(type))
			continue;
		for (; end < s.len && s.s[end] != ')'; end++) {
			if (s.s[end] == '*')
				buf_ch(b, '*');
			else if (s.s[end - 1] == '*' || end == i + 1)
				buf_ch(b, '?');
		}
		i = end - 1;
	}
}

/* The filter among the attributes. */
static void add_directory(struct buf *b, struct str s)
{
	static const char key[] = "\"obi.ldap.filter\":\"";
	const char *at = s.len ? memmem(s.s, s.len, key, sizeof(key) - 1) : NULL;
	size_t from = at ? (size_t)(at - s.s) + sizeof(key) - 1 : s.len;
	struct str rest = { s.s + from, s.len - from };
	size_t n = json_text(rest);

	buf_add(b, s.s, from);
	add_filter(b, (struct str){ rest.s, n });
	buf_add(b, rest.s + n, rest.len - n);
}

/* ---- rows ---- */

static void apply(struct str *field, struct batch *b, void (*add)(struct buf *b, struct str s))
{
	struct buf t = { 0 };

	if (!field->s || !field->len)
		return;
	add(&t, *field);
	if (!str_eq(*field, buf_slice(&t)))
		*field = batch_text(b, buf_slice(&t));
	buf_free(&t);
}

bool people_redact(struct span *row, struct batch *b)
{
	if (str_is(row->proto, "smtp")) {
		if (str_is(row->op, "MAIL") || str_is(row->op, "RCPT") || str_is(row->op, "VRFY") ||
		    str_is(row->op, "EXPN"))
			apply(&row->target, b, add_mailbox);
		apply(&row->attrs, b, add_mailboxes);
		return true;
	}
	if (!str_is(row->proto, "ldap"))
		return false;
	if (!str_is(row->op, "extended"))
		apply(&row->target, b, add_dn);
	apply(&row->attrs, b, add_directory);
	return true;
}
