#include "meter.h"

#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "metrics.h"
#include "murmur/clock.h"
#include "murmur/file.h"
#include "murmur/log.h"
#include "murmur/mem.h"
#include "murmur/thread.h"
#include "progress_file.h"
#include "progress_text.h"

#define LINE_SECONDS 9.0 /* so that with the thread's naps a line comes at least every 10 s */
#define NOW_SECONDS 2.0
#define NEWS_SECONDS 0.2 /* and so soon where the job does something else now */
#define METRICS_SECONDS 10.0
#define NAP_SECONDS 0.25

/* The counters of a node, of the batch in hand: rows by stream, then these. */
enum { SIZE_DONE = MUR_N_STREAMS, TWEETS_DONE, N_COUNTERS };

typedef struct mur_teller {
    mur_meter_options options;
    char *store, *id; /* its absolute path; and what names it for ever */
    atomic_llong *counters;
    bool is_on_terminal;
    atomic_bool is_warned_of_lines, is_warned_of_metrics;
    pthread_t thread;
    bool is_running;
    pthread_mutex_t mutex; /* of all below */
    pthread_cond_t changed;
    bool is_over;
    mur_phase phase;
    int64_t batch, n_batches, counted;      /* `counted`: the version of application in hand */
    double begun, batch_begun, phase_begun; /* seconds, mur_monotonic */
    double idle;                            /* seconds spent waiting for triggers, but for those since phase_begun */
    int64_t found, found_done;              /* bytes of source files of the last look, and of its committed batches */
    int64_t bytes_done, tweets_done;        /* of this run's committed batches */
    int64_t batch_bytes, node_size, size;
    mur_metrics metrics;
} teller;

static atomic_llong *counters_of(const mur_meter *m)
{
    return m->share.bytes;
}

/* What the counters of this node stand for, as a share of the batch, once units are dealt: 0..1. */
static double batch_fraction(const teller *t)
{
    double done = (double)atomic_load(&t->counters[SIZE_DONE]);
    return t->node_size > 0 ? (done < (double)t->node_size ? done / (double)t->node_size : 1) : 0;
}

/* A count of this node's, for all nodes. A node that is faster than the others does more than was expected of it. */
static int64_t for_all_nodes(const teller *t, int counter)
{
    double count = (double)atomic_load(&t->counters[counter]), done = (double)atomic_load(&t->counters[SIZE_DONE]);
    double node_size = done > (double)t->node_size ? done : (double)t->node_size, size = (double)t->size;
    return (int64_t)(t->node_size > 0 && size > node_size ? count * (size / node_size) : count);
}

/* The mutex is held. */
static void look(const teller *t, mur_progress_now *now)
{
    double clock = mur_monotonic(), fraction = batch_fraction(t);
    double busy = clock - t->begun - t->idle - (t->phase == MUR_PHASE_WAITING ? clock - t->phase_begun : 0);
    double in_batch = fraction * (double)t->batch_bytes, done = (double)t->found_done + in_batch;
    double rate = busy > 0 ? ((double)t->bytes_done + in_batch) / busy : 0;
    *now = (mur_progress_now){.time = mur_now_ms(),
                              .phase = t->phase,
                              .batch = t->batch,
                              .n_batches = t->n_batches,
                              .elapsed = clock - t->begun,
                              .fraction = t->found > 0 && done < (double)t->found ? done / (double)t->found : 1,
                              .seconds_left = rate > 0 ? ((double)t->found - done) / rate : -1,
                              .n_tweets = t->tweets_done + for_all_nodes(t, TWEETS_DONE)};
    bool is_beginning = t->phase == MUR_PHASE_LISTING || t->phase == MUR_PHASE_CHECKING;
    if (is_beginning && t->found == 0)
        now->fraction = 0; /* nothing is known yet */
    if (now->fraction >= 1 && !is_beginning)
        now->seconds_left = 0;
    now->tweets_per_second = busy > 0 ? (double)now->n_tweets / busy : 0;
    memcpy(now->run_id, t->options.run_id, MUR_RUN_ID);
    for (int s = 0; s < MUR_N_STREAMS; s++)
        now->n_rows[s] = for_all_nodes(t, s);
}

static void say(mur_stream stream, int64_t batch, int64_t n_rows, double seconds, const char *remark)
{
    mur_log_info("%-13s batch %" PRId64 "  rows in %" PRId64 "  %.1f rows/s  processing time %.1f s%s",
                 mur_stream_name(stream), batch, n_rows, seconds > 0 ? (double)n_rows / seconds : 0, seconds, remark);
}

