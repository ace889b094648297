/* The writer's lock: one at a time, whoever dies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../src/store/lock_holder.h"
#include "murmur/clock.h"
#include "murmur/file.h"
#include "murmur/mem.h"
#include "murmur/store.h"
#include "murmur/writer.h"
#include "scratch.h"

static char *folder, *lock_path;

static int make_store(void **state)
{
    (void)state;
    folder = scratch_make("lock");
    if (!folder)
        return -1;
    lock_path = mur_path_join(folder, "_lock");
    unsetenv("SLURM_JOB_ID");
    unsetenv("SLURM_RESTART_COUNT");
    return mur_store_create(folder);
}

static int remove_store(void **state)
{
    (void)state;
    scratch_remove(folder);
    free(lock_path);
    free(folder);
    return 0;
}

static mur_store *open_store(void)
{
    mur_store *s;
    assert_done(mur_store_open(&s, folder));
    return s;
}

static int take(const char *run_id, bool is_forced)
{
    mur_store *s = open_store();
    int rc = mur_store_lock(s, run_id, is_forced);
    mur_store_close(&s);
    return rc;
}

/* The store holds nothing but its log: no lock, no file that was needed on the way to one. */
static void assert_clean(void)
{
    DIR *d = opendir(folder);
    struct dirent *entry;
    while ((entry = readdir(d)))
        if (entry->d_name[0] != '.' && strcmp(entry->d_name, "_log") != 0)
            fail_msg("%s was left", entry->d_name);
    closedir(d);
}

/* As if the lock was last renewed so long ago. */
static void age_lock(int seconds)
{
    struct timespec now, times[2];
    clock_gettime(CLOCK_REALTIME, &now);
    now.tv_sec -= seconds;
    times[0] = times[1] = now;
    utimensat(AT_FDCWD, lock_path, times, 0);
}

/* A lock file that `h` made, last renewed `silence` seconds ago. */
static void leave_lock(const mur_holder *h, int silence)
{
    mur_buf text = {0};
    mur_holder_format(&text, h);
    assert_done(mur_file_write(lock_path, mur_buf_view(&text)));
    age_lock(silence);
    mur_buf_clear(&text);
}

static void set(char **field, const char *text)
{
    free(*field);
    *field = mur_strdup(text);
}

static void second_writer_is_refused_and_told_who_is_first(void **state)
{
    (void)state;
    char host[256] = "", pid[32];
    gethostname(host, sizeof host - 1);
    snprintf(pid, sizeof pid, "process %d ", (int)getpid());
    mur_store *first = open_store();
    assert_done(mur_store_lock(first, "run-first", false));
    double start = mur_monotonic();
    assert_int_equal(take("run-second", false), MUR_ECREATE);
    assert_true(mur_monotonic() - start >= 5); /* it waited for the holder to go */
    assert_message(host);
    assert_message(pid);
    assert_message("run-first");
    assert_message("--break-lock");
    mur_store_close(&first);
    assert_clean();
    assert_done(take("run-second", false));
    assert_clean();
}

static void holder_that_leaves_in_time_is_waited_for(void **state)
{
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        mur_store *s;
        if (mur_store_open(&s, folder) < 0 || mur_store_lock(s, "leaving", false) < 0)
            _exit(1);
        mur_sleep(1);
        mur_store_close(&s);
        _exit(0);
    }
    while (!mur_path_exists(lock_path))
        mur_sleep(0.01);
    assert_done(take("next", false));
    int status;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    assert_clean();
}

static void lock_of_a_killed_process_is_broken_at_once(void **state)
{
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        mur_store *s;
        if (mur_store_open(&s, folder) == 0 && mur_store_lock(s, "killed", false) == 0)
            raise(SIGKILL);
        _exit(1);
    }
    siginfo_t about; /* dead, and its parent has not asked for its status: some containers' first process never does */
    assert_int_equal(waitid(P_PID, (id_t)child, &about, WEXITED | WNOWAIT), 0);
    assert_int_equal(about.si_code, CLD_KILLED);
    assert_true(mur_path_exists(lock_path));
    assert_done(take("next", false));
    waitpid(child, NULL, 0);
    assert_clean();
}

