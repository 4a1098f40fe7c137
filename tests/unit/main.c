// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * main - runs every suite and prints one closing line for all of them.
 *
 * CK_RUN_SUITE=http runs one, CK_VERBOSITY=verbose names each test, CK_FORK=no
 * lets a debugger see it.
 */
#include <stdlib.h>

#include "suites.h"

int main(void)
{
	SRunner *r = srunner_create(NULL);
	int failed;

#define SUITE(name) srunner_add_suite(r, name##_suite());
#include "suites.def"
#undef SUITE
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
