/* meter.h: how far a job is. The ranks of a node count in memory that they share; on rank 0 a thread of its own looks
 * there and tells: a line per stream at least every 10 s, a bar on a terminal, STORE/_progress for murmur status, and a
 * file of metrics. So something is told also while rank 0 scores or waits inside MPI or HDF5, and no rank ever waits
 * for what is told. Other nodes' counts come when a batch ends; until then theirs are taken to be like this one's.
 */
#ifndef MURMUR_METER_H
#define MURMUR_METER_H

#include "murmur/par.h"
#include "murmur/progress.h"
#include "murmur/scorer.h"

typedef struct mur_meter {
    mur_share share;          /* counters of this node; see meter.c */
    const mur_scorer *scorer; /* this rank's */
    struct {
        int64_t size, n_tweets, n_rows, scored_before; /* of the unit in hand */
        int64_t size_told, tweets_told, rows_told;     /* what of it was counted */
        bool is_open;
    } unit;
    struct mur_teller *teller; /* rank 0's */
} mur_meter;

typedef struct mur_meter_options {
    const char *store, *run_id;
    const char *store_id;     /* rank 0's: the run id of the store's first record, or of this run */
    const char *metrics_file; /* or NULL */
    const mur_scorer *scorer;
} mur_meter_options;

/* Collective. What the options point at outlives the meter. Rank 0's store is there and locked. Without a meter that is
 * open the functions for units and rows do nothing. */
int mur_meter_open(mur_meter *m, const mur_comm *c, const mur_meter_options *options) MUR_MUST_USE;
void mur_meter_close(mur_meter *m, const mur_comm *c);

/* Local, any rank: rows that a stream has taken in. */
void mur_meter_add(mur_meter *m, mur_stream stream, int64_t n_rows);

/* Local, any rank: a unit's texts are about to be scored, and were. `size` is what mur_meter_dealt's are in; `n_tweets`
 * count for the tweets that are done, `n_rows` for the rows that gold takes in. */
void mur_meter_unit(mur_meter *m, int64_t size, int64_t n_tweets, int64_t n_rows);
void mur_meter_unit_done(mur_meter *m);

/* Local: between two batches of the model. Cheap. For mur_scorer's tick. */
void mur_meter_tick(void *meter);

/* Local; on ranks other than 0 nothing, as in all below. What the job does now. */
void mur_meter_phase(mur_meter *m, mur_phase phase);

/* Local: application's version that is counted now, behind the phase. */
void mur_meter_count(mur_meter *m, int64_t version);

/* Local: a look found source files of `bytes` that wait; what was found before is done or counted again. */
void mur_meter_found(mur_meter *m, int64_t bytes);

/* Local. A batch begins, of source files of `bytes`; all ranks pass a barrier before they count rows of it. Of its
 * units' sizes, `size` in all, those expected to come to this node are `node_size`. */
void mur_meter_batch(mur_meter *m, int64_t batch, int64_t bytes);
void mur_meter_dealt(mur_meter *m, int64_t node_size, int64_t size);

/* Local: the batch is committed, or was given up and comes again. */
void mur_meter_batch_done(mur_meter *m, bool is_committed, int64_t n_tweets);

/* Local: tells what streams did in a trigger, on standard error, in the store and in the metrics; or, of a part of a
 * trigger, on standard error alone. */
void mur_meter_tell(mur_meter *m, const mur_progress_line *lines, size_t n);
void mur_meter_say(const mur_meter *m, const mur_progress_line *line);

/* Local: tells what each stream did in all of the run, on standard error. */
void mur_meter_say_totals(const mur_meter *m);

/* Local: the run ends well; what its ranks counted goes to the store and to the metrics. Sets run->n_batches and takes
 * the rest over. */
void mur_meter_conclude(mur_meter *m, mur_run_counters *run);

#endif
