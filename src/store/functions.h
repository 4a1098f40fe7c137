/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_STORE_FUNCTIONS_H
#define OBI_STORE_FUNCTIONS_H

/*
 * functions - SQL functions beside SQLite's own.
 *
 * percentile(x, p)     p in 0..100, between the two nearest values; of more than
 *                      2^20 values an estimate that is off by 1.1 % at most
 * p50 p95 p99(x), median(x)
 * hist(x)              16 bars: how many values lie in each of 16 ranges that
 *                      grow by the same factor, smallest to largest value
 * sparkline(x)         the values in the order of the rows, at most 40 bars
 * rate(), rate(x)      count or sum a second, over the span of the capture
 * span_secs()          first to last start in spans, in seconds
 * dur(ns) bytes(n) ts(ns)   "1.23ms" "4.0K" "2026-01-31T10:00:00.000000000Z"
 * hexid(blob) unhex(text)
 * cidr_match(ip, net)  1 where the address lies in the network, '10.0.0.0/8'
 */

#include "store/vtab.h"

/* An SQLite result. */
int functions_register(sqlite3 *db, struct vtab_source *src);
int aggregates_register(sqlite3 *db, struct vtab_source *src);

/* Length of the pinned capture in seconds; negative: there are no spans. */
double functions_span_secs(struct vtab_source *src);

/* Names of all of them, NULL past the end. */
const char *functions_name(unsigned int i);

#endif
