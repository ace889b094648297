/* names.h: which files in a store's folders are murmur's by their names. What is not is left alone: a user's notes,
 * what a file system keeps. */
#ifndef MURMUR_NAMES_H
#define MURMUR_NAMES_H

#include <stdbool.h>

/* part-VERSION-RUN….h5 */
bool mur_name_is_part(const char *name);

/* Unfinished work of a writer, in any of the folders: a part, a record, a lock. */
bool mur_name_is_temporary(const char *name);

/* What a store's own folder holds beside folders and unfinished work: the lock, requests to stop, the lines of
 * progress and their older ones. */
bool mur_name_is_of_root(const char *name);

/* A folder of a table: neither hidden nor one of the store's own. */
bool mur_name_is_table(const char *name);

#endif
