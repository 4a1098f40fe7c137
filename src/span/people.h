/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_SPAN_PEOPLE_H
#define OBI_SPAN_PEOPLE_H

/*
 * people - takes the names of people out of mail and directories: what stands in front
 * of an @, the values in names and filters of LDAP that are no part of an organisation.
 */

#include "span/batch.h"

/* False: the span is of neither. */
bool people_redact(struct span *row, struct batch *b);

#endif
