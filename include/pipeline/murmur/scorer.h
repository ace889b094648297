/* scorer.h: texts to sentiments: tokenizer, batches and encoder as one thing. One per rank. */
#ifndef MURMUR_SCORER_H
#define MURMUR_SCORER_H

#include "murmur/map.h"
#include "murmur/model.h"
#include "murmur/par.h"
#include "murmur/tokenizer.h"

typedef struct mur_verdict {
    mur_sentiment sentiment;
    float probability; /* of that sentiment, 0..1 */
} mur_verdict;

typedef struct mur_scorer {
    mur_model *model;
    mur_tokenizer *tokenizer;
    struct mur_encoder *encoder;
    mur_share share; /* the weights, where a job's ranks share them */
    void *block;     /* the weights, where the process is alone */
    mur_map distinct;
    mur_ids ids;
    size_t *starts, *numbers; /* of the batch in hand: where texts begin, and which distinct ones they are */
    mur_verdict *verdicts;    /* by distinct text */
    float *logits;
    size_t cap;
    size_t batch_tokens;         /* of a packed batch at most */
    int64_t n_scored, n_tokens;  /* since it was opened */
    int64_t weights_read;        /* bytes that this process put into the node's block */
    double weights_seconds;      /* until the weights could be used */
    void (*tick)(void *context); /* called between batches */
    void *context;
} mur_scorer;

/* Collective where `c` is not NULL: the node's first rank reads the weights, all its ranks use them. With NULL the
 * process reads its own. `model` is a folder or a name (registry.h), `label_map` is mur_model_open's; may be NULL. */
int mur_scorer_open(mur_scorer *s, const mur_comm *c, const char *model, const char *label_map,
                    mur_precision precision) MUR_MUST_USE;
void mur_scorer_close(mur_scorer *s, const mur_comm *c);

/* Local. Whether every id and length that the tokenizer gives is one that the model has. MUR_EDATA. */
int mur_scorer_check(const mur_model *m, const mur_tokenizer *t) MUR_MUST_USE;

/* Collective. Whether all ranks multiply by the same kernels (mur_model_kernel): else rows would have last bits that
 * depend on the rank that scored them, and the ranks of a node might not read one block alike. MUR_EUSAGE. */
int mur_scorer_check_kernels(const mur_comm *c, const mur_model *m) MUR_MUST_USE;

/* Local. verdicts[n]; a text that occurs several times is computed once. Batches are formed from these texts alone, in
 * their order, so the same texts give the same bits. */
void mur_scorer_run(mur_scorer *s, const mur_view *texts, size_t n, mur_verdict *verdicts);

/* Local. The logits[n_labels] of one text, and its ids where `ids` is not NULL (emptied first). */
void mur_scorer_logits(mur_scorer *s, mur_view text, float *logits, mur_ids *ids);

#endif
