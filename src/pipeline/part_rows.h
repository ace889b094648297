/* part_rows.h: the rows of parts that stand one behind the other, by their place among all, wherever a part begins and
 * ends. */
#ifndef MURMUR_PART_ROWS_H
#define MURMUR_PART_ROWS_H

#include "murmur/par.h"
#include "murmur/part.h"

typedef struct mur_part_rows {
    mur_part *parts;     /* in row order */
    int64_t *first_rows; /* n + 1, once there is a part: where the rows of each begin */
    size_t n, cap;
    mur_part_reader *reader; /* of the part that was read last */
    size_t open;
    int64_t bytes_checked; /* of files that this rank read to hold them against the log */
    bool is_checked;       /* all parts were, by mur_part_rows_check_together */
} mur_part_rows;

/* Local. A zeroed one has no parts; this puts copies of some behind those that it has. */
void mur_part_rows_add(mur_part_rows *r, const mur_part *const *parts, size_t n);

/* Collective. All ranks get rank 0's parts; the others have none before. */
void mur_part_rows_broadcast(mur_part_rows *r, const mur_comm *c);

/* Local. Rows of all parts together. */
int64_t mur_part_rows_total(const mur_part_rows *r);

/* Local. This rank's share of the parts held against the log: MUR_EDATA naming one that is damaged. For who wants to
 * know before long work; what is read is held against the log in any case. */
int mur_part_rows_check(const mur_part_rows *r, const mur_comm *c, const char *store) MUR_MUST_USE;

/* Collective. All parts held against the log, of which each rank reads a share: for parts that many ranks read rows of.
 * MUR_EDATA naming one that is damaged. */
int mur_part_rows_check_together(mur_part_rows *r, const mur_comm *c, const char *store) MUR_MUST_USE;

/* Local. Appends rows [first, first + n) to `out`, as mur_part_read does. */
int mur_part_rows_read(mur_part_rows *r, const char *store, int64_t first, int64_t n, mur_frame *out) MUR_MUST_USE;

/* Local. */
void mur_part_rows_clear(mur_part_rows *r);

#endif
