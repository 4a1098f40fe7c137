/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_SPAN_HEADER_H
#define OBI_SPAN_HEADER_H

/*
 * header - the header fields that --header asks for, as attributes by the
 * semantic conventions: http.request.header.NAME, http.response.header.NAME,
 * and of a call rpc.request.metadata.NAME, rpc.response.metadata.NAME, trailers
 * included. Each is a list, a value for every field of that name.
 */

#include "span/req.h"

/*
 * Whether a field of this name is asked for: in any case, by one of the names,
 * each of which may be several with commas between them; * stands for any
 * characters, ? for one.
 */
bool header_wanted(const struct header_names *names, struct str name);

/* Adds what is asked for of a head to the attributes; a name that is there already keeps its values. */
void header_attrs(struct req *r, const struct header_names *names, enum dir d, struct str lines);

#endif
