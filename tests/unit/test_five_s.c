/* The verdicts of the five S: each changes with the figures that it rests on, and names a cure where it is not fine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "../../src/pipeline/five_s.h"

#define N_RANKS 4
#define MIB (INT64_C(1) << 20)

/* A run in which all is well. */
typedef struct scene {
    mur_run_counters run;
    mur_rank_counters ranks[N_RANKS];
    mur_storage storage;
    mur_five_s f;
} scene;

static void set_scene(scene *s)
{
    *s = (scene){.run = {.run_id = "0123456789abcdef0123456789abcdef",
                         .seconds = 100,
                         .n_batches = 3,
                         .n_ranks = N_RANKS,
                         .n_nodes = 1,
                         .ranks = s->ranks,
                         .slowest_file = (char *)"/data/big.jsonl.gz",
                         .slowest_tweets = 900},
                 .storage = {.n_parts = 12,
                             .bytes = 40 * MIB,
                             .n_tweets = 100000,
                             .run_bytes = 40 * MIB,
                             .gold_bytes = 10 * MIB,
                             .disk_bytes = 44 * MIB}};
    for (int r = 0; r < N_RANKS; r++)
        s->ranks[r] = (mur_rank_counters){.units = 20,
                                          .tweets = 25000,
                                          .tokens = 500000,
                                          .part_bytes_written = 50 * MIB,
                                          .part_bytes_read = 5 * MIB,
                                          .peak_bytes = 300 * MIB,
                                          .limit_bytes = 1000 * MIB,
                                          .exchange_bytes = MIB,
                                          .reduce_bytes = 1000,
                                          .packed_records = 10,
                                          .weights_read_bytes = r == 0 ? 16 * MIB : 0,
                                          .weights_mapped_bytes = 16 * MIB,
                                          .ingest_seconds = 5,
                                          .refine_seconds = 5,
                                          .score_seconds = 80,
                                          .write_seconds = 2,
                                          .exchange_seconds = 1,
                                          .reduce_seconds = 2,
                                          .weights_seconds = 0.5,
                                          .slowest_unit_seconds = 5};
}

static const mur_finding *judge(scene *s, mur_five_s_name name)
{
    mur_five_s_judge(&s->f, &s->storage, &s->run);
    return &s->f.findings[name];
}

static double figure(const mur_finding *f, const char *name)
{
    for (size_t i = 0; i < f->n_figures; i++)
        if (strcmp(f->figures[i].name, name) == 0)
            return f->figures[i].value;
    fail_msg("%s has no figure %s", f->name, name);
    return NAN;
}

static void assert_says(const mur_finding *f, mur_grade grade, const char *verdict, const char *cure)
{
    assert_string_equal(mur_grade_name(f->grade), mur_grade_name(grade));
    if (!strstr(f->verdict, verdict) || !strstr(f->cure, cure))
        fail_msg("%s\n%s\nhas not: %s; %s", f->verdict, f->cure, verdict, cure);
}

static void run_in_which_all_is_well_is_fine(void **state)
{
    scene s;
    (void)state;
    set_scene(&s);
    mur_five_s_judge(&s.f, &s.storage, &s.run);
    assert_string_equal(s.f.run_id, s.run.run_id);
    for (size_t i = 0; i < MUR_N_FIVE_S; i++) {
        const mur_finding *f = &s.f.findings[i];
        assert_int_equal(f->grade, MUR_GRADE_FINE);
        assert_true(f->verdict[0] && f->cure[0] && f->n_figures > 0);
        assert_true(strlen(f->verdict) + 1 < sizeof f->verdict && strlen(f->cure) + 1 < sizeof f->cure);
    }
    const mur_finding *spill = &s.f.findings[MUR_SPILL], *skew = &s.f.findings[MUR_SKEW],
                      *shuffle = &s.f.findings[MUR_SHUFFLE], *storage = &s.f.findings[MUR_STORAGE],
                      *loading = &s.f.findings[MUR_SERIALIZATION];
    assert_true(figure(spill, "peak_of_limit") == 30);
    assert_true(figure(skew, "work_max_over_mean") == 1 && figure(skew, "work_seconds_max") == 90);
    assert_true(figure(skew, "units") == 80);
    assert_true(figure(shuffle, "exchange_bytes") == 4 * (double)MIB && figure(shuffle, "share_of_run") == 3);
    assert_true(figure(storage, "compressed") == 20 && figure(storage, "read_amplification") == 2);
    assert_true(figure(loading, "weights_read_bytes") == 16 * (double)MIB);
    assert_true(figure(loading, "weights_mapped_bytes") == 64 * (double)MIB);
    assert_true(figure(loading, "share_of_run") == 0.5);
}