/* The lines of what goes on. The mutex is held. */
static void say_running(const teller *t, const mur_progress_now *now)
{
    double clock = mur_monotonic();
    switch (t->phase) {
    case MUR_PHASE_LISTING:
        mur_log_info("%-13s lists the source files since %.0f s", mur_stream_name(MUR_STREAM_BRONZE),
                     clock - t->phase_begun);
        break;
    case MUR_PHASE_CHECKING:
        mur_log_info("%-13s checks the rows that it is to score since %.0f s", mur_stream_name(MUR_STREAM_GOLD),
                     clock - t->phase_begun);
        break;
    case MUR_PHASE_SCORING:
    case MUR_PHASE_WRITING:
        for (mur_stream s = 0; s < MUR_STREAM_APPLICATION; s++)
            say(s, t->batch, now->n_rows[s], clock - t->batch_begun,
                t->phase == MUR_PHASE_WRITING ? " (writing)" : " (running)");
        break;
    case MUR_PHASE_COUNTING:
        say(MUR_STREAM_APPLICATION, t->counted, now->n_rows[MUR_STREAM_APPLICATION], clock - t->phase_begun,
            " (running)");
        break;
    case MUR_PHASE_WAITING: break; /* nothing happens */
    }
}

/* Telling is not worth a job: what fails is said once. */
static void warn(atomic_bool *is_said, const char *what)
{
    if (!atomic_exchange(is_said, true))
        mur_log_warn("%s: %s; the job goes on", what, mur_error_last()->message);
}

static void warn_of_lines(teller *t)
{
    warn(&t->is_warned_of_lines, "no progress is kept");
}

static void draw_bar(const mur_progress_now *now)
{
    int columns;
    mur_buf bar = {0};
    if (mur_launch_terminal(&columns)) {
        mur_progress_now_format(&bar, now, columns - 1 < MUR_STATUS_TEXT - 1 ? columns - 1 : MUR_STATUS_TEXT - 1);
        mur_log_status(mur_buf_text(&bar));
    }
    mur_buf_clear(&bar);
}

static void write_now(teller *t, const mur_progress_now *now)
{
    mur_buf text = {0};
    mur_progress_now_text(&text, now);
    if (mur_progress_now_write(t->store, mur_buf_view(&text)) < 0)
        warn_of_lines(t);
    mur_buf_clear(&text);
}

static void write_metrics(teller *t, const mur_metrics *metrics, const mur_progress_now *now)
{
    if (t->options.metrics_file && mur_metrics_write(metrics, now, t->options.metrics_file) < 0)
        warn(&t->is_warned_of_metrics, "no metrics are kept");
}

/* Rank 0's thread. */
static void *tell_all(void *context)
{
    teller *t = context;
    double lines_told = t->begun, now_told = 0, metrics_told = 0;
    mur_progress_now told = {.batch = -1};
    pthread_mutex_lock(&t->mutex);
    while (!t->is_over) {
        double clock = mur_monotonic();
        mur_progress_now now;
        look(t, &now);
        mur_metrics metrics = t->metrics;
        if (clock - lines_told >= LINE_SECONDS) {
            say_running(t, &now);
            lines_told = clock;
        }
        pthread_mutex_unlock(&t->mutex); /* files may take their time; the job does not wait for them */
        if (t->is_on_terminal)
            draw_bar(&now);
        bool is_news = now.phase != told.phase || now.batch != told.batch;
        if (clock - now_told >= (is_news ? NEWS_SECONDS : NOW_SECONDS)) {
            write_now(t, &now);
            now_told = clock;
            told = now;
        }
        if (clock - metrics_told >= METRICS_SECONDS) {
            write_metrics(t, &metrics, &now);
            metrics_told = clock;
        }
        pthread_mutex_lock(&t->mutex);
        if (!t->is_over)
            mur_condition_wait(&t->changed, &t->mutex, clock + NAP_SECONDS);
    }
    pthread_mutex_unlock(&t->mutex);
    return NULL;
}

/* Of a signal that ends the process. */
static void on_end(int number)
{
    mur_log_status_end();
    raise(number); /* as it would have ended: the handler is gone */
}

/* A job that is interrupted leaves no half of a bar before the prompt. */
static void end_bar_with_the_process(void)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        struct sigaction now, action = {.sa_handler = on_end, .sa_flags = (int)SA_RESETHAND | SA_NODEFER};
        if (sigaction(signals[i], NULL, &now) == 0 && now.sa_handler == SIG_DFL) /* else nohup's, or a library's */
            sigaction(signals[i], &action, NULL);
    }
}

