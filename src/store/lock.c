#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lock_holder.h"
#include "murmur/clock.h"
#include "murmur/fault.h"
#include "murmur/file.h"
#include "murmur/log.h"
#include "murmur/mem.h"
#include "murmur/thread.h"
#include "stop.h"

#ifdef MURMUR_FAULTS
#define RENEW_SECONDS 0.1 /* so that tests, which run for less than a second, come there */
#else
#define RENEW_SECONDS 10.0
#endif
#define PATIENCE_SECONDS 5.0
#define POLL_SECONDS 0.1

/* A starter that died while it broke a lock leaves its mark: others take it for gone after this silence, which is less
 * than their patience. */
#define BREAKING_SECONDS 2.0

struct mur_lock {
    char *path;
    char *breaking_path; /* the mark of who breaks a lock */
    char *stop_path;     /* of requests to this run */
    char *own_path;      /* where the file is made; also the name that a broken lock is moved to is made from it */
    mur_buf text;        /* what it holds: no other process writes the same */
    int fd;              /* of our file, under whatever name: renewing it never touches another's lock */
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool is_over;
};

/* A lock file as it was read at one moment. */
typedef struct sighting {
    mur_buf text;
    struct timespec renewed;
} sighting;

static int look(sighting *seen, const char *path)
{
    struct stat about;
    mur_buf_reset(&seen->text);
    int rc = mur_file_read(&seen->text, path);
    if (rc == 0 && stat(path, &about) < 0)
        rc = mur_fail_errno(errno == ENOENT ? MUR_ENOINPUT : MUR_EIO, "cannot stat %s", path);
    if (rc == 0)
        seen->renewed = about.st_mtim;
    return rc;
}

static double seconds_between(struct timespec a, struct timespec b)
{
    return (double)(b.tv_sec - a.tv_sec) + 1e-9 * (double)(b.tv_nsec - a.tv_nsec);
}

