/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_CMD_FILTER_EXPR_H
#define OBI_CMD_FILTER_EXPR_H

/*
 * filter_expr - the filter flags as one SQL expression over the columns of spans.
 *
 * Values of one flag are alternatives, different flags must all hold. Text from
 * the command line only ever becomes a quoted SQL literal; -F alone is SQL.
 */

#include "cmd/opts.h"

/*
 * *where: NULL where no flag filters, else from malloc. 0, or -EINVAL with words
 * in err (ERR_TEXT bytes).
 */
int filter_expr(const struct options *o, char **where, char *err);

#endif
