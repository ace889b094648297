/* five_s.c: the limits between verdicts are rules of thumb, stated here once. They are fractions of the run or of its
 * memory, so that they hold for a laptop's minute and a cluster's day alike. */
#include "five_s.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "murmur/tables.h"
#include "murmur/utf8.h"
#include "murmur/writer.h"

/* Of the memory that a rank may take. Beyond, a batch that is a little larger may not fit. */
#define MEMORY_WATCH 0.8
#define MEMORY_COSTLY 0.95

/* Longest of the ranks' work over their mean, and what a rank waits for it in the mean over the run's time: work that
 * is uneven but short costs nothing. */
#define SKEW_WATCH 1.25
#define SKEW_COSTLY 1.5
#define WAITING_WATCH 0.05
#define WAITING_COSTLY 0.15
/* A unit that takes so much of a rank's mean work keeps the others waiting at the end. */
#define UNIT_LARGE 0.5

/* Of the run's time. */
#define SHUFFLE_WATCH 0.1
#define SHUFFLE_COSTLY 0.3
#define LOADING_WATCH 0.1
#define LOADING_COSTLY 0.5

/* Small parts of one table: each is a file to open, to hash and to keep in the log for every reader. */
#define CROWD_WATCH 16
#define CROWD_COSTLY 256
/* Bytes of the store over those that its latest versions need. */
#define SURPLUS_WATCH 3.0

const char *mur_grade_name(mur_grade grade)
{
    static const char *const names[] = {"unknown", "fine", "watch", "costly"};
    return names[grade];
}

char *mur_five_s_figure_format(char out[MUR_QUANTITY_TEXT], const mur_five_s_figure *figure)
{
    static const char *const formats[] = {[MUR_IN_SECONDS] = "%.2f s",
                                          [MUR_IN_NUMBERS] = "%.0f",
                                          [MUR_IN_RATIO] = "%.2f x",
                                          [MUR_IN_PERCENT] = "%.1f %%"};
    if (isnan(figure->value))
        snprintf(out, MUR_QUANTITY_TEXT, "-");
    else if (figure->unit == MUR_IN_BYTES)
        mur_size_format(out, (int64_t)figure->value);
    else
        snprintf(out, MUR_QUANTITY_TEXT, formats[figure->unit], figure->value);
    return out;
}

static void add(mur_finding *f, const char *name, const char *meaning, mur_figure_unit unit, double value)
{
    f->figures[f->n_figures++] = (mur_five_s_figure){name, meaning, unit, value};
}

MUR_PRINTF(3, 4)
static void judge(mur_finding *f, mur_grade grade, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(f->verdict, sizeof f->verdict, format, arguments);
    va_end(arguments);
    f->grade = grade;
}

MUR_PRINTF(2, 3)
static void cure(mur_finding *f, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(f->cure, sizeof f->cure, format, arguments);
    va_end(arguments);
}

static double over(double a, double b)
{
    return b > 0 ? a / b : NAN;
}

/* fine below `watch`, costly from `costly` on; NAN is fine: what is not there costs nothing. */
static mur_grade grade_of(double value, double watch, double costly)
{
    return value >= costly ? MUR_GRADE_COSTLY : value >= watch ? MUR_GRADE_WATCH : MUR_GRADE_FINE;
}

typedef struct size_text {
    char text[MUR_QUANTITY_TEXT];
} size_text;

static size_text size(double bytes)
{
    size_text s;
    mur_size_format(s.text, (int64_t)bytes);
    return s;
}

/* Max over mean of a figure of the ranks; NAN where it is 0 on all. */
typedef struct balance {
    double max, mean, ratio;
    int rank; /* that has the most */
} balance;

static balance balance_of(const mur_run_counters *run, double (*value)(const mur_rank_counters *c))
{
    balance b = {0};
    double sum = 0;
    for (int r = 0; r < run->n_ranks; r++) {
        double v = value(&run->ranks[r]);
        sum += v;
        if (v > b.max) {
            b.max = v;
            b.rank = r;
        }
    }
    b.mean = sum / run->n_ranks;
    b.ratio = over(b.max, b.mean);
    return b;
}

