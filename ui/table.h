/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_UI_TABLE_H
#define OBI_UI_TABLE_H

/*
 * table - rows and columns on the screen: cursor, scrolling, column widths,
 * marks, search, follow, sort marks. It holds no rows: a view tells how many
 * there are and draws a cell when it is asked, so that a million rows cost no
 * more than those on the screen.
 *
 * The cursor stays on its row, by the row's number, while others come and go.
 *
 *	static const struct tbl_col cols[] = { { .name = "dur", .title = "DUR", ... }, { 0 } };
 *	tbl_init(&t, cols, &source, ctx);
 *	tbl_act(&t, action)           in act(): motion, marks, search, follow
 *	tbl_draw(&t, grid, rect)      in draw()
 */

#include "ui/keys.h"

enum { TBL_COLS = 64, TBL_MARKS = 4096 };

struct tbl_col {
	const char *name;  /* as in SQL: --columns, sort */
	const char *title; /* head */
	int width;         /* least that is of use */
	int max;           /* grows to this where there is room; 0: width */
	int priority;      /* 1 stays longest; 0: only where the user asks for it */
	bool right;        /* numbers */
	const char *sort;  /* column of SQL to sort by; NULL: name; "": cannot */
	const char *help;
	/* Stands for that column too where it has no room: its cell() asks tbl_lacks(). */
	const char *with, *with_title;
};

/* What a view tells about its rows; called with tbl.ctx. */
struct tbl_source {
	size_t (*count)(void *ctx);
	/* A lasting number of the row at place i, and the way back. */
	uint64_t (*id)(void *ctx, size_t i);
	bool (*find)(void *ctx, uint64_t id, size_t *i);
	/* Makes row i the one that cell() is asked about; false: it is gone. */
	bool (*load)(void *ctx, size_t i);
	/* Text of a cell of the loaded row; its role. */
	enum role (*cell)(void *ctx, const struct tbl_col *col, struct buf *out);
};

struct tbl {
	const struct tbl_col *cols; /* a column without name ends */
	const struct tbl_source *src;
	void *ctx;

	bool shown[TBL_COLS];  /* by the user's choice */
	bool fitted[TBL_COLS]; /* and there is room: as drawn last */
	int x[TBL_COLS], w[TBL_COLS];
	unsigned int order[TBL_COLS], ncols; /* of the screen */

	size_t cursor, top;
	uint64_t cursor_id;
	bool has_id;
	bool follow;            /* stay on the last row */
	int skip;               /* scrolled sideways by so many columns */
	int page;               /* rows drawn last */
	struct rect area, body; /* where they were */

	const char *sort; /* SQL name of the column; NULL: none */
	bool desc;

	uint64_t marks[TBL_MARKS];
	size_t nmarks;
	char search[128];
	/* A walk to the next row that fits, in slices. */
	struct tbl_seek {
		bool (*fits)(struct tbl *t, size_t row);
		size_t at, left;
		bool forward;
	} seek;
	unsigned int hidden; /* chosen columns for which there is no room */
	bool cut;            /* a cell was cut: there is something to scroll to */
};

void tbl_init(struct tbl *t, const struct tbl_col *cols, const struct tbl_source *src, void *ctx);
/* Columns as "a,b" or "+c,-d"; NULL: the default. 0 or -EINVAL with words in err. */
int tbl_columns(struct tbl *t, const char *spec, char *err);
/* Before drawing and after rows came: puts the cursor back on its row. */
void tbl_sync(struct tbl *t);
void tbl_draw(struct tbl *t, struct grid *g, struct rect r);
/* Motion, marks, next match, follow; UI_IGNORED for what is not the table's. */
enum handled tbl_act(struct tbl *t, enum action a);
/* A click or the wheel. *sort: a head was clicked, and this is its column. */
enum handled tbl_mouse(struct tbl *t, const struct key *k, const struct tbl_col **sort);
void tbl_go(struct tbl *t, size_t row);
/* A column that the user wants has no room. */
bool tbl_lacks(const struct tbl *t, const char *name);
/*
 * Looks for a row that fits, from the cursor on, forward or back, round the end:
 * tbl_seek_on() goes on for about budget_ms. 1: more to do; 0: the cursor is on
 * it; -ENOENT: there is none.
 */
void tbl_seek(struct tbl *t, bool (*fits)(struct tbl *t, size_t row), bool forward, bool from_here);
int tbl_seek_on(struct tbl *t, int budget_ms);
/* For tbl_seek(): the row shows t->search. */
bool tbl_fits_search(struct tbl *t, size_t row);
bool tbl_marked(const struct tbl *t, uint64_t id);
/* The next column to sort by, to the right or the left of the present one. */
const struct tbl_col *tbl_sort_by(const struct tbl *t, int step);
/* What the column is sorted by; NULL: it cannot. */
const char *tbl_sort_name(const struct tbl_col *c);
/* Cells of one row, tab between; heads with row == SIZE_MAX. */
void tbl_copy(struct tbl *t, size_t row, struct buf *out);

#endif
