/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_CAPTURE_PROBES_WHY_H
#define OBI_CAPTURE_PROBES_WHY_H

/* probes_why - why a probe cannot be had, in the user's words. */

#include <stddef.h>

/* What everything stands on: permission, BTF. 0, or -EPERM or -ENOSYS with a message. */
int probes_possible(char *err);
/* The message for a load that failed although it seemed possible; returns the error. */
int probes_refused(int error, char *err);
/* One probe: words for its error. */
void probes_why(int error, char *out, size_t size);

#endif
