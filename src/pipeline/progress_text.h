/* progress_text.h: what a job tells of itself, as JSON and back. What is read may hold anything. Local. */
#ifndef MURMUR_PROGRESS_TEXT_H
#define MURMUR_PROGRESS_TEXT_H

#include "murmur/buf.h"
#include "murmur/progress.h"

/* `store` is its absolute path, and `id` names the store: the run id of its first record. Both end with a line feed. */
void mur_progress_line_format(mur_buf *out, const mur_progress_line *line, const char *store, const char *id);
void mur_run_counters_format(mur_buf *out, const mur_run_counters *run);
void mur_progress_now_text(mur_buf *out, const mur_progress_now *now);

/* One line of a progress file: a stream's trigger (`*line` is set), a run's end (`*run`, zeroed or another run's, is
 * replaced), or neither. */
typedef enum { MUR_PROGRESS_UNREADABLE, MUR_PROGRESS_LINE, MUR_PROGRESS_RUN } mur_progress_kind;
mur_progress_kind mur_progress_parse(mur_view text, mur_progress_line *line, mur_run_counters *run);

bool mur_progress_now_parse(mur_progress_now *out, mur_view text);

#endif
