/* Stores whose parts and log are sound and whose tables do not agree: verify --deep names the first row that differs.
 */
#include "scratch.h"

#include "murmur/buf.h"
#include "murmur/clock.h"
#include "murmur/deep.h"
#include "murmur/store.h"
#include "murmur/tables.h"

#define NOON INT64_C(1239105600000) /* 2009-04-07T12:00:00Z */

typedef struct tweet {
    const char *text, *date, *sentiment; /* NULL: null */
} tweet;

typedef struct scored {
    int64_t timestamp;
    const char *mention, *cleaned, *sentiment, *predicted;
    int8_t sentiment_id, predicted_id;
} scored;

typedef struct counted {
    const char *mention;
    int64_t oldest, newest, negative, neutral, positive, total;
} counted;

typedef struct tables {
    const char *rule, *fold_case;
    tweet bronze[3];
    scored silver[4], gold[4];
    counted application[3];
    size_t n_silver, n_gold, n_application;
} tables;

/* Tables that agree. */
static const tables sound = {
    .rule = "twitter",
    .fold_case = "false",
    .bronze = {{"@b hi @a", "2009-04-07T12:00Z", "positive"}, {"nobody", NULL, NULL}, {"@a bye", "never", NULL}},
    .silver = {{NOON, "@b", " hi ", "positive", NULL, 0, 0},
               {NOON, "@a", " hi ", "positive", NULL, 0, 0},
               {MUR_NO_TIME, "@a", " bye", NULL, NULL, 0, 0}},
    .gold = {{NOON, "@b", " hi ", "positive", "POS", 1, 1},
             {NOON, "@a", " hi ", "positive", "NEU", 1, 0},
             {MUR_NO_TIME, "@a", " bye", NULL, "NEG", 0, 0}},
    .application = {{"@a", NOON, NOON, 1, 1, 0, 2}, {"@b", NOON, NOON, 0, 0, 1, 1}},
    .n_silver = 3,
    .n_gold = 3,
    .n_application = 2,
};

static char *folder;

static void set_text(mur_frame *f, size_t column, const char *text)
{
    if (text)
        mur_frame_set_string(f, column, mur_view_of(text));
}

static void fill_bronze(mur_frame *f, const tables *t)
{
    for (size_t i = 0; i < 3; i++) {
        mur_frame_add_row(f);
        set_text(f, MUR_BRONZE_TEXT, t->bronze[i].text);
        set_text(f, MUR_BRONZE_DATE, t->bronze[i].date);
        set_text(f, MUR_BRONZE_SENTIMENT, t->bronze[i].sentiment);
    }
}

static void fill_scored(mur_frame *f, const scored *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        mur_frame_add_row(f);
        mur_frame_set_int64(f, MUR_GOLD_TIMESTAMP, rows[i].timestamp);
        set_text(f, MUR_GOLD_MENTION, rows[i].mention);
        set_text(f, MUR_GOLD_CLEANED_TEXT, rows[i].cleaned);
        set_text(f, MUR_GOLD_SENTIMENT, rows[i].sentiment);
        if (f->schema != &mur_gold_schema)
            continue;
        mur_frame_set_float32(f, MUR_GOLD_PREDICTED_SCORE, 50);
        set_text(f, MUR_GOLD_PREDICTED_SENTIMENT, rows[i].predicted);
        mur_frame_set_int8(f, MUR_GOLD_SENTIMENT_ID, rows[i].sentiment_id);
        mur_frame_set_int8(f, MUR_GOLD_PREDICTED_SENTIMENT_ID, rows[i].predicted_id);
    }
}

static void fill_application(mur_frame *f, const counted *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        mur_frame_add_row(f);
        set_text(f, MUR_APPLICATION_MENTION, rows[i].mention);
        const int64_t numbers[] = {rows[i].oldest,  rows[i].newest,   rows[i].negative,
                                   rows[i].neutral, rows[i].positive, rows[i].total};
        for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++)
            mur_frame_set_int64(f, MUR_APPLICATION_MIN_TIMESTAMP + k, numbers[k]);
    }
}

