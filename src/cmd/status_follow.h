/* status_follow.h: what murmur status --follow prints while a job goes on. */
#ifndef MURMUR_STATUS_FOLLOW_H
#define MURMUR_STATUS_FOLLOW_H

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "murmur/progress.h"

/* What goes on, as a JSON object; NULL for nothing. */
cJSON *mur_progress_now_json(const mur_progress_now *now);

/* A line for a stream's trigger, as the job's own log has it. */
void mur_progress_line_show(mur_buf *out, const mur_progress_line *line);

/* Prints each stream's triggers as they end and how far the job is, until nobody writes the store: on a terminal as a
 * bar below them, elsewhere as a line every 10 s, or (`is_json`) as an object whenever the job tells something new,
 * every other second. Looks at the store's lock, progress.jsonl and _progress alone. MUR_EIO. */
int mur_status_follow(const char *store, bool is_json) MUR_MUST_USE;

#endif
