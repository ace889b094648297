/* sections.h: what the page is made of. Each function appends a section and draws its pictures. */
#ifndef MURMUR_SECTIONS_H
#define MURMUR_SECTIONS_H

#include "murmur/eda.h"
#include "murmur/evaluation.h"
#include "murmur/five_s.h"
#include "murmur/mention_summary.h"
#include "murmur/progress.h"
#include "murmur/sentiment_time.h"
#include "murmur/store.h"
#include "page.h"

#define MUR_REPORT_TOP 20 /* users of each ranking */

/* A store as of one record. */
typedef struct mur_report_facts {
    const mur_store *store;
    int64_t record; /* -1: the store has none yet */
    mur_eda eda;
    mur_evaluation evaluation;
    mur_mention_summary mentions;
    mur_sentiment_time time;
    mur_progress_history progress;
    mur_five_s five_s;
} mur_report_facts;

int mur_section_overview(mur_page *p, const mur_report_facts *f) MUR_MUST_USE;
int mur_section_streams(mur_page *p, const mur_report_facts *f) MUR_MUST_USE;
int mur_section_tweets(mur_page *p, const mur_report_facts *f) MUR_MUST_USE;
int mur_section_evaluation(mur_page *p, const mur_report_facts *f) MUR_MUST_USE;
int mur_section_mentions(mur_page *p, const mur_report_facts *f) MUR_MUST_USE;
int mur_section_time(mur_page *p, const mur_report_facts *f) MUR_MUST_USE;
int mur_section_five_s(mur_page *p, const mur_report_facts *f) MUR_MUST_USE;
int mur_section_provenance(mur_page *p, const mur_report_facts *f) MUR_MUST_USE;

#endif
