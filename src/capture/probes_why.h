/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_CAPTURE_PROBES_WHY_H
#define OBI_CAPTURE_PROBES_WHY_H

/* probes_why - why a probe cannot be had, in the user's words. */

#include <stddef.h>

#include "base/str.h"

/* What everything stands on: permission, BTF. 0, or -EPERM or -ENOSYS with a message. */
int probes_possible(char *err);
/* One probe: words for its error. Returns it, or -ENOEXEC where the verifier gave the reason. */
int probes_why(int error, const char *log, char *out, size_t size);
/* The same for all: the message for a load that failed although it seemed possible. */
int probes_refused(int error, const char *why, char *err);
/* The line of the verifier's log that says why: its last one before the figures. May be unknown. */
struct str probes_reason(const char *log);
/* The end of the log, for -v. NULL and "" are fine. */
void probes_log(const char *log);

#endif
