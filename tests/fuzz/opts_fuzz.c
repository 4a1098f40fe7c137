// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * opts_fuzz - the command line and the filter: each line of the input is a
 * word of `obi trace`; the expression that comes of it is prepared.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "cmd/opts.h"
#include "store/store.h"

enum { WORDS = 24 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *argv[WORDS + 1], err[ERR_TEXT] = "";
	struct options o;
	int argc = 0;

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = 0;
	for (char *at = text; at && argc < WORDS; argc++) {
		char *nl = strchr(at, '\n');

		argv[argc] = at;
		if (nl)
			*nl++ = 0;
		at = nl;
	}
	argv[argc] = NULL;
	if (!options_parse(&o, "trace", argc, argv, err) && o.where) {
		struct filter *f = filter_new(o.where, err);

		/* Refused is fine, without a reason is not. */
		if (!f && !err[0])
			abort();
		filter_free(f);
	}
	options_free(&o);
	free(text);
	return 0;
}