static void silent_or_forced_lock_is_broken(void **state)
{
    (void)state;
    mur_holder h;
    mur_holder_self(&h, "elsewhere");
    set(&h.host, "another-host");
    leave_lock(&h, 125);
    assert_done(take("next", false));
    leave_lock(&h, 5);
    assert_done(take("next", true));
    assert_clean();
    assert_done(mur_file_write(lock_path, mur_view_of("not even JSON")));
    assert_int_equal(take("next", false), MUR_ECREATE);
    assert_message("somebody whom it does not name");
    assert_done(take("next", true));
    assert_clean();
    assert_done(mur_file_write(lock_path, (mur_view){0}));
    age_lock(125);
    assert_done(take("next", false));
    assert_clean();
    mur_holder_clear(&h);
}

static void requeued_job_and_rebooted_host_take_over_at_once(void **state)
{
    (void)state;
    mur_holder h;
    double start = mur_monotonic();
    setenv("SLURM_JOB_ID", "4711", 1);
    mur_holder_self(&h, "before the restart");
    set(&h.host, "another-host");
    leave_lock(&h, 1);
    setenv("SLURM_RESTART_COUNT", "1", 1);
    assert_done(take("after", false));

    mur_holder_self(&h, "before the reboot");
    set(&h.boot_id, "00000000-0000-0000-0000-000000000000");
    leave_lock(&h, 31);
    assert_done(take("after", false));
    assert_true(mur_monotonic() - start < 4); /* no start waits for the 5 s that a holder gets to go away */
    assert_clean();
    mur_holder_clear(&h);
}

/* Root may write anywhere: the child is nobody. */
static void lock_that_may_not_be_written_or_read_is_named(void **state)
{
    (void)state;
    assert_done(mur_file_write(lock_path, mur_view_of("{}")));
    assert_int_equal(chmod(lock_path, 0), 0);
    for (int i = 0; i < 2; i++) { /* the folder may be written, and then not */
        assert_int_equal(chmod(folder, i == 0 ? 0777 : 0555), 0);
        pid_t child = fork();
        if (child == 0) {
            if (geteuid() == 0 && (setegid(65534) < 0 || seteuid(65534) < 0))
                _exit(2);
            int rc = take("nobody", false);
            const char *words = i == 0 ? "cannot open" : "cannot create";
            bool is_told = strstr(mur_error_last()->message, words) && strstr(mur_error_last()->message, lock_path);
            _exit(rc == (i == 0 ? MUR_EIO : MUR_ECREATE) && is_told ? 0 : 1);
        }
        int status;
        waitpid(child, &status, 0);
        assert_int_equal(status, 0);
    }
    assert_int_equal(chmod(folder, 0777), 0);
    assert_int_equal(unlink(lock_path), 0);
    assert_clean();
}

static void only_proof_says_that_a_holder_is_gone(void **state)
{
    (void)state;
    mur_holder self, h;
    setenv("SLURM_JOB_ID", "4711", 1);
    setenv("SLURM_RESTART_COUNT", "2", 1);
    mur_holder_self(&self, "self");
    mur_holder_self(&h, "other");
    assert_true(h.pid == getpid() && h.pid_start > 0 && h.restarts == 2 && *h.boot_id && *h.pid_namespace);
    assert_null(mur_holder_is_gone(&h, &self, 100)); /* this very process is there */
    assert_non_null(mur_holder_is_gone(&h, &self, 121));

    h.restarts = 1;
    assert_non_null(mur_holder_is_gone(&h, &self, 0)); /* the job before it was requeued, wherever it ran */
    set(&h.job, "/4712");
    assert_null(mur_holder_is_gone(&h, &self, 0));

    h.pid_start++; /* the id is another process's now */
    assert_non_null(mur_holder_is_gone(&h, &self, 0));
    set(&h.pid_namespace, "pid:[1]"); /* a container on this host: its ids say nothing here */
    assert_null(mur_holder_is_gone(&h, &self, 0));
    set(&h.pid_namespace, self.pid_namespace);
    set(&h.host, "another-host");
    assert_null(mur_holder_is_gone(&h, &self, 0));

    set(&h.host, self.host);
    set(&h.boot_id, "00000000-0000-0000-0000-000000000000");
    assert_non_null(mur_holder_is_gone(&h, &self, 31));
    assert_null(mur_holder_is_gone(&h, &self, 29)); /* renewed just now: two hosts of one name */

    mur_holder unknown;
    mur_holder_parse(&unknown, mur_view_of("{\"host\":5,\"pid\":-3,\"pid_start\":1e99,\"restarts\":\"x\"}"));
    assert_true(unknown.pid == -1 && unknown.pid_start == -1 && unknown.restarts == -1);
    assert_null(mur_holder_is_gone(&unknown, &self, 0));
    assert_non_null(mur_holder_is_gone(&unknown, &self, 121));
    mur_holder_clear(&unknown);
    mur_holder_clear(&h);
    mur_holder_clear(&self);
}