static void memory_near_its_limit_is_named_with_its_rank(void **state)
{
    scene s;
    (void)state;
    set_scene(&s);
    s.ranks[2].peak_bytes = 790 * MIB;
    assert_int_equal(judge(&s, MUR_SPILL)->grade, MUR_GRADE_FINE);
    s.ranks[2].peak_bytes = 800 * MIB;
    assert_says(judge(&s, MUR_SPILL), MUR_GRADE_WATCH, "rank 2 came to 800.0 MiB of 1000.0 MiB (80 %)", "--max-bytes");
    s.ranks[3].limit_bytes = 310 * MIB;
    assert_says(judge(&s, MUR_SPILL), MUR_GRADE_COSTLY, "rank 3 came to 300.0 MiB of 310.0 MiB (96 %)", "--max-bytes");
}

static void memory_in_swap_is_costly_also_without_a_limit(void **state)
{
    scene s;
    (void)state;
    set_scene(&s);
    for (int r = 0; r < N_RANKS; r++)
        s.ranks[r].limit_bytes = 0;
    assert_says(judge(&s, MUR_SPILL), MUR_GRADE_FINE, "rank 0 came to 300.0 MiB,", "--max-bytes");
    assert_true(isnan(figure(judge(&s, MUR_SPILL), "limit_bytes")));
    s.ranks[1].swapped_bytes = 3 * MIB;
    assert_says(judge(&s, MUR_SPILL), MUR_GRADE_COSTLY, "3.0 MiB was in swap", "--max-bytes");
}

static void uneven_work_is_told_with_its_cause(void **state)
{
    scene s;
    (void)state;
    set_scene(&s);
    s.ranks[1].score_seconds = 210; /* 220 of a mean of 122.5 */
    assert_says(judge(&s, MUR_SKEW), MUR_GRADE_COSTLY, "rank 1 worked 220.00 s, 1.80 times the mean; 80 units",
                "--bind-to core");
    s.ranks[1].score_seconds = 120; /* 130 of 100 */
    assert_int_equal(judge(&s, MUR_SKEW)->grade, MUR_GRADE_WATCH);
    for (int r = 0; r < N_RANKS; r++)
        s.ranks[r].units = 2;
    assert_says(judge(&s, MUR_SKEW), MUR_GRADE_WATCH, "8 units for 4 ranks", "--max-files");
    s.run.slowest_rank = 1;
    s.ranks[1].slowest_unit_seconds = 60;
    assert_says(judge(&s, MUR_SKEW), MUR_GRADE_WATCH, "One unit took 60.00 s of it: 900 tweets from /data/big.jsonl.gz",
                "Cut that file");
    s.run.slowest_file = (char *)"a\nb\xff";
    assert_says(judge(&s, MUR_SKEW), MUR_GRADE_WATCH, "from a\\x0ab\\xff on", "Cut that file");
    s.ranks[1].score_seconds = 110; /* 120 of 97.5 */
    assert_int_equal(judge(&s, MUR_SKEW)->grade, MUR_GRADE_FINE);
}

static void uneven_work_that_is_short_costs_nothing(void **state)
{
    scene s;
    (void)state;
    set_scene(&s);
    for (int r = 0; r < N_RANKS; r++)
        s.ranks[r].ingest_seconds = s.ranks[r].refine_seconds = s.ranks[r].score_seconds = 0;
    s.ranks[2].score_seconds = 6; /* the others wait 4.5 s of 100 in the mean */
    assert_says(judge(&s, MUR_SKEW), MUR_GRADE_FINE, "Uneven, but short: rank 2 worked 6.00 s, 4.00 times", "");
    s.ranks[2].score_seconds = 8;
    assert_int_equal(judge(&s, MUR_SKEW)->grade, MUR_GRADE_WATCH);
    s.ranks[2].score_seconds = 24;
    assert_int_equal(judge(&s, MUR_SKEW)->grade, MUR_GRADE_COSTLY);
}

static void run_that_found_nothing_has_no_skew(void **state)
{
    scene s;
    (void)state;
    set_scene(&s);
    memset(s.ranks, 0, sizeof s.ranks);
    mur_five_s_judge(&s.f, &s.storage, &s.run);
    assert_says(&s.f.findings[MUR_SKEW], MUR_GRADE_FINE, "No work", "");
    for (size_t i = 0; i < MUR_N_FIVE_S; i++)
        assert_int_equal(s.f.findings[i].grade, MUR_GRADE_FINE);
}

static void one_rank_has_nobody_to_wait_for(void **state)
{
    scene s;
    (void)state;
    set_scene(&s);
    s.run.n_ranks = 1;
    s.ranks[0].exchange_seconds = 90;
    assert_says(judge(&s, MUR_SHUFFLE), MUR_GRADE_FINE, "One rank", "");
    assert_says(judge(&s, MUR_SKEW), MUR_GRADE_FINE, "One rank", "");
}

