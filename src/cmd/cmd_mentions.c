/* Who is mentioned most, in favour and against; and with --by, when. */
#include <inttypes.h>
#include <string.h>

#include "chart.h"
#include "cmd.h"
#include "csv.h"
#include "json_lines.h"
#include "mentions_by_time.h"
#include "murmur/clock.h"
#include "murmur/mention_summary.h"
#include "murmur/quantity.h"
#include "murmur/table_rows.h"
#include "murmur/tables.h"
#include "when.h"

#define NAME_COLUMNS 22 /* a sign and twenty letters, the sign perhaps a wide one */
#define BAR_COLUMNS 13  /* so that a line has 80 columns */

typedef struct settings {
    bool is_json, is_csv;
    int64_t top; /* -1: not given */
    bool is_by_time;
    int64_t bin_ms;
    mur_when when;
} settings;

static const mur_option options[] = {
    {"top", "N", "mentions of each list (default 20; with --csv all)", NULL},
    {"by", "hour|day|time", "sentiments over time instead; time: hours or days, as fits", NULL},
    {"json", NULL, "one JSON object instead of text", NULL},
    {"csv", NULL, "all mentions as CSV, most mentioned first; or with --by the times", NULL},
    MUR_WHEN_OPTIONS("the application table (with --by of gold)"),
    {NULL, NULL, NULL, NULL},
};

static int set_by(settings *s, const char *value)
{
    static const struct {
        const char *name;
        int64_t bin_ms;
    } bins[] = {{"hour", MUR_HOUR_MS}, {"day", MUR_DAY_MS}, {"time", MUR_BY_ITSELF}};
    for (size_t i = 0; i < sizeof bins / sizeof *bins; i++) {
        if (strcmp(value, bins[i].name) != 0)
            continue;
        s->is_by_time = true;
        s->bin_ms = bins[i].bin_ms;
        return 0;
    }
    return mur_fail(MUR_EUSAGE, "'%s' is no time; write hour, day or time", value);
}

static int set(void *into, const char *name, const char *value)
{
    settings *s = into;
    if (mur_when_takes(name))
        return mur_when_set(&s->when, name, value);
    if (strcmp(name, "top") == 0)
        return mur_integer_parse(&s->top, value, 1, INT64_MAX);
    if (strcmp(name, "by") == 0)
        return set_by(s, value);
    if (strcmp(name, "json") == 0)
        s->is_json = true;
    else
        s->is_csv = true;
    return s->is_json && s->is_csv ? mur_fail(MUR_EUSAGE, "--json and --csv exclude each other") : 0;
}

/* What the lists are called, for people and for programs. */
static const struct {
    const char *title, *name;
} lists[MUR_N_RANKINGS] = {
    [MUR_RANK_TOTAL] = {"Most mentioned", "most_mentioned"},
    [MUR_RANK_POSITIVE] = {"In favour: most positive tweets", "in_favour"},
    [MUR_RANK_NEGATIVE] = {"Villains: most negative tweets", "villains"},
};

static void print_list(mur_buf *out, const mur_mention_summary *m, mur_ranking ranking)
{
    mur_buf_printf(out, "\n%s\n%-*s %10s %10s %10s %10s\n", lists[ranking].title, NAME_COLUMNS, "mention", "negative",
                   "neutral", "positive", "total");
    for (size_t i = 0; i < m->rankings[ranking].n; i++) {
        const mur_mention_total *r = &m->rankings[ranking].rows[i];
        mur_append_cell(out, mur_view_of(r->mention), NAME_COLUMNS);
        mur_buf_printf(out, " %10" PRId64 " %10" PRId64 " %10" PRId64 " %10" PRId64 " ", r->by_sentiment[MUR_NEG],
                       r->by_sentiment[MUR_NEU], r->by_sentiment[MUR_POS], r->total);
        mur_append_bar(out, mur_mention_rank_key(r, ranking),
                       mur_mention_rank_key(&m->rankings[ranking].rows[0], ranking), BAR_COLUMNS);
        mur_buf_append_byte(out, '\n');
    }
}

static void print_text(mur_buf *out, const mur_mention_summary *m)
{
    static const char *const names[] = {[MUR_NEG] = "negative", [MUR_NEU] = "neutral", [MUR_POS] = "positive"};
    mur_buf_printf(out, "%" PRId64 " mentions of %" PRId64 " users\n", m->n_mentions, m->n_users);
    for (mur_sentiment s = 0; s < MUR_N_SENTIMENTS; s++)
        mur_buf_printf(out, "%s%" PRId64 " %s (%.1f %%)", s > 0 ? ", " : "", m->by_sentiment[s], names[s],
                       mur_percent(m->by_sentiment[s], m->n_mentions));
    mur_buf_append_byte(out, '\n');
    if (m->is_behind)
        mur_buf_append_text(out,
                            "gold has got other rows since, which are not counted here: the next run counts them\n");
    for (mur_ranking k = 0; k < MUR_N_RANKINGS; k++)
        print_list(out, m, k);
}

static void append_version(mur_buf *out, const char *name, int64_t version)
{
    if (version < 0)
        mur_buf_printf(out, "\"%s\":null,", name);
    else
        mur_buf_printf(out, "\"%s\":%" PRId64 ",", name, version);
}

/* A time as a member's value or a cell; nothing for none, or null. */
static void append_time(mur_buf *out, int64_t time, bool is_json)
{
    char text[MUR_TIME_TEXT];
    if (time != MUR_NO_TIME)
        mur_buf_printf(out, is_json ? "\"%s\"" : "%s", mur_time_format(text, time));
    else
        mur_buf_append_text(out, is_json ? "null" : "");
}

