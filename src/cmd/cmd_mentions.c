#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "murmur/clock.h"
#include "murmur/mem.h"
#include "murmur/quantity.h"
#include "murmur/tables.h"
#include "table_rows.h"
#include "when.h"

typedef struct settings {
    int64_t top;
    mur_when when;
} settings;

static const mur_option options[] = {
    {"top", "N", "mentions of each list (default 20)", NULL},
    MUR_WHEN_OPTIONS("the application table"),
    {NULL, NULL, NULL, NULL},
};

static int set(void *into, const char *name, const char *value)
{
    settings *s = into;
    if (mur_when_takes(name))
        return mur_when_set(&s->when, name, value);
    return mur_integer_parse(&s->top, value, 1, 1000000);
}

typedef struct row {
    char *mention;
    int64_t negative, neutral, positive, total;
} row;

typedef enum { BY_TOTAL, BY_POSITIVE, BY_NEGATIVE, N_LISTS } list_order;

/* The first `top` rows in three orders, ties in the table's own. */
typedef struct lists {
    row *rows[N_LISTS];
    size_t n[N_LISTS], top;
    int64_t n_mentions, n_rows;
} lists;

static int64_t key(const row *r, list_order order)
{
    return order == BY_TOTAL ? r->total : order == BY_POSITIVE ? r->positive : r->negative;
}

static void offer(lists *l, list_order order, const row *r)
{
    row *rows = l->rows[order];
    size_t *n = &l->n[order];
    if (key(r, order) == 0 || (*n == l->top && key(&rows[*n - 1], order) >= key(r, order)))
        return;
    if (*n == l->top)
        free(rows[--*n].mention);
    size_t at = (*n)++;
    for (; at > 0 && key(&rows[at - 1], order) < key(r, order); at--)
        rows[at] = rows[at - 1];
    rows[at] = *r;
    rows[at].mention = mur_strdup(r->mention);
}

static int take(void *context, const mur_frame *f)
{
    lists *l = context;
    for (size_t i = 0; i < f->n_rows; i++) {
        mur_view mention = mur_frame_string(f, i, MUR_APPLICATION_MENTION);
        row r = {mur_strndup(mention.ptr, mention.len), mur_frame_int64(f, i, MUR_APPLICATION_NEGATIVE),
                 mur_frame_int64(f, i, MUR_APPLICATION_NEUTRAL), mur_frame_int64(f, i, MUR_APPLICATION_POSITIVE),
                 mur_frame_int64(f, i, MUR_APPLICATION_TOTAL)};
        for (list_order order = 0; order < N_LISTS; order++)
            offer(l, order, &r);
        free(r.mention);
        l->n_mentions++;
        l->n_rows += r.total;
    }
    return 0;
}

static void print_list(mur_buf *out, const lists *l, list_order order, const char *title)
{
    mur_buf_printf(out, "\n%s\n%-24s %9s %9s %9s %9s\n", title, "mention", "negative", "neutral", "positive", "total");
    for (size_t i = 0; i < l->n[order]; i++) {
        const row *r = &l->rows[order][i];
        mur_buf_printf(out, "%-24s %9" PRId64 " %9" PRId64 " %9" PRId64 " %9" PRId64 "\n", r->mention, r->negative,
                       r->neutral, r->positive, r->total);
    }
}

static int run(const mur_command *self, int argc, char **argv)
{
    settings s = {.top = 20};
    int first, rc = mur_parse_options(self, argc, argv, set, &s, &first);
    if (rc != 0)
        return rc;
    mur_store *store;
    rc = mur_store_open(&store, argv[first]);
    if (rc < 0)
        return rc;

    lists l = {.top = (size_t)s.top};
    for (list_order order = 0; order < N_LISTS; order++)
        l.rows[order] = mur_alloc(l.top, sizeof *l.rows[order]);
    mur_selection selection = {"application", -1, -1};
    rc = mur_when_find(&selection.record, &s.when, store, selection.table);
    if (rc == 0)
        rc = mur_each_frame(store, &selection, &mur_application_schema, take, &l);
    if (rc == 0) {
        mur_buf out = {0};
        mur_buf_printf(&out, "%" PRId64 " mentions of %" PRId64 " users\n", l.n_rows, l.n_mentions);
        print_list(&out, &l, BY_TOTAL, "Most mentioned");
        print_list(&out, &l, BY_POSITIVE, "In favour: most positive tweets");
        print_list(&out, &l, BY_NEGATIVE, "Villains: most negative tweets");
        rc = mur_output(mur_buf_view(&out));
        mur_buf_clear(&out);
    }
    for (list_order order = 0; order < N_LISTS; order++) {
        for (size_t i = 0; i < l.n[order]; i++)
            free(l.rows[order][i].mention);
        free(l.rows[order]);
    }
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
