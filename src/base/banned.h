/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_BASE_BANNED_H
#define OBI_BASE_BANNED_H

/*
 * banned - functions that are not used here; the Makefile includes this file
 * before every other one.
 *
 * Their declarations must have been seen first: a poisoned name is an error
 * wherever it occurs, in a system header too.
 */

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

/* No bound: snprintf, struct buf. */
#pragma GCC poison strcpy strcat sprintf vsprintf gets stpcpy

/* Hidden state, not safe among threads: cur.h, gmtime_r, strtok_r has no use here. */
#pragma GCC poison strtok gmtime localtime ctime asctime tmpnam tempnam mktemp

/* No way to tell an error from 0: str_u64, strtoul with a check. */
#pragma GCC poison atoi atol atoll

#endif
