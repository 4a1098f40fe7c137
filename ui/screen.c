// SPDX-License-Identifier: GPL-3.0-or-later
/* screen - the terminal: frames out, keys in. */
#define NCURSES_WIDECHAR 1
#include "ui/screen.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <ncurses.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <termios.h>
#include <wchar.h>

#include "base/err.h"

/* ui/ansi.ti, compiled: for static programs where no descriptions are installed. */
static const char fallback[] =
#include "ui/ansi.inc"
	;

struct screen {
	SCREEN *curses;
	const struct theme *theme;
	struct grid shown; /* what the terminal shows; cells == NULL: not known */
	bool mouse;
};

/*
 * An exception to "no globals", for a signal handler can be told in no other
 * way what to restore.
 */
static struct termios saved;
static volatile sig_atomic_t open_now;

bool screen_utf8(void)
{
	const char *env = getenv("LC_ALL");

	setlocale(LC_CTYPE, "");
	if (strcmp(nl_langinfo(CODESET), "UTF-8") == 0)
		return true;
	env = env && *env ? env : getenv("LC_CTYPE");
	env = env && *env ? env : getenv("LANG");
	/* A UTF-8 locale whose files are not installed, as in containers. */
	if (env && (strcasestr(env, "UTF-8") || strcasestr(env, "utf8")) &&
	    setlocale(LC_CTYPE, "C.UTF-8"))
		return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	return false;
}

/* The description of $TERM, else that of what is common to all. */
static SCREEN *start_curses(void)
{
	const char *term = getenv("TERM");
	char *was = term ? strdup(term) : NULL;
	SCREEN *s = term && *term ? newterm(NULL, stdout, stdin) : NULL;

	if (!s) {
		setenv("TERMINFO", fallback, 1);
		s = newterm("obi-ansi", stdout, stdin);
		unsetenv("TERMINFO");
		if (was)
			setenv("TERM", was, 1);
	}
	free(was);
	return s;
}

/* Terminals disagree with their descriptions, and some descriptions lack these. */
static void add_keys(void)
{
	static const struct {
		const char *seq;
		int key;
	} all[] = {
		{ "\033[A", KEY_UP },      { "\033[B", KEY_DOWN },    { "\033[C", KEY_RIGHT },
		{ "\033[D", KEY_LEFT },    { "\033OA", KEY_UP },      { "\033OB", KEY_DOWN },
		{ "\033OC", KEY_RIGHT },   { "\033OD", KEY_LEFT },    { "\033[H", KEY_HOME },
		{ "\033OH", KEY_HOME },    { "\033[1~", KEY_HOME },   { "\033[7~", KEY_HOME },
		{ "\033[F", KEY_END },     { "\033OF", KEY_END },     { "\033[4~", KEY_END },
		{ "\033[8~", KEY_END },    { "\033[5~", KEY_PPAGE },  { "\033[6~", KEY_NPAGE },
		{ "\033[3~", KEY_DC },     { "\033[Z", KEY_BTAB },    { "\033OP", KEY_F(1) },
		{ "\033OQ", KEY_F(2) },    { "\033OR", KEY_F(3) },    { "\033OS", KEY_F(4) },
		{ "\033[[A", KEY_F(1) },   { "\033[[B", KEY_F(2) },   { "\033[[C", KEY_F(3) },
		{ "\033[[D", KEY_F(4) },   { "\033[[E", KEY_F(5) },   { "\033[11~", KEY_F(1) },
		{ "\033[12~", KEY_F(2) },  { "\033[13~", KEY_F(3) },  { "\033[14~", KEY_F(4) },
		{ "\033[15~", KEY_F(5) },  { "\033[17~", KEY_F(6) },  { "\033[18~", KEY_F(7) },
		{ "\033[19~", KEY_F(8) },  { "\033[20~", KEY_F(9) },  { "\033[21~", KEY_F(10) },
		{ "\033[23~", KEY_F(11) }, { "\033[24~", KEY_F(12) },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (key_defined(all[i].seq) == 0)
			define_key(all[i].seq, all[i].key);
}

void screen_theme(struct screen *s, const struct theme *t)
{
	s->theme = t;
	if (!t || !has_colors())
		return;
	for (short r = 0; r < ROLE_MAX; r++)
		init_pair((short)(r + 1), t->looks[r].fg, t->looks[r].bg);
	grid_free(&s->shown);
}

void screen_mouse(struct screen *s, bool on)
{
	s->mouse = on;
	mousemask(on ? BUTTON1_PRESSED | BUTTON1_RELEASED | BUTTON1_CLICKED | BUTTON4_PRESSED |
	                          BUTTON5_PRESSED
	             : 0,
	          NULL);
}

struct screen *screen_open(const struct screen_opts *o, char *err)
{
	struct screen *s = calloc(1, sizeof(*s));

	if (!s || !isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) ||
	    tcgetattr(STDIN_FILENO, &saved)) {
		err_set(err, ENOTTY, "the interface needs a terminal; use -o text");
		free(s);
		return NULL;
	}
	s->curses = start_curses();
	if (!s->curses) {
		err_set(err, ENOTTY, "the terminal (TERM=%s) cannot be used; use -o text",
		        getenv("TERM") ? getenv("TERM") : "");
		free(s);
		return NULL;
	}
	open_now = 1;
	raw();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(25);
	mouseinterval(0);
	leaveok(stdscr, FALSE);
	add_keys();
	if (has_colors()) {
		start_color();
		use_default_colors();
	}
	screen_theme(s, o->theme);
	screen_mouse(s, o->mouse);
	return s;
}

