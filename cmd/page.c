// SPDX-License-Identifier: GPL-3.0-or-later
/* page - text on a terminal that does not run past the screen. */
#include "cmd/page.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/str.h"

enum { COLUMNS = 80, ROWS = 24, WAIT_MS = 100 };

static int from_env(const char *name, int otherwise)
{
	const char *env = getenv(name);
	uint64_t n;

	return env && str_u64(str_of(env), &n) && n && n < 10000 ? (int)n : otherwise;
}

struct page_size page_size(void)
{
	struct winsize ws = { 0 };

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws))
		ws = (struct winsize){ 0 };
	return (struct page_size){
		.columns = ws.ws_col ? ws.ws_col : from_env("COLUMNS", COLUMNS),
		.rows = ws.ws_row ? ws.ws_row : from_env("LINES", ROWS),
	};
}

/* The line at s, its end included; in *rows how many rows of the screen it takes. */
static size_t line_at(const char *s, size_t left, int columns, int *rows)
{
	const char *nl = memchr(s, '\n', left);
	size_t len = nl ? (size_t)(nl - s) : left, cells = 0;

	for (size_t i = 0; i < len; i++)
		cells += ((unsigned char)s[i] & 0xc0) != 0x80;
	*rows = cells > (size_t)columns ? (int)((cells + (size_t)columns - 1) / (size_t)columns)
	                                : 1;
	return len + (nl != NULL);
}

/* How much of the text fits into so many rows, at least one line. */
static size_t screenful(const char *s, size_t len, int columns, int rows)
{
	size_t at = 0, n;
	int takes;

	while (at < len) {
		n = line_at(s + at, len - at, columns, &takes);
		if (at && takes > rows)
			break;
		rows -= takes;
		at += n;
	}
	return at;
}

static void put(const char *s, size_t len)
{
	fwrite(s, 1, len, stdout);
	fflush(stdout);
}

/* One key without Enter; -1: none will come, or it is to end. */
static int key(bool (*ended)(void))
{
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
	struct termios old, raw;
	unsigned char c = 0;
	int got = -1;

	if (tcgetattr(STDIN_FILENO, &old))
		return -1;
	raw = old;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	while (!ended() && got < 0) {
		if (poll(&p, 1, WAIT_MS) <= 0)
			continue;
		if (read(STDIN_FILENO, &c, 1) != 1)
			break;
		got = c;
	}
	tcsetattr(STDIN_FILENO, TCSANOW, &old);
	return got;
}

static void stop_at_screens(const char *s, size_t len, struct page_size size, bool (*ended)(void))
{
	static const char ask[] = "-- more: Space, Enter: one line, q: stop --";
	size_t at = screenful(s, len, size.columns, size.rows - 1), n;
	int c;

	put(s, at);
	while (at < len) {
		put(ask, sizeof(ask) - 1);
		c = key(ended);
		printf("\r%*s\r", (int)sizeof(ask) - 1, "");
		fflush(stdout);
		if (c < 0 || c == 'q' || c == 'Q' || c == 27 || c == 4)
			return;
		n = c == '\n' || c == '\r' || c == 'j' ? 1 : size.rows - 1;
		n = screenful(s + at, len - at, size.columns, (int)n);
		put(s + at, n);
		at += n;
	}
}

static bool through_pager(const char *s, size_t len)
{
	const char *name = getenv("PAGER");
	FILE *f = name && *name ? popen(name, "we") : NULL;

	if (!f)
		return false;
	fwrite(s, 1, len, f); /* a pager that is left early takes no more */
	pclose(f);
	return true;
}

void page_show(const char *text, size_t len, bool (*ended)(void))
{
	struct page_size size = page_size();

	if (screenful(text, len, size.columns, size.rows - 1) == len)
		put(text, len);
	else if (!through_pager(text, len))
		stop_at_screens(text, len, size, ended);
}

void page_head(const char *text, size_t len, int keep)
{
	struct page_size size = page_size();
	size_t n = screenful(text, len, size.columns, size.rows - keep - 1), more = 0;

	for (size_t i = n; i < len; i++)
		more += text[i] == '\n';
	put(text, n);
	if (more)
		printf("... %zu more lines\n", more);
}