static void holder_reads_back_as_it_was_written(void **state)
{
    (void)state;
    mur_holder a, b;
    mur_buf text = {0};
    setenv("SLURM_JOB_ID", "4711", 1);
    mur_holder_self(&a, "run \"x\"");
    mur_holder_format(&text, &a);
    mur_holder_parse(&b, mur_buf_view(&text));
    assert_string_equal(a.host, b.host);
    assert_string_equal(a.boot_id, b.boot_id);
    assert_string_equal(a.pid_namespace, b.pid_namespace);
    assert_string_equal(a.job, b.job);
    assert_string_equal(a.run_id, b.run_id);
    assert_true(a.pid == b.pid && a.pid_start == b.pid_start && a.restarts == b.restarts && a.time == b.time);
    mur_buf_clear(&text);
    mur_holder_clear(&a);
    mur_holder_clear(&b);
}

static int publish_one(mur_store *s)
{
    mur_record r = {.operation = mur_strdup("INGEST"),
                    .run_id = mur_strdup("run"),
                    .murmur_version = mur_strdup("0"),
                    .blas_kernel = mur_strdup("none"),
                    .options = mur_strdup("{}"),
                    .ranks = 1};
    int rc = mur_store_publish(s, &r);
    mur_record_clear(&r);
    return rc;
}

static void writer_that_lost_its_lock_publishes_nothing(void **state)
{
    (void)state;
    mur_store *s = open_store();
    assert_done(mur_store_lock(s, "halted", false));
    mur_holder h;
    mur_holder_self(&h, "new-owner");
    unlink(lock_path);
    assert_int_equal(publish_one(s), MUR_ECREATE);
    assert_message("was removed");
    leave_lock(&h, 0);
    assert_int_equal(publish_one(s), MUR_ECREATE);
    assert_message("new-owner");
    mur_store_close(&s);
    assert_true(mur_path_exists(lock_path)); /* it is not ours to remove */
    s = open_store();
    assert_int_equal(mur_store_n_records(s), 0);
    mur_store_close(&s);
    mur_holder_clear(&h);
}

/* A writer is halted between its last look at the lock and the link: another has published in between. */
static void record_of_another_writer_is_not_replaced(void **state)
{
    (void)state;
    mur_buf ours = {0}, before = {0}, after = {0};
    char *record = mur_path_join(folder, "_log/00000000000000000000.json");
    mur_store *halted = open_store(), *other = open_store();
    assert_done(mur_store_lock(halted, "halted", false));
    assert_done(mur_file_read(&ours, lock_path));
    assert_done(mur_store_lock(other, "other", true));
    assert_done(publish_one(other));
    mur_store_close(&other);
    assert_done(mur_file_read(&before, record));
    assert_done(mur_file_write(lock_path, mur_buf_view(&ours))); /* what the halted one saw when it looked */

    assert_int_equal(publish_one(halted), MUR_ECREATE);
    assert_message("another writer published record 0");
    mur_store_close(&halted);
    assert_done(mur_file_read(&after, record));
    assert_true(mur_view_equal(mur_buf_view(&before), mur_buf_view(&after)));
    other = open_store();
    assert_int_equal(mur_store_n_records(other), 1);
    mur_store_close(&other);
    char *log_folder = mur_path_join(folder, "_log");
    DIR *d = opendir(log_folder);
    for (struct dirent *entry; (entry = readdir(d));)
        assert_true(entry->d_name[0] == '.' || entry->d_name[0] == '0');
    closedir(d);
    assert_clean();
    free(log_folder);
    free(record);
    mur_buf_clear(&ours);
    mur_buf_clear(&before);
    mur_buf_clear(&after);
}

