/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_TESTS_GUARD_H
#define OBI_TESTS_GUARD_H

/*
 * guard - input that ends where readable memory ends.
 */

#include <assert.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { GUARD_MAX = 4 << 20 };

/*
 * A copy of buf whose last byte is the last readable byte before a dead page: a
 * parser that reads one byte too far crashes here, sanitizer or not. The copy
 * lives until the next call; len <= GUARD_MAX.
 */
static inline const void *guarded(const void *buf, size_t len)
{
	static char *end;

	assert(len <= GUARD_MAX);
	if (!end) {
		size_t page = (size_t)sysconf(_SC_PAGESIZE);
		char *m = mmap(NULL, GUARD_MAX + page, PROT_READ | PROT_WRITE,
		               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

		assert(m != MAP_FAILED);
		end = m + GUARD_MAX;
		assert(!mprotect(end, page, PROT_NONE));
	}
	if (len)
		memmove(end - len, buf, len);
	return end - len;
}

#endif
