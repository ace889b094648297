/* A meta.yaml of MLflow's: any bytes are read or refused, and any text that murmur writes reads back as it was. */
#include "fuzz.h"

#include "../../src/tracking/number.h"
#include "../../src/tracking/yaml.h"
#include "murmur/utf8.h"

const char *const mur_fuzz_seeds[] = {
    "artifact_uri: file:///a/b\nend_time: null\nkey: plain text # comment\nstatus: 3\n",
    "key: 'it''s\n  folded\n\n  text'\nnext: 1\n",
    "key: \"a \\\"b\\\" \\xe9 \\u2028 \\U0001F600 \\\n  \\ cut\"\n",
    "key: >-\n  block\n",
    "1790000000000 0.25 3",
    "-1e-300",
    NULL,
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    mur_view text = {(const char *)bytes, len};
    mur_buf document = {0}, value = {0};
    int rc = mur_yaml_member(&value, text, "key", "document");
    CHECK(rc == 0 || rc == 1 || rc == MUR_EDATA);
    CHECK(rc != 0 || mur_utf8_is_valid(mur_buf_view(&value)));

    if (mur_utf8_is_valid(text)) {
        mur_buf_append_text(&document, "before: 1\nkey: ");
        mur_yaml_append_string(&document, text);
        mur_buf_append_text(&document, "\nkey2: x\n");
        CHECK(mur_yaml_member(&value, mur_buf_view(&document), "key", "document") == 0);
        CHECK(mur_view_equal(mur_buf_view(&value), text));
        CHECK(mur_yaml_member(&value, mur_buf_view(&document), "key2", "document") == 0);
        CHECK(mur_view_equal(mur_buf_view(&value), mur_view_of("x")));
    }

    double number, again;
    if (mur_number_read(&number, text) && number == number) {
        mur_buf_reset(&value);
        mur_number_append(&value, number);
        CHECK(mur_number_read(&again, mur_buf_view(&value)) && again == number);
    }
    mur_buf_clear(&document);
    mur_buf_clear(&value);
    return 0;
}
