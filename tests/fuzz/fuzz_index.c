/* The index of sharded weights: every tensor it names has a shard, and a shard is a file of the folder itself. */
#include "fuzz.h"

#include <string.h>

#include "../../src/model/checkpoint.h"

const char *const mur_fuzz_seeds[] = {
    "{\"metadata\":{\"total_size\":16},\"weight_map\":{\"a.weight\":\"model-00001-of-00002.safetensors\","
    "\"b\":\"model-00002-of-00002.safetensors\",\"c\":\"model-00001-of-00002.safetensors\"}}",
    "{\"weight_map\":{\"a\":\"x/y\",\"b\":\"..\",\"c\":\"\\u002e.\",\"d\":\"\\u002f\"}}",
    "{\"weight_map\":{\"a\":\"x\",\"a\":\"y\"},\"weight_map\":{}}",
    NULL,
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    mur_checkpoint c = {0};
    int rc = mur_checkpoint_parse_index(&c, (mur_view){(const char *)bytes, len}, "input");
    CHECK(rc == 0 || rc == MUR_EDATA);
    for (size_t i = 0; rc == 0 && i < c.names.n_keys; i++)
        CHECK(c.shard_of[i] < c.shards.n_keys);
    for (size_t i = 0; rc == 0 && i < c.shards.n_keys; i++) {
        mur_view name = mur_map_key(&c.shards, i);
        CHECK(name.len > 0 && !memchr(name.ptr, '/', name.len) && !memmem(name.ptr, name.len, "..", 2));
    }
    CHECK(rc < 0 || c.names.n_keys > 0);
    mur_checkpoint_clear(&c);
    return 0;
}
