/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_READ_JSON_ATTR_H
#define OBI_READ_JSON_ATTR_H

/* json_attr - attributes and their values of OTLP in JSON. */

#include <sys/types.h>

#include "read/otlp.h"

/* A key as the specification writes it, or the same in snake case. */
bool json_attr_key_is(struct str key, const char *camel);

/* Looks up a member of the object that `j` has just opened; at its value in *at. */
bool json_attr_find(struct json j, const char *key, struct json *at);

/* Bytes written to out (at most 3/4 of the text, rounded up); -1: no base64. */
ssize_t json_attr_base64(struct str s, uint8_t *out);

/* The array of {"key", "value"} that follows: each to the decoder. */
void json_attr_list(struct json *j, struct otlp_dec *d);

/* The array that was just opened, of {"key", "value"}: appended to d->nested as JSON object. */
void json_attr_object(struct json *j, struct otlp_dec *d);

#endif
