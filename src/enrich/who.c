// SPDX-License-Identifier: GPL-3.0-or-later
/* who - reads /proc of a process once and puts it into a record. */
#include "enrich/who.h"

#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { TEXT_MAX = 512 };
_Static_assert(sizeof(struct ev_who) + WHO_MAX * (TEXT_MAX + 1) <= WHO_RECORD_MAX, "texts fit");

/* Reads at most cap bytes of /proc/PID/NAME. Returns their number, 0 where it cannot be had. */
static size_t slurp(unsigned int pid, const char *name, char *out, size_t cap)
{
	char path[64];
	ssize_t n = 0;
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, out, cap);
	close(fd);
	return n > 0 ? (size_t)n : 0;
}

static struct str last_part(struct str path)
{
	for (size_t i = path.len; i > 0; i--)
		if (path.s[i - 1] == '/')
			return (struct str){ path.s + i, path.len - i };
	return path;
}

/* The next NUL-ended text of *list. */
static struct str next_text(struct str *list)
{
	const char *nul = memchr(list->s, 0, list->len);
	struct str s = { list->s, nul ? (size_t)(nul - list->s) : list->len };
	size_t used = s.len + (nul != NULL);

	list->s += used;
	list->len -= used;
	return s;
}

/* The value of NAME in a NUL-separated environment. */
static struct str env_of(struct str env, const char *name)
{
	size_t n = strlen(name);

	while (env.len) {
		struct str v = next_text(&env);

		if (v.len > n && str_starts(v, name) && v.s[n] == '=')
			return (struct str){ v.s + n + 1, v.len - n - 1 };
	}
	return STR_NULL;
}

/* service.name in "k=v,k=v". */
static struct str attribute_of(struct str list, const char *key)
{
	size_t n = strlen(key);

	while (list.s && list.len) {
		const char *comma = memchr(list.s, ',', list.len);
		struct str kv = { list.s, comma ? (size_t)(comma - list.s) : list.len };

		if (kv.len > n && str_starts(kv, key) && kv.s[n] == '=')
			return (struct str){ kv.s + n + 1, kv.len - n - 1 };
		list.s += kv.len + (comma != NULL);
		list.len -= kv.len + (comma != NULL);
	}
	return STR_NULL;
}

/* The kernel cuts comm at 15 bytes. */
static bool begins_with(struct str s, struct str head)
{
	return s.len >= head.len && !memcmp(s.s, head.s, head.len);
}