static void open_teller(mur_meter *m, const mur_meter_options *options, bool is_on_terminal)
{
    double clock = mur_monotonic();
    teller *t = m->teller = mur_alloc(1, sizeof *t);
    *t = (teller){.options = *options,
                  .store = mur_path_absolute(options->store),
                  .id = mur_strdup(options->store_id),
                  .counters = counters_of(m),
                  .is_on_terminal = is_on_terminal,
                  .batch = -1,
                  .begun = clock,
                  .batch_begun = clock,
                  .phase_begun = clock,
                  .metrics = {.is_running = true}};
    if (!t->store)
        t->store = mur_strdup(options->store);
    if (is_on_terminal)
        end_bar_with_the_process();
    pthread_mutex_init(&t->mutex, NULL);
    mur_condition_init(&t->changed);
    int error = mur_thread_start(&t->thread, tell_all, t);
    t->is_running = error == 0;
    if (error != 0)
        mur_log_warn("nothing is told between batches: cannot start a thread: %s", strerror(error));
}

static void close_teller(teller *t)
{
    if (t->is_running) {
        pthread_mutex_lock(&t->mutex);
        t->is_over = true;
        pthread_cond_signal(&t->changed);
        pthread_mutex_unlock(&t->mutex);
        pthread_join(t->thread, NULL);
    }
    mur_progress_now now;
    look(t, &now);
    t->metrics.is_running = false;
    write_metrics(t, &t->metrics, &now);
    mur_log_status("");
    mur_progress_now_remove(t->store);
    pthread_cond_destroy(&t->changed);
    pthread_mutex_destroy(&t->mutex);
    mur_run_counters_clear(&t->metrics.run);
    free(t->store);
    free(t->id);
    free(t);
}

int mur_meter_open(mur_meter *m, const mur_comm *c, const mur_meter_options *options)
{
    int columns;
    *m = (mur_meter){.scorer = options->scorer};
    int rc = mur_share_open(&m->share, c, N_COUNTERS * sizeof(atomic_llong));
    if (rc < 0)
        return rc;
    bool is_on_terminal = mur_broadcast_int64(c, c->rank == 0 && mur_launch_terminal(&columns)) != 0;
    mur_log_status_share(is_on_terminal);
    if (c->rank == 0)
        open_teller(m, options, is_on_terminal);
    return 0;
}

void mur_meter_close(mur_meter *m, const mur_comm *c)
{
    if (m->teller)
        close_teller(m->teller);
    mur_log_status_share(false);
    mur_share_close(&m->share, c);
    *m = (mur_meter){0};
}

static void count(mur_meter *m, int counter, int64_t n)
{
    if (m->share.bytes && n != 0)
        atomic_fetch_add(&counters_of(m)[counter], n);
}

void mur_meter_add(mur_meter *m, mur_stream stream, int64_t n_rows)
{
    count(m, (int)stream, n_rows);
}

/* Counts what of the unit in hand is done by now and was not counted before. */
static void count_unit(mur_meter *m, double fraction)
{
    int64_t size = (int64_t)(fraction * (double)m->unit.size), rows = (int64_t)(fraction * (double)m->unit.n_rows);
    int64_t tweets = (int64_t)(fraction * (double)m->unit.n_tweets);
    count(m, SIZE_DONE, size - m->unit.size_told);
    count(m, MUR_STREAM_GOLD, rows - m->unit.rows_told);
    count(m, TWEETS_DONE, tweets - m->unit.tweets_told);
    m->unit.size_told = size;
    m->unit.rows_told = rows;
    m->unit.tweets_told = tweets;
}

void mur_meter_unit(mur_meter *m, int64_t size, int64_t n_tweets, int64_t n_rows)
{
    m->unit.is_open = m->share.bytes != NULL;
    m->unit.size = size;
    m->unit.n_tweets = n_tweets;
    m->unit.n_rows = n_rows;
    m->unit.size_told = m->unit.tweets_told = m->unit.rows_told = 0;
    m->unit.scored_before = m->scorer ? m->scorer->n_scored : 0;
}

void mur_meter_unit_done(mur_meter *m)
{
    if (m->unit.is_open)
        count_unit(m, 1);
    m->unit.is_open = false;
}

void mur_meter_tick(void *meter)
{
    mur_meter *m = meter;
    if (!m->unit.is_open || m->scorer->distinct.n_keys == 0)
        return;
    double fraction = (double)(m->scorer->n_scored - m->unit.scored_before) / (double)m->scorer->distinct.n_keys;
    count_unit(m, fraction < 1 ? fraction : 1);
}

