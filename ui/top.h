/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_UI_TOP_H
#define OBI_UI_TOP_H

/* top - the inside of the view of groups, shared by view_top.c and top_*.c. */

#include "store/list.h"
#include "store/rank.h"
#include "ui/app.h"
#include "ui/table.h"

enum top_focus { TOP_GROUPS, TOP_CALLS, TOP_HEAT, TOP_PANES };

enum {
	TOP_LEVELS = 8,
	TOP_NAMES = 96,   /* bytes of "service,name" */
	TOP_ROWS = 200,   /* groups, unless --top says how many */
	TOP_SLOWEST = 10, /* calls in the lower half */
	TOP_PARTS = 8,    /* callers, kinds of errors */
	TOP_ALERTS = 256, /* groups that are marked at once */
	TOP_SPARK = 12,   /* points */
};

/* A step into a group; the first is the whole. */
struct top_level {
	char by[TOP_NAMES];
	char *where; /* SQL that its spans fit; NULL: all */
	char sort[RANK_NAME];
	bool asc;
	uint64_t cursor; /* row that one came from; 0: none */
};

/* A share of the selected group. */
struct top_part {
	char name[80];
	uint64_t count, errors;
};

struct top_call {
	uint64_t id; /* of the row */
	int64_t start_ns, dur_ns;
	char what[64]; /* status and who */
};

/* What the lower half says of the group of the cursor. */
struct top_lower {
	uint64_t id; /* of the group; 0: none */
	char *where; /* SQL that its spans fit */
	char name[512];
	bool again; /* all is to be asked for */
	struct agg_detail detail;
	bool has_detail;
	struct agg_view *callers_view, *errors_view;
	struct top_part callers[TOP_PARTS], errors[TOP_PARTS];
	unsigned int ncallers, nerrors;
	uint64_t called;   /* sum of all callers */
	struct list *list; /* its spans, slowest first */
	struct top_call calls[TOP_SLOWEST];
	unsigned int ncalls, call; /* call: of the cursor */
	int64_t from_ns, to_ns;    /* of the list */
};

struct top {
	struct pane *pane;
	struct tbl table;
	struct tbl_col cols[AGG_BY + RANK_COLS + 3];
	struct top_level levels[TOP_LEVELS];
	unsigned int depth;       /* of levels: at least 1 */
	char filter[PROMPT_TEXT]; /* the user's; "" none */
	char *where;              /* that, the pane's and the level's */
	const char *by[AGG_BY];
	char columns[PROMPT_TEXT]; /* the user's; "" the default */

	struct agg_view *view, *trial;
	char trial_err[512];
	struct rank rank, base;
	bool has_base, has_rank;
	unsigned int percent;
	uint64_t evicted; /* spans that a grouping from rows cannot see */
	double due;       /* app_seconds() of the next refresh */
	bool again;       /* ask at once */
	bool moved;       /* the user has chosen a row */
	uint64_t want;    /* group that the cursor shall go to; 0: none */
	size_t row;       /* that cell() is asked about */
	bool ascii;

	struct rank_expr *alert;
	uint64_t alerts[TOP_ALERTS];
	size_t nalerts;

	enum top_focus focus;
	struct top_lower lower;
};

/* top_cells.c: columns and cells of the list. */
extern const struct tbl_source top_source;
void top_columns(struct top *t); /* after grouping or baseline changed */

/* --columns, :columns; "": the default. 0 or -errno with words in err. */
int top_show(struct top *t, const char *spec, char *err);
/* top_write.c: into FILE.csv, FILE.json. 0 or -errno with words in err. */
int top_write(struct top *t, const char *path, char *err);

/* top_list.c: which groups. */
int top_regroup(struct top *t, char *err); /* after grouping, filter or level changed */
int top_ask(struct top *t, int budget_ms, char *err);
char *top_where(const struct top *t, const char *more); /* all conditions; NULL: out of memory */
const struct rank_row *top_row(const struct top *t);    /* of the cursor; NULL: none */
enum handled top_baseline(struct top *t);

/* top_levels.c: into a group, out of it; by what. */
struct top_level *top_level(struct top *t);
enum handled top_into(struct top *t);
bool top_out(struct top *t); /* false: this is the whole */
void top_group_menu(struct top *t);
void top_sort_menu(struct top *t);
enum handled top_sort(struct top *t, const struct tbl_col *c, bool invert);
void top_filter_prompt(struct top *t);
void top_search_prompt(struct top *t);

/* top_lower.c: the group of the cursor. */
int top_lower_ask(struct top *t, int budget_ms, char *err);
void top_lower_draw(struct top *t, struct grid *g, struct rect r);
void top_lower_free(struct top_lower *l);

/* top_heat.c */
void top_heat_draw(struct top *t, struct grid *g, struct rect r);
void top_bars_draw(struct top *t, struct grid *g, struct rect r);

/* top_jump.c: to the requests, and back. */
enum handled top_to_call(struct top *t);
enum handled top_to_trace(struct top *t);
/* Opens the group that a span belongs to, from another view. 0 or -errno with words in err. */
int top_open_at(struct app *a, const struct span *s, char *err);

#endif
