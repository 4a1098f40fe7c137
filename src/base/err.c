// SPDX-License-Identifier: GPL-3.0-or-later
/* err - messages on their way to the one who prints. */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>

/* The one exception to "no globals": set once before threads start. */
static err_sink sink_fn;
static void *sink_ctx;

void err_set_sink(err_sink fn, void *ctx)
{
	sink_fn = fn;
	sink_ctx = ctx;
}

void warn(enum level level, const char *fmt, ...)
{
	char text[ERR_TEXT];
	va_list ap;

	if (!sink_fn)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	sink_fn(sink_ctx, level, text);
}

int err_set(char *err, int error, const char *fmt, ...)
{
	va_list ap;

	if (err) {
		va_start(ap, fmt);
		vsnprintf(err, ERR_TEXT, fmt, ap);
		va_end(ap);
	}
	return -error;
}
