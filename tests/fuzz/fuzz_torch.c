/* A pytorch_model.bin, as the archive and as the pickle in it (whose checksum most changes of the archive would break):
 * what is believed must lie inside the file. The seeds are what tests/oracle/model_files.py writes. */
#include "fuzz.h"

#include <string.h>

#include "../../src/model/pickle.h"
#include "../../src/model/torch_file.h"

#define STORED_ARCHIVE                                                                                                 \
    "PK\x03\x04\x14\x00\x00\x00\x00\x00\x05\x98v]\x06\xec\xf2\xaf\x18\x00\x00\x00\x18\x00\x00\x00\x08\x00"             \
    "\x00\x00r/data/0\x00\x00\x80\?\x00\x00\x80@\x00\x00\x00@\x00\x00\xa0@\x00\x00@@\x00\x00\xc0@PK\x03\x04"           \
    "\x14\x00\x00\x00\x00\x00\x05\x98v]\xf7\xdf\x88\xa9\x08\x00\x00\x00\x08\x00\x00\x00\x08\x00\x00\x00r/"             \
    "data/1\x01\x00\x00\x00\x00\x00\x00\x00PK\x03\x04\x14\x00\x00\x00\x00\x00\x05\x98v]\xb0\xbfT\xbc\xe9\x01"          \
    "\x00\x00\xe9\x01\x00\x00\x0a\x00\x00\x00r/data.pkl\x80\x02"                                                       \
    "ccollections\x0aOrderedDict\x0aq\x00)Rq\x01"                                                                      \
    "(X\x08\x00\x00\x00"                                                                                               \
    "a.weightctorch._utils\x0a_rebuild_tensor_v2\x0a((X\x07\x00\x00\x00storagectorch\x0a"                              \
    "FloatStorage\x0aX\x01\x00\x00\x00"                                                                                \
    "0X\x03\x00\x00\x00"                                                                                               \
    "cpuK\x06tQK\x00(K\x02K\x03t(K\x01K\x02t\x89"                                                                      \
    "c"                                                                                                                \
    "collections\x0aOrderedDict\x0a)RtRX\x01\x00\x00\x00"                                                              \
    "bctorch._utils\x0a_rebuild_tensor_v2\x0a((X\x07"                                                                  \
    "\x00\x00\x00storagectorch\x0aLongStorage\x0aX\x01\x00\x00\x00"                                                    \
    "1X\x03\x00\x00\x00"                                                                                               \
    "cpuK\x01tQK\x00(K"                                                                                                \
    "\x01t(K\x01t\x89"                                                                                                 \
    "ccollections\x0aOrderedDict\x0a)RtRX\x04\x00\x00\x00tiedctorch._utils\x0a_rebuild_"                               \
    "tensor_v2\x0a((X\x07\x00\x00\x00storagectorch\x0a"                                                                \
    "FloatStorage\x0aX\x01\x00\x00\x00"                                                                                \
    "0X\x03\x00\x00"                                                                                                   \
    "\x00"                                                                                                             \
    "cpuK\x06tQK\x00(K\x02K\x03t(K\x03K\x01t\x89"                                                                      \
    "ccollections\x0aOrderedDict\x0a)RtRu}X\x09\x00\x00"                                                               \
    "\x00_metadatah\x00)RX\x00\x00\x00\x00}X\x07\x00\x00\x00versionK\x01sssb.PK\x03\x04\x14\x00\x00\x00\x00"           \
    "\x00\x05\x98v]\xd1\x9egU\x02\x00\x00\x00\x02\x00\x00\x00\x09\x00\x00\x00r/version3\x0aPK\x01\x02\x14"             \
    "\x03\x14\x00\x00\x00\x00\x00\x05\x98v]\x06\xec\xf2\xaf\x18\x00\x00\x00\x18\x00\x00\x00\x08\x00\x00\x00"           \
    "\x00\x00\x00\x00\x00\x00\x00\x00\x80\x01\x00\x00\x00\x00r/data/0PK\x01\x02\x14\x03\x14\x00\x00\x00\x00"           \
    "\x00\x05\x98v]\xf7\xdf\x88\xa9\x08\x00\x00\x00\x08\x00\x00\x00\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00"           \
    "\x00\x00\x80\x01>\x00\x00\x00r/data/1PK\x01\x02\x14\x03\x14\x00\x00\x00\x00\x00\x05\x98v]\xb0\xbfT\xbc"           \
    "\xe9\x01\x00\x00\xe9\x01\x00\x00\x0a\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80\x01l\x00\x00\x00"            \
    "r/data.pklPK\x01\x02\x14\x03\x14\x00\x00\x00\x00\x00\x05\x98v]\xd1\x9egU\x02\x00\x00\x00\x02\x00\x00"             \
    "\x00\x09\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80\x01}\x02\x00\x00r/versionPK\x05\x06\x00\x00"             \
    "\x00\x00\x04\x00\x04\x00\xdb\x00\x00\x00\xa6\x02\x00\x00\x00\x00"
