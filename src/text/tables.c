#include "murmur/tables.h"

#include <string.h>

static const mur_column bronze[] = {
    {"date", MUR_STRING, "date as the source gives it"},
    {"user", MUR_STRING, "handle of the tweet's author"},
    {"text", MUR_STRING, "the tweet"},
    {"sentiment", MUR_STRING, "sentiment as the source gives it"},
    {"source_file", MUR_STRING, "absolute path of the file that the row was read from"},
    {"processing_time", MUR_TIMESTAMP, "when the row was read"},
    {"rescued_data", MUR_STRING, "JSON object of the source's other fields, as written; null if none"},
};

#define SILVER_COLUMNS                                                                                                 \
    {"timestamp", MUR_TIMESTAMP, "the tweet's date as UTC; null where it cannot be read"},                             \
        {"mention", MUR_STRING, "the mentioned user, verbatim, with the sign"},                                        \
        {"cleaned_text", MUR_STRING, "the tweet without its mentions"},                                                \
    {                                                                                                                  \
        "sentiment", MUR_STRING, "sentiment as the source gives it"                                                    \
    }

static const mur_column silver[] = {SILVER_COLUMNS};

static const mur_column gold[] = {
    SILVER_COLUMNS,
    {"predicted_score", MUR_FLOAT32, "100 x the model's probability of predicted_sentiment"},
    {"predicted_sentiment", MUR_STRING, "POS, NEU or NEG"},
    {"sentiment_id", MUR_INT8, "1 where sentiment is positive, else 0"},
    {"predicted_sentiment_id", MUR_INT8, "1 where predicted_sentiment is POS, else 0"},
};

static const mur_column application[] = {
    {"mention", MUR_STRING, "the mentioned user"},
    {"min_timestamp", MUR_TIMESTAMP, "oldest timestamp of a tweet that mentions the user"},
    {"max_timestamp", MUR_TIMESTAMP, "newest timestamp of a tweet that mentions the user"},
    {"negative", MUR_INT64, "gold rows predicted NEG"},
    {"neutral", MUR_INT64, "gold rows predicted NEU"},
    {"positive", MUR_INT64, "gold rows predicted POS"},
    {"total", MUR_INT64, "gold rows of the user"},
};

static const mur_column rejects[] = {
    {"source_file", MUR_STRING, "absolute path of the file"},
    {"byte_offset", MUR_INT64, "where the rejected bytes begin in the file, decompressed if it is gzip"},
    {"byte_length", MUR_INT64, "how many bytes were rejected"},
    {"reason", MUR_STRING, "what is wrong with them"},
    {"raw", MUR_STRING, "their first 4 KiB, as they are"},
};

#define SCHEMA(name, description)                                                                                      \
    const mur_schema mur_##name##_schema = {#name, description, name, sizeof name / sizeof *name}

SCHEMA(bronze, "tweets as read: one row per JSON object, in order of file and offset");
SCHEMA(silver, "one row per mention in a tweet");
SCHEMA(gold, "silver with the model's word on each text");
SCHEMA(application, "counts per mentioned user, largest total first");
SCHEMA(rejects, "bytes of source files that are no tweet record");

const mur_schema *const mur_tables[MUR_N_TABLES] = {&mur_bronze_schema, &mur_silver_schema, &mur_gold_schema,
                                                    &mur_application_schema, &mur_rejects_schema};

const mur_schema *mur_table_schema(const char *name)
{
    for (size_t i = 0; i < MUR_N_TABLES; i++)
        if (strcmp(mur_tables[i]->table, name) == 0)
            return mur_tables[i];
    return NULL;
}
