/* The store's own JSON: a log record, a schema and a lock holder from any bytes are refused or read back alike. */
#include "fuzz.h"

#include <string.h>

#include "../../src/store/lock_holder.h"
#include "murmur/hash.h"
#include "murmur/schema.h"
#include "murmur/store.h"

/* Records stand here without their checksum, which the target adds: no mutation would ever pass it. */
const char *const mur_fuzz_seeds[] = {
    "{\"record\":7,\"time\":\"2026-11-22T15:45:31.123Z\",\"operation\":\"INGEST\",\"run_id\":\"r\",\"murmur_version\":"
    "\"0.1.0\",\"blas_kernel\":\"Haswell\",\"ranks\":4,\"options\":{\"text\":\"raw\",\"n\":[1.5,null]},\"model\":{"
    "\"name\":\"m\",\"hash\":\"0123456789abcdef\",\"precision\":\"fp32\"},\"tables\":{\"gold\":{\"version\":3,"
    "\"schema\":{\"table\":\"gold\",\"columns\":[]},\"input\":\"silver\",\"input_version\":3,\"added\":[{\"path\":"
    "\"gold/part-3.h5\",\"rows\":7,\"bytes\":\"9223372036854775807\",\"hash\":\"0123456789abcdef\",\"file_hash\":"
    "\"0123456789abcdef\"}],\"removed\":[\"gold/part-2.h5\"],\"rows\":7,\"parts\":1,\"bytes\":70}},\"sources\":[{"
    "\"path\":\"/data/\xC3\xA9.json\",\"size\":12,\"mtime_ns\":\"1790000000123456789\",\"rows\":1,\"rejects\":0}],"
    "\"units\":[[1,0,2],[3,4,5]]",
    "{\"record\":0,\"time\":\"0000-01-01\",\"operation\":\"\",\"run_id\":\"\",\"murmur_version\":\"\",\"blas_kernel\":"
    "\"\",\"ranks\":1,\"options\":{},\"model\":null,\"tables\":{},\"sources\":[],\"units\":[]",
    "{\"table\":\"gold\",\"columns\":[{\"name\":\"mention\",\"type\":\"string\",\"description\":\"who\"},{\"name\":"
    "\"n\",\"type\":\"int64\",\"description\":\"\"}]}",
    "{\"host\":\"h\",\"boot_id\":\"b\",\"pid_namespace\":\"pid:[1]\",\"pid\":12,\"pid_start\":34,\"job\":\"c/5\","
    "\"restarts\":1,\"run_id\":\"r\",\"time\":\"2026-11-22T15:45:31Z\"}",
    NULL,
};

static void check_record(mur_view body)
{
    char checksum[MUR_HASH_HEX];
    mur_buf text = {0}, once = {0}, again = {0};
    mur_record r;
    mur_buf_append_view(&text, body);
    mur_hash_hex(checksum, mur_hash(body.ptr, body.len));
    mur_buf_printf(&text, ",\"checksum\":\"%s\"}\n", checksum);
    if (mur_record_parse(&r, mur_buf_view(&text), "record") == 0) {
        mur_record_format(&once, &r);
        mur_record_clear(&r);
        CHECK(mur_record_parse(&r, mur_buf_view(&once), "record") == 0);
        mur_record_format(&again, &r);
        CHECK(mur_view_equal(mur_buf_view(&once), mur_buf_view(&again)));
    }
    mur_record_clear(&r);
    mur_buf_clear(&text);
    mur_buf_clear(&once);
    mur_buf_clear(&again);
}

static void check_schema(mur_view json)
{
    mur_buf once = {0}, again = {0};
    mur_schema *schema;
    if (mur_schema_parse(&schema, json, "schema") == 0) {
        CHECK(schema->n_columns <= MUR_MAX_COLUMNS);
        mur_schema_format(&once, schema);
        mur_schema_free(&schema);
        CHECK(mur_schema_parse(&schema, mur_buf_view(&once), "schema") == 0);
        mur_schema_format(&again, schema);
        CHECK(mur_view_equal(mur_buf_view(&once), mur_buf_view(&again)));
    }
    mur_schema_free(&schema);
    mur_buf_clear(&once);
    mur_buf_clear(&again);
}

static void check_holder(mur_view text)
{
    mur_holder h, self;
    mur_holder_parse(&h, text);
    mur_holder_self(&self, "self");
    CHECK(mur_holder_is_gone(&h, &self, 121) != NULL);
    mur_holder_clear(&h);
    mur_holder_clear(&self);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    mur_view text = {(const char *)bytes, len};
    mur_record r;
    if (mur_record_parse(&r, text, "record") == 0)
        mur_record_clear(&r);
    check_record(text);
    check_schema(text);
    check_holder(text);
    return 0;
}
