/* run.h: the job: source files → bronze and rejects → silver → gold → application. */
#ifndef MURMUR_RUN_H
#define MURMUR_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "murmur/mention.h"
#include "murmur/model.h"
#include "murmur/par.h"
#include "murmur/writing.h"

typedef enum {
    MUR_TRIGGER_AVAILABLE_NOW, /* batch after batch until all is read */
    MUR_TRIGGER_ONCE,          /* one batch */
    MUR_TRIGGER_INTERVAL,      /* a look every interval, until stopped */
} mur_trigger;

typedef enum { MUR_TEXT_CLEANED, MUR_TEXT_RAW } mur_text_choice;

typedef struct mur_run_options {
    char *const *sources; /* paths, borrowed */
    size_t n_sources;
    const char *store;
    const char *model;     /* folder */
    const char *label_map; /* which class its labels count for, where their names do not tell; or NULL */
    mur_precision precision;
    const char *schema;       /* file that declares columns of bronze; NULL: none */
    const char *metrics_file; /* that is kept up to date for Prometheus; NULL: none */
    mur_trigger trigger;
    int64_t interval_ms;
    int64_t max_files, max_bytes; /* per batch */
    int64_t max_value;            /* bytes of one value of a record */
    int64_t time_limit_ms;        /* no batch begins that might not end within it; 0: none but SLURM's */
    int64_t settle_ms;            /* a file that moved within this time is left for the next trigger */
    mur_writing writing;
    mur_mention_rule mention_rule;
    mur_text_choice text;
    bool is_folding_case;   /* application counts mentions without regard to case */
    bool is_merging_schema; /* columns that bronze lacks are added to it; else they are an error */
    bool is_strict;
} mur_run_options;

/* The defaults of murmur(1); `sources`, `store` and `model` are the caller's to set. */
void mur_run_options_init(mur_run_options *o);

/* Collective. Runs until the trigger is done or SIGUSR1 asks for an end after the batch in hand. 0; MUR_EAGAIN stopped
 * with work left; MUR_EIO also when files could not be read, after all others were ingested. Files that are left
 * because they are being written are no failure. */
int mur_run(mur_comm *c, const mur_run_options *options) MUR_MUST_USE;

#endif
