/* progress.h: what jobs have told of themselves in a store: a line per stream and trigger, and the counters of each
 * rank of a run (docs/FORMAT.md, "Progress"). For people and their pictures: nothing in a store depends on it, lines
 * may be missing after a crash, and what cannot be read is passed over.
 *
 *     mur_progress_history h;
 *     int rc = mur_progress_read(&h, store);
 *     for (size_t i = 0; rc == 0 && i < h.n; i++) … h.lines[i].stream …
 *     mur_progress_history_clear(&h);
 *
 * All functions are Local, need no MPI, and work beside a writer, from any host that shares the file system.
 */
#ifndef MURMUR_PROGRESS_H
#define MURMUR_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "murmur/record.h"

typedef enum { MUR_STREAM_BRONZE, MUR_STREAM_SILVER, MUR_STREAM_GOLD, MUR_STREAM_APPLICATION } mur_stream;
#define MUR_N_STREAMS 4

/* "bronze_stream", "silver_stream", "gold_stream", "application"; and the table that it fills. */
const char *mur_stream_name(mur_stream stream);
const char *mur_stream_table(mur_stream stream);

/* Of a figure over the ranks of a job. */
typedef struct mur_spread {
    double min, mean, max;
} mur_spread;

/* One stream's part in one trigger. */
typedef struct mur_progress_line {
    char run_id[MUR_RUN_ID];
    mur_stream stream;
    int64_t timestamp;           /* when the trigger began; milliseconds, as everywhere below */
    int64_t batch;               /* the version of its table that it made: grows over runs */
    int64_t n_in, n_out;         /* rows taken in, and made */
    double in_per_second;        /* rows in, over the time since the trigger before began; 0 for the first of a run */
    double processed_per_second; /* rows in, over the processing time */
    int64_t processing_ms;       /* the most of any rank: this stream's share of the trigger */
    int64_t listing_ms, planning_ms, writing_ms, commit_ms; /* of the trigger, which its streams share */
    int64_t trigger_ms;                                     /* all of it */
    /* What it began behind, what it came to, and what was there then: bronze's are numbers of source files, the others'
     * versions of the table before. -1: none. */
    int64_t start_offset, end_offset, latest_offset;
    int64_t n_rejects, n_bad_dates;  /* bronze's; silver's; else 0 */
    int64_t n_texts, n_tokens;       /* gold's: distinct texts scored, and their tokens; else 0 */
    int n_ranks;                     /* that the spreads are over */
    mur_spread seconds, rows, bytes; /* processing time; rows in; bytes read (bronze) or made (others) */
} mur_progress_line;

/* What each rank counts in a run: X(NAME, MEANING). The names are also those in progress.jsonl. */
#define MUR_WHOLE_COUNTERS(X)                                                                                          \
    X(node, "number of the rank's node")                                                                               \
    X(units, "work units taken")                                                                                       \
    X(tweets, "rows of bronze made")                                                                                   \
    X(rejects, "records rejected")                                                                                     \
    X(mentions, "rows of silver and of gold made")                                                                     \
    X(bad_dates, "dates not understood")                                                                               \
    X(texts, "texts scored")                                                                                           \
    X(tokens, "tokens of those texts")                                                                                 \
    X(source_bytes, "bytes of source files read")                                                                      \
    X(part_bytes_written, "bytes of rows written to parts, uncompressed")                                              \
    X(part_bytes_read, "bytes of files of parts read to count mentions")                                               \
    X(peak_bytes, "most memory resident, shared weights included")                                                     \
    X(limit_bytes, "memory that the rank may take: its limits, and its share of its machine's; 0 unknown")             \
    X(swapped_bytes, "memory in swap at the end")                                                                      \
    X(major_faults, "pages of memory read from disk")                                                                  \
    X(temporary_bytes, "bytes written to temporary files that were removed again")                                     \
    X(spilled_bytes, "of them counts of mentions, more than memory was to hold")                                       \
    X(exchange_bytes, "bytes sent to other ranks in all-to-all exchanges")                                             \
    X(reduce_bytes, "bytes given to reductions over ranks")                                                            \
    X(broadcast_bytes, "bytes of broadcasts from rank 0")                                                              \
    X(packed_records, "counts of mentions packed for MPI")                                                             \
    X(weights_read_bytes, "bytes of weights read into the memory that a node shares")                                  \
    X(weights_mapped_bytes, "bytes of that memory that the rank uses")
#define MUR_SECONDS_COUNTERS(X)                                                                                        \
    X(ingest_seconds, "time reading and parsing source files")                                                         \
    X(refine_seconds, "time finding mentions")                                                                         \
    X(score_seconds, "time tokenizing and scoring")                                                                    \
    X(write_seconds, "time writing parts")                                                                             \
    X(merge_seconds, "time counting mentions")                                                                         \
    X(exchange_seconds, "time in all-to-all exchanges, waiting included")                                              \
    X(reduce_seconds, "time in reductions over ranks, waiting included")                                               \
    X(broadcast_seconds, "time in broadcasts, waiting included")                                                       \
    X(weights_seconds, "time until the weights could be used")                                                         \
    X(slowest_unit_seconds, "time of the work unit that took longest")