static void append_counts(mur_buf *out, const int64_t by_sentiment[MUR_N_SENTIMENTS])
{
    mur_buf_printf(out, "\"negative\":%" PRId64 ",\"neutral\":%" PRId64 ",\"positive\":%" PRId64, by_sentiment[MUR_NEG],
                   by_sentiment[MUR_NEU], by_sentiment[MUR_POS]);
}

static void print_json(mur_buf *out, const mur_mention_summary *m)
{
    mur_buf_append_byte(out, '{');
    append_version(out, "version", m->version);
    append_version(out, "gold_version", m->gold_version);
    mur_buf_printf(out, "\"is_behind\":%s,\"mentions\":%" PRId64 ",\"users\":%" PRId64 ",",
                   m->is_behind ? "true" : "false", m->n_mentions, m->n_users);
    append_counts(out, m->by_sentiment);
    for (mur_ranking k = 0; k < MUR_N_RANKINGS; k++) {
        mur_buf_printf(out, ",\"%s\":[", lists[k].name);
        for (size_t i = 0; i < m->rankings[k].n; i++) {
            const mur_mention_total *r = &m->rankings[k].rows[i];
            mur_buf_append_text(out, i > 0 ? ",{\"mention\":" : "{\"mention\":");
            mur_append_json_string(out, mur_view_of(r->mention));
            mur_buf_append_text(out, ",\"min_timestamp\":");
            append_time(out, r->oldest, true);
            mur_buf_append_text(out, ",\"max_timestamp\":");
            append_time(out, r->newest, true);
            mur_buf_append_byte(out, ',');
            append_counts(out, r->by_sentiment);
            mur_buf_printf(out, ",\"total\":%" PRId64 "}", r->total);
        }
        mur_buf_append_byte(out, ']');
    }
    mur_buf_append_text(out, "}\n");
}

/* Application is in the order of the list of most mentioned already: it is handed on as it is read. */
static int take_csv(void *context, const mur_frame *rows)
{
    mur_buf *out = context;
    mur_buf_reset(out);
    for (size_t r = 0; r < rows->n_rows; r++) {
        mur_append_csv_string(out, mur_frame_string(rows, r, MUR_APPLICATION_MENTION));
        for (size_t c = MUR_APPLICATION_MIN_TIMESTAMP; c <= MUR_APPLICATION_TOTAL; c++) {
            mur_buf_append_byte(out, ',');
            if (rows->schema->columns[c].type == MUR_TIMESTAMP)
                append_time(out, mur_frame_int64(rows, r, c), false);
            else
                mur_buf_printf(out, "%" PRId64, mur_frame_int64(rows, r, c));
        }
        mur_buf_append_byte(out, '\n');
    }
    return mur_output(mur_buf_view(out));
}

static int print_csv(const mur_store *store, int64_t record, int64_t top)
{
    mur_buf out = {0};
    for (size_t c = 0; c < mur_application_schema.n_columns; c++)
        mur_buf_printf(&out, "%s%s", c > 0 ? "," : "", mur_application_schema.columns[c].name);
    mur_buf_append_byte(&out, '\n');
    int rc = mur_output(mur_buf_view(&out));
    mur_selection application = {"application", record, top};
    if (rc == 0)
        rc = mur_each_frame(store, &application, &mur_application_schema, take_csv, &out);
    mur_buf_clear(&out);
    return rc;
}

static int print_summary(const mur_store *store, int64_t record, const settings *s)
{
    mur_mention_summary m;
    int rc = mur_mention_summary_compute(&m, store, record, s->top >= 0 ? (size_t)s->top : 20);
    if (rc == 0) {
        mur_buf out = {0};
        (s->is_json ? print_json : print_text)(&out, &m);
        rc = mur_output(mur_buf_view(&out));
        mur_buf_clear(&out);
    }
    mur_mention_summary_clear(&m);
    return rc;
}

static int print_times(const mur_store *store, int64_t record, const settings *s)
{
    mur_sentiment_time t;
    int rc = mur_sentiment_time_compute(&t, store, record, s->bin_ms);
    if (rc == 0) {
        mur_buf out = {0};
        (s->is_json ? mur_append_time_json : s->is_csv ? mur_append_time_csv : mur_append_time_text)(&out, &t);
        rc = mur_output(mur_buf_view(&out));
        mur_buf_clear(&out);
    }
    mur_sentiment_time_clear(&t);
    return rc;
}

static int run(const mur_command *self, int argc, char **argv)
{
    settings s = {.top = -1};
    int first, rc = mur_parse_options(self, argc, argv, set, &s, &first);
    if (rc != 0)
        return rc;
    if (s.is_by_time && s.top >= 0)
        return mur_fail(MUR_EUSAGE, "--top chooses mentions, and with --by there are none");
    mur_store *store;
    rc = mur_store_open(&store, argv[first]);
    if (rc < 0)
        return rc;
    int64_t record;
    rc = mur_when_find(&record, &s.when, store, s.is_by_time ? "gold" : "application");
    if (rc == 0)
        rc = s.is_by_time ? print_times(store, record, &s)
             : s.is_csv   ? print_csv(store, record, s.top)
                          : print_summary(store, record, &s);
    mur_store_close(&store);
    return rc;
}

const mur_command mur_cmd_mentions = {
    .name = "mentions",
    .operands = "STORE",
    .summary = "who is mentioned most, in favour and against",
    .options = options,
    .min_operands = 1,
    .max_operands = 1,
    .run = run,
};
