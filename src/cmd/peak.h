/* peak.h: what one core can compute at most: loops that touch registers alone, on the widest vector instructions that
 * the processor has. Never a matrix product: a ceiling that the program is held against must not depend on anybody's
 * code. */
#ifndef MURMUR_PEAK_H
#define MURMUR_PEAK_H

#include "murmur/error.h"

typedef enum {
    MUR_PEAK_FP32, /* multiply and add, fused where the processor can */
    MUR_PEAK_BF16, /* dot products of pairs, summed in fp32 (AVX-512 BF16) */
    MUR_PEAK_INT8, /* dot products of four, summed in int32 (VNNI) */
    MUR_N_PEAKS
} mur_peak_kind;

/* "fp32", "bf16", "int8" */
const char *mur_peak_name(mur_peak_kind kind);

/* The instructions that are measured, "AVX-512 VNNI"; NULL where the processor has none that do this. */
const char *mur_peak_instructions(mur_peak_kind kind);

/* Operations a second of processor time, a multiplication and an addition being two, measured for about `seconds`;
 * NAN where there are no such instructions. Processor time, so that other processes on the core do not count. */
double mur_peak_measure(mur_peak_kind kind, double seconds);

/* Bytes a second of processor time that a core reads from memory, one after the other. MUR_EINTERNAL without room. */
int mur_peak_memory(double *out, double seconds) MUR_MUST_USE;

/* Seconds of processor time that this thread has used. */
double mur_thread_seconds(void);

#endif
