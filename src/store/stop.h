/* stop.h: requests to stop: STORE/_stop-RUN, an empty file. Its name is all that it says, so that it is whole from its
 * first moment, one access() finds it, and no other run ever obeys it.
 */
#ifndef MURMUR_STOP_H
#define MURMUR_STOP_H

/* Where a request to this run stands. A fresh string; NULL if the text is no run's id, for it may come from outside. */
char *mur_stop_path(const char *store, const char *run_id);

/* Removes all requests but those to `run_id`: their runs are over. Failures leave litter, which harms nobody. */
void mur_stop_clean(const char *store, const char *run_id);

#endif