static void time_in_exchanges_is_judged_by_its_share(void **state)
{
    scene s;
    (void)state;
    set_scene(&s);
    for (int r = 0; r < N_RANKS; r++)
        s.ranks[r].exchange_seconds = 8;
    assert_says(judge(&s, MUR_SHUFFLE), MUR_GRADE_WATCH, "10.00 s a rank, 10 % of the run, for 4.0 MiB in 3 batches.",
                "--max-files");
    for (int r = 0; r < N_RANKS; r++)
        s.ranks[r].reduce_seconds = 30;
    assert_says(judge(&s, MUR_SHUFFLE), MUR_GRADE_COSTLY, "waiting, for slower ranks", "--max-files");
    s.run.n_batches = 1;
    assert_says(judge(&s, MUR_SHUFFLE), MUR_GRADE_COSTLY, "waiting, for slower ranks", "see skew");
}

static void many_small_parts_call_for_optimize(void **state)
{
    scene s;
    (void)state;
    set_scene(&s);
    s.storage.crowded = "gold";
    s.storage.n_crowded = 15;
    assert_int_equal(judge(&s, MUR_STORAGE)->grade, MUR_GRADE_FINE);
    s.storage.n_crowded = 16;
    assert_says(judge(&s, MUR_STORAGE), MUR_GRADE_WATCH, "gold has 16 parts below 1 MiB", "murmur optimize");
    s.storage.n_crowded = 256;
    assert_int_equal(judge(&s, MUR_STORAGE)->grade, MUR_GRADE_COSTLY);
}

static void old_versions_call_for_vacuum(void **state)
{
    scene s;
    (void)state;
    set_scene(&s);
    s.storage.disk_bytes = 119 * MIB;
    assert_int_equal(judge(&s, MUR_STORAGE)->grade, MUR_GRADE_FINE);
    s.storage.disk_bytes = 120 * MIB;
    assert_says(judge(&s, MUR_STORAGE), MUR_GRADE_WATCH, "120.0 MiB, 3.0 times", "murmur vacuum");
}

static void loading_that_is_much_of_the_run_is_told(void **state)
{
    scene s;
    (void)state;
    set_scene(&s);
    s.ranks[3].weights_seconds = 10;
    assert_says(judge(&s, MUR_SERIALIZATION), MUR_GRADE_WATCH, "Loading the model is 10 % of the run", "--trigger");
    s.ranks[3].weights_seconds = 50;
    assert_int_equal(judge(&s, MUR_SERIALIZATION)->grade, MUR_GRADE_COSTLY);
}

static void without_a_run_only_storage_is_judged(void **state)
{
    scene s;
    (void)state;
    set_scene(&s);
    s.run = (mur_run_counters){0};
    mur_five_s_judge(&s.f, &s.storage, &s.run);
    assert_string_equal(s.f.run_id, "");
    for (size_t i = 0; i < MUR_N_FIVE_S; i++)
        assert_int_equal(s.f.findings[i].grade, i == MUR_STORAGE ? MUR_GRADE_FINE : MUR_GRADE_UNKNOWN);
    assert_true(isnan(figure(&s.f.findings[MUR_STORAGE], "compressed")));
}

static void figures_are_written_with_their_units(void **state)
{
    (void)state;
    char text[MUR_QUANTITY_TEXT];
    const struct {
        mur_figure_unit unit;
        double value;
        const char *text;
    } cases[] = {{MUR_IN_BYTES, 3.5 * (double)MIB, "3.5 MiB"},
                 {MUR_IN_SECONDS, 1.256, "1.26 s"},
                 {MUR_IN_NUMBERS, 1234567, "1234567"},
                 {MUR_IN_RATIO, 1.5, "1.50 x"},
                 {MUR_IN_PERCENT, 4.25, "4.2 %"},
                 {MUR_IN_BYTES, NAN, "-"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mur_five_s_figure f = {"", "", cases[i].unit, cases[i].value};
        assert_string_equal(mur_five_s_figure_format(text, &f), cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_in_which_all_is_well_is_fine),
        cmocka_unit_test(memory_near_its_limit_is_named_with_its_rank),
        cmocka_unit_test(memory_in_swap_is_costly_also_without_a_limit),
        cmocka_unit_test(uneven_work_is_told_with_its_cause),
        cmocka_unit_test(uneven_work_that_is_short_costs_nothing),
        cmocka_unit_test(run_that_found_nothing_has_no_skew),
        cmocka_unit_test(one_rank_has_nobody_to_wait_for),
        cmocka_unit_test(time_in_exchanges_is_judged_by_its_share),
        cmocka_unit_test(many_small_parts_call_for_optimize),
        cmocka_unit_test(old_versions_call_for_vacuum),
        cmocka_unit_test(loading_that_is_much_of_the_run_is_told),
        cmocka_unit_test(without_a_run_only_storage_is_judged),
        cmocka_unit_test(figures_are_written_with_their_units),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
