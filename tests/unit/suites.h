/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_TESTS_SUITES_H
#define OBI_TESTS_SUITES_H

/*
 * suites - one suite a file: tests/unit/x_test.c defines x_suite(). The list is
 * made from the file names.
 */

#include <check.h>

#define SUITE(name) Suite *name##_suite(void);
#include "suites.def"
#undef SUITE

/* A byte string with its length, NUL bytes inside included. */
#define BYTES(lit) (lit), sizeof(lit) - 1

#endif
