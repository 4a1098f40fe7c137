/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_SPAN_SECRET_H
#define OBI_SPAN_SECRET_H

/* secret - names that mark a credential: of parameters, headers, attributes, members. */

#include "base/str.h"

/* Whether such a word is anywhere in the name, whatever its case. */
bool secret_name(struct str name);

#endif