/* The time of what is dealt to ranks; parts are written and mentions counted by all together. */
static double work_of(const mur_rank_counters *c)
{
    return c->ingest_seconds + c->refine_seconds + c->score_seconds;
}

static double busy_of(const mur_rank_counters *c)
{
    return mur_rank_busy_seconds(c);
}

static double tweets_of(const mur_rank_counters *c)
{
    return (double)c->tweets;
}

static double tokens_of(const mur_rank_counters *c)
{
    return (double)c->tokens;
}

static void judge_spill(mur_finding *f, const mur_run_counters *run)
{
    mur_rank_counters sum = mur_run_counters_sum(run);
    int tightest = 0; /* where no limit is known: the rank with the most */
    double most = NAN;
    for (int r = 0; r < run->n_ranks; r++) {
        const mur_rank_counters *own = &run->ranks[r];
        double part = over((double)own->peak_bytes, (double)own->limit_bytes);
        if (isnan(most) && isnan(part) ? own->peak_bytes > run->ranks[tightest].peak_bytes
                                       : isnan(most) || part > most) {
            most = part;
            tightest = r;
        }
    }
    const mur_rank_counters *c = &run->ranks[tightest];
    double limit = c->limit_bytes > 0 ? (double)c->limit_bytes : NAN;
    add(f, "peak_bytes", "most memory of the rank that came nearest to its limit", MUR_IN_BYTES, (double)c->peak_bytes);
    add(f, "limit_bytes", "memory that this rank may take", MUR_IN_BYTES, limit);
    add(f, "peak_of_limit", "the one over the other", MUR_IN_PERCENT, 100 * most);
    add(f, "swapped_bytes", "memory of all ranks in swap at the end", MUR_IN_BYTES, (double)sum.swapped_bytes);
    add(f, "major_faults", "pages of memory that were read from disk", MUR_IN_NUMBERS, (double)sum.major_faults);
    add(f, "temporary_bytes", "bytes written to temporary files and removed again", MUR_IN_BYTES,
        (double)sum.temporary_bytes);
    add(f, "spilled_bytes", "of them counts of mentions, more than memory was to hold", MUR_IN_BYTES,
        (double)sum.spilled_bytes);

    char used[128];
    if (isnan(most))
        snprintf(used, sizeof used, "rank %d came to %s", tightest, size((double)c->peak_bytes).text);
    else
        snprintf(used, sizeof used, "rank %d came to %s of %s (%d %%)", tightest, size((double)c->peak_bytes).text,
                 size(limit).text, (int)(100 * most));
    if (sum.swapped_bytes > 0)
        judge(f, MUR_GRADE_COSTLY, "Memory did not suffice: %s was in swap at the end; %s.",
              size((double)sum.swapped_bytes).text, used);
    else if (grade_of(most, MEMORY_WATCH, MEMORY_COSTLY) != MUR_GRADE_FINE)
        judge(f, grade_of(most, MEMORY_WATCH, MEMORY_COSTLY),
              "Memory is tight: %s. Nothing was swapped; a larger batch may not fit.", used);
    else if (sum.spilled_bytes > 0)
        judge(
            f, MUR_GRADE_FINE,
            "Counts of mentions went through files, %s of them, so that memory stays bounded: %s; nothing was swapped.",
            size((double)sum.spilled_bytes).text, used);
    else
        judge(f, MUR_GRADE_FINE,
              "Nothing spilled: %s, nothing was swapped, and rows never go through the disk on "
              "their way to a part.",
              used);
    if (f->grade == MUR_GRADE_FINE)
        cure(f, "There is room for larger batches: --max-bytes, --max-files; they make fewer and larger parts.");
    else
        cure(f,
             "Smaller batches, whose rows the ranks hold in memory: --max-bytes 64M; or fewer ranks on a node, which "
             "share its memory.");
}