static bool is_interpreter(struct str exe)
{
	static const char *const names[] = { "python", "node", "ruby", "perl", "php", "java" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (str_starts(exe, names[i]))
			return true;
	return false;
}

/* The script or jar that an interpreter runs: its first argument that is no option. */
static struct str script_of(struct str cmdline)
{
	bool value = false;

	(void)next_text(&cmdline);
	while (cmdline.len) {
		struct str arg = next_text(&cmdline);

		if (value || str_is(arg, "-m") || str_is(arg, "-jar")) {
			if (value)
				return last_part(arg);
			value = true;
		} else if (arg.len && arg.s[0] != '-') {
			return last_part(arg);
		} else if (str_is(arg, "-c") || str_is(arg, "-e")) {
			return STR_NULL;
		}
	}
	return STR_NULL;
}

/* The order is that of the semantic conventions for service.name. */
static struct str service_of(struct str env, struct str exe, struct str cmdline, struct str comm)
{
	struct str s = env_of(env, "OTEL_SERVICE_NAME");

	if (!s.len)
		s = attribute_of(env_of(env, "OTEL_RESOURCE_ATTRIBUTES"), "service.name");
	if (!s.len && is_interpreter(last_part(exe)))
		s = script_of(cmdline);
	/* One program under several names (redis-server, busybox): the name it was started by. */
	if (!s.len && comm.len && !begins_with(last_part(exe), comm))
		s = comm;
	if (!s.len)
		s = last_part(exe);
	return s.len ? s : comm;
}

/* A container id is 64 hex digits somewhere in the cgroup path (docker, containerd, cri-o). */
static struct str container_of(struct str cgroup)
{
	size_t run = 0;

	for (size_t i = 0; i < cgroup.len; i++) {
		char c = cgroup.s[i];

		run = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ? run + 1 : 0;
		if (run == 64)
			return (struct str){ cgroup.s + i - 63, 64 };
	}
	return STR_NULL;
}

/* The path of the unified hierarchy, else of the first one that has one. */
static struct str cgroup_of(struct str lines)
{
	struct str found = STR_NULL;

	while (lines.len) {
		const char *nl = memchr(lines.s, '\n', lines.len);
		struct str line = { lines.s, nl ? (size_t)(nl - lines.s) : lines.len };
		const char *path = memchr(line.s, '/', line.len);
		size_t used = line.len + (nl != NULL);

		if (path && (!found.len || str_starts(line, "0::")))
			found = (struct str){ path, (size_t)(line.s + line.len - path) };
		lines.s += used;
		lines.len -= used;
	}
	return found;
}

static void add_text(struct ev_who *w, struct str s)
{
	/* All of them fit, however long each is. */
	s = str_head(s, TEXT_MAX);
	for (size_t i = 0; i < s.len; i++)
		w->texts[w->bytes++] = s.s[i] ? (uint8_t)s.s[i] : ' ';
	w->texts[w->bytes++] = 0;
}

static struct str user_of(const char *status, char *out, size_t cap)
{
	const char *line = strstr(status, "\nUid:\t");
	struct passwd pw, *found = NULL;
	char buf[1024];
	unsigned int uid;

	if (!line || sscanf(line, "\nUid:\t%u", &uid) != 1)
		return STR_NULL;
	if (!getpwuid_r(uid, &pw, buf, sizeof(buf), &found) && found)
		snprintf(out, cap, "%s", found->pw_name);
	else
		snprintf(out, cap, "%u", uid);
	return str_of(out);
}

/* Words after a dash option that names a secret are not kept. */
static size_t hide_secrets(char *cmdline, size_t n)
{
	static const char *const words[] = { "password", "passwd", "secret",
		                             "token",    "apikey", "api-key" };
	struct str rest = { cmdline, n };
	bool hide = false;

	while (rest.len) {
		struct str arg = next_text(&rest);
		char *a = (char *)(uintptr_t)arg.s;
		char *eq = memchr(a, '=', arg.len);
		bool secret = false;

		if (hide && arg.len && a[0] != '-')
			memset(a, '*', arg.len);
		for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
			secret = secret || memmem(a, arg.len, words[i], strlen(words[i]));
		if (secret && eq)
			memset(eq + 1, '*', (size_t)(a + arg.len - eq - 1));
		hide = secret && !eq && arg.len && a[0] == '-';
	}
	return n;
}

size_t who_read(const struct ev_head *cause, void *out)
{
	struct ev_who *w = out;
	char exe[512], link[64], cmdline[1024], env[8192], status[2048], cgroup[1024], comm[32],
		user[64];
	struct str texts[WHO_MAX];
	ssize_t n;
	unsigned int ppid = 0;
	const char *pp;

	*w = (struct ev_who){ .h = *cause };
	w->h.kind = EV_WHO;
	n = (ssize_t)slurp(cause->pid, "status", status, sizeof(status) - 1);
	if (!n)
		return 0;
	status[n] = 0;
	pp = strstr(status, "\nPPid:\t");
	if (pp && sscanf(pp, "\nPPid:\t%u", &ppid) == 1)
		w->ppid = ppid;
	texts[WHO_COMM] = (struct str){ comm, slurp(cause->pid, "comm", comm, sizeof(comm)) };
	if (texts[WHO_COMM].len && comm[texts[WHO_COMM].len - 1] == '\n')
		texts[WHO_COMM].len--;
	snprintf(link, sizeof(link), "/proc/%u/exe", cause->pid);
	n = readlink(link, exe, sizeof(exe));
	texts[WHO_EXE] = (struct str){ exe, n > 0 ? (size_t)n : 0 };
	texts[WHO_CMDLINE].s = cmdline;
	texts[WHO_CMDLINE].len =
		hide_secrets(cmdline, slurp(cause->pid, "cmdline", cmdline, sizeof(cmdline)));
	texts[WHO_USER] = user_of(status, user, sizeof(user));
	texts[WHO_SERVICE] =
		service_of((struct str){ env, slurp(cause->pid, "environ", env, sizeof(env)) },
	                   texts[WHO_EXE], texts[WHO_CMDLINE], texts[WHO_COMM]);
	texts[WHO_CGROUP] = cgroup_of(
		(struct str){ cgroup, slurp(cause->pid, "cgroup", cgroup, sizeof(cgroup)) });
	texts[WHO_CONTAINER] = container_of(texts[WHO_CGROUP]);
	for (int i = 0; i < WHO_MAX; i++)
		add_text(w, str_trim(texts[i]));
	w->h.size = (__u32)(sizeof(*w) + w->bytes);
	return w->h.size;
}
