#include "murmur/scorer.h"

#include <stdlib.h>

#include "murmur/clock.h"
#include "murmur/encoder.h"
#include "murmur/log.h"
#include "murmur/mem.h"
#include "murmur/registry.h"

/* The weights: into memory that the node shares, or into the process's own. */
static int load(mur_scorer *s, const mur_comm *c)
{
    size_t len = mur_model_block_bytes(s->model);
    if (!c) {
        s->block = mur_try_alloc_large(len);
        int rc = s->block ? mur_model_load(s->model, s->block) : MUR_EINTERNAL;
        if (rc == 0)
            mur_model_bind(s->model, s->block);
        return rc;
    }
    int rc = mur_share_open(&s->share, c, len);
    if (rc < 0)
        return rc;
    rc = mur_agree(c, c->node_rank == 0 ? mur_model_load(s->model, s->share.bytes) : 0);
    if (rc < 0)
        return rc;
    s->weights_read = c->node_rank == 0 ? (int64_t)len : 0;
    mur_share_publish(&s->share, c);
    mur_model_bind(s->model, s->share.bytes);
    return 0;
}

int mur_scorer_check_kernels(const mur_comm *c, const mur_model *m)
{
    mur_buf first = {0};
    mur_buf_append_text(&first, mur_model_kernel(m));
    mur_broadcast(c, &first);
    int rc = 0;
    if (!mur_view_equal(mur_buf_view(&first), mur_view_of(mur_model_kernel(m))))
        rc = mur_fail(MUR_EUSAGE,
                      "matrices are multiplied by %s here and by %s on rank 0, so scores would depend on the rank; set "
                      "MURMUR_ISA to instructions that all nodes have, and if that is portable OPENBLAS_CORETYPE to a "
                      "type that all can run, such as Haswell",
                      mur_model_kernel(m), mur_buf_text(&first));
    mur_buf_clear(&first);
    return mur_agree(c, rc);
}

/* Rank 0 looks a name up, so that all ranks take the same version even where an alias moves just now. */
static int find_folder(char **folder, const mur_comm *c, const char *model)
{
    *folder = NULL;
    int rc = !c || c->rank == 0 ? mur_registry_find(folder, model) : 0;
    if (!c)
        return rc;
    rc = mur_agree(c, rc);
    if (rc < 0)
        return rc;
    mur_buf path = {0};
    if (*folder)
        mur_buf_append_text(&path, *folder);
    mur_broadcast(c, &path);
    free(*folder);
    *folder = mur_strndup(path.ptr, path.len);
    mur_buf_clear(&path);
    return 0;
}

int mur_scorer_check(const mur_model *m, const mur_tokenizer *t)
{
    const mur_model_config *config = mur_model_config_of(m);
    size_t positions = (size_t)(config->max_positions - config->first_position);
    if (mur_tokenizer_vocab_size(t) > (size_t)config->vocab_size)
        return mur_fail(MUR_EDATA, "%s: the tokenizer has %zu ids, the model's vocab_size is %d", mur_model_folder(m),
                        mur_tokenizer_vocab_size(t), config->vocab_size);
    if (mur_tokenizer_max_length(t) > positions)
        return mur_fail(MUR_EDATA, "%s: the tokenizer gives up to %zu tokens, the model has positions for %zu",
                        mur_model_folder(m), mur_tokenizer_max_length(t), positions);
    return 0;
}

int mur_scorer_open(mur_scorer *s, const mur_comm *c, const char *model, const char *label_map, mur_precision precision)
{
    *s = (mur_scorer){0};
    char *folder = NULL;
    int rc = find_folder(&folder, c, model);
    if (rc < 0)
        return rc;
    rc = mur_model_open(&s->model, folder, label_map);
    if (rc == 0)
        rc = mur_model_set_precision(s->model, precision);
    if (rc == 0)
        rc = mur_tokenizer_open(&s->tokenizer, folder);
    if (rc == 0)
        rc = mur_scorer_check(s->model, s->tokenizer);
    if (c)
        rc = mur_agree(c, rc);
    if (rc == 0 && c)
        rc = mur_scorer_check_kernels(c, s->model);
    double start = mur_monotonic();
    if (rc == 0)
        rc = load(s, c);
    s->weights_seconds = mur_monotonic() - start;
    if (rc == 0) {
        size_t budget = mur_encoder_batch_tokens(precision), longest = mur_tokenizer_max_length(s->tokenizer);
        s->batch_tokens = longest > budget ? longest : budget;
        rc = mur_encoder_open(&s->encoder, s->model, s->batch_tokens);
        if (c)
            rc = mur_agree(c, rc);
    }
    if (rc < 0)
        mur_scorer_close(s, c);
    free(folder);
    return rc;
}