static void judge_skew(mur_finding *f, const mur_run_counters *run)
{
    balance work = balance_of(run, work_of), busy = balance_of(run, busy_of), tweets = balance_of(run, tweets_of),
            tokens = balance_of(run, tokens_of);
    mur_rank_counters sum = mur_run_counters_sum(run);
    double slowest = run->ranks[run->slowest_rank].slowest_unit_seconds, share = over(slowest, work.mean);
    double waiting = over(work.max - work.mean, run->seconds);
    add(f, "work_max_over_mean", "ingest, refine and score of the busiest rank over the mean", MUR_IN_RATIO,
        work.ratio);
    add(f, "work_seconds_max", "that rank's time for them", MUR_IN_SECONDS, work.max);
    add(f, "work_seconds_mean", "a rank's time for them in the mean", MUR_IN_SECONDS, work.mean);
    add(f, "waiting_of_run", "what a rank waits for the busiest in the mean, over the run's time", MUR_IN_PERCENT,
        100 * waiting);
    add(f, "busy_max_over_mean", "the same with writing and counting, which ranks do together", MUR_IN_RATIO,
        busy.ratio);
    add(f, "tweets_max_over_mean", "tweets of the rank that had most over the mean", MUR_IN_RATIO, tweets.ratio);
    add(f, "tokens_max_over_mean", "tokens of the rank that had most over the mean", MUR_IN_RATIO, tokens.ratio);
    add(f, "units", "work units that were dealt", MUR_IN_NUMBERS, (double)sum.units);
    add(f, "slowest_unit_seconds", "time of the work unit that took longest", MUR_IN_SECONDS, slowest);
    add(f, "slowest_unit_tweets", "its tweets", MUR_IN_NUMBERS, (double)run->slowest_tweets);

    cure(f, "Work is dealt in units of 256 KiB, which ranks take as they become free; batches of more files or bytes "
            "(--max-files, --max-bytes) even out what is left.");
    if (sum.units == 0) {
        judge(f, MUR_GRADE_FINE, "No work was dealt: the run found nothing new.");
        return;
    }
    if (run->n_ranks == 1) {
        judge(f, MUR_GRADE_FINE, "One rank did all the work; its slowest unit took %.2f s of %.2f.", slowest, work.max);
        return;
    }
    mur_grade grade = grade_of(work.ratio, SKEW_WATCH, SKEW_COSTLY);
    mur_grade cost = grade_of(waiting, WAITING_WATCH, WAITING_COSTLY);
    grade = cost < grade ? cost : grade;
    if (grade == MUR_GRADE_FINE && work.ratio >= SKEW_WATCH) {
        judge(f, grade, "Uneven, but short: rank %d worked %.2f s, %.2f times the mean, in a run of %.2f s.", work.rank,
              work.max, work.ratio, run->seconds);
    } else if (grade == MUR_GRADE_FINE) {
        judge(f, grade, "Even: the busiest rank (%d) worked %.2f s, %.2f times the mean of %d ranks.", work.rank,
              work.max, work.ratio, run->n_ranks);
    } else if (share >= UNIT_LARGE) {
        char file[200]; /* a path is anybody's text */
        mur_utf8_show(file, sizeof file, mur_view_of(run->slowest_file ? run->slowest_file : ""));
        judge(f, grade,
              "Uneven: rank %d worked %.2f s, %.2f times the mean. One unit took %.2f s of it: %" PRId64
              " tweets from %s on.",
              work.rank, work.max, work.ratio, slowest, run->slowest_tweets, file);
        cure(f,
             "Cut that file: only JSON Lines that are not compressed can be shared among ranks; or use fewer ranks.");
    } else {
        judge(f, grade, "Uneven: rank %d worked %.2f s, %.2f times the mean; %" PRId64 " units for %d ranks.",
              work.rank, work.max, work.ratio, sum.units, run->n_ranks);
        cure(f, sum.units < 8 * (int64_t)run->n_ranks
                    ? "More units in a batch, so that ranks end together: larger --max-files and --max-bytes; or fewer "
                      "ranks."
                    : "Ranks that share a core or a node with other programs fall behind: a core for each (mpirun "
                      "--bind-to core, sbatch --exclusive).");
    }
}

