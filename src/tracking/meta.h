/* meta.h: what writing and reading a file store share. */
#ifndef MURMUR_META_H
#define MURMUR_META_H

#include "murmur/buf.h"
#include "murmur/error.h"

#define MUR_META "meta.yaml"
#define MUR_TRASH ".trash" /* where MLflow moves deleted experiments */

/* Replaces `out` by FOLDER/meta.yaml. */
int mur_meta_read(mur_buf *out, const char *folder) MUR_MUST_USE;

/* Replaces `out` by a scalar of a meta.yaml that was read from `folder`; MUR_EDATA if it has no such key. */
int mur_meta_member(mur_buf *out, const mur_buf *meta, const char *key, const char *folder) MUR_MUST_USE;

#endif
