/* route.h: from rows as ranks happen to hold them to elements as a part has them.
 *
 * Every rank knows the sizes of all pieces, so both sides of an exchange know what travels without being told.
 */
#ifndef MURMUR_ROUTE_H
#define MURMUR_ROUTE_H

#include "cut.h"
#include "murmur/part.h"

/* A piece of some rank, as all ranks know it. */
typedef struct mur_span {
    int rank;
    size_t piece;              /* its number on that rank */
    const int64_t *numbers;    /* order, rows, then the text bytes of each column (0 where it is no string) */
    int64_t first_row;         /* in the part */
    const int64_t *first_byte; /* in the part, by column */
} mur_span;

typedef struct mur_route {
    const mur_comm *comm;
    const mur_piece *pieces;
    mur_span *spans; /* in the part's order */
    size_t n_spans;
    int64_t n_rows;
    int64_t *n_bytes; /* of the whole part, by column */
    mur_buf gathered; /* holds the spans' numbers */
    int64_t *first_bytes;
} mur_route;

/* Collective. MUR_EINTERNAL when two pieces have the same order or a piece is not of the schema: on all ranks. */
int mur_route_open(mur_route *r, const mur_comm *c, const mur_schema *schema, const mur_piece *pieces,
                   size_t n_pieces) MUR_MUST_USE;
void mur_route_close(mur_route *r);

/* Collective. Appends to outs[i] the elements of this rank's share, by cuts[i], of dataset sets[i]: all `n` in one
 * exchange. */
void mur_route_datasets(const mur_route *r, const mur_dataset *sets, const mur_cut *cuts, size_t n, mur_buf *outs);

#endif