void screen_close(struct screen *s)
{
	if (!s)
		return;
	mousemask(0, NULL);
	endwin();
	open_now = 0;
	delscreen(s->curses);
	grid_free(&s->shown);
	free(s);
}

void screen_abandon(void)
{
	static const char out[] = "\033[?1000l\033[?1006l\033[0m\033[?25h\033[?1049l\r\n";

	if (!open_now)
		return;
	(void)!write(STDOUT_FILENO, out, sizeof(out) - 1);
	tcsetattr(STDIN_FILENO, TCSANOW, &saved);
}

void screen_size(struct screen *s, int *w, int *h)
{
	(void)s;
	getmaxyx(stdscr, *h, *w);
}

void screen_redraw(struct screen *s)
{
	clearok(curscr, TRUE);
	grid_free(&s->shown);
}

static attr_t attributes(const struct screen *s, enum role role)
{
	const struct look *l;
	attr_t a = A_NORMAL;

	if (!s->theme) /* without colour: what mono says */
		l = &theme_find("mono")->looks[role];
	else
		l = &s->theme->looks[role];
	a |= l->bold ? A_BOLD : 0;
	a |= l->reverse ? A_REVERSE : 0;
	a |= l->underline ? A_UNDERLINE : 0;
	if (has_colors() || (l->fg == COLOUR_DEFAULT && l->bg == COLOUR_DEFAULT))
		return a;
	return l->bg != COLOUR_DEFAULT ? a | A_REVERSE : a;
}

static void put_cell(struct screen *s, int x, int y, const struct cell_c *c)
{
	short pair = s->theme && has_colors() ? (short)(c->role + 1) : 0;
	wchar_t text[CCHARW_MAX + 1] = { L' ' };
	mbstate_t st = { 0 };
	char bytes[9] = { 0 };
	const char *p = bytes;
	cchar_t cell;

	memcpy(bytes, c->c, c->len);
	if (mbsrtowcs(text, &p, CCHARW_MAX, &st) == (size_t)-1 || !text[0])
		wmemcpy(text, L"?", 2);
	if (setcchar(&cell, text, attributes(s, c->role), pair, NULL) == OK)
		mvadd_wch(y, x, &cell);
}

static bool same(const struct cell_c *a, const struct cell_c *b)
{
	return a->role == b->role && a->len == b->len && !memcmp(a->c, b->c, a->len);
}

void screen_show(struct screen *s, const struct grid *g, int cx, int cy)
{
	bool known = s->shown.cells && s->shown.w == g->w && s->shown.h == g->h;

	if (!known) {
		erase();
		if (grid_resize(&s->shown, g->w, g->h))
			return;
	}
	for (int y = 0; y < g->h; y++) {
		for (int x = 0; x < g->w; x++) {
			const struct cell_c *c = &g->cells[y * g->w + x];
			struct cell_c *was = &s->shown.cells[y * g->w + x];

			if (c->len && !(known && same(c, was)))
				put_cell(s, x, y, c);
			*was = *c;
		}
	}
	curs_set(cx >= 0);
	if (cx >= 0)
		move(cy, cx);
	refresh();
}

/* ---- keys ---- */

