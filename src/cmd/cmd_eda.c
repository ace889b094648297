/* What bronze holds: the notebook's questions to it, and what silver does about its gaps. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "chart.h"
#include "cmd.h"
#include "csv.h"
#include "json_lines.h"
#include "murmur/eda.h"
#include "murmur/quantity.h"
#include "when.h"

#define NAME_COLUMNS 28 /* of a user's name; with the number and its bar a line has 80 columns */
#define BAR_COLUMNS 40

typedef struct settings {
    bool is_json, is_csv;
    int64_t top; /* -1: not given */
    mur_when when;
} settings;

static const mur_option options[] = {
    {"top", "N", "users of the ranking (default 20; with --csv all)", NULL},
    {"json", NULL, "one JSON object instead of text", NULL},
    {"csv", NULL, "the tweets of each user as CSV, most first", NULL},
    MUR_WHEN_OPTIONS("bronze"),
    {NULL, NULL, NULL, NULL},
};

static int set(void *into, const char *name, const char *value)
{
    settings *s = into;
    if (mur_when_takes(name))
        return mur_when_set(&s->when, name, value);
    if (strcmp(name, "top") == 0)
        return mur_integer_parse(&s->top, value, 1, INT64_MAX);
    if (strcmp(name, "json") == 0)
        s->is_json = true;
    else
        s->is_csv = true;
    return s->is_json && s->is_csv ? mur_fail(MUR_EUSAGE, "--json and --csv exclude each other") : 0;
}

static const char *plural(int64_t n)
{
    return n == 1 ? "" : "s";
}

static void print_columns(mur_buf *out, const mur_eda *e)
{
    mur_buf_printf(out, "\n%-18s %10s %7s  %s\n", "column", "nulls", "%", "what silver does about them");
    for (size_t k = 0; k < e->n_columns; k++) {
        const mur_eda_column *c = &e->columns[k];
        mur_append_cell(out, mur_view_of(c->name), 18);
        mur_buf_printf(out, " %10" PRId64 " %7.2f  %s\n", c->n_nulls, mur_percent(c->n_nulls, e->n_tweets),
                       c->consequence);
    }
    mur_buf_printf(out, "%" PRId64 " date%s that cannot be read\n", e->n_bad_dates, plural(e->n_bad_dates));
    if (e->silver_version >= 0)
        mur_buf_printf(out,
                       "silver version %" PRId64 ": %" PRId64 " row%s, %" PRId64 " without timestamp, %" PRId64
                       " without sentiment\n",
                       e->silver_version, e->n_silver_rows, plural(e->n_silver_rows), e->n_null_timestamps,
                       e->n_null_sentiments);
}

static void print_mentions(mur_buf *out, const mur_eda *e)
{
    mur_buf_printf(out, "\n%-18s %10s %7s %10s %7s\n", "mention rule", "with", "%", "without", "%");
    for (mur_mention_rule rule = 0; rule < MUR_N_MENTION_RULES; rule++) {
        int64_t with = e->n_with_mention[rule], without = e->n_tweets - with;
        mur_buf_printf(out, "%-18s %10" PRId64 " %7.2f %10" PRId64 " %7.2f\n", mur_mention_rule_name(rule), with,
                       mur_percent(with, e->n_tweets), without, mur_percent(without, e->n_tweets));
    }
}

/* A line with a name, a number and a bar. */
static void print_bar(mur_buf *out, mur_view name, int64_t n, int64_t most)
{
    mur_append_cell(out, name, NAME_COLUMNS);
    mur_buf_printf(out, " %10" PRId64 " ", n);
    mur_append_bar(out, n, most, BAR_COLUMNS);
    mur_buf_append_byte(out, '\n');
}

static void print_values(mur_buf *out, const mur_value_counts *v, const char *title, const char *name)
{
    if (v->n_first == 0)
        return;
    mur_buf_printf(out, "\n%s\n%-*s %10s\n", title, NAME_COLUMNS, name, "tweets");
    for (size_t i = 0; i < v->n_first; i++) {
        const char *value = v->first[i].value;
        print_bar(out, mur_view_of(*value ? value : "\"\""), v->first[i].n, v->first[0].n);
    }
}

static void print_users(mur_buf *out, const mur_eda *e)
{
    mur_buf_printf(out, "\n%" PRId64 " distinct user%s", e->users.n_distinct, plural(e->users.n_distinct));
    if (e->users.n_distinct == 0) {
        mur_buf_append_byte(out, '\n');
        return;
    }
    mur_buf_printf(out, ", with %.2f tweets in the mean and %" PRId64 " in the median\n%-*s %10s\n",
                   (double)e->users.n_rows / (double)e->users.n_distinct, e->median_tweets, NAME_COLUMNS,
                   "tweets of a user", "users");
    int64_t most = 0;
    for (int k = 0; k < MUR_EDA_CLASSES; k++)
        most = e->users_by_tweets[k] > most ? e->users_by_tweets[k] : most;
    for (int k = 0; k < MUR_EDA_CLASSES; k++) {
        char range[48];
        int64_t low = INT64_C(1) << k, high = 2 * (low - 1) + 1;
        snprintf(range, sizeof range, low == high ? "%" PRId64 : "%" PRId64 " to %" PRId64, low, high);
        if (e->users_by_tweets[k] > 0)
            print_bar(out, mur_view_of(range), e->users_by_tweets[k], most);
    }
}

