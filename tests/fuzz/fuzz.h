/* fuzz.h: what a fuzz target is. A file fuzz_<name>.c defines
 *
 *     int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);    abort()s, by CHECK, where a property fails
 *     const char *const mur_fuzz_seeds[] = {"…", NULL};                inputs to begin with
 *     const size_t mur_fuzz_seed_lengths[] = {…};                      only where a seed holds NULs
 *
 * and is linked with standalone.c, which runs a campaign or replays files; or with -fsanitize=fuzzer instead, for
 * libFuzzer.
 */
#ifndef MURMUR_TESTS_FUZZ_H
#define MURMUR_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

extern const char *const mur_fuzz_seeds[];
extern const size_t mur_fuzz_seed_lengths[] __attribute__((weak));

/* Unlike assert, also in release builds. */
#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);                             \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

#endif