#define DEFLATED_ARCHIVE                                                                                               \
    "PK\x03\x04\x14\x00\x00\x00\x08\x00\x05\x98v]L\xec\x10\xd5\x0e\x00\x00\x00\x0c\x00\x00\x00\x08\x00\x00"            \
    "\x00r/data/0k\xb0gppphpX\xe0p\xc0\x01\x00PK\x03\x04\x14\x00\x00\x00\x08\x00\x05\x98v]\xf7\xdf\x88\xa9"            \
    "\x05\x00\x00\x00\x08\x00\x00\x00\x08\x00\x00\x00r/data/1cd\x80\x00\x00PK\x03\x04\x14\x00\x00\x00\x08"             \
    "\x00\x05\x98v]\xf0\?\xdf"                                                                                         \
    "d\xc3\x00\x00\x00"                                                                                                \
    "b\x01\x00\x00\x0a\x00\x00\x00r/data.pkl\x9d\x90\xbd\x0a"                                                          \
    "\xc2"                                                                                                             \
    "0\x14\x85\x13\x0b\xfe\xe4I\xe2R\xd4\xc1\x07\x10q\x89 \xd6%[H\xd3K\x1b\x88\x8d&\xb7:\x09\xae\xbe"                  \
    "\xb5\xc1\x82\xe0 \x82\xcb\x1d\x0e\xdf\xe1|\xdc\xfb\xc0\x18\xef\x1c\x18\xb4\xbe\x8dl\x17*\x08P\xad\xad"            \
    "Av&\xd3\xe2L\xb9\x1c\x13"                                                                                         \
    "Bt~\x05[7h\xd0\x07\xd3\xe4\xaa"                                                                                   \
    "C\xeb\"S\x01\xca\xce\xbaJ!\xb4\xd1\x07uY0\xce"                                                                    \
    "\xe5(\xf1"                                                                                                        \
    "1q\xba\x86\x1eg\xab\x8d\xf3\x1a\xe7\xcb"                                                                          \
    "C\x9f"                                                                                                            \
    "2I\x13"                                                                                                           \
    "2\x93Y\xba\xe6\xd4\x89!\xee\x05\xe1"                                                                              \
    "b 2\xe4\"\x13\x14\x1f_\x9d\xa6\x05\x16\xafv\xf9\x9f\xc9\xd6\xb7\xf5\x87\xc5\xfcmA{\x0b\x8a\xfc\xa7"               \
    "A"                                                                                                                \
    "w\x93\x93\xd4RG@]i\xd4M\xfa\x94L\x01\xb9\xbd&/\x10"                                                               \
    "b\xea\x09\x1a"                                                                                                    \
    "c,\xf3'PK\x03\x04\x14\x00\x00\x00"                                                                                \
    "\x08\x00\x05\x98v]\xd1\x9egU\x04\x00\x00\x00\x02\x00\x00\x00\x09\x00\x00\x00r/version3\xe6\x02\x00PK"             \
    "\x01\x02\x14\x03\x14\x00\x00\x00\x08\x00\x05\x98v]L\xec\x10\xd5\x0e\x00\x00\x00\x0c\x00\x00\x00\x08\x00"          \
    "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80\x01\x00\x00\x00\x00r/data/0PK\x01\x02\x14\x03\x14\x00\x00"           \
    "\x00\x08\x00\x05\x98v]\xf7\xdf\x88\xa9\x05\x00\x00\x00\x08\x00\x00\x00\x08\x00\x00\x00\x00\x00\x00\x00"           \
    "\x00\x00\x00\x00\x80\x01"                                                                                         \
    "4\x00\x00\x00r/data/1PK\x01\x02\x14\x03\x14\x00\x00\x00\x08\x00\x05\x98v]\xf0"                                    \
    "\?\xdf"                                                                                                           \
    "d\xc3\x00\x00\x00"                                                                                                \
    "b\x01\x00\x00\x0a\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80\x01_\x00"                                       \
    "\x00\x00r/data.pklPK\x01\x02\x14\x03\x14\x00\x00\x00\x08\x00\x05\x98v]\xd1\x9egU\x04\x00\x00\x00\x02"             \
    "\x00\x00\x00\x09\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80\x01J\x01\x00\x00r/versionPK\x05\x06"             \
    "\x00\x00\x00\x00\x04\x00\x04\x00\xdb\x00\x00\x00u\x01\x00\x00\x00\x00"