static void judge_shuffle(mur_finding *f, const mur_run_counters *run)
{
    mur_rank_counters sum = mur_run_counters_sum(run);
    double exchange = sum.exchange_seconds / run->n_ranks, reduce = sum.reduce_seconds / run->n_ranks;
    double share = over(exchange + reduce, run->seconds);
    add(f, "exchange_bytes", "bytes that ranks sent each other in all-to-all exchanges", MUR_IN_BYTES,
        (double)sum.exchange_bytes);
    add(f, "exchange_seconds", "a rank's time in them in the mean, waiting included", MUR_IN_SECONDS, exchange);
    add(f, "reduce_bytes", "bytes given to reductions", MUR_IN_BYTES, (double)sum.reduce_bytes);
    add(f, "reduce_seconds", "a rank's time in them in the mean, waiting for slower ranks included", MUR_IN_SECONDS,
        reduce);
    add(f, "share_of_run", "both times over the run's", MUR_IN_PERCENT, 100 * share);
    add(f, "exchange_bytes_per_tweet", "bytes exchanged for each new tweet", MUR_IN_NUMBERS,
        over((double)sum.exchange_bytes, (double)sum.tweets));
    add(f, "batches", "triggers, each with its own exchanges", MUR_IN_NUMBERS, (double)run->n_batches);

    cure(f, "Fewer and larger batches (--max-files, --max-bytes) exchange and agree less often; ranks on one node "
            "exchange through memory.");
    if (run->n_ranks == 1) {
        judge(f, MUR_GRADE_FINE, "One rank: nothing was sent to another.");
        return;
    }
    mur_grade grade = grade_of(share, SHUFFLE_WATCH, SHUFFLE_COSTLY);
    if (grade == MUR_GRADE_FINE) {
        judge(f, grade, "%s went between %d ranks, in %.2f s a rank: %.1f %% of the run.",
              size((double)sum.exchange_bytes).text, run->n_ranks, exchange + reduce, 100 * share);
        return;
    }
    judge(f, grade, "Exchanges and reductions took %.2f s a rank, %.0f %% of the run, for %s in %" PRId64 " batch%s%s.",
          exchange + reduce, 100 * share, size((double)sum.exchange_bytes).text, run->n_batches,
          run->n_batches == 1 ? "" : "es",
          reduce > exchange ? "; most of it is waiting, for slower ranks (see skew) and for rank 0 when it commits"
                            : "");
    if (reduce > exchange && run->n_batches <= 1)
        cure(f, "Ranks wait for the slowest: see skew; or fewer ranks.");
}