/* The teller, with its mutex held; NULL on other ranks. */
static teller *begin_change(mur_meter *m)
{
    if (m->teller)
        pthread_mutex_lock(&m->teller->mutex);
    return m->teller;
}

static void end_change(teller *t)
{
    pthread_mutex_unlock(&t->mutex);
}

static void enter(teller *t, mur_phase phase)
{
    double clock = mur_monotonic();
    if (t->phase == MUR_PHASE_WAITING)
        t->idle += clock - t->phase_begun;
    t->phase = phase;
    t->phase_begun = clock;
}

void mur_meter_phase(mur_meter *m, mur_phase phase)
{
    teller *t = begin_change(m);
    if (!t)
        return;
    enter(t, phase);
    if (phase == MUR_PHASE_COUNTING)
        atomic_store(&t->counters[MUR_STREAM_APPLICATION], 0);
    end_change(t);
}

void mur_meter_count(mur_meter *m, int64_t version)
{
    teller *t = begin_change(m);
    if (!t)
        return;
    t->counted = version;
    end_change(t);
}

void mur_meter_found(mur_meter *m, int64_t bytes)
{
    teller *t = begin_change(m);
    if (!t)
        return;
    t->found = bytes;
    t->found_done = 0;
    end_change(t);
}

static void forget_batch(teller *t)
{
    for (int i = 0; i < N_COUNTERS; i++)
        atomic_store(&t->counters[i], 0);
    t->batch_bytes = t->node_size = t->size = 0;
}

void mur_meter_batch(mur_meter *m, int64_t batch, int64_t bytes)
{
    teller *t = begin_change(m);
    if (!t)
        return;
    forget_batch(t);
    t->batch = batch;
    t->batch_bytes = bytes;
    enter(t, MUR_PHASE_SCORING);
    t->batch_begun = t->phase_begun;
    end_change(t);
}

void mur_meter_dealt(mur_meter *m, int64_t node_size, int64_t size)
{
    teller *t = begin_change(m);
    if (!t)
        return;
    t->node_size = node_size;
    t->size = size;
    end_change(t);
}

void mur_meter_batch_done(mur_meter *m, bool is_committed, int64_t n_tweets)
{
    teller *t = begin_change(m);
    if (!t)
        return;
    if (is_committed) {
        t->n_batches++;
        t->tweets_done += n_tweets;
        t->bytes_done += t->batch_bytes;
        t->found_done += t->batch_bytes;
    }
    forget_batch(t);
    end_change(t);
}

void mur_meter_say(const mur_meter *m, const mur_progress_line *line)
{
    if (m->teller)
        say(line->stream, line->batch, line->n_in, line->seconds.max, "");
}

void mur_meter_tell(mur_meter *m, const mur_progress_line *lines, size_t n)
{
    teller *t = m->teller;
    mur_buf text = {0};
    if (!t)
        return;
    for (size_t i = 0; i < n; i++) {
        mur_meter_say(m, &lines[i]);
        mur_progress_line_format(&text, &lines[i], t->store, t->id);
    }
    if (mur_progress_append(t->store, mur_buf_view(&text), MUR_PROGRESS_FILE_BYTES) < 0)
        warn_of_lines(t);
    mur_buf_clear(&text);
    begin_change(m);
    for (size_t i = 0; i < n; i++)
        mur_metrics_add(&t->metrics, &lines[i]);
    end_change(t);
}

void mur_meter_say_totals(const mur_meter *m)
{
    for (mur_stream s = 0; m->teller && s < MUR_N_STREAMS; s++) {
        const mur_stream_totals *sum = &m->teller->metrics.streams[s];
        if (sum->n_batches > 0)
            mur_log_info("%-13s in all: %" PRId64 " batch%s  rows in %" PRId64 "  rows out %" PRId64
                         "  %.1f rows/s  processing time %.1f s",
                         mur_stream_name(s), sum->n_batches, sum->n_batches == 1 ? "" : "es", sum->n_in, sum->n_out,
                         sum->seconds > 0 ? (double)sum->n_in / sum->seconds : 0, sum->seconds);
    }
}

void mur_meter_conclude(mur_meter *m, mur_run_counters *run)
{
    teller *t = m->teller;
    mur_buf text = {0};
    if (!t)
        return;
    run->n_batches = t->n_batches;
    mur_run_counters_format(&text, run);
    if (mur_progress_append(t->store, mur_buf_view(&text), MUR_PROGRESS_FILE_BYTES) < 0)
        warn_of_lines(t);
    mur_buf_clear(&text);
    begin_change(m);
    t->metrics.run = *run;
    end_change(t);
    *run = (mur_run_counters){0};
}
