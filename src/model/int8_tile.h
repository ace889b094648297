/* int8_tile.h: the innermost product of 8-bit integers, once for each set of vector instructions that has its own. All
 * give the same sums. */
#ifndef MURMUR_MODEL_INT8_TILE_H
#define MURMUR_MODEL_INT8_TILE_H

#include <stddef.h>
#include <stdint.h>

/* 12 rows by 32 outputs fill 24 of the 32 registers of AVX-512. */
#define MUR_TILE_ROWS 12
#define MUR_TILE_COLUMNS 32

/* Bytes that a tile of n_groups may fetch ahead: what it has time for. A panel is eight times that. */
#define MUR_TILE_AHEAD(n_groups) ((n_groups) / 4 * 64)

/* c[n_rows,32] = x[n_rows, 4 n_groups] · panelᵀ + offsets[32], modulo 2^32; n_rows is at most MUR_TILE_ROWS. Rows of x
 * are ld bytes apart. offsets[i] is -128 Σ of the panel's output i. c is 64-byte aligned. MUR_TILE_AHEAD bytes at
 * `ahead` will be wanted soon (never read, so they need not be there), and so will the rows of x that follow. */
typedef void mur_int8_tile(int32_t *c, const uint8_t *x, size_t ld, size_t n_rows, const int8_t *panel,
                           const int32_t *offsets, size_t n_groups, const int8_t *ahead);

mur_int8_tile mur_int8_tile_portable;
#if defined(__x86_64__)
mur_int8_tile mur_int8_tile_avx2, mur_int8_tile_avxvnni, mur_int8_tile_avx512vnni;
#endif

#endif
