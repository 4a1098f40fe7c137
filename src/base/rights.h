/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_BASE_RIGHTS_H
#define OBI_BASE_RIGHTS_H

/*
 * rights - capabilities that are needed no more are given up, so that the bytes
 * of strangers are parsed, asked for and sent without them. They belong to a
 * thread: threads that it starts afterwards have what it kept.
 */

#include <stdbool.h>

/*
 * Keeps what is needed to write files for the user behind sudo, and while
 * capturing: to answer the probes and to read /proc of new processes. What was
 * not there stays away. 0 or -errno: then nothing was given up.
 */
int rights_drop(bool capturing);

#endif
