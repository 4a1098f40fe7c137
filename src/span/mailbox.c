// SPDX-License-Identifier: GPL-3.0-or-later
/* mailbox - takes the names of people out of addresses of mail; the domain stays. */
#include "span/mailbox.h"

void mailbox_add(struct buf *b, struct str address)
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

void mailbox_add_json(struct buf *b, struct str s)
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