static mur_writer look(void)
{
    mur_writer w;
    assert_done(mur_writer_look(&w, folder));
    return w;
}

static void writer_is_seen_from_outside(void **state)
{
    (void)state;
    mur_writer w = look();
    assert_int_equal(w.state, MUR_WRITER_NONE);
    mur_store *s = open_store();
    assert_done(mur_store_lock(s, "run", false));
    age_lock(100);
    w = look();
    assert_int_equal(w.state, MUR_WRITER_RUNNING); /* its process is there */
    assert_string_equal(w.run_id, "run");
    assert_int_equal(w.pid, getpid());
    assert_true(w.silence > 99 && w.silence < 110 && w.since > w.renewed);
    mur_writer_clear(&w);
    mur_store_close(&s);

    static const struct {
        int silence;
        mur_writer_state state;
    } cases[] = {{3, MUR_WRITER_RUNNING}, {60, MUR_WRITER_SILENT}, {125, MUR_WRITER_GONE}};
    mur_holder h;
    mur_holder_self(&h, "elsewhere");
    set(&h.host, "another-host");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        leave_lock(&h, cases[i].silence);
        w = look();
        assert_int_equal(w.state, cases[i].state);
        assert_true((w.reason != NULL) == (cases[i].state == MUR_WRITER_GONE));
        mur_writer_clear(&w);
    }
    assert_true(mur_path_exists(lock_path)); /* looking changes nothing */
    mur_holder_clear(&h);
    assert_done(mur_file_write(lock_path, mur_view_of("[1,2")));
    w = look();
    assert_string_equal(w.run_id, "");
    bool is_over;
    assert_int_equal(mur_writer_ask_to_stop(&w, folder, &is_over), MUR_EDATA);
    assert_message("names no run");
    mur_writer_clear(&w);
}

static void request_stops_the_run_that_it_names_and_no_other(void **state)
{
    (void)state;
    bool is_over;
    mur_store *s = open_store();
    assert_false(mur_store_is_stop_asked(s)); /* it is no writer */
    assert_done(mur_store_lock(s, "first", false));
    assert_false(mur_store_is_stop_asked(s));
    mur_writer w = look();
    for (int i = 0; i < 2; i++) {
        assert_done(mur_writer_ask_to_stop(&w, folder, &is_over));
        assert_false(is_over);
    }
    assert_true(mur_store_is_stop_asked(s));
    mur_writer again = look();
    assert_true(!w.is_asked_to_stop && again.is_asked_to_stop && again.stop_asked > again.since - 1000);
    mur_writer_clear(&again);
    mur_store_close(&s);
    assert_clean(); /* what was obeyed is gone */

    assert_done(mur_writer_ask_to_stop(&w, folder, &is_over)); /* too late */
    assert_true(is_over);
    assert_clean();

    char *stale = mur_path_join(folder, "_stop-first"); /* of a run that was killed */
    assert_done(mur_file_write(stale, (mur_view){0}));
    s = open_store();
    assert_done(mur_store_lock(s, "second", false));
    assert_false(mur_store_is_stop_asked(s));
    assert_false(mur_path_exists(stale));
    mur_store_close(&s);
    free(stale);

    free(w.run_id);
    w.run_id = mur_strdup("../../elsewhere"); /* a lock can hold anything */
    assert_int_equal(mur_writer_ask_to_stop(&w, folder, &is_over), MUR_EDATA);
    mur_writer_clear(&w);
    assert_clean();
}