#define STATE_DICT                                                                                                     \
    "\x80\x02"                                                                                                         \
    "ccollections\x0aOrderedDict\x0aq\x00)Rq\x01(X\x08\x00\x00\x00"                                                    \
    "a.weightctorch._utils\x0a_r"                                                                                      \
    "ebuild_tensor_v2\x0a((X\x07\x00\x00\x00storagectorch\x0a"                                                         \
    "BFloat16Storage\x0aX\x01\x00\x00\x00"                                                                             \
    "0X\x03"                                                                                                           \
    "\x00\x00\x00"                                                                                                     \
    "cpuK\x06tQK\x00(K\x02K\x03t(K\x03K\x01t\x89"                                                                      \
    "ccollections\x0aOrderedDict\x0a)RtRX\x01\x00"                                                                     \
    "\x00\x00"                                                                                                         \
    "bctorch._utils\x0a_rebuild_tensor_v2\x0a((X\x07\x00\x00\x00storagectorch\x0aLongStorage\x0a"                      \
    "X\x01\x00\x00\x00"                                                                                                \
    "1X\x03\x00\x00\x00"                                                                                               \
    "cpuK\x01tQK\x00(K\x01t(K\x01t\x89"                                                                                \
    "ccollections\x0aOrderedDic"                                                                                       \
    "t\x0a)RtRu}X\x09\x00\x00\x00_metadatah\x00)RX\x00\x00\x00\x00}X\x07\x00\x00\x00versionK\x01sssb."

const char *const mur_fuzz_seeds[] = {STORED_ARCHIVE, DEFLATED_ARCHIVE, STATE_DICT, NULL};
const size_t mur_fuzz_seed_lengths[] = {sizeof STORED_ARCHIVE - 1, sizeof DEFLATED_ARCHIVE - 1, sizeof STATE_DICT - 1};

#define MOST_READ ((int64_t)1 << 20)

/* The last element that an indirect tensor reaches, in its storage. */
static void check_indirect(const mur_tensor *t, size_t size)
{
    int64_t last = t->first, storage = t->raw_len ? t->raw_len : t->end - t->begin;
    for (size_t d = 0; d < t->n_dims && d < MUR_TENSOR_DIMS; d++) {
        if (t->shape[d] == 0)
            return;
        last += (t->shape[d] - 1) * t->stride[d];
    }
    CHECK(last >= 0 && (last + 1) * (int64_t)size <= storage);
}

static void check_archive(const uint8_t *bytes, size_t len)
{
    mur_zip_source source = {.path = "input", .len = (int64_t)len, .bytes = (const char *)bytes};
    mur_tensors found;
    int rc = mur_torch_parse(&found, source);
    CHECK(rc == 0 || (rc == MUR_EDATA && found.names.n_keys == 0 && !found.tensors));
    for (size_t i = 0; rc == 0 && i < found.names.n_keys; i++) {
        const mur_tensor *t = &found.tensors[i];
        size_t size = mur_dtype_size(t->dtype);
        CHECK(t->begin >= 0 && t->begin <= t->end && t->end <= (int64_t)len);
        CHECK(memchr(t->dtype_name, '\0', sizeof t->dtype_name));
        if (size > 0 && t->is_indirect) {
            check_indirect(t, size);
        } else if (size > 0) {
            int64_t n = 1;
            for (size_t d = 0; d < t->n_dims; d++)
                n *= t->shape[d];
            CHECK(t->n_dims <= MUR_TENSOR_DIMS && t->end - t->begin == n * (int64_t)size);
        }
    }
    mur_tensors_clear(&found);

    mur_zip zip;
    rc = mur_zip_open(&zip, source);
    CHECK(rc == 0 || rc == MUR_EDATA);
    for (size_t i = 0; rc == 0 && i < zip.names.n_keys; i++) {
        mur_buf contents = {0};
        int read = mur_zip_read(&contents, &zip, i, MOST_READ);
        CHECK(read == MUR_EDATA || (read == 0 && (int64_t)contents.len == zip.entries[i].len));
        mur_buf_clear(&contents);
    }
    mur_zip_clear(&zip);
}

static bool is_inside(mur_view part, mur_view whole)
{
    return part.ptr >= whole.ptr && part.len <= whole.len && part.ptr - whole.ptr <= (ptrdiff_t)(whole.len - part.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    mur_view input = {(const char *)bytes, len};
    check_archive(bytes, len);
    mur_state_dict dict;
    int rc = mur_pickle_read(&dict, input, "input");
    CHECK(rc == 0 ? dict.names.n_keys > 0 : rc == MUR_EDATA && dict.names.n_keys == 0 && !dict.tensors);
    for (size_t i = 0; i < dict.names.n_keys; i++) {
        const mur_pickled_tensor *t = &dict.tensors[i];
        CHECK(is_inside(t->storage, input) && t->storage_len >= 0 && t->first >= 0);
        for (size_t d = 0; d < t->n_dims && d < MUR_TENSOR_DIMS; d++)
            CHECK(t->shape[d] >= 0 && t->stride[d] >= 0);
    }
    mur_state_dict_clear(&dict);
    return 0;
}
