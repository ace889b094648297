/* five_s_text.h: the five S as `murmur status` tells them. */
#ifndef MURMUR_FIVE_S_TEXT_H
#define MURMUR_FIVE_S_TEXT_H

#include "murmur/buf.h"
#include "murmur/five_s.h"
#include "murmur/json.h"

/* Verdicts, and what would help where one is not fine. */
void mur_append_five_s(mur_buf *out, const mur_five_s *f);

/* A member for each S: grade, verdict, cure, and the figures by their names; null for one that is not known. */
cJSON *mur_five_s_json(const mur_five_s *f);

#endif
