/* amx.h: linear layers by Intel's AMX (Sapphire Rapids and later): eight registers, tiles, of 16 rows of 64 bytes, and
 * instructions that multiply two of them and add to a third. Panels are those of int8.h and panels.h: a tile of weights
 * is 16 groups, or words, of 16 outputs, every other line of a panel. */
#ifndef MURMUR_MODEL_AMX_H
#define MURMUR_MODEL_AMX_H

#include <stdbool.h>

#include "int8.h"
#include "kernels.h"
#include "panels.h"

#if defined(__x86_64__)

/* Whether the processor has tiles and their products of bf16 and of 8-bit integers, and the system lets this
 * process use them, which it is asked for at the first call: Linux before 5.16 and some virtual machines do not. */
bool mur_amx_is_there(void);

/* As mur_int8_linear and mur_panels_linear, for that arithmetic. `tdpbf16ps` sums the earlier and the later inputs of
 * 16 pairs each for itself and adds both to what is there, so that these bits are of a type of their own; a row's still
 * depend on nothing else. */
void mur_amx_int8_linear(const mur_kernels *k, const mur_int8_product *p);
void mur_amx_bf16_linear(const mur_kernels *k, const mur_panels_product *p);

#endif
#endif
