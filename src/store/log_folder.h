/* log_folder.h: what a listing of STORE/_log shows: which records and which checkpoints are there. */
#ifndef MURMUR_LOG_FOLDER_H
#define MURMUR_LOG_FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "murmur/error.h"

/* A checkpoint (checkpoint.h): records [from, to). */
typedef struct mur_segment {
    int64_t from, to;
    uint64_t hash; /* of the file's bytes */
} mur_segment;

/* "checkpoint-FROM-TO-HASH.h5", fresh; and back, false if `name` is no such name. */
char *mur_segment_name(const mur_segment *segment);
bool mur_segment_parse(mur_segment *out, const char *name);

typedef struct mur_log_listing {
    int64_t *records; /* their numbers, ascending */
    size_t n_records, cap_records;
    mur_segment *segments;
    size_t n_segments, cap_segments;
} mur_log_listing;

/* MUR_ENOINPUT without such a folder, MUR_EIO. What came while the folder was read may be there or not. */
int mur_log_list(mur_log_listing *out, const char *log_folder) MUR_MUST_USE;
void mur_log_listing_clear(mur_log_listing *l);

#endif
