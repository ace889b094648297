#include "murmur/mention_summary.h"

#include <stdlib.h>

#include "mention_counts.h"
#include "murmur/mem.h"
#include "murmur/table_rows.h"
#include "murmur/tables.h"

int64_t mur_mention_rank_key(const mur_mention_total *m, mur_ranking ranking)
{
    static const mur_sentiment counted[] = {[MUR_RANK_POSITIVE] = MUR_POS, [MUR_RANK_NEGATIVE] = MUR_NEG};
    return ranking == MUR_RANK_TOTAL ? m->total : m->by_sentiment[counted[ranking]];
}

/* A user in a ranking that is being made. */
typedef struct candidate {
    int64_t key, row; /* of the table: tells users apart that are alike in the key */
    mur_mention_total user;
} candidate;

/* The best so far and some that may turn out not to be: sorted and cut to `top` whenever they are twice as many, so
 * that a user costs the logarithm of `top` in the mean. */
typedef struct contest {
    candidate *items;
    size_t n, cap, top;
    int64_t least; /* a user with this key or less comes too late */
} contest;

static int by_rank(const void *a, const void *b)
{
    const candidate *x = a, *y = b;
    return x->key != y->key ? (x->key < y->key ? 1 : -1) : (x->row > y->row) - (x->row < y->row);
}

static void cut(contest *c)
{
    if (c->n > 1)
        qsort(c->items, c->n, sizeof *c->items, by_rank);
    while (c->n > c->top)
        free(c->items[--c->n].user.mention);
    if (c->n > 0 && c->n == c->top)
        c->least = c->items[c->n - 1].key;
}

static void offer(contest *c, mur_ranking ranking, int64_t row, mur_view mention, const mur_mention_total *user)
{
    int64_t key = mur_mention_rank_key(user, ranking);
    if (key <= c->least || c->top == 0)
        return;
    if (c->n / 2 >= c->top)
        cut(c);
    if (c->n == c->cap) {
        c->cap = mur_grown(c->cap, c->n + 1);
        c->items = mur_realloc(c->items, c->cap, sizeof *c->items);
    }
    candidate *new = &c->items[c->n++];
    *new = (candidate){key, row, *user};
    new->user.mention = mur_strndup(mention.ptr, mention.len);
}

typedef struct collected {
    mur_mention_summary *out;
    contest contests[MUR_N_RANKINGS];
} collected;

static int take(void *context, const mur_frame *rows)
{
    collected *c = context;
    for (size_t r = 0; r < rows->n_rows; r++) {
        mur_counts counts = mur_application_counts(rows, r);
        mur_mention_total user = {
            .oldest = counts.oldest, .newest = counts.newest, .total = mur_frame_int64(rows, r, MUR_APPLICATION_TOTAL)};
        for (int s = 0; s < MUR_N_SENTIMENTS; s++) {
            user.by_sentiment[s] = counts.by_sentiment[s];
            c->out->by_sentiment[s] += counts.by_sentiment[s];
        }
        for (mur_ranking k = 0; k < MUR_N_RANKINGS; k++)
            offer(&c->contests[k], k, c->out->n_users, mur_frame_string(rows, r, MUR_APPLICATION_MENTION), &user);
        c->out->n_users++;
        c->out->n_mentions += user.total;
    }
    return 0;
}

/* Whether a version of gold up to the record has other rows than the one that application stands for. */
static bool is_behind(const mur_store *store, int64_t gold_version, int64_t record)
{
    int64_t last = mur_store_version_at(store, "gold", record);
    while (last > gold_version && mur_store_is_rewrite(store, mur_store_change(store, "gold", last)))
        last--;
    return last > gold_version;
}

int mur_mention_summary_compute(mur_mention_summary *out, const mur_store *store, int64_t record, size_t top)
{
    collected c = {.out = out};
    *out = (mur_mention_summary){.version = mur_store_version_at(store, "application", record), .gold_version = -1};
    for (mur_ranking k = 0; k < MUR_N_RANKINGS; k++)
        c.contests[k].top = top;
    if (out->version >= 0)
        out->gold_version = mur_store_change(store, "application", out->version)->input_version;
    out->is_behind = is_behind(store, out->gold_version, record);
    mur_selection application = {"application", record, -1};
    int rc = mur_each_frame(store, &application, &mur_application_schema, take, &c);
    for (mur_ranking k = 0; k < MUR_N_RANKINGS; k++) {
        contest *from = &c.contests[k];
        cut(from);
        out->rankings[k].rows = mur_alloc(from->n, sizeof *out->rankings[k].rows);
        out->rankings[k].n = from->n;
        for (size_t i = 0; i < from->n; i++)
            out->rankings[k].rows[i] = from->items[i].user;
        free(from->items);
    }
    return rc < 0 ? rc : 0;
}

void mur_mention_summary_clear(mur_mention_summary *m)
{
    for (mur_ranking k = 0; k < MUR_N_RANKINGS; k++) {
        for (size_t i = 0; i < m->rankings[k].n; i++)
            free(m->rankings[k].rows[i].mention);
        free(m->rankings[k].rows);
    }
    *m = (mur_mention_summary){0};
}
