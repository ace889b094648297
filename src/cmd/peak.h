/* peak.h: what one core can compute at most: loops that touch registers alone, by each of the sets of instructions that
 * the processor has and the environment variable MURMUR_ISA allows. Never a matrix product: a ceiling that the program
 * is held against must not depend on anybody's code. */
#ifndef MURMUR_PEAK_H
#define MURMUR_PEAK_H

#include <stddef.h>

#include "murmur/error.h"

typedef enum {
    MUR_PEAK_FP32, /* multiply and add, fused where the processor can */
    MUR_PEAK_BF16, /* dot products of pairs, summed in fp32 (AMX, AVX-512 BF16) */
    MUR_PEAK_INT8, /* dot products of four, summed in int32 (AMX, VNNI) */
    MUR_N_PEAKS
} mur_peak_kind;

/* "fp32", "bf16", "int8" */
const char *mur_peak_name(mur_peak_kind kind);

/* The i-th set of instructions that do this, widest first, "AVX-512 VNNI"; NULL behind the last. */
const char *mur_peak_instructions(mur_peak_kind kind, size_t i);

/* Operations a second of processor time, a multiplication and an addition being two, by the i-th set of instructions,
 * measured for about `seconds`; NAN where there are no such instructions. Processor time, so that other processes on
 * the core do not count. */
double mur_peak_measure(mur_peak_kind kind, size_t i, double seconds);

/* Bytes a second of processor time that a core reads from memory, one after the other. MUR_EINTERNAL without room. */
int mur_peak_memory(double *out, double seconds) MUR_MUST_USE;

/* Seconds of processor time that this thread has used. */
double mur_thread_seconds(void);

#endif
