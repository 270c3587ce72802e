/* SPDX-License-Identifier: Apache-2.0 */
/* Clicks and the wheel. Off, the terminal selects text itself. */
#include "top.h"

#include <curses.h>
#include <time.h>

#define DOUBLE_MS  400
#define WHEEL_ROWS 3

void pk_top_mouse_set(struct pk_top *t, bool on)
{
	t->mouse = on;
	mouseinterval(0); /* presses at once: two of them are told apart here */
	mousemask(on ? BUTTON1_PRESSED | BUTTON4_PRESSED | BUTTON5_PRESSED : 0, NULL);
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void click_tab(struct pk_top *t, int x)
{
	for (size_t i = 0; i < PK_TOP_VIEWS; i++)
		if (x >= t->place.tab_at[i] && x < t->place.tab_at[i + 1])
			pk_top_set_view(t, i);
}

static void click_title(struct pk_top *t, int x)
{
	int at = 0;

	for (size_t i = 0; i < pk_top_views[t->view].n; i++) {
		if (!t->place.width[i])
			continue;
		if (x >= at && x <= at + (int)t->place.width[i]) {
			pk_top_sort_by(t, i);
			return;
		}
		at += (int)t->place.width[i] + 1;
	}
}

/* The second click on the same row opens its details. */
static void click_row(struct pk_top *t, size_t at)
{
	static uint64_t last_ms;
	uint64_t now = now_ms();
	bool again = at == t->at && now - last_ms < DOUBLE_MS;

	if (at >= t->rows)
		return;
	pk_top_select(t, at);
	last_ms = again ? 0 : now;
	if (again)
		pk_top_detail_open(t);
	else
		pk_top_detail_follow(t);
}

static void wheel(struct pk_top *t, int y, bool down)
{
	size_t *at = &t->at;

	if (t->mode != PK_TOP_LIST || (t->place.pane && y >= t->place.pane)) {
		at = &t->detail_top;
		*at = down ? *at + WHEEL_ROWS : *at > WHEEL_ROWS ? *at - WHEEL_ROWS : 0;
		return;
	}
	pk_top_select(t, down ? *at + WHEEL_ROWS : *at > WHEEL_ROWS ? *at - WHEEL_ROWS : 0);
	pk_top_detail_follow(t);
}

bool pk_top_mouse_key(struct pk_top *t)
{
	MEVENT e;

	if (getmouse(&e) != OK)
		return false;
	if (e.bstate & (BUTTON4_PRESSED | BUTTON5_PRESSED)) {
		wheel(t, e.y, e.bstate & BUTTON5_PRESSED);
		return true;
	}
	if (!(e.bstate & BUTTON1_PRESSED) || t->mode != PK_TOP_LIST)
		return false;
	if (e.y == t->place.tabs)
		click_tab(t, e.x);
	else if (e.y == t->place.titles)
		click_title(t, e.x);
	else if (e.y >= t->place.list && e.y < t->place.list + t->place.page)
		click_row(t, t->top + (size_t)(e.y - t->place.list));
	return true;
}
