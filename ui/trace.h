/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_UI_TRACE_H
#define OBI_UI_TRACE_H

/* trace - the inside of the view of requests, shared by view_trace.c and trace_*.c. */

#include "store/list.h"
#include "ui/app.h"
#include "ui/detail.h"
#include "ui/table.h"

enum payload_mode { PAYLOAD_PRETTY, PAYLOAD_TEXT, PAYLOAD_HEX, PAYLOAD_MODES };

struct trace {
	struct pane *pane;
	struct list *list;
	struct tbl table;
	char filter[PROMPT_TEXT]; /* the user's; "" none */
	char *where;              /* that and the pane's, as the list has it */

	/* The row that cell() is asked about. */
	struct arena mem;
	struct span span;

	/* While a filter is typed: how many rows fit. */
	struct list *trial;
	char trial_err[512];

	struct detail detail;
	struct arena detail_mem;
	struct span open; /* the row in the detail */
	uint64_t open_id;
	bool detailed;  /* the detail is shown */
	bool full;      /* and has the whole screen */
	bool in_detail; /* and the keys */
	bool why, tree; /* what it shows first; spans of the trace as a tree */
	enum payload_mode payload;
	int64_t from_ns, to_ns; /* window of the list */
	uint64_t want;          /* row to go to and open once it is there; 0: none */
	size_t seen_n;
	uint64_t seen_rows;
};

/* trace_cells.c */
extern const struct tbl_col trace_columns[];
extern const struct tbl_source trace_source;
void trace_operation(struct buf *b, const struct span *s);
void trace_peer(struct buf *b, const struct span *s);
void trace_time(struct buf *b, int64_t unix_ns, int digits);
bool trace_is_error(const struct span *s);

/* trace_list.c: the rows. */
int trace_requery(struct trace *t, char *err); /* after filter, sort or window changed */
int trace_ask(struct trace *t, int budget_ms, char *err);
void trace_filter_prompt(struct trace *t);
void trace_search_prompt(struct trace *t);
void trace_sort_menu(struct trace *t);
void trace_column_menu(struct trace *t);
enum handled trace_sort(struct trace *t, const struct tbl_col *c, bool invert);
enum handled trace_next_error(struct trace *t, bool forward);
int trace_write(struct trace *t, const char *path, char *err);

/*
 * trace_jump.c: opens the view from another one, slowest first; at row `id` with its detail, 0: none.
 * 0 or -errno with words in err.
 */
int trace_open_at(struct app *a, const char *filter, const char *crumb, uint64_t id, char *err);
bool trace_arrived(struct trace *t); /* the cursor is on the row that was wanted */
/* trace_detail.c: one row in full. */
void trace_detail(struct trace *t);
/* trace_tree.c: spans of its trace, children below their parents. */
void trace_tree(struct trace *t);
/* trace_empty.c: why nothing is shown. */
void trace_empty(struct trace *t, struct grid *g, struct rect r);

#endif
