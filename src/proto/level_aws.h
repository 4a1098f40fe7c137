/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_PROTO_LEVEL_AWS_H
#define OBI_PROTO_LEVEL_AWS_H

/* level_aws - what its files share. */

#include "proto/level.h"

/* ---- level_aws_s3.c ---- */
/* The operation, bucket and key of a request to S3. */
void level_aws_s3(const struct http1_head *h, struct str path, struct str params, struct msg *out);

#endif
