/* A user's schema file: refused, or columns that bronze can have, which a store reads back alike. */
#include "fuzz.h"

#include "../../src/pipeline/schema_file.h"
#include "murmur/tables.h"
#include "murmur/utf8.h"

const char *const mur_fuzz_seeds[] = {
    "{\"table\":\"bronze\",\"columns\":[{\"name\":\"text\",\"type\":\"string\"},{\"name\":\"likes\",\"type\":\"int64\","
    "\"description\":\"how many\"},{\"name\":\"x\\u00e9\",\"type\":\"float64\"},{\"name\":\"ok\",\"type\":\"bool\"}]}",
    "{\"type\":\"struct\",\"fields\":[{\"name\":\"a\",\"type\":\"long\",\"nullable\":true,\"metadata\":{\"comment\":"
    "\"c\"}},{\"name\":\"b\",\"type\":\"double\"},{\"name\":\"at\",\"type\":\"timestamp\"},{\"name\":\"d\",\"type\":{"
    "\"type\":\"array\"}}]}",
    "\xEF\xBB\xBF{\"columns\":[]}",
    NULL,
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    mur_schema *declared, *merged, *again;
    if (mur_schema_file_parse(&declared, (mur_view){(const char *)bytes, len}, "schema") < 0) {
        CHECK(!declared);
        return 0;
    }
    for (size_t c = 0; c < declared->n_columns; c++) {
        mur_view name = mur_view_of(declared->columns[c].name);
        CHECK(name.len > 0 && mur_utf8_is_valid(name) && mur_schema_find(&mur_bronze_schema, name) < 0);
    }
    if (mur_schema_file_merge(&merged, &mur_bronze_schema, declared, true, "schema") == 0) {
        CHECK(merged->n_columns == mur_bronze_schema.n_columns + declared->n_columns);
        mur_buf json = {0};
        mur_schema_format(&json, merged);
        CHECK(mur_schema_parse(&again, mur_buf_view(&json), "merged") == 0);
        CHECK(again->n_columns == merged->n_columns);
        mur_schema_free(&again);
        mur_buf_clear(&json);
    }
    mur_schema_free(&merged);
    mur_schema_free(&declared);
    return 0;
}
