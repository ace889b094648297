/* log.h: one line a message on standard error; results never go here.
 *
 * Rank 0 speaks for all: the other ranks speak only of their own faults, from WARN up, and name themselves.
 */
#ifndef MURMUR_LOG_H
#define MURMUR_LOG_H

#include <stdbool.h>

#include "murmur/error.h"

typedef enum { MUR_LOG_ERROR, MUR_LOG_WARN, MUR_LOG_INFO, MUR_LOG_DEBUG } mur_log_level;

/* INFO at first. */
void mur_log_level_set(mur_log_level level);

/* The rank that this process speaks as; 0 until told. */
void mur_log_rank_set(int rank);
int mur_log_rank(void);

void mur_log(mur_log_level level, const char *format, ...) MUR_PRINTF(2, 3);

/* A line that stays below all messages, as a progress bar does: messages are written above it and it is drawn again.
 * Each call replaces it, "" takes it away; nothing is written where nothing changed. For terminals alone, and cut to
 * less than their width by who calls. Nothing with --quiet. An error takes it away. */
#define MUR_STATUS_TEXT 256
void mur_log_status(const char *text);

/* Takes the line away for good, from a handler of a signal that ends the process: what comes next on the terminal, a
 * shell's prompt, begins a line. */
void mur_log_status_end(void);

/* From here on some rank has a status on this rank's terminal: each message first clears the line that it begins in. */
void mur_log_status_share(bool is_sharing);

#define mur_log_error(...) mur_log(MUR_LOG_ERROR, __VA_ARGS__)
#define mur_log_warn(...) mur_log(MUR_LOG_WARN, __VA_ARGS__)
#define mur_log_info(...) mur_log(MUR_LOG_INFO, __VA_ARGS__)
#define mur_log_debug(...) mur_log(MUR_LOG_DEBUG, __VA_ARGS__)

#endif
