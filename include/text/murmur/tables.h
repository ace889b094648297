/* tables.h: the columns of murmur's tables, in order. A column's number is its MUR_<TABLE>_<COLUMN>. */
#ifndef MURMUR_TABLES_H
#define MURMUR_TABLES_H

#include "murmur/frame.h"

enum {
    MUR_BRONZE_DATE,
    MUR_BRONZE_USER,
    MUR_BRONZE_TEXT,
    MUR_BRONZE_SENTIMENT,
    MUR_BRONZE_SOURCE_FILE,
    MUR_BRONZE_PROCESSING_TIME,
    MUR_BRONZE_RESCUED_DATA
};
enum { MUR_SILVER_TIMESTAMP, MUR_SILVER_MENTION, MUR_SILVER_CLEANED_TEXT, MUR_SILVER_SENTIMENT };
/* Gold begins with silver's columns. */
enum {
    MUR_GOLD_TIMESTAMP,
    MUR_GOLD_MENTION,
    MUR_GOLD_CLEANED_TEXT,
    MUR_GOLD_SENTIMENT,
    MUR_GOLD_PREDICTED_SCORE,
    MUR_GOLD_PREDICTED_SENTIMENT,
    MUR_GOLD_SENTIMENT_ID,
    MUR_GOLD_PREDICTED_SENTIMENT_ID
};
enum {
    MUR_APPLICATION_MENTION,
    MUR_APPLICATION_MIN_TIMESTAMP,
    MUR_APPLICATION_MAX_TIMESTAMP,
    MUR_APPLICATION_NEGATIVE,
    MUR_APPLICATION_NEUTRAL,
    MUR_APPLICATION_POSITIVE,
    MUR_APPLICATION_TOTAL
};
enum { MUR_REJECTS_SOURCE_FILE, MUR_REJECTS_BYTE_OFFSET, MUR_REJECTS_BYTE_LENGTH, MUR_REJECTS_REASON, MUR_REJECTS_RAW };

extern const mur_schema mur_bronze_schema, mur_silver_schema, mur_gold_schema, mur_application_schema,
    mur_rejects_schema;

/* All five, in the order above; and one by name, NULL if there is none such. */
extern const mur_schema *const mur_tables[];
#define MUR_N_TABLES 5
const mur_schema *mur_table_schema(const char *name);

#endif