static void released_lock_leaves_the_failure_in_hand(void **state)
{
    (void)state;
    mur_store *s = open_store();
    assert_done(mur_store_lock(s, "run", false));
    unlink(lock_path);
    (void)!mur_fail(MUR_EIO, "the reason");
    mur_store_close(&s);
    assert_message("the reason");
}

/* Who breaks a lock leaves a mark meanwhile; one that died over it is waited for, and then passed. */
static void starter_that_died_while_it_broke_a_lock_is_passed(void **state)
{
    (void)state;
    mur_holder h;
    mur_holder_self(&h, "dead");
    h.pid_start--;
    leave_lock(&h, 0);
    char *mark = mur_path_join(folder, "_lock-breaking");
    assert_done(mur_file_write(mark, (mur_view){0}));
    mur_store *s = open_store();
    double start = mur_monotonic();
    assert_done(mur_store_lock(s, "run", false));
    assert_true(mur_monotonic() - start > 1.5); /* it could have been alive */
    assert_done(publish_one(s));
    mur_store_close(&s);
    assert_clean();
    free(mark);
    mur_holder_clear(&h);
}

/* Starters that all find a dead holder's lock: each gets it in turn, none together with another. */
#define STARTERS 6
static void starters_that_race_for_a_dead_lock_take_turns(void **state)
{
    (void)state;
    mur_holder h;
    mur_holder_self(&h, "dead");
    h.pid_start--;
    leave_lock(&h, 0);
    pid_t children[STARTERS];
    char *inside = mur_path_join(folder, "_inside");
    for (int i = 0; i < STARTERS; i++) {
        children[i] = fork();
        if (children[i] != 0)
            continue;
        char run_id[32];
        snprintf(run_id, sizeof run_id, "starter-%d", i);
        mur_store *s;
        int rc = mur_store_open(&s, folder);
        do /* the machine may be busy: a turn may come later than a start waits */
            rc = rc < 0 && rc != MUR_ECREATE ? rc : mur_store_lock(s, run_id, false);
        while (rc == MUR_ECREATE);
        int fd = open(inside, O_CREAT | O_EXCL | O_WRONLY, 0600); /* fails if another is in here */
        mur_sleep(0.02);
        bool is_alone = fd >= 0 && unlink(inside) == 0;
        if (rc == 0)
            rc = publish_one(s);
        mur_store_close(&s);
        _exit(rc < 0 ? 1 : is_alone ? 0 : 2);
    }
    for (int i = 0; i < STARTERS; i++) {
        int status;
        waitpid(children[i], &status, 0);
        assert_int_equal(status, 0);
    }
    mur_store *s = open_store();
    assert_int_equal(mur_store_n_records(s), STARTERS);
    mur_store_close(&s);
    assert_clean();
    free(inside);
    mur_holder_clear(&h);
}

#define LOCK_TEST(test) cmocka_unit_test_setup_teardown(test, make_store, remove_store)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOCK_TEST(second_writer_is_refused_and_told_who_is_first),
        LOCK_TEST(holder_that_leaves_in_time_is_waited_for),
        LOCK_TEST(lock_of_a_killed_process_is_broken_at_once),
        LOCK_TEST(silent_or_forced_lock_is_broken),
        LOCK_TEST(only_proof_says_that_a_holder_is_gone),
        LOCK_TEST(holder_reads_back_as_it_was_written),
        LOCK_TEST(writer_that_lost_its_lock_publishes_nothing),
        LOCK_TEST(released_lock_leaves_the_failure_in_hand),
        LOCK_TEST(starter_that_died_while_it_broke_a_lock_is_passed),
        LOCK_TEST(starters_that_race_for_a_dead_lock_take_turns),
        LOCK_TEST(requeued_job_and_rebooted_host_take_over_at_once),
        LOCK_TEST(lock_that_may_not_be_written_or_read_is_named),
        LOCK_TEST(record_of_another_writer_is_not_replaced),
        LOCK_TEST(writer_is_seen_from_outside),
        LOCK_TEST(request_stops_the_run_that_it_names_and_no_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