static void judge_storage(mur_finding *f, const mur_storage *s, const mur_run_counters *run)
{
    bool has_run = run->n_ranks > 0;
    mur_rank_counters sum = has_run ? mur_run_counters_sum(run) : (mur_rank_counters){0};
    double packed = over((double)s->run_bytes, (double)sum.part_bytes_written);
    double reread = over((double)sum.part_bytes_read, (double)s->gold_bytes);
    double writing = 0;
    for (int r = 0; r < run->n_ranks; r++)
        writing = run->ranks[r].write_seconds > writing ? run->ranks[r].write_seconds : writing;
    double surplus = s->disk_bytes > 0 ? over((double)s->disk_bytes, (double)s->bytes) : NAN;
    add(f, "parts", "files that hold the latest version of all tables", MUR_IN_NUMBERS, (double)s->n_parts);
    add(f, "bytes", "their size", MUR_IN_BYTES, (double)s->bytes);
    add(f, "small_parts", "of them, files below 1 MiB", MUR_IN_NUMBERS, (double)s->n_small);
    add(f, "bytes_per_tweet", "bytes of all tables for each row of bronze", MUR_IN_NUMBERS,
        over((double)s->bytes, (double)s->n_tweets));
    add(f, "compressed", "bytes of the files that the run added over those of their rows", MUR_IN_PERCENT,
        100 * packed);
    add(f, "read_amplification", "bytes of parts that the run read to count, over the gold that it made", MUR_IN_RATIO,
        reread);
    add(f, "write_seconds", "time in which the ranks wrote, synced and checked parts", MUR_IN_SECONDS,
        has_run ? writing : NAN);
    add(f, "disk_bytes", "what the store takes on disk, old versions included", MUR_IN_BYTES,
        s->disk_bytes > 0 ? (double)s->disk_bytes : NAN);

    char rows[96] = "";
    if (packed > 1)
        snprintf(rows, sizeof rows, "; the last run's rows were so few that HDF5's own structures outweigh them");
    else if (!isnan(packed))
        snprintf(rows, sizeof rows, ", the last run's rows at %d %% of their size", (int)(100 * packed + 0.5));
    mur_grade crowd = grade_of((double)s->n_crowded, CROWD_WATCH, CROWD_COSTLY);
    if (crowd != MUR_GRADE_FINE) {
        judge(f, crowd,
              "Many small files: %s has %" PRId64 " parts below 1 MiB, and readers open each one; %s in all%s.",
              s->crowded, s->n_crowded, size((double)s->bytes).text, rows);
        cure(f, "murmur optimize STORE puts them together; larger --max-files and --max-bytes make fewer.");
    } else if (surplus >= SURPLUS_WATCH) {
        judge(f, MUR_GRADE_WATCH, "Old versions: the store's files take %s, %.1f times what its latest versions need.",
              size((double)s->disk_bytes).text, surplus);
        cure(f, "murmur vacuum STORE removes what no kept version needs (--older-than 7d).");
    } else {
        judge(f, MUR_GRADE_FINE, "%" PRId64 " parts, %s%s.", s->n_parts, size((double)s->bytes).text, rows);
        cure(f, "--compress 0..9 trades time for room; larger --max-bytes make larger parts.");
    }
}

static void judge_serialization(mur_finding *f, const mur_run_counters *run)
{
    mur_rank_counters sum = mur_run_counters_sum(run);
    double loading = 0;
    for (int r = 0; r < run->n_ranks; r++)
        loading = run->ranks[r].weights_seconds > loading ? run->ranks[r].weights_seconds : loading;
    double share = over(loading, run->seconds), broadcast = sum.broadcast_seconds / run->n_ranks;
    add(f, "weights_read_bytes", "weights read from files, once on each node", MUR_IN_BYTES,
        (double)sum.weights_read_bytes);
    add(f, "weights_mapped_bytes", "weights that ranks use in the memory of their node", MUR_IN_BYTES,
        (double)sum.weights_mapped_bytes);
    add(f, "weights_seconds", "time until all ranks could use them", MUR_IN_SECONDS, loading);
    add(f, "share_of_run", "that time over the run's", MUR_IN_PERCENT, 100 * share);
    add(f, "broadcast_bytes", "bytes that rank 0 told all others", MUR_IN_BYTES, (double)sum.broadcast_bytes);
    add(f, "broadcast_seconds", "a rank's time in that in the mean, waiting included", MUR_IN_SECONDS, broadcast);
    add(f, "packed_records", "counts of mentions packed for MPI", MUR_IN_NUMBERS, (double)sum.packed_records);

    char loaded[160];
    snprintf(loaded, sizeof loaded, "%s of weights were read once on %d node%s, for %d rank%s, in %.2f s",
             size((double)sum.weights_read_bytes).text, run->n_nodes, run->n_nodes == 1 ? "" : "s", run->n_ranks,
             run->n_ranks == 1 ? "" : "s", loading);
    mur_grade grade = grade_of(share, LOADING_WATCH, LOADING_COSTLY);
    if (grade == MUR_GRADE_FINE)
        judge(f, grade, "%s (%.1f %% of the run); %" PRId64 " counts of mentions were packed for MPI.", loaded,
              100 * share, sum.packed_records);
    else
        judge(f, grade, "Loading the model is %.0f %% of the run: %s.", 100 * share, loaded);
    cure(f, grade == MUR_GRADE_FINE
                ? "--precision int8 keeps a quarter of the weights in memory."
                : "More tweets for each loading: one run over many files, or --trigger 10s, which keeps the model "
                  "loaded between looks.");
}

