/* tweet.h: one JSON object of a source file, taken apart into the fields that bronze declares and the rest. */
#ifndef MURMUR_TEXT_TWEET_H
#define MURMUR_TEXT_TWEET_H

#include "murmur/frame.h"
#include "murmur/json.h"
#include "murmur/map.h"

/* A member as written, borrowed from the record. */
typedef struct mur_member {
    mur_view name; /* with its quotes */
    mur_view value;
    mur_json_kind kind;
} mur_member;

/* Where a field first appeared. */
typedef struct mur_field_place {
    size_t column, n_others_before;
} mur_field_place;

/* Reused from record to record: init once, clear at the end. */
typedef struct mur_tweet {
    const mur_schema *schema;               /* bronze's */
    uint64_t declared;                      /* its columns that are fields of the source */
    uint64_t seen;                          /* … and that the record has */
    mur_member fields[MUR_MAX_COLUMNS];     /* by column */
    mur_field_place order[MUR_MAX_COLUMNS]; /* of the fields seen */
    size_t n_fields;
    mur_member *others; /* members that the schema does not have, in order of first appearance */
    size_t n_others;
    size_t cap_others;
    mur_map names;  /* of `others` */
    mur_buf text;   /* decoded, for as long as it takes to copy it */
    mur_buf reason; /* why the record was refused */
} mur_tweet;

void mur_tweet_init(mur_tweet *t, const mur_schema *schema);
void mur_tweet_clear(mur_tweet *t);

/* Takes an object apart that the scan passed. False, with a reason, when a value is over `max_value` bytes. */
bool mur_tweet_read(mur_tweet *t, mur_view object, size_t max_value);

/* Sets the fields and rescued_data in the last row of a frame of the schema. A value that is not of its column's type
 * (value.h) leaves the column null and goes to rescued_data. */
void mur_tweet_store(mur_tweet *t, mur_frame *bronze);

#endif