typedef struct mur_rank_counters {
#define X(name, meaning) int64_t name;
    MUR_WHOLE_COUNTERS(X)
#undef X
#define X(name, meaning) double name;
    MUR_SECONDS_COUNTERS(X)
#undef X
} mur_rank_counters;

/* The time in which the rank did work of its own: ingest, refine, score, write and merge. */
double mur_rank_busy_seconds(const mur_rank_counters *c);

/* A run that came to its end. */
typedef struct mur_run_counters {
    char run_id[MUR_RUN_ID]; /* empty: there is none */
    int64_t began, ended;
    double seconds;
    int64_t n_batches;
    int n_ranks, n_nodes;
    mur_rank_counters *ranks; /* n_ranks */
    /* The work unit that took longest of all ranks' (ranks[slowest_rank].slowest_unit_seconds). */
    int slowest_rank;
    char *slowest_file; /* its first source file; empty where no unit was worked off */
    int64_t slowest_tweets, slowest_tokens;
} mur_run_counters;

mur_rank_counters mur_run_counters_sum(const mur_run_counters *run);
void mur_run_counters_clear(mur_run_counters *run);

typedef struct mur_progress_history {
    mur_progress_line *lines; /* in the order in which they were written */
    size_t n;
    mur_run_counters last_run; /* of the last run in them that came to its end */
    size_t n_unreadable;       /* lines that were passed over: a crash may tear the last one of a run */
} mur_progress_history;

/* Reads all of STORE/progress.jsonl and its rotated files, oldest first. A store without them has no lines. MUR_EIO. */
int mur_progress_read(mur_progress_history *out, const char *store) MUR_MUST_USE;
void mur_progress_history_clear(mur_progress_history *h);

/* The last `bytes` of them alone, in time that does not depend on how much there is. MUR_EIO. */
int mur_progress_read_last(mur_progress_history *out, const char *store, int64_t bytes) MUR_MUST_USE;

/* Lines that come while somebody looks. */
typedef struct mur_progress_tail {
    uint64_t device, inode; /* of the file that is read; 0: none yet */
    int64_t offset;         /* behind what was taken of it */
} mur_progress_tail;

/* Appends the lines, as they are written, that are whole and came since the call before; the first call, with a zeroed
 * tail, only finds the end. A file that is rotated just then takes its last lines with it: this is for showing.
 * MUR_EIO.
 */
int mur_progress_tail_read(mur_progress_tail *tail, const char *store, mur_buf *out) MUR_MUST_USE;

/* Whether the line tells of a stream's trigger, and then what. */
bool mur_progress_line_parse(mur_progress_line *out, mur_view text);

/* What a running job does at this moment, and how far it is. */
typedef enum {
    MUR_PHASE_LISTING,  /* looks for source files */
    MUR_PHASE_CHECKING, /* holds the parts that are to be scored again against the log */
    MUR_PHASE_SCORING,  /* works units off */
    MUR_PHASE_WRITING,  /* writes their rows and commits them */
    MUR_PHASE_COUNTING, /* brings application up to date */
    MUR_PHASE_WAITING,  /* for its next trigger */
} mur_phase;

const char *mur_phase_name(mur_phase phase); /* "listing" … */

typedef struct mur_progress_now {
    char run_id[MUR_RUN_ID];
    int64_t time; /* of this look at itself */
    mur_phase phase;
    int64_t batch;            /* in hand, or the last; -1 before the first */
    int64_t n_batches;        /* committed by this run */
    double elapsed;           /* seconds since the run began */
    double fraction;          /* 0..1 of the bytes that the last look at the sources found; 1 where it found none */
    double seconds_left;      /* an estimate; negative where there is none yet */
    int64_t n_tweets;         /* this run's, those of the batch in hand included */
    double tweets_per_second; /* over the time in which the run had work */
    int64_t n_rows[MUR_N_STREAMS]; /* taken in by each stream of the batch in hand; on other nodes: estimated */
} mur_progress_now;

/* What the job that writes the store told last, some two seconds ago. `*is_there` is false where there is nothing that
 * can be read: no job runs, or it has just begun. Who reads holds `run_id` against the lock's: a killed job leaves its
 * last words. MUR_EIO. */
int mur_progress_now_read(mur_progress_now *out, const char *store, bool *is_there) MUR_MUST_USE;

/* Appends "[####----]  50.0%  1200 tweets  240/s  ETA 5s  batch 3: scoring", cut to `columns` characters. */
void mur_progress_now_format(mur_buf *out, const mur_progress_now *now, int columns);

#endif
