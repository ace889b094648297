/* error.h: codes, and the message that goes with the last failure.
 *
 * A function that can fail returns 0 or more on success and a negative code on failure. The code is the negated exit
 * status of sysexits(3), so that a rank's verdict, the agreed verdict and the process's status are one number.
 * The message lives in one slot per thread: the failing function writes it with mur_fail(), callers on the way up may
 * put their context in front with mur_error_add(). Messages name the thing (file, line, column, row) and the cure.
 */
#ifndef MURMUR_ERROR_H
#define MURMUR_ERROR_H

#define MUR_CODES(X)                                                                                                   \
    X(MUR_EUSAGE, 64, "usage")                                                                                         \
    X(MUR_EDATA, 65, "bad data")                                                                                       \
    X(MUR_ENOINPUT, 66, "no such input")                                                                               \
    X(MUR_EINTERNAL, 70, "internal error")                                                                             \
    X(MUR_ECREATE, 73, "cannot create")                                                                                \
    X(MUR_EIO, 74, "input/output error")                                                                               \
    X(MUR_EAGAIN, 75, "work left")

enum mur_code {
#define X(name, status, text) name = -(status),
    MUR_CODES(X)
#undef X
};

/* Plain data, so that par can broadcast it: `rank` is the rank that failed, or -1 before ranks agreed. */
typedef struct mur_error {
    int code;
    int rank;
    char message[2048];
} mur_error;

#define MUR_PRINTF(at, first) __attribute__((format(printf, at, first)))
#define MUR_MUST_USE __attribute__((warn_unused_result))

/* Sets the message and returns `code`, so that `return mur_fail(MUR_EIO, "…")` reads as one step. */
int mur_fail(int code, const char *format, ...) MUR_PRINTF(2, 3);

/* As mur_fail, with ": " and strerror(errno) appended. */
int mur_fail_errno(int code, const char *format, ...) MUR_PRINTF(2, 3);

/* Puts "context: " in front of the message of the failure in hand. */
void mur_error_add(const char *format, ...) MUR_PRINTF(1, 2);

/* The slot itself: borrowed, overwritten by the next failure of this thread. */
mur_error *mur_error_last(void);

/* "bad data" for MUR_EDATA, and so on; "unknown error" for anything else. */
const char *mur_code_text(int code);

/* The exit status for a return code: 0 for success, 64..75 for the codes, 70 for anything unknown. */
int mur_exit_status(int rc);

#endif