/* Writes the rows as a part and notes it in the record. */
static void add_table(mur_record *r, const mur_frame *rows, const char *input)
{
    mur_comm alone = mur_comm_alone();
    mur_part_options options = {.store = folder, .run_id = "run", .compress = 1, .io_timeout_ms = 300000};
    mur_change *change = mur_record_change(r, rows->schema->table);
    change->columns = rows->schema;
    change->input = input ? mur_strdup(input) : NULL;
    change->input_version = input ? 0 : -1;
    change->added = mur_alloc(1, sizeof *change->added);
    int64_t bytes;
    assert_done(mur_part_write(change->added, &alone, rows->schema, &(mur_piece){0, rows}, 1, &options, &bytes));
    change->n_added = 1;
}

static mur_record new_record(char *options)
{
    return (mur_record){.operation = mur_strdup("INGEST"),
                        .run_id = mur_strdup("run"),
                        .murmur_version = mur_strdup("0"),
                        .blas_kernel = mur_strdup("none"),
                        .options = options,
                        .ranks = 1};
}

static void write_store(const tables *t)
{
    const mur_schema *const schemas[] = {&mur_bronze_schema, &mur_silver_schema, &mur_gold_schema,
                                         &mur_application_schema};
    mur_frame frames[4];
    for (size_t i = 0; i < 4; i++)
        mur_frame_init(&frames[i], schemas[i]);
    fill_bronze(&frames[0], t);
    fill_scored(&frames[1], t->silver, t->n_silver);
    fill_scored(&frames[2], t->gold, t->n_gold);
    fill_application(&frames[3], t->application, t->n_application);

    mur_store *s;
    assert_done(mur_store_create(folder));
    assert_done(mur_store_open(&s, folder));
    assert_done(mur_store_lock(s, "run", false));
    mur_record r = new_record(mur_format("{\"mention_rule\":\"%s\"}", t->rule));
    add_table(&r, &frames[0], NULL);
    add_table(&r, &frames[1], "bronze");
    add_table(&r, &frames[2], "silver");
    assert_done(mur_store_publish(s, &r));
    mur_record_clear(&r);
    r = new_record(mur_format("{\"fold_case\":%s}", t->fold_case));
    add_table(&r, &frames[3], "gold");
    assert_done(mur_store_publish(s, &r));
    mur_record_clear(&r);
    mur_store_close(&s);
    for (size_t i = 0; i < 4; i++)
        mur_frame_clear(&frames[i]);
}

static void note(void *findings, const char *text)
{
    mur_buf_printf(findings, "%s\n", text);
}

/* `expected` is all that is found, or begins it where it ends without a line feed; NULL: nothing is. */
static void check(const tables *t, const char *expected)
{
    folder = scratch_make("deep");
    assert_non_null(folder);
    write_store(t);
    /* All mentions at once; and gold read again for each one or two. */
    for (int64_t at_once = 100; at_once > 0; at_once -= 99) {
        mur_buf found = {0};
        int64_t n_rows;
        mur_deep_options options = {.mentions_at_once = at_once};
        int rc = mur_verify_deep(folder, &options, note, &found, &n_rows);
        if (expected) {
            assert_int_equal(rc, MUR_EDATA);
            if (strncmp(mur_buf_text(&found), expected, strlen(expected)) != 0)
                fail_msg("found \"%s\" instead of \"%s\"", mur_buf_text(&found), expected);
        } else {
            assert_done(rc);
            assert_string_equal(mur_buf_text(&found), "");
            assert_int_equal(n_rows, t->n_silver + t->n_gold + t->n_application);
        }
        mur_buf_clear(&found);
    }
    scratch_remove(folder);
    free(folder);
}

