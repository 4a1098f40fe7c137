/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_CMD_USAGE_H
#define OBI_CMD_USAGE_H

/*
 * usage - help texts, made from the tables of commands and flags.
 */

#include "base/str.h"
#include "cmd/cmd.h"

void usage_program(struct buf *b);                     /* `obi help` */
void usage_screen(struct buf *b, const struct cmd *c); /* -h: fits 24 lines of 80 columns */
void usage_full(struct buf *b, const struct cmd *c);   /* --help: every flag */

/* The generated sections of man/obi-CMD.1 (SYNOPSIS, OPTIONS, EXAMPLES), in roff. */
void usage_man(struct buf *b, const struct cmd *c);

/* "-p, --pid PID[,PID]" */
void usage_flag(struct buf *b, const struct opt *o);

#endif
