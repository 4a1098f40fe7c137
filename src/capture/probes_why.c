// SPDX-License-Identifier: GPL-3.0-or-later
/* probes_why - why a probe cannot be had, in the user's words. */
#include "capture/probes_why.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/err.h"

enum { LOG_LINES = 200 }; /* of the verifier's log, whose end tells */

enum { CAP_BIT_SYS_ADMIN = 21, CAP_BIT_PERFMON = 38, CAP_BIT_BPF = 39 };

static uint64_t capabilities(void)
{
	FILE *f = fopen("/proc/self/status", "re");
	uint64_t caps = UINT64_MAX; /* unknown: let the kernel say no */
	char line[256];

	if (!f)
		return caps;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "CapEff: %" SCNx64, &caps) == 1)
			break;
	}
	fclose(f);
	return caps;
}

static const char *held(uint64_t caps)
{
	if (caps >> CAP_BIT_BPF & 1)
		return "CAP_BPF";
	if (caps >> CAP_BIT_PERFMON & 1)
		return "CAP_PERFMON";
	return "none";
}

static bool permitted(uint64_t caps)
{
	return (caps >> CAP_BIT_SYS_ADMIN & 1) ||
	       ((caps >> CAP_BIT_BPF & 1) && (caps >> CAP_BIT_PERFMON & 1));
}

int probes_possible(char *err)
{
	uint64_t caps = capabilities();
	struct utsname u;

	if (!permitted(caps))
		return err_set(err, EPERM, "not permitted: need CAP_BPF and CAP_PERFMON (have: %s)",
		               held(caps));
	if (access("/sys/kernel/btf/vmlinux", R_OK)) {
		uname(&u);
		return err_set(err, ENOSYS,
		               "kernel %s has no BTF (/sys/kernel/btf/vmlinux is missing)",
		               u.release);
	}
	return 0;
}

/* A line of the verifier's log; the next one begins behind it. */
static struct str line_of(const char *at)
{
	return (struct str){ at, strcspn(at, "\n") };
}

static const char *line_after(const char *at)
{
	at += strcspn(at, "\n");
	return *at ? at + 1 : at;
}

struct str probes_reason(const char *log)
{
	struct str reason = STR_NULL;

	for (const char *at = log; at && *at; at = line_after(at)) {
		struct str line = line_of(at);

		if (str_starts(line, "processed ") || str_starts(line, "verification time "))
			break;
		if (line.len)
			reason = line;
	}
	return reason;
}

void probes_log(const char *log)
{
	size_t lines = 0, skip;

	for (const char *at = log; at && *at; at = line_after(at))
		lines++;
	skip = lines > LOG_LINES ? lines - LOG_LINES : 0;
	if (skip)
		warn(LEVEL_DEBUG, "verifier: %zu lines left out", skip);
	for (const char *at = log; at && *at; at = line_after(at)) {
		struct str line = line_of(at);

		if (skip)
			skip--;
		else
			warn(LEVEL_DEBUG, "verifier: %.*s", STR_ARG(line));
	}
}

int probes_refused(int error, const char *why, char *err)
{
	struct utsname u;

	uname(&u);
	if (error == -ENOEXEC)
		return err_set(err, ENOSYS, "kernel %s: %s (its whole log: obi doctor -v)",
		               u.release, why);
	if (error == -EPERM || error == -EACCES)
		return err_set(err, EPERM, "not permitted: the kernel refuses BPF programs (%s)",
		               strerror(-error));
	if (error == -ENOMEM)
		return err_set(err, ENOMEM, "no memory for the kernel's side; try a smaller ring");
	return err_set(err, ENOSYS, "kernel %s is too old: need Linux 5.8 or later (%s)", u.release,
	               strerror(-error));
}

int probes_why(int error, const char *log, char *out, size_t size)
{
	struct str reason = probes_reason(log);

	if (reason.len) {
		snprintf(out, size, "the verifier refuses it: %.*s", STR_ARG(reason));
		return -ENOEXEC;
	}
	switch (-error) {
	case EPERM:
	case EACCES:
		snprintf(out, size, "the kernel refuses it (%s)", strerror(-error));
		break;
	case ESRCH:
	case ENOENT:
	case EINVAL:
		snprintf(out, size, "this kernel does not have it");
		break;
	default:
		snprintf(out, size, "%s", strerror(-error));
	}
	return error;
}
