// SPDX-License-Identifier: GPL-3.0-or-later
/* rights - capabilities that are needed no more are given up. */
#include "base/rights.h"

#include <errno.h>
#include <linux/capability.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef CAP_PERFMON
#define CAP_PERFMON 38
#endif
#ifndef CAP_BPF
#define CAP_BPF 39
#endif

/*
 * Recordings: in anybody's folder, given to whom they belong. The history of the
 * shell: as the user behind sudo (setfsuid), with that user's rights.
 */
static const uint8_t to_write[] = { CAP_CHOWN,  CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH,
	                            CAP_FOWNER, CAP_SETUID,       CAP_SETGID };

/*
 * Answers to the probes, lists of what a new process has open; /proc of all
 * users; the command behind `--` is signalled whoever runs it.
 */
static const uint8_t to_capture[] = { CAP_BPF, CAP_PERFMON, CAP_SYS_PTRACE, CAP_SYS_NICE,
	                              CAP_KILL };

static uint64_t bits(const uint8_t *caps, size_t n)
{
	uint64_t set = 0;

	for (size_t i = 0; i < n; i++)
		set |= (uint64_t)1 << caps[i];
	return set;
}

/* What a program that is started later may have at most. Needs CAP_SETPCAP: before it goes. */
static void drop_bounding(uint64_t keep)
{
	for (int cap = 0; cap < 64; cap++)
		if (!(keep >> cap & 1) && prctl(PR_CAPBSET_READ, cap) == 1)
			(void)prctl(PR_CAPBSET_DROP, cap);
}

int rights_drop(bool capturing)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };
	uint64_t keep = bits(to_write, sizeof(to_write));

	if (capturing)
		keep |= bits(to_capture, sizeof(to_capture));
	if (syscall(SYS_capget, &head, data))
		return -errno;
	drop_bounding(keep);
	for (int i = 0; i < 2; i++) {
		uint32_t part = (uint32_t)(keep >> (32 * i));

		data[i].permitted &= part;
		data[i].effective &= part;
		data[i].inheritable &= part;
	}
	return syscall(SYS_capset, &head, data) ? -errno : 0;
}
