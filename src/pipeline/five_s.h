/* five_s.h: the judgement alone, from figures that may come from anywhere. */
#ifndef MURMUR_FIVE_S_JUDGE_H
#define MURMUR_FIVE_S_JUDGE_H

#include "murmur/five_s.h"

/* What a store's files are like. */
typedef struct mur_storage {
    int64_t n_parts, bytes, n_tweets; /* of the tables' versions at the record; rows of bronze */
    int64_t n_small;                  /* of those, parts smaller than MUR_SMALL_PART */
    const char *crowded;              /* the table with the most small parts, that optimize would put */
    int64_t n_crowded;                /*   together, and how many; NULL: none */
    int64_t run_bytes;                /* of the files of parts that the run added */
    int64_t gold_bytes;               /* of those of gold */
    int64_t disk_bytes;               /* of all files of the store; 0: not known */
} mur_storage;

#define MUR_SMALL_PART (1 << 20)

void mur_five_s_judge(mur_five_s *out, const mur_storage *storage, const mur_run_counters *run);

#endif