void mur_scorer_close(mur_scorer *s, const mur_comm *c)
{
    mur_encoder_close(&s->encoder);
    mur_tokenizer_close(&s->tokenizer);
    mur_model_close(&s->model);
    if (c)
        mur_share_close(&s->share, c);
    free(s->block);
    mur_map_clear(&s->distinct);
    mur_ids_clear(&s->ids);
    free(s->starts);
    free(s->numbers);
    free(s->verdicts);
    free(s->logits);
    *s = (mur_scorer){0};
}

static void reserve(mur_scorer *s, size_t n)
{
    if (n <= s->cap)
        return;
    s->cap = mur_grown(s->cap, n);
    size_t n_labels = (size_t)mur_model_config_of(s->model)->n_labels;
    s->starts = mur_realloc(s->starts, s->cap + 1, sizeof *s->starts);
    s->numbers = mur_realloc(s->numbers, s->cap, sizeof *s->numbers);
    s->verdicts = mur_realloc(s->verdicts, s->cap, sizeof *s->verdicts);
    s->logits = mur_realloc(s->logits, s->cap * n_labels, sizeof *s->logits);
}

/* Runs the texts whose ids are gathered, and forgets them. */
static void run_batch(mur_scorer *s, size_t n)
{
    if (n == 0)
        return;
    size_t n_labels = (size_t)mur_model_config_of(s->model)->n_labels;
    mur_encoder_run(s->encoder, s->ids.ptr, s->starts, n, s->logits);
    for (size_t i = 0; i < n; i++) {
        mur_verdict *v = &s->verdicts[s->numbers[i]];
        v->sentiment = mur_classify_logits(s->model, s->logits + i * n_labels, &v->probability);
    }
    s->n_scored += (int64_t)n;
    s->n_tokens += (int64_t)s->ids.len;
    s->ids.len = 0;
    if (s->tick)
        s->tick(s->context);
}

void mur_scorer_run(mur_scorer *s, const mur_view *texts, size_t n, mur_verdict *verdicts)
{
    mur_map_reset(&s->distinct);
    for (size_t i = 0; i < n; i++)
        mur_map_add(&s->distinct, texts[i], NULL);
    reserve(s, s->distinct.n_keys);

    /* Fill a batch until the next text would not fit. */
    size_t in_batch = 0;
    s->ids.len = 0;
    for (size_t k = 0; k < s->distinct.n_keys; k++) {
        size_t before = s->ids.len;
        mur_tokenizer_encode(s->tokenizer, mur_map_key(&s->distinct, k), &s->ids, NULL);
        if (s->ids.len > s->batch_tokens) {
            size_t len = s->ids.len - before;
            s->ids.len = before;
            s->starts[in_batch] = before;
            mur_ids held = s->ids; /* the batch runs without the text that did not fit, which then begins the next */
            run_batch(s, in_batch);
            memmove(held.ptr, held.ptr + before, len * sizeof *held.ptr);
            s->ids.len = len;
            before = 0;
            in_batch = 0;
        }
        s->starts[in_batch] = before;
        s->starts[in_batch + 1] = s->ids.len;
        s->numbers[in_batch++] = k;
    }
    run_batch(s, in_batch);

    for (size_t i = 0; i < n; i++)
        verdicts[i] = s->verdicts[mur_map_find(&s->distinct, texts[i])];
}

void mur_scorer_logits(mur_scorer *s, mur_view text, float *logits, mur_ids *ids)
{
    reserve(s, 1);
    s->ids.len = 0;
    mur_tokenizer_encode(s->tokenizer, text, &s->ids, NULL);
    s->starts[0] = 0;
    s->starts[1] = s->ids.len;
    mur_encoder_run(s->encoder, s->ids.ptr, s->starts, 1, logits);
    if (ids) {
        ids->len = 0;
        for (size_t i = 0; i < s->ids.len; i++)
            mur_ids_append(ids, s->ids.ptr[i]);
    }
}
