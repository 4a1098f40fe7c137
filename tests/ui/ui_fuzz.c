// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * ui_fuzz - random keys and sizes of the terminal at the interface over a
 * recording: no crash, no leak (by the sanitizers it is built with), no stuck screen.
 *
 * usage: ui_fuzz RECORDING KEYS [SEED]     a finding is repeated by its seed
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "ui/app.h"

enum { ROUND = 2000, STUCK_S = 60 };

static uint64_t state;

static unsigned int below(unsigned int n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned int)((state >> 20) % n);
}

/* Keys that people press, more often than others; whole words that prompts understand. */
static const char *const often[] = {
	"<Up>",
	"<Down>",
	"<PgUp>",
	"<PgDn>",
	"<Home>",
	"<End>",
	"<Left>",
	"<Right>",
	"<Enter>",
	"<Enter>",
	"<Esc>",
	"<Esc>",
	"<Tab>",
	"<S-Tab>",
	"<Space>",
	"<Backspace>",
	"<F1>",
	"<F2>",
	"<F4>",
	"<F5>",
	"<F6>",
	"<F7>",
	"<C-d>",
	"<C-u>",
	"<C-l>",
	"j",
	"k",
	"g",
	"G",
	"/",
	"n",
	"N",
	"f",
	"s",
	"o",
	"t",
	"d",
	"x",
	"e",
	"E",
	"p",
	"F",
	"w",
	"[",
	"]",
	"1",
	"2",
	"7",
	"8",
	"b",
	"B",
	"C",
	"I",
	"<lt>",
	">",
	"u",
	"y",
	":",
	";",
	"M",
	"?",
	"H",
	"L",
	"r",
	"dur_ms > 1",
	"code >= 400",
	"proto = 'http'",
	"GET",
	":view map<Enter>",
	":view slow limit=3<Enter>",
	";<C-u>select proto, count(*) n from spans group by 1<Enter>",
	";<C-u>select * from spans, spans<Enter><C-c>",
	":set theme mono<Enter>",
	":set ascii on<Enter>",
	":set ascii off<Enter>",
	":columns +pid,-peer<Enter>",
	":columns<Enter>",
	"f<C-u><Enter>",
	"\xc3\xa9",
	"\xe6\xbc\xa2",
	"\x80",
	"<Del>",
	"<C-k>",
	"<C-w>",
};

static void add_key(FILE *f)
{
	switch (below(40)) {
	case 0:
		fprintf(f, "<Resize %ux%u>", 1 + below(320), 1 + below(100));
		break;
	case 1:
		fprintf(f, "<Click %u,%u>", below(210), below(60));
		break;
	case 2:
		fprintf(f, "<Wheel%s %u,%u>", below(2) ? "Up" : "Down", below(210), below(60));
		break;
	case 3:
		fputc((int)(33 + below(94)), f);
		break;
	case 4:
		fputs(below(30) ? "<F3>" : below(2) ? "q" : "<C-c>", f);
		break;
	default:
		fputs(often[below(sizeof(often) / sizeof(*often))], f);
	}
}

static struct session *open_session(const char *const *recording)
{
	struct session_opts o = {
		.recordings = recording, .nrecordings = 1, .store = true, .agg = true
	};
	char err[ERR_TEXT] = "";
	struct session *s;
	int e = 0;

	s = session_new(&o, &e, err);
	if (s && !session_start(s, err))
		return s;
	fprintf(stderr, "%s\n", err);
	exit(1);
}

static void round_of(struct session *s, const char *path, unsigned long keys, uint64_t seed)
{
	struct ui_opts o = {
		.session = s,
		.keys = path,
		.columns_n = 80,
		.lines_n = 24,
		.replay = seed % 3 != 0,
		.ascii = seed % 2,
	};
	char err[ERR_TEXT] = "";
	FILE *f = fopen(path, "we");

	state = seed * 0x9e3779b97f4a7c15ULL + 1;
	for (unsigned long i = 0; f && i < keys; i++)
		add_key(f);
	if (!f || fclose(f)) {
		perror(path);
		exit(1);
	}
	alarm(STUCK_S);
	if (ui_run(&o, err)) {
		fprintf(stderr, "seed %llu: %s\n", (unsigned long long)seed, err);
		exit(1);
	}
	alarm(0);
}

/* A view's own key must not be one that means something everywhere. */
static bool shadowed(void)
{
	struct keymap *map = keymap_new();
	bool bad = false;

	for (size_t i = 0; app_view(i); i++)
		for (int k = 0; k < VIEW_KEYS && app_view(i)->keys[k].key; k++)
			if (keymap_action(map, app_view(i)->keys[k].key)) {
				fprintf(stderr, "view %s shadows %s\n", app_view(i)->name,
				        app_view(i)->keys[k].key);
				bad = true;
			}
	keymap_free(map);
	return bad;
}

int main(int argc, char **argv)
{
	unsigned long keys = argc > 2 ? strtoul(argv[2], NULL, 10) : 5000, done = 0;
	uint64_t seed = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
	char err[ERR_TEXT], path[] = "/tmp/ui_fuzz.XXXXXX";
	int fd = mkstemp(path);
	struct session *s;

	if (argc < 2 || fd < 0 || shadowed())
		return 2;
	close(fd);
	s = open_session((const char *const *)&argv[1]);
	while (!session_poll(s, 10))
		;
	for (; done < keys; done += ROUND, seed++) {
		fprintf(stderr, "\rseed %llu ", (unsigned long long)seed);
		round_of(s, path, keys - done < ROUND ? keys - done : ROUND, seed);
	}
	session_stop(s, err);
	session_free(s);
	unlink(path);
	printf("%lu keys\n", keys);
	return 0;
}
