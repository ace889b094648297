/* The picture layer: tables to gnuplot and back as SVG, whatever users call themselves. */
#include "../../src/picture/gnuplot.h"
#include "murmur/charts.h"
#include "murmur/file.h"
#include "murmur/picture.h"
#include "scratch.h"

SCRATCH_FOLDER("picture")

static const mur_picture bars = {
    .name = "bars",
    .title = "Bars",
    .width = 400,
    .height = 300,
    .script = {"set yrange [:] reverse\n"
               "plot data using \"n\":0:(0):\"n\":($0 - 0.4):($0 + 0.4):ytic(strcol(\"name\")) with boxxyerror"
               " linecolor rgb negative notitle\n"},
};

static const char *const names[] = {"@under_score^2{x}",
                                    "<script>alert(1)</script>",
                                    "a \"quoted\" name",
                                    "\"",
                                    "C:\\new\\101 %s",
                                    "`date` $(date)",
                                    "#hash",
                                    "&amp; &#60;",
                                    "\u0639\u0645\u0631 \u05D0\u05D1",
                                    "\U0001F600 emoji",
                                    "NaN",
                                    "?"};
#define N_NAMES (sizeof names / sizeof *names)

static void fill(mur_buf *table)
{
    mur_buf_append_text(table, "name\tn\n");
    for (size_t i = 0; i < N_NAMES; i++) {
        mur_picture_cell(table, mur_view_of(names[i]), 40);
        mur_buf_printf(table, "\t%zu\n", i + 1);
    }
}

static char *path_of(const char *name)
{
    static char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void read_file(mur_buf *out, const char *name)
{
    mur_buf_reset(out);
    assert_done(mur_file_read(out, path_of(name)));
}

static void append_escaped(mur_buf *out, const char *text)
{
    for (; *text; text++)
        if (*text == '<')
            mur_buf_append_text(out, "&lt;");
        else if (*text == '&')
            mur_buf_append_text(out, "&amp;");
        else
            mur_buf_append_byte(out, *text);
}

static void every_name_is_drawn_letter_by_letter(void **state)
{
    (void)state;
    mur_buf table = {0}, svg = {0}, expected = {0};
    fill(&table);
    assert_done(mur_picture_draw(folder, &bars, mur_buf_view(&table)));
    read_file(&svg, "bars.svg");
    for (size_t i = 0; i < N_NAMES; i++) {
        mur_buf_reset(&expected);
        mur_buf_append_text(&expected, "<text>");
        append_escaped(&expected, names[i]);
        mur_buf_append_text(&expected, "</text>");
        if (!strstr(mur_buf_text(&svg), mur_buf_text(&expected)))
            fail_msg("%s is not in the picture", mur_buf_text(&expected));
    }
    read_file(&svg, "bars.png");
    assert_memory_equal(svg.ptr, "\x89PNG\r\n\x1a\n", 8);
    mur_buf_clear(&table);
    mur_buf_clear(&svg);
    mur_buf_clear(&expected);
}

static void a_script_run_alone_makes_the_same_picture(void **state)
{
    (void)state;
    mur_buf table = {0}, first = {0}, again = {0};
    fill(&table);
    assert_done(mur_picture_draw(folder, &bars, mur_buf_view(&table)));
    read_file(&first, "bars.svg");
    assert_int_equal(unlink(path_of("bars.svg")), 0);
    char *command = mur_format("cd '%s' && gnuplot bars.gp", folder);
    assert_int_equal(system(command), 0);
    free(command);
    read_file(&again, "bars.svg");
    assert_string_equal(mur_buf_text(&first), mur_buf_text(&again));
    mur_buf_clear(&table);
    mur_buf_clear(&first);
    mur_buf_clear(&again);
}

static void an_empty_table_draws_nothing_and_leaves_no_older_picture(void **state)
{
    (void)state;
    mur_buf table = {0};
    fill(&table);
    assert_int_equal(mur_picture_draw(folder, &bars, mur_buf_view(&table)), 0);
    assert_int_equal(mur_picture_draw(folder, &bars, mur_view_of("name\tn\n")), 1);
    assert_false(mur_path_exists(path_of("bars.svg")));
    assert_false(mur_path_exists(path_of("bars.tsv")));
    assert_int_equal(mur_picture_draw(folder, &bars, mur_view_of("")), 1);
    mur_buf_clear(&table);
}

static void cells_are_cut_by_columns_and_never_within_a_character(void **state)
{
    (void)state;
    static const struct {
        const char *text, *cell;
        int columns;
    } cases[] = {
        {"abcdef", "abcdef", 6},
        {"abcdefg", "abcde…", 6},
        {"abcdefg", "abcdefg", 0},
        {"\u65e5\u672c\u8a9e", "\u65e5\u672c\u8a9e", 6},
        {"\u65e5\u672c\u8a9ea", "\u65e5\u672c…", 6},
        {"a\tb\nc", "a\\\\x09b\\\\x0ac", 0},
        {"a\tb\nc", "a…", 4},
        {"\xff\xfe", "\\\\xff\\\\xfe", 0},
        {"\"\\", "\\042\\\\", 2},
        {"", "\\042\\042", 6},
        {" a", "\\042 a\\042", 6},
        {"abcde ", "\\042abc…\\042", 6},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mur_buf cell = {0};
        mur_picture_cell(&cell, mur_view_of(cases[i].text), cases[i].columns);
        assert_string_equal(mur_buf_text(&cell), cases[i].cell);
        mur_buf_clear(&cell);
    }
}

static void pictures_of_one_page_share_no_id_and_have_its_colours(void **state)
{
    (void)state;
    mur_buf table = {0}, html = {0};
    fill(&table);
    assert_done(mur_picture_draw(folder, &bars, mur_buf_view(&table)));
    assert_done(mur_picture_inline(&html, folder, &bars, mur_view_of("\"<b>&")));
    const char *text = mur_buf_text(&html);
    assert_non_null(strstr(text, "<svg viewBox=\"0 0 400 300\" role=\"img\" aria-label=\"&quot;&lt;b>&amp;\">"));
    assert_non_null(strstr(text, "id='bars-gpPt"));
    assert_null(strstr(text, "id='gpPt"));
    assert_null(strstr(text, "<title>"));
    assert_non_null(strstr(text, "var(--negative)"));
    assert_null(strstr(text, "<script>"));
    mur_buf_clear(&table);
    mur_buf_clear(&html);
}

static void an_svg_that_does_more_than_draw_is_not_taken_into_a_page(void **state)
{
    (void)state;
    static const char *const bodies[] = {"<script>x</script>", "<g><foreignObject/></g>", "<g", "<image href='//x'/>",
                                         "<graph/>",           "<style>*{}</style>"};
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        mur_buf html = {0};
        char *svg = mur_format("<svg><g id=\"gnuplot_canvas\">%s</g></svg>", bodies[i]);
        assert_done(mur_file_write(path_of("bars.svg"), mur_view_of(svg)));
        free(svg);
        assert_int_equal(mur_picture_inline(&html, folder, &bars, mur_view_of("")), MUR_EDATA);
        mur_buf_clear(&html);
    }
}