void mur_five_s_judge(mur_five_s *out, const mur_storage *storage, const mur_run_counters *run)
{
    static const struct {
        const char *name, *meaning;
        void (*judge)(mur_finding *f, const mur_run_counters *run);
    } rows[MUR_N_FIVE_S] = {
        [MUR_SPILL] = {"spill", "memory that does not suffice", judge_spill},
        [MUR_SKEW] = {"skew", "work that is dealt unevenly", judge_skew},
        [MUR_SHUFFLE] = {"shuffle", "what ranks send each other", judge_shuffle},
        [MUR_STORAGE] = {"storage", "how rows lie on disk", NULL},
        [MUR_SERIALIZATION] = {"serialization", "what is loaded and packed before work begins", judge_serialization},
    };
    *out = (mur_five_s){0};
    bool has_run = run->run_id[0] && run->n_ranks > 0;
    if (has_run)
        memcpy(out->run_id, run->run_id, sizeof out->run_id);
    for (size_t s = 0; s < MUR_N_FIVE_S; s++) {
        mur_finding *f = &out->findings[s];
        f->name = rows[s].name;
        f->meaning = rows[s].meaning;
        if (s == MUR_STORAGE) {
            judge_storage(f, storage, run);
        } else if (has_run) {
            rows[s].judge(f, run);
        } else {
            judge(f, MUR_GRADE_UNKNOWN, "No run of this store has told its counters yet.");
            cure(f, "They come at the end of murmur run.");
        }
    }
}

/* The parts of a table as of the record. */
static int look_at_table(mur_storage *s, const mur_store *store, const char *table, int64_t record)
{
    const mur_part **parts;
    size_t n;
    int64_t version = mur_store_version_at(store, table, record), n_small = 0;
    if (version < 0)
        return 0;
    int rc = mur_store_parts(store, table, version, &parts, &n);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < n; i++) {
        s->bytes += parts[i]->bytes;
        n_small += parts[i]->bytes < MUR_SMALL_PART;
    }
    s->n_parts += (int64_t)n;
    s->n_small += n_small;
    if (n_small > 1 && n_small > s->n_crowded) {
        s->n_crowded = n_small;
        s->crowded = table;
    }
    free(parts);
    return 0;
}

/* Files that the run added, but for those that it put together from others. */
static void look_at_run(mur_storage *s, const mur_store *store, int64_t record, const char *run_id)
{
    for (int64_t i = record; i >= 0; i--) {
        const mur_record *r = mur_store_record(store, (size_t)i);
        if (strcmp(r->run_id, run_id) != 0)
            continue;
        for (size_t k = 0; k < r->n_changes; k++)
            for (size_t p = 0; p < r->changes[k].n_added; p++) {
                s->run_bytes += r->changes[k].added[p].bytes;
                if (strcmp(r->changes[k].table, "gold") == 0)
                    s->gold_bytes += r->changes[k].added[p].bytes;
            }
    }
}

int mur_five_s_compute(mur_five_s *out, const mur_store *store, int64_t record, const mur_run_counters *run)
{
    mur_storage s = {0};
    mur_disk_use disk;
    int rc = mur_store_disk_use(mur_store_folder(store), &disk);
    for (size_t t = 0; rc == 0 && t < MUR_N_TABLES; t++)
        rc = look_at_table(&s, store, mur_tables[t]->table, record);
    if (rc < 0)
        return rc;
    int64_t bronze = mur_store_version_at(store, "bronze", record);
    s.n_tweets = bronze >= 0 ? mur_store_change(store, "bronze", bronze)->n_rows : 0;
    s.disk_bytes = disk.bytes;
    if (run->run_id[0])
        look_at_run(&s, store, record, run->run_id);
    mur_five_s_judge(out, &s, run);
    return 0;
}
