/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_PROTO_GRPC_H
#define OBI_PROTO_GRPC_H

/* grpc - status codes of gRPC, and what other layers' codes become in it. */

#include "proto/proto.h"

enum { GRPC_OK = 0, GRPC_CANCELLED = 1, GRPC_UNKNOWN = 2, GRPC_CODES = 17 };

/* "DEADLINE_EXCEEDED"; NULL where there is no such code. */
const char *grpc_status_name(uint32_t code);
uint32_t grpc_from_http(int32_t status);       /* of an answer without grpc-status */
uint32_t grpc_from_reset(uint32_t http2_code); /* of a stream that was reset */

/* The end of a call: status, error, attributes. */
void grpc_fill_status(uint32_t code, struct msg *out);

/*
 * What a Content-Type says: GRPC_NO, or which framing the body has. GRPC_MAYBE is
 * for a stream whose Content-Type is not known.
 */
enum grpc_kind { GRPC_NO, GRPC_PLAIN, GRPC_WEB, GRPC_WEB_TEXT, GRPC_MAYBE };
enum grpc_kind grpc_kind_of(struct str content_type);

/* The fields of a gRPC-Web trailer, "grpc-status: 0\r\n...": its status, -1: none. */
int32_t grpc_web_status(struct str trailer, struct str *message);

#endif
