// SPDX-License-Identifier: GPL-3.0-or-later
/* usage - what a running process uses, and what it runs on, as /proc says. */
#include "enrich/usage.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/str.h"

enum { SECTIONS = 256, NAMES = 64 << 10 };

static ssize_t read_file(pid_t pid, const char *name, char *out, size_t cap)
{
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	n = read(fd, out, cap - 1);
	n = n < 0 ? -errno : n;
	close(fd);
	out[n > 0 ? n : 0] = 0;
	return n;
}

int usage_read(pid_t pid, struct usage *out)
{
	enum { AFTER_COMM_UTIME = 11, AFTER_COMM_RSS = 21 };
	long tick = sysconf(_SC_CLK_TCK), page = sysconf(_SC_PAGESIZE);
	unsigned long long utime, stime;
	long long rss;
	char text[1024], *p, *end;
	ssize_t n = read_file(pid, "stat", text, sizeof(text));

	if (n < 0)
		return (int)n;
	p = strrchr(text, ')'); /* a command name may hold anything */
	if (!p || !p[1])
		return -ESRCH;
	p += 2;
	for (int i = 0; i < AFTER_COMM_UTIME && p; i++)
		p = strchr(p, ' ') ? strchr(p, ' ') + 1 : NULL;
	if (!p)
		return -ESRCH;
	utime = strtoull(p, &end, 10);
	stime = strtoull(end, &end, 10);
	for (int i = AFTER_COMM_UTIME + 2; i < AFTER_COMM_RSS && end; i++)
		end = strchr(end + 1, ' ');
	if (!end)
		return -ESRCH;
	rss = strtoll(end, NULL, 10);
	out->cpu_ns = (int64_t)((utime + stime) * (1000000000ULL / (unsigned long long)tick));
	out->rss_bytes = rss * page;
	return 0;
}

/* ---- runtime ---- */

static const struct {
	const char *part, *runtime;
} mapped[] = {
	{ "/libjvm.so", "java" },    { "/libpython3", "python" }, { "/libpython2", "python" },
	{ "/libnode.so", "node" },   { "/libruby", "ruby" },      { "/libcoreclr.so", "dotnet" },
	{ "/beam.smp", "erlang" },   { "/bin/python", "python" }, { "/bin/node\n", "node" },
	{ "/bin/nodejs\n", "node" }, { "/bin/ruby", "ruby" },     { "/bin/php", "php" },
	{ "/sbin/php-fpm", "php" },
};

static const char *by_maps(pid_t pid)
{
	const char *found = NULL;
	char path[64], line[4300];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	f = fopen(path, "re");
	while (f && !found && fgets(line, sizeof(line), f))
		for (size_t i = 0; i < sizeof(mapped) / sizeof(*mapped) && !found; i++)
			if (strstr(line, mapped[i].part))
				found = mapped[i].runtime;
	if (f)
		fclose(f);
	return found;
}

/* Whether a section of this name is in the list; every offset of the file is doubted. */
static bool has_section(int fd, const Elf64_Ehdr *eh, const char *name)
{
	static const size_t size = sizeof(Elf64_Shdr);
	Elf64_Shdr *sh = calloc(SECTIONS, size);
	char *names = calloc(1, NAMES + 1);
	unsigned int n = eh->e_shnum < SECTIONS ? eh->e_shnum : SECTIONS;
	bool found = false;
	ssize_t got;

	got = sh && names ? pread(fd, sh, n * size, (off_t)eh->e_shoff) : -1;
	if (got == (ssize_t)(n * size) && eh->e_shstrndx < n)
		got = pread(fd, names, NAMES, (off_t)sh[eh->e_shstrndx].sh_offset);
	else
		got = -1;
	for (unsigned int i = 0; i < n && got > 0 && !found; i++)
		found = sh[i].sh_name < (size_t)got && !strcmp(names + sh[i].sh_name, name);
	free(names);
	free(sh);
	return found;
}

static bool is_go(pid_t pid)
{
	char path[64];
	Elf64_Ehdr eh;
	bool found = false;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (pread(fd, &eh, sizeof(eh), 0) == sizeof(eh) && !memcmp(eh.e_ident, ELFMAG, SELFMAG) &&
	    eh.e_ident[EI_CLASS] == ELFCLASS64 && eh.e_shentsize == sizeof(Elf64_Shdr))
		found = has_section(fd, &eh, ".go.buildinfo");
	close(fd);
	return found;
}

const char *usage_runtime(pid_t pid)
{
	const char *name = by_maps(pid);

	return name ? name : is_go(pid) ? "go" : NULL;
}
