#include "cut.h"

/* Large enough for deflate and the disk, small enough that a reader of a few rows inflates little; also HDF5's default
 * chunk cache, so that neighbouring reads inflate a chunk once. */
#define MAX_CHUNK_BYTES (1 << 20)
#define CHUNKS_PER_RANK 2

mur_cut mur_cut_of(const mur_layout *l, size_t i, int n_ranks)
{
    const mur_dataset *d = &l->sets[i];
    int64_t most = MAX_CHUNK_BYTES / (d->block * (int64_t)d->size);
    int64_t wanted = d->n_blocks / ((int64_t)CHUNKS_PER_RANK * n_ranks);
    int64_t blocks = wanted < 1 ? 1 : wanted < most ? wanted : most;

    /* Datasets start at different ranks: those with fewer chunks than ranks would all be rank 0's otherwise. */
    mur_cut cut = {.n = d->n, .chunk = blocks * d->block, .n_ranks = n_ranks, .shift = (int)(i % (size_t)n_ranks)};
    if (cut.chunk > d->n)
        cut.chunk = d->n; /* HDF5 refuses chunks larger than a dataset of fixed size */
    cut.n_chunks = d->n ? (d->n + cut.chunk - 1) / cut.chunk : 0;
    return cut;
}

/* Chunk i of n is at position floor(i * ranks / n), so a position's chunks begin at this one. */
static int64_t first_chunk(const mur_cut *cut, int position)
{
    return (position * cut->n_chunks + cut->n_ranks - 1) / cut->n_ranks;
}

void mur_cut_range(const mur_cut *cut, int rank, int64_t *first, int64_t *end)
{
    *first = *end = 0;
    if (rank >= cut->n_ranks)
        return;
    int position = (rank - cut->shift + cut->n_ranks) % cut->n_ranks;
    *first = first_chunk(cut, position) * cut->chunk;
    *end = first_chunk(cut, position + 1) * cut->chunk;
    *first = *first < cut->n ? *first : cut->n;
    *end = *end < cut->n ? *end : cut->n;
}
