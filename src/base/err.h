/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_BASE_ERR_H
#define OBI_BASE_ERR_H

/*
 * err - messages on their way to the one who prints.
 *
 * Only cmd/ and ui/ print. Code in src/ returns -errno and says in words what
 * failed either in the caller's `err` text (err_set) or, where no caller waits
 * (a thread, a degraded probe), to the sink (warn).
 */

#include <stddef.h>

enum level { LEVEL_ERROR, LEVEL_WARN, LEVEL_NOTE, LEVEL_DEBUG };

typedef void (*err_sink)(void *ctx, enum level level, const char *text);

/* Where warn() goes; NULL: nowhere. Set once, before threads start. */
void err_set_sink(err_sink fn, void *ctx);

/* One line without newline. Any thread. */
void warn(enum level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

enum { ERR_TEXT = 512 };

/* Formats into err (ERR_TEXT bytes, may be NULL) and returns -error. */
int err_set(char *err, int error, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