/* Writes our file under its own name and keeps it open. */
static int make_own(mur_lock *l)
{
    l->fd = MUR_STEP("lock.create", open(l->own_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    if (l->fd < 0)
        return mur_fail_errno(MUR_ECREATE, "cannot create %s", l->own_path);
    int rc = MUR_STEP("lock.write", mur_fd_write(l->fd, mur_buf_view(&l->text), l->own_path));
    if (rc == 0)
        rc = mur_fd_sync(l->fd, l->own_path);
    return rc;
}

/* The clock of the file system is read off our own file. */
static int touch(const mur_lock *l, struct timespec *now)
{
    struct stat about;
    if (futimens(l->fd, NULL) < 0 || fstat(l->fd, &about) < 0)
        return mur_fail_errno(MUR_EIO, "cannot touch %s", l->own_path);
    *now = about.st_mtim;
    return 0;
}

int mur_lock_clock(const mur_lock *l, int64_t *now_ns)
{
    struct timespec now = {0};
    int rc = touch(l, &now);
    if (rc == 0)
        *now_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
    return rc;
}

/* How long the lock was not renewed, by the clock of the file system. */
static int measure_silence(const mur_lock *l, const sighting *seen, double *silence)
{
    struct timespec now = {0};
    int rc = touch(l, &now);
    if (rc == 0)
        *silence = seconds_between(seen->renewed, now);
    return rc;
}

static bool is_same(const sighting *a, const sighting *b)
{
    return mur_view_equal(mur_buf_view(&a->text), mur_buf_view(&b->text)) &&
           seconds_between(a->renewed, b->renewed) == 0;
}

/* Only one starter at a time may break a lock: who has the mark, a second name of its own file. */
static int take_mark(const mur_lock *l, bool *is_mine)
{
    struct stat mark;
    struct timespec now = {0};
    *is_mine = link(l->own_path, l->breaking_path) == 0;
    if (*is_mine)
        return 0;
    if (errno != EEXIST)
        return mur_fail_errno(MUR_ECREATE, "cannot create %s", l->breaking_path);
    int rc = touch(l, &now);
    if (rc == 0 && stat(l->breaking_path, &mark) == 0 && seconds_between(mark.st_mtim, now) > BREAKING_SECONDS)
        unlink(l->breaking_path);
    return rc;
}

/* Moves the lock aside, and puts it back if it is not what was judged: its holder let it go just now and another has
 * it. While it is put back a third could take the place, but only if all that is between the mark's owner's last look
 * and its next step; then a commit's own checks tell (mur_lock_check, and the record's link). */
static int move_aside(const mur_lock *l, const sighting *seen)
{
    char *aside = mur_format("%s.broken", l->own_path);
    sighting moved = {0};
    int rc = 0;
    if (rename(l->path, aside) < 0) {
        if (errno != ENOENT) /* else the holder left */
            rc = mur_fail_errno(MUR_ECREATE, "cannot break the lock %s", l->path);
        goto done;
    }
    rc = look(&moved, aside);
    if (!(rc == 0 && is_same(&moved, seen)) && link(aside, l->path) < 0 && errno != EEXIST)
        rc = mur_fail_errno(MUR_ECREATE, "cannot put the lock %s back", l->path);
    unlink(aside);
done:
    mur_buf_clear(&moved.text);
    free(aside);
    return rc;
}

/* Takes a lock away that was judged by `seen`, if this starter has the mark and the lock is still that one: several may
 * judge alike, and the first may have broken and taken it since. */
static int break_lock(const mur_lock *l, const sighting *seen, bool *is_broken)
{
    bool is_mine;
    *is_broken = false;
    int rc = take_mark(l, &is_mine);
    if (rc < 0 || !is_mine)
        return rc;
    sighting again = {0};
    rc = look(&again, l->path);
    if (rc == 0 && is_same(&again, seen)) {
        rc = move_aside(l, seen);
        *is_broken = rc == 0;
    } else if (rc == MUR_ENOINPUT) {
        rc = 0;
    }
    unlink(l->breaking_path);
    mur_buf_clear(&again.text);
    return rc;
}

/* "process 12 on host node3 (run 1f…, SLURM job /7)"; a fresh string. */
static char *who(const mur_holder *h)
{
    if (h->pid < 0 || !*h->host || !*h->run_id)
        return mur_strdup("somebody whom it does not name");
    return mur_format("process %" PRId64 " on host %s (run %s%s%s)", h->pid, h->host, h->run_id,
                      *h->job ? ", SLURM job " : "", h->job);
}

static int refuse(const mur_lock *l, const mur_holder *h, double silence)
{
    char since[MUR_TIME_TEXT] = "an unknown time", *holder = who(h);
    if (h->time != MUR_NO_TIME)
        mur_time_format(since, h->time);
    int rc = mur_fail(MUR_ECREATE,
                      "%s is held by %s since %s, renewed %.0f s ago: wait for it to end, ask it to with murmur stop, "
                      "or, if it cannot be running any more, use --break-lock",
                      l->path, holder, since, silence > 0 ? silence : 0);
    free(holder);
    return rc;
}

/* Judges whoever holds the lock: breaks it, or says in `*is_held` that it must be waited for. */
static int judge(const mur_lock *l, const mur_holder *self, bool is_forced, bool is_last, bool *is_held)
{
    sighting seen = {0};
    mur_holder holder = {0};
    double silence = 0;
    *is_held = false;
    int rc = look(&seen, l->path);
    if (rc == MUR_ENOINPUT) { /* it was let go */
        rc = 0;
        goto done;
    }
    if (rc == 0)
        rc = measure_silence(l, &seen, &silence);
    if (rc < 0)
        goto done;
    mur_holder_parse(&holder, mur_buf_view(&seen.text));
    const char *reason = is_forced ? "--break-lock" : mur_holder_is_gone(&holder, self, silence);
    if (reason) {
        bool is_broken;
        rc = break_lock(l, &seen, &is_broken);
        *is_held = !is_broken; /* by a starter that breaks it */
        if (is_broken) {
            char *holding = who(&holder);
            mur_log_warn("the lock %s of %s is broken: %s", l->path, holding, reason);
            free(holding);
        }
    } else if (is_last) {
        rc = refuse(l, &holder, silence);
    } else {
        *is_held = true;
    }
done:
    mur_buf_clear(&seen.text);
    mur_holder_clear(&holder);
    return rc;
}

/* Makes our file the lock: link() is O_EXCL for a file that is complete from its first moment. */
static int acquire(const mur_lock *l, const mur_holder *self, bool is_forced)
{
    double start = mur_monotonic();
    for (;;) {
        if (mur_fault("lock.link") == 0 && link(l->own_path, l->path) == 0)
            return 0;
        if (errno != EEXIST)
            return mur_fail_errno(MUR_ECREATE, "cannot create %s", l->path);
        bool is_held;
        int rc = judge(l, self, is_forced, mur_monotonic() - start > PATIENCE_SECONDS, &is_held);
        if (rc < 0)
            return rc;
        if (is_held)
            mur_sleep(POLL_SECONDS);
    }
}

static void *renew(void *context)
{
    mur_lock *l = context;
    pthread_mutex_lock(&l->mutex);
    double due = mur_monotonic() + RENEW_SECONDS;
    while (!l->is_over) {
        mur_condition_wait(&l->changed, &l->mutex, due);
        if (mur_monotonic() >= due) {
            mur_fault_pass("lock.renew");
            futimens(l->fd, NULL); /* a failure shows as silence; mur_lock_check decides */
            due = mur_monotonic() + RENEW_SECONDS;
        }
    }
    pthread_mutex_unlock(&l->mutex);
    return NULL;
}

int mur_lock_take(mur_lock **out, const char *store, const char *run_id, bool is_forced)
{
    mur_lock *l = mur_alloc(1, sizeof *l);
    mur_holder self;
    mur_holder_self(&self, run_id);
    l->fd = -1;
    l->path = mur_path_join(store, "_lock");
    l->breaking_path = mur_path_join(store, "_lock-breaking");
    l->stop_path = mur_stop_path(store, run_id);
    l->own_path = mur_format("%s-%s-%" PRId64 "-%s", l->path, self.host, self.pid, run_id);
    mur_holder_format(&l->text, &self);
    int rc = make_own(l);
    if (rc == 0) {
        rc = acquire(l, &self, is_forced);
        mur_fault_pass("lock.unlink");
        unlink(l->own_path);
    }
    if (rc == 0)
        mur_stop_clean(store, run_id);
    if (rc == 0) {
        pthread_mutex_init(&l->mutex, NULL);
        mur_condition_init(&l->changed);
        int error = mur_thread_start(&l->thread, renew, l);
        if (error != 0) {
            rc = mur_fail(MUR_EINTERNAL, "cannot start the thread that renews the lock: %s", strerror(error));
            pthread_cond_destroy(&l->changed);
            pthread_mutex_destroy(&l->mutex);
            unlink(l->path);
        }
    }
    mur_holder_clear(&self);
    if (rc < 0) {
        if (l->fd >= 0)
            close(l->fd);
        mur_buf_clear(&l->text);
        free(l->path);
        free(l->own_path);
        free(l->stop_path);
        free(l->breaking_path);
        free(l);
        l = NULL;
    }
    *out = l;
    return rc;
}

int mur_lock_check(const mur_lock *l)
{
    mur_buf text = {0};
    int rc = mur_file_read(&text, l->path);
    bool is_ours = rc == 0 && mur_view_equal(mur_buf_view(&text), mur_buf_view(&l->text));
    mur_holder other;
    mur_holder_parse(&other, mur_buf_view(&text));
    if (rc == MUR_ENOINPUT) {
        rc = mur_fail(MUR_ECREATE, "the lock %s was removed while this run held it: nothing is published; run again",
                      l->path);
    } else if (rc == 0 && !is_ours) {
        char *taker = who(&other);
        rc = mur_fail(MUR_ECREATE, "the lock %s was taken over by %s: nothing is published; run again when it is done",
                      l->path, taker);
        free(taker);
    }
    mur_holder_clear(&other);
    mur_buf_clear(&text);
    return rc;
}

bool mur_lock_is_stop_asked(const mur_lock *l)
{
    return l->stop_path && access(l->stop_path, F_OK) == 0;
}

void mur_lock_release(mur_lock **lock)
{
    mur_lock *l = *lock;
    *lock = NULL;
    if (!l)
        return;
    pthread_mutex_lock(&l->mutex);
    l->is_over = true;
    pthread_cond_signal(&l->changed);
    pthread_mutex_unlock(&l->mutex);
    pthread_join(l->thread, NULL);
    pthread_cond_destroy(&l->changed);
    pthread_mutex_destroy(&l->mutex);
    mur_fault_pass("lock.release");
    mur_error before = *mur_error_last(); /* released on the way out of a failure, whose message must stay */
    if (mur_lock_check(l) == 0)
        unlink(l->path);
    *mur_error_last() = before;
    if (l->stop_path)
        unlink(l->stop_path);
    close(l->fd);
    mur_buf_clear(&l->text);
    free(l->path);
    free(l->own_path);
    free(l->stop_path);
    free(l->breaking_path);
    free(l);
}
