/* mentions_by_time.h: the form of `murmur mentions` that tells sentiments by hour or day. */
#ifndef MURMUR_MENTIONS_BY_TIME_H
#define MURMUR_MENTIONS_BY_TIME_H

#include "murmur/buf.h"
#include "murmur/sentiment_time.h"

/* Append the bins as a table, as a JSON object, as CSV. */
void mur_append_time_text(mur_buf *out, const mur_sentiment_time *t);
void mur_append_time_json(mur_buf *out, const mur_sentiment_time *t);
void mur_append_time_csv(mur_buf *out, const mur_sentiment_time *t);

#endif
