/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_CAPTURE_RECORD_RAW_H
#define OBI_CAPTURE_RECORD_RAW_H

/* record_raw - what the writer and the reader of raw recordings share. */

#include "capture/capture.h"

#define RAW_MAGIC      "OBIRAW\r\n"
#define RAW_BYTE_ORDER 0x01020304U

/* The last record: the kernel's counters. Later versions may append some. */
struct raw_end {
	struct ev_head h;
	uint64_t fired, records, lost, lost_bytes, muted, faults, storage_full;
};

static inline size_t raw_padded(size_t size)
{
	return (size + 7) / 8 * 8;
}

#endif
