/* estimate.h: how much work a unit is, before anybody has read it: what units are dealt by. */
#ifndef MURMUR_ESTIMATE_H
#define MURMUR_ESTIMATE_H

#include "murmur/par.h"
#include "murmur/plan.h"

/* Collective. Sets `n_tokens` of the plan's units, the same on all ranks: each looks at samples of some of them. A file
 * that cannot be read counts by its size. Nothing but balance depends on it. */
void mur_plan_estimate(mur_plan *p, const mur_comm *c);

/* Local: about the tokens that the model reads of JSON tweets: of the values of "text" with a mention that are whole in
 * `json`, which may begin and end anywhere. */
double mur_estimate_tokens(mur_view json);

#endif
