/* The whole of a small safetensors file: what its header claims, once believed, must lie inside the file. */
#include "fuzz.h"

#include <string.h>

#include "../../src/model/safetensors.h"
#include "murmur/mem.h"

#define SEED_1                                                                                                         \
    "\x3a\0\0\0\0\0\0\0"                                                                                               \
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[0,8]}}  "                                             \
    "12345678"
#define SEED_2                                                                                                         \
    "\xbf\0\0\0\0\0\0\0"                                                                                               \
    "{\"__metadata__\":{\"format\":\"pt\"},\"b\":{\"dtype\":\"BF16\",\"shape\":[3],\"data_offsets\":[4,10]},"          \
    "\"a\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,1]},"                                                    \
    "\"c\":{\"dtype\":\"NEW\",\"shape\":[7],\"data_offsets\":[1,4]}}"                                                  \
    "1234567890"
#define SEED_3 "\x02\0\0\0\0\0\0\0{}"

const char *const mur_fuzz_seeds[] = {SEED_1, SEED_2, SEED_3, NULL};
const size_t mur_fuzz_seed_lengths[] = {sizeof SEED_1 - 1, sizeof SEED_2 - 1, sizeof SEED_3 - 1};

static void check_tensors(const mur_tensors *s, const uint8_t *bytes, size_t len, int64_t data)
{
    int64_t covered = 0;
    for (size_t i = 0; i < s->names.n_keys; i++) {
        const mur_tensor *t = &s->tensors[i];
        size_t size = mur_dtype_size(t->dtype), n_bytes = (size_t)(t->end - t->begin);
        CHECK(t->begin >= data && t->end >= t->begin && t->end <= (int64_t)len);
        CHECK(memchr(t->dtype_name, '\0', sizeof t->dtype_name));
        covered += t->end - t->begin;
        if (size > 0) {
            CHECK(n_bytes % size == 0);
            float *values = mur_alloc(n_bytes / size, sizeof *values);
            mur_dtype_to_f32(values, bytes + t->begin, t->dtype, n_bytes / size);
            free(values);
        }
    }
    CHECK(data + covered == (int64_t)len);
}

static void check_header(const uint8_t *bytes, size_t len, size_t header_len)
{
    mur_tensors s;
    mur_view header = {(const char *)bytes + MUR_SAFETENSORS_PREFIX, header_len};
    int rc = mur_safetensors_parse(&s, header, (int64_t)len, "input");
    if (rc == 0)
        check_tensors(&s, bytes, len, (int64_t)(MUR_SAFETENSORS_PREFIX + header_len));
    else
        CHECK(rc == MUR_EDATA && s.names.n_keys == 0 && !s.tensors);
    mur_tensors_clear(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    if (len < MUR_SAFETENSORS_PREFIX)
        return 0;
    int64_t claimed;
    if (mur_safetensors_header_len(&claimed, bytes, (int64_t)len, "input") == 0) {
        CHECK(claimed >= 0 && (size_t)claimed <= len - MUR_SAFETENSORS_PREFIX);
        check_header(bytes, len, (size_t)claimed);
    }
    /* Also as if the length were right: most changes of the header make it wrong, and would go no further. */
    const uint8_t *first = bytes + MUR_SAFETENSORS_PREFIX, *last = memrchr(first, '}', len - MUR_SAFETENSORS_PREFIX);
    if (last)
        check_header(bytes, len, (size_t)(last + 1 - first));
    return 0;
}
