/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_BASE_CLOCK_H
#define OBI_BASE_CLOCK_H

/*
 * clock - times, durations, sizes, and how people write them.
 *
 * Inside, time is CLOCK_MONOTONIC in ns, as the kernel stamps records; one
 * offset a run makes Unix time of it.
 */

#include "base/str.h"

uint64_t clock_ns(void); /* CLOCK_MONOTONIC */
/* ns to add to CLOCK_MONOTONIC to get Unix time now. */
int64_t clock_wall_offset(void);

enum { CLOCK_RFC3339 = 31 }; /* bytes, the NUL included */

/* "2026-11-21T05:32:35.123456789Z" */
void clock_rfc3339(int64_t unix_ns, char out[CLOCK_RFC3339]);
/* The reverse, with any number of fraction digits and Z or an offset; false where it is none. */
bool clock_parse_rfc3339(struct str s, int64_t *unix_ns);

/* "250us" "50ms" "2s" "1.5s" "5m" "2h" "1d", "800ns"; without a unit: seconds. */
bool clock_parse_duration(struct str s, uint64_t *ns);
/* The shortest that says it: "1.50ms", "12.4s", "3m20s". */
void clock_duration(struct buf *b, int64_t ns);

/* "4096" "64K" "16M" "1G" "1.5M" "64KiB" "64KB", powers of 1024. */
bool clock_parse_size(struct str s, uint64_t *bytes);
/* Powers of 1024: "812 B", "64.0 KiB". */
void clock_size(struct buf *b, uint64_t bytes);

#endif
