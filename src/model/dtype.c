#include "dtype.h"

#include <stdint.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "weight files are little-endian and read without swapping");

/* https://github.com/huggingface/safetensors, enum Dtype; formats whose elements are no whole bytes are left out. */
static const struct {
    const char *name;
    size_t size;
    mur_dtype dtype;
} formats[] = {
    {"F32", 4, MUR_DTYPE_F32},       {"F16", 2, MUR_DTYPE_F16},       {"BF16", 2, MUR_DTYPE_BF16},
    {"BOOL", 1, MUR_DTYPE_OTHER},    {"U8", 1, MUR_DTYPE_OTHER},      {"I8", 1, MUR_DTYPE_OTHER},
    {"F8_E5M2", 1, MUR_DTYPE_OTHER}, {"F8_E4M3", 1, MUR_DTYPE_OTHER}, {"F8_E8M0", 1, MUR_DTYPE_OTHER},
    {"U16", 2, MUR_DTYPE_OTHER},     {"I16", 2, MUR_DTYPE_OTHER},     {"U32", 4, MUR_DTYPE_OTHER},
    {"I32", 4, MUR_DTYPE_OTHER},     {"U64", 8, MUR_DTYPE_OTHER},     {"I64", 8, MUR_DTYPE_OTHER},
    {"F64", 8, MUR_DTYPE_OTHER},     {"C64", 8, MUR_DTYPE_OTHER},
};

mur_dtype mur_dtype_from_name(const char *name, size_t *size)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        if (strcmp(formats[i].name, name) == 0) {
            *size = formats[i].size;
            return formats[i].dtype;
        }
    }
    *size = 0;
    return MUR_DTYPE_OTHER;
}

size_t mur_dtype_size(mur_dtype dtype)
{
    switch (dtype) {
    case MUR_DTYPE_F32: return 4;
    case MUR_DTYPE_F16:
    case MUR_DTYPE_BF16: return 2;
    case MUR_DTYPE_OTHER: break;
    }
    return 0;
}

static inline float float_of_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint32_t bits_of_float(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* The 15 bits without the sign, moved to where an F32 has exponent and mantissa, read as a number 2^112 too small, for
 * normal and subnormal ones alike (the exponents are biased by 15 and 127). */
static inline float float_of_half(uint16_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000u) << 16, magnitude = (uint32_t)(half & 0x7FFFu) << 13;
    uint32_t bits = bits_of_float(float_of_bits(magnitude) * 0x1p112f);
    if (magnitude >= 0x7C00u << 13) /* infinity or NaN: the largest exponent */
        bits |= 0x7F800000u;
    return float_of_bits(bits | sign);
}

void mur_dtype_to_f32(float *out, const void *bytes, mur_dtype dtype, size_t n)
{
    const char *from = bytes;
    uint16_t half;
    switch (dtype) {
    case MUR_DTYPE_F32: memcpy(out, bytes, n * sizeof *out); break;
    case MUR_DTYPE_F16:
        for (size_t i = 0; i < n; i++) {
            memcpy(&half, from + 2 * i, sizeof half);
            out[i] = float_of_half(half);
        }
        break;
    case MUR_DTYPE_BF16:
        for (size_t i = 0; i < n; i++) {
            memcpy(&half, from + 2 * i, sizeof half);
            out[i] = float_of_bits((uint32_t)half << 16);
        }
        break;
    case MUR_DTYPE_OTHER: break;
    }
}