static void print_text(mur_buf *out, const mur_eda *e)
{
    if (e->version < 0) {
        mur_buf_append_text(out, "0 tweets: bronze has no version yet\n");
        return;
    }
    mur_buf_printf(out, "%" PRId64 " tweet%s in bronze version %" PRId64 ", %" PRId64 " record%s rejected\n",
                   e->n_tweets, plural(e->n_tweets), e->version, e->n_rejects, plural(e->n_rejects));
    print_columns(out, e);
    print_mentions(out, e);
    print_users(out, e);
    print_values(out, &e->users, "Top users", "user");
    print_values(out, &e->labels, "Sentiment as given", "sentiment");
}

static void append_version(mur_buf *out, const char *before, int64_t version)
{
    mur_buf_append_text(out, before);
    if (version < 0)
        mur_buf_append_text(out, "null");
    else
        mur_buf_printf(out, "%" PRId64, version);
}

static void append_values(mur_buf *out, const mur_value_counts *v, const char *name)
{
    mur_buf_printf(out, "\"distinct\":%" PRId64 ",\"tweets\":%" PRId64 ",\"top\":[", v->n_distinct, v->n_rows);
    for (size_t i = 0; i < v->n_first; i++) {
        mur_buf_printf(out, "%s{\"%s\":", i > 0 ? "," : "", name);
        mur_append_json_string(out, mur_view_of(v->first[i].value));
        mur_buf_printf(out, ",\"tweets\":%" PRId64 "}", v->first[i].n);
    }
    mur_buf_append_text(out, "]");
}

static void print_json(mur_buf *out, const mur_eda *e)
{
    append_version(out, "{\"version\":", e->version);
    mur_buf_printf(out, ",\"tweets\":%" PRId64 ",\"rejects\":%" PRId64 ",\"columns\":[", e->n_tweets, e->n_rejects);
    for (size_t k = 0; k < e->n_columns; k++) {
        const mur_eda_column *c = &e->columns[k];
        mur_buf_append_text(out, k > 0 ? ",{\"name\":" : "{\"name\":");
        mur_append_json_string(out, mur_view_of(c->name));
        mur_buf_printf(out, ",\"type\":\"%s\",\"nulls\":%" PRId64 ",\"silver\":", mur_type_name(c->type), c->n_nulls);
        mur_append_json_string(out, mur_view_of(c->consequence));
        mur_buf_append_byte(out, '}');
    }
    mur_buf_printf(out, "],\"bad_dates\":%" PRId64 ",\"mentions\":{", e->n_bad_dates);
    for (mur_mention_rule rule = 0; rule < MUR_N_MENTION_RULES; rule++)
        mur_buf_printf(out, "%s\"%s\":{\"with\":%" PRId64 ",\"without\":%" PRId64 "}", rule > 0 ? "," : "",
                       mur_mention_rule_name(rule), e->n_with_mention[rule], e->n_tweets - e->n_with_mention[rule]);
    mur_buf_append_text(out, "},\"users\":{");
    append_values(out, &e->users, "user");
    mur_buf_printf(out, ",\"median_tweets\":%" PRId64 ",\"by_tweets\":[", e->median_tweets);
    for (int k = 0, n = 0; k < MUR_EDA_CLASSES; k++)
        if (e->users_by_tweets[k] > 0)
            mur_buf_printf(out, "%s{\"from\":%" PRId64 ",\"to\":%" PRId64 ",\"users\":%" PRId64 "}", n++ > 0 ? "," : "",
                           INT64_C(1) << k, 2 * ((INT64_C(1) << k) - 1) + 1, e->users_by_tweets[k]);
    mur_buf_append_text(out, "]},\"labels\":{");
    append_values(out, &e->labels, "sentiment");
    append_version(out, "},\"silver\":{\"version\":", e->silver_version);
    mur_buf_printf(out, ",\"rows\":%" PRId64 ",\"null_timestamps\":%" PRId64 ",\"null_sentiments\":%" PRId64 "}}\n",
                   e->n_silver_rows, e->n_null_timestamps, e->n_null_sentiments);
}

static void print_csv(mur_buf *out, const mur_eda *e)
{
    mur_buf_append_text(out, "user,tweets\n");
    for (size_t i = 0; i < e->users.n_first; i++) {
        mur_append_csv_string(out, mur_view_of(e->users.first[i].value));
        mur_buf_printf(out, ",%" PRId64 "\n", e->users.first[i].n);
    }
}

static int run(const mur_command *self, int argc, char **argv)
{
    settings s = {.top = -1};
    int first, rc = mur_parse_options(self, argc, argv, set, &s, &first);
    if (rc != 0)
        return rc;
    mur_store *store;
    rc = mur_store_open(&store, argv[first]);
    if (rc < 0)
        return rc;
    int64_t record;
    rc = mur_when_find(&record, &s.when, store, "bronze");
    if (rc == 0) {
        mur_eda e;
        rc = mur_eda_compute(&e, store, record, s.top >= 0 ? (size_t)s.top : s.is_csv ? SIZE_MAX : 20);
        if (rc == 0) {
            mur_buf out = {0};
            (s.is_json ? print_json : s.is_csv ? print_csv : print_text)(&out, &e);
            rc = mur_output(mur_buf_view(&out));
            mur_buf_clear(&out);
        }
        mur_eda_clear(&e);
    }
    mur_store_close(&store);
    return rc;
}

const mur_command mur_cmd_eda = {
    .name = "eda",
    .operands = "STORE",
    .summary = "what bronze holds: nulls, users, mentions",
    .options = options,
    .min_operands = 1,
    .max_operands = 1,
    .run = run,
};