static void from_mouse(struct key *out)
{
	MEVENT m;

	out->name[0] = 0;
	if (getmouse(&m) != OK)
		return;
	out->x = m.x;
	out->y = m.y;
	if (m.bstate & (BUTTON1_PRESSED | BUTTON1_CLICKED))
		snprintf(out->name, sizeof(out->name), "<Click>");
	else if (m.bstate & BUTTON4_PRESSED)
		snprintf(out->name, sizeof(out->name), "<WheelUp>");
	else if (m.bstate & BUTTON5_PRESSED)
		snprintf(out->name, sizeof(out->name), "<WheelDown>");
}

static void from_code(wint_t code, struct key *out)
{
	static const struct {
		wint_t code;
		const char *name;
	} names[] = {
		{ KEY_UP, "<Up>" },         { KEY_DOWN, "<Down>" },
		{ KEY_LEFT, "<Left>" },     { KEY_RIGHT, "<Right>" },
		{ KEY_PPAGE, "<PgUp>" },    { KEY_NPAGE, "<PgDn>" },
		{ KEY_HOME, "<Home>" },     { KEY_END, "<End>" },
		{ KEY_DC, "<Del>" },        { KEY_BTAB, "<S-Tab>" },
		{ KEY_ENTER, "<Enter>" },   { KEY_BACKSPACE, "<Backspace>" },
		{ KEY_RESIZE, "<Resize>" },
	};

	if (code == KEY_MOUSE) {
		from_mouse(out);
		return;
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (names[i].code == code)
			snprintf(out->name, sizeof(out->name), "%s", names[i].name);
	if (code >= KEY_F(1) && code <= KEY_F(12))
		snprintf(out->name, sizeof(out->name), "<F%d>", (int)(code - KEY_F0));
}

static void from_char(wint_t c, struct key *out)
{
	static const struct {
		wint_t c;
		const char *name;
	} names[] = {
		{ '\r', "<Enter>" },    { '\n', "<Enter>" },  { '\t', "<Tab>" },  { 033, "<Esc>" },
		{ 127, "<Backspace>" }, { 8, "<Backspace>" }, { ' ', "<Space>" },
	};
	char bytes[16] = { 0 }; /* MB_CUR_MAX is at most 16 */
	mbstate_t st = { 0 };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (names[i].c == c) {
			snprintf(out->name, sizeof(out->name), "%s", names[i].name);
			return;
		}
	if (c < 32)
		snprintf(out->name, sizeof(out->name), "<C-%c>", (char)(c + 'a' - 1));
	else if (wcrtomb(bytes, (wchar_t)c, &st) != (size_t)-1)
		snprintf(out->name, sizeof(out->name), "%s", bytes);
}

/* What ncurses has ready. */
static bool ready(struct key *out)
{
	wint_t c;

	for (;;) {
		int got = get_wch(&c);

		*out = (struct key){ 0 };
		if (got == ERR)
			return false;
		if (got == KEY_CODE_YES)
			from_code(c, out);
		else
			from_char(c, out);
		if (out->name[0])
			return true;
	}
}

int screen_key(struct screen *s, int timeout_ms, struct key *out)
{
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };

	(void)s;
	if (ready(out))
		return 1;
	if (poll(&p, 1, timeout_ms) < 0 && errno != EINTR)
		return -EIO;
	if (ready(out))
		return 1;
	return p.revents & (POLLHUP | POLLERR | POLLNVAL) ? -EIO : 0;
}

void screen_suspend(struct screen *s)
{
	struct sigaction plain = { .sa_handler = SIG_DFL }, was;

	endwin();
	open_now = 0;
	sigaction(SIGTSTP, &plain, &was);
	raise(SIGTSTP);
	sigaction(SIGTSTP, &was, NULL);
	open_now = 1;
	refresh();
	screen_redraw(s);
}

void screen_bell(struct screen *s)
{
	(void)s;
	beep();
}

void screen_copy(struct screen *s, struct str text)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const uint8_t *p = (const uint8_t *)text.s;
	struct buf b = { 0 };

	(void)s;
	buf_z(&b, "\033]52;c;");
	for (size_t i = 0; i < text.len; i += 3) {
		size_t n = text.len - i < 3 ? text.len - i : 3;
		uint32_t v = (uint32_t)p[i] << 16 | (n > 1 ? (uint32_t)p[i + 1] << 8 : 0) |
		             (n > 2 ? p[i + 2] : 0);

		for (size_t k = 0; k < 4; k++)
			buf_ch(&b, k <= n ? digits[v >> (18 - 6 * k) & 63] : '=');
	}
	buf_ch(&b, '\a');
	if (!b.failed)
		fwrite(b.p, 1, b.len, stdout);
	fflush(stdout);
	buf_free(&b);
}