static void what_gnuplot_says_and_its_absence_are_told(void **state)
{
    (void)state;
    mur_picture wrong = bars;
    wrong.script[0] = "plot no_such_function(x)\n";
    assert_int_equal(mur_picture_draw(folder, &wrong, mur_view_of("n\n1\n")), MUR_EINTERNAL);
    assert_message("bars.gp: gnuplot failed: ");
    assert_message("undefined function");

    char *path = mur_strdup(getenv("PATH"));
    setenv("PATH", folder, 1);
    int rc = mur_picture_draw(folder, &bars, mur_view_of("n\n1\n"));
    setenv("PATH", path, 1);
    free(path);
    assert_int_equal(rc, MUR_ENOINPUT);
    assert_message("apt-get install gnuplot-nox");
}

static void a_gnuplot_that_does_not_end_is_ended(void **state)
{
    (void)state;
    assert_done(mur_file_write(path_of("wait.gp"), mur_view_of("pause 60\n")));
    assert_int_equal(mur_gnuplot_run(folder, "wait.gp", false, 0.3), MUR_EINTERNAL);
    assert_message("took longer than");
}

static void charts_without_rows_are_not_drawn(void **state)
{
    (void)state;
    static const char *const labels[] = {"negative", "neutral", "positive"};
    int64_t counts[9] = {0};
    mur_reliability_bin bin = {.low = 0, .high = 0.1};
    assert_int_equal(mur_chart_confusion(folder, &mur_picture_confusion, labels, counts, 3), 1);
    assert_int_equal(mur_chart_reliability(folder, &bin, 1), 1);
    counts[4] = 1;
    bin = (mur_reliability_bin){.low = 0.9, .high = 1, .n_rows = 1, .confidence = 0.95, .accuracy = 1};
    assert_done(mur_chart_confusion(folder, &mur_picture_confusion, labels, counts, 3));
    assert_done(mur_chart_confusion(folder, &mur_picture_confusion_binary, labels, counts, 2));
    assert_done(mur_chart_reliability(folder, &bin, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_name_is_drawn_letter_by_letter),
        cmocka_unit_test(a_script_run_alone_makes_the_same_picture),
        cmocka_unit_test(an_empty_table_draws_nothing_and_leaves_no_older_picture),
        cmocka_unit_test(cells_are_cut_by_columns_and_never_within_a_character),
        cmocka_unit_test(pictures_of_one_page_share_no_id_and_have_its_colours),
        cmocka_unit_test(an_svg_that_does_more_than_draw_is_not_taken_into_a_page),
        cmocka_unit_test(what_gnuplot_says_and_its_absence_are_told),
        cmocka_unit_test(a_gnuplot_that_does_not_end_is_ended),
        cmocka_unit_test(charts_without_rows_are_not_drawn),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
