/* The watch over --io-timeout ends a process that makes no progress, and no other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../src/store/watchdog.h"
#include "murmur/buf.h"
#include "murmur/clock.h"

/* What a child of rank `rank` ends with, and what it says, when it is kicked `n_kicks` times and then hangs for 20 s.
 */
static int run_child(int rank, int n_kicks, mur_buf *said, double *seconds)
{
    int pipe_ends[2];
    assert_int_equal(pipe(pipe_ends), 0);
    double start = mur_monotonic();
    pid_t child = fork();
    if (child == 0) {
        dup2(pipe_ends[1], STDERR_FILENO);
        close(pipe_ends[0]);
        close(pipe_ends[1]);
        mur_watchdog w;
        mur_watchdog_start(&w, rank, 500, "gold/part-1.h5");
        for (int i = 0; i < n_kicks; i++) {
            mur_sleep(0.1);
            mur_watchdog_kick(&w, "it is brought to disk");
        }
        if (n_kicks == 0)
            mur_watchdog_stop(&w);
        mur_sleep(n_kicks == 0 ? 1 : 20);
        _exit(0);
    }
    close(pipe_ends[1]);
    ssize_t n;
    while ((n = read(pipe_ends[0], mur_buf_reserve(said, 4096), 4096)) > 0)
        said->len += (size_t)n;
    close(pipe_ends[0]);
    int status;
    waitpid(child, &status, 0);
    *seconds = mur_monotonic() - start;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void standstill_ends_the_process_with_one_message(void **state)
{
    (void)state;
    mur_buf said = {0};
    double seconds;
    assert_int_equal(run_child(0, 10, &said, &seconds), 74);
    assert_true(seconds > 1.5 && seconds < 15); /* ten kicks, each in time, and then none for 0.5 s */
    const char *text = mur_buf_text(&said);
    assert_non_null(strstr(text, "gold/part-1.h5: no progress for 0.5 s while it is brought to disk"));
    assert_non_null(strstr(text, "--io-timeout"));
    assert_ptr_equal(strchr(text, '\n'), text + said.len - 1);
    mur_buf_clear(&said);
}

static void other_ranks_leave_the_word_to_rank_0(void **state)
{
    (void)state;
    mur_buf said = {0};
    double seconds;
    assert_int_equal(run_child(1, 1, &said, &seconds), 74);
    assert_true(seconds > 3.5 && seconds < 15);
    assert_int_equal(said.len, 0);
    mur_buf_clear(&said);
}

/* Waits twice as long as a step may take, where it waits for three of another rank; once it is kicked itself, a step's
 * time is all it gives. */
static void time_of_others_is_that_of_all_their_steps(void **state)
{
    (void)state;
    double start = mur_monotonic();
    pid_t child = fork();
    if (child == 0) {
        mur_watchdog w;
        mur_watchdog_start(&w, 0, 1000, "gold/part-1.h5");
        mur_watchdog_await(&w, "another rank writes", 3);
        mur_sleep(2);
        close(STDERR_FILENO);
        mur_watchdog_kick(&w, "it is brought to disk");
        mur_sleep(20);
        _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    double seconds = mur_monotonic() - start;
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 74);
    assert_true(seconds > 2.9 && seconds < 4.5);
}

static void watch_that_was_stopped_ends_nothing(void **state)
{
    (void)state;
    mur_buf said = {0};
    double seconds;
    assert_int_equal(run_child(0, 0, &said, &seconds), 0);
    assert_int_equal(said.len, 0);
    mur_buf_clear(&said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(standstill_ends_the_process_with_one_message),
        cmocka_unit_test(other_ranks_leave_the_word_to_rank_0),
        cmocka_unit_test(time_of_others_is_that_of_all_their_steps),
        cmocka_unit_test(watch_that_was_stopped_ends_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
