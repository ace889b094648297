/* yaml.h: as much YAML 1.1 as MLflow's meta.yaml has: a mapping of plain keys to scalars, one a line. */
#ifndef MURMUR_YAML_H
#define MURMUR_YAML_H

#include "murmur/buf.h"

/* Appends text (valid UTF-8) as a scalar that every reader takes for a string, whatever it looks like. */
void mur_yaml_append_string(mur_buf *out, mur_view text);

/* Replaces `out` by the scalar of a key, plain or quoted, folded over several lines or not, as PyYAML writes them. 0; 1
 * if the document has no such key; MUR_EDATA, the message beginning with `what`. A plain null reads as "null". */
int mur_yaml_member(mur_buf *out, mur_view document, const char *key, const char *what) MUR_MUST_USE;

#endif
