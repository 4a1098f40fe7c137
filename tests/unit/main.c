// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * main - runs every suite, one process for each processor, and says by its exit
 * status whether all passed.
 *
 * CK_RUN_SUITE=http runs one, CK_VERBOSITY=verbose names each test, CK_FORK=no
 * lets a debugger see it. Every process runs each PARTS-th suite, and each
 * PARTS-th conversation of the largest, protos.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "suites.h"

static int run_part(unsigned int part, unsigned int parts)
{
	SRunner *r = srunner_create(NULL);
	unsigned int nth = 0;
	char text[32];
	int failed;

	snprintf(text, sizeof(text), "%u/%u", part, parts);
	setenv("OBI_UNIT_PART", text, 1);
#define SUITE(name)                                            \
	if (!strcmp(#name, "protos") || nth++ % parts == part) \
		srunner_add_suite(r, name##_suite());
#include "suites.def"
#undef SUITE
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	int failed = 0, status;

	if (getenv("CK_RUN_SUITE") || getenv("CK_FORK") || cpus < 2)
		return run_part(0, 1);
	for (unsigned int part = 0; part < (unsigned int)cpus; part++) {
		pid_t pid = fork();

		if (!pid)
			return run_part(part, (unsigned int)cpus);
		failed |= pid < 0;
	}
	while (wait(&status) > 0)
		failed |= status;
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