static void tables_that_agree_have_no_findings(void **state)
{
    (void)state;
    check(&sound, NULL);
    tables t = sound;
    t.gold[1].mention = t.silver[1].mention = "@A";
    t.bronze[0].text = "@b hi @A";
    t.fold_case = "true";
    check(&t, NULL);
}

static void silver_that_bronze_does_not_give_is_found(void **state)
{
    (void)state;
    tables t = sound;
    t.silver[1].cleaned = " hi";
    check(&t, "silver row 1: cleaned_text is \" hi\" where bronze gives \" hi \"\ngold row 1: cleaned_text");
    t = sound;
    t.silver[2].timestamp = NOON;
    check(&t, "silver row 2: timestamp is 2009-04-07T12:00:00Z where bronze gives null\n");
    t = sound;
    t.silver[0].sentiment = NULL;
    check(&t, "silver row 0: sentiment is null where bronze gives \"positive\"\n");
    t = sound;
    t.rule = "word";
    t.bronze[2].text = "@_@ bye";
    check(&t, "silver row 2: mention is \"@a\" where bronze gives \"@_@\"\n");
    t = sound;
    t.n_silver = t.n_gold = 2;
    check(&t, "silver: record 0 added 2 rows where bronze gives more\n");
    t = sound;
    t.silver[3] = t.silver[2];
    t.gold[3] = t.gold[2];
    t.n_silver = t.n_gold = 4;
    check(&t, "silver row 3: record 0 added it, and bronze gives no such row\n");
}

static void gold_that_silver_does_not_give_is_found(void **state)
{
    (void)state;
    tables t = sound;
    t.gold[2].mention = "@c";
    check(&t, "gold row 2: mention is \"@c\" where silver gives \"@a\"\n");
    t = sound;
    t.gold[1].sentiment_id = 0;
    check(&t, "gold row 1: sentiment_id is 0 where its other columns give 1\n");
    t = sound;
    t.gold[1].predicted_id = 1;
    check(&t, "gold row 1: predicted_sentiment_id is 1 where its other columns give 0\n");
    t = sound;
    t.n_gold = 2;
    check(&t, "gold: version 0 has 2 rows where version 0 of silver has 3\n");
}

static void application_that_gold_does_not_give_is_found(void **state)
{
    (void)state;
    tables t = sound;
    t.application[1].positive = 0;
    t.application[1].neutral = 1;
    check(&t, "application row 1: neutral of \"@b\" is 1 where gold gives 0\n");
    t = sound;
    t.application[0].oldest = NOON - 1;
    t.application[1].total = 2;
    check(&t, "application row 0: min_timestamp of \"@a\" is 2009-04-07T11:59:59.999Z where gold gives "
              "2009-04-07T12:00:00Z\n");
    t = sound;
    t.application[0] = sound.application[1];
    t.application[1] = sound.application[0];
    check(&t, "application row 1: \"@a\" is not where the table's order has it\n");
    t = sound;
    t.application[2] = (counted){"@c", NOON, NOON, 0, 0, 1, 1};
    t.n_application = 3;
    check(&t, "application row 2: gold has no row of \"@c\"\n");
    t.application[2] = t.application[1];
    check(&t, "application row 2: \"@b\" ");
    t = sound;
    t.n_application = 1;
    check(&t, "application row 1: \"@b\" has 1 rows in gold and none here\n");
    t = sound;
    t.fold_case = "true";
    t.bronze[2].text = "@A bye";
    t.silver[2].mention = t.gold[2].mention = "@A";
    check(&t, NULL);
    t.fold_case = "false";
    check(&t, "application row 0: ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_that_agree_have_no_findings),
        cmocka_unit_test(silver_that_bronze_does_not_give_is_found),
        cmocka_unit_test(gold_that_silver_does_not_give_is_found),
        cmocka_unit_test(application_that_gold_does_not_give_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
