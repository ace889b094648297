/* lock.h: the file that says who writes a store. It keeps honest writers apart; a publish that comes in spite of it is
 * stopped by the log itself, where a record's name can be taken only once.
 */
#ifndef MURMUR_LOCK_H
#define MURMUR_LOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "murmur/error.h"

typedef struct mur_lock mur_lock;

/* Takes STORE/_lock and keeps its time fresh by a thread until it is released. MUR_ECREATE naming the holder. */
int mur_lock_take(mur_lock **out, const char *store, const char *run_id, bool is_forced) MUR_MUST_USE;

/* MUR_ECREATE if another holds it by now, which happens to a process that was halted for minutes. */
int mur_lock_check(const mur_lock *l) MUR_MUST_USE;

/* Now, nanoseconds since 1970, by the clock of the store's file system: our file is touched to read it. MUR_EIO. */
int mur_lock_clock(const mur_lock *l, int64_t *now_ns) MUR_MUST_USE;

/* Whether somebody asked this run to end after the batch in hand. Cheap: one access(). */
bool mur_lock_is_stop_asked(const mur_lock *l);

/* Removes the file if it is still ours, and the request to stop, which is obeyed or too late. Fine on NULL. */
void mur_lock_release(mur_lock **l);

#endif
