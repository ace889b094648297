#include "murmur/fault.h"

#ifdef MURMUR_FAULTS

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "murmur/clock.h"
#include "murmur/log.h"

/* As a shell tells of a process that SIGKILL ended. */
#define CRASH_STATUS 137
#define LATE_SECONDS 0.05
#define SLOT_BYTES 64
#define MAX_RANKS 64
#define MAX_FAULTS 8

enum { PASS, STEP, WRITE };

static const struct {
    const char *name;
    int nature;
} points[] = {
#define X(name, nature) {name, nature},
    MUR_FAULT_POINTS(X)
#undef X
};
#define N_POINTS (sizeof points / sizeof *points)

/* In the order of `enum kind`; each is for points of at least this nature. */
typedef enum { CRASH, MEMORY, HALT, LATE, IO, SHORT, TORN } kind;
static const struct {
    const char *name;
    int nature;
} kinds[] = {{"crash", PASS}, {"memory", PASS}, {"halt", PASS}, {"late", PASS},
             {"io", STEP},    {"short", WRITE}, {"torn", WRITE}};
#define N_KINDS (sizeof kinds / sizeof *kinds)

typedef struct fault {
    size_t point;
    int rank, nth;
    kind kind;
} fault;

static pthread_once_t begun = PTHREAD_ONCE_INIT;
static fault faults[MAX_FAULTS];
static size_t n_faults;
static atomic_int passed[N_POINTS];
static atomic_bool memory_is_gone;
static atomic_int tearing = -1; /* SHORT or TORN: of the next write */
static char *trace;

/* A test that asks for what there is not must not pass. */
static void refuse(const char *what, const char *value)
{
    fprintf(stderr, "murmur: fault points: %s '%s'\n", what, value);
    _exit(mur_exit_status(MUR_EUSAGE));
}

static size_t find_point(const char *name)
{
    size_t i = 0;
    while (i < N_POINTS && strcmp(points[i].name, name) != 0)
        i++;
    if (i == N_POINTS)
        refuse("there is no point", name);
    return i;
}

static void parse(char *text)
{
    char *rest, *name = strtok_r(text, ":", &rest);
    const char *rank = strtok_r(NULL, ":", &rest), *nth = strtok_r(NULL, ":", &rest);
    const char *kind_name = strtok_r(NULL, ":", &rest);
    if (!name || !rank || !nth || n_faults == MAX_FAULTS)
        refuse("POINT:RANK:NTH[:KIND] is wanted, or there are too many, at", name ? name : "");
    fault *f = &faults[n_faults++];
    *f = (fault){find_point(name), atoi(rank), atoi(nth), CRASH};
    while (kind_name && f->kind < N_KINDS && strcmp(kinds[f->kind].name, kind_name) != 0)
        f->kind++;
    if (f->kind == N_KINDS || kinds[f->kind].nature > points[f->point].nature || f->nth < 1)
        refuse("no such kind of failure, or not at this point:", kind_name ? kind_name : nth);
}

static void tell_counts(void)
{
    char text[4096];
    size_t len = 0;
    for (size_t i = 0; i < N_POINTS; i++)
        if (passed[i] > 0)
            len += (size_t)snprintf(text + len, sizeof text - len, "%d %s %d\n", mur_log_rank(), points[i].name,
                                    passed[i]);
    int fd = open(getenv("MURMUR_FAULT_COUNTS"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (fd < 0 || write(fd, text, len) != (ssize_t)len)
        refuse("cannot write", getenv("MURMUR_FAULT_COUNTS"));
    close(fd);
}

static void open_trace(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0 || ftruncate(fd, SLOT_BYTES * MAX_RANKS) < 0)
        refuse("cannot write", path);
    void *map = mmap(NULL, SLOT_BYTES * MAX_RANKS, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (map == MAP_FAILED)
        refuse("cannot map", path);
    trace = map;
}

static void begin(void)
{
    static char text[1024];
    const char *wanted = getenv("MURMUR_FAULT"), *path = getenv("MURMUR_FAULT_TRACE");
    snprintf(text, sizeof text, "%s", wanted ? wanted : "");
    char *rest;
    for (char *one = strtok_r(text, ",", &rest); one; one = strtok_r(NULL, ",", &rest))
        parse(one); /* its own strtok_r works within `one` */
    if (path)
        open_trace(path);
    if (getenv("MURMUR_FAULT_COUNTS"))
        atexit(tell_counts);
}

bool mur_fault_list(void)
{
    const char *wanted = getenv("MURMUR_FAULT");
    if (!wanted || strcmp(wanted, "list") != 0)
        return false;
    for (size_t i = 0; i < N_POINTS; i++) {
        printf("%s", points[i].name);
        for (size_t k = 0; k < N_KINDS; k++)
            if (kinds[k].nature <= points[i].nature)
                printf(" %s", kinds[k].name);
        printf("\n");
    }
    return true;
}

/* Straight to the descriptor: what is buffered dies with the process. */
static void tell(const fault *f)
{
    char text[256];
    int len = snprintf(text, sizeof text, "murmur: fault: %s on rank %d: %s\n", points[f->point].name, f->rank,
                       kinds[f->kind].name);
    if (write(STDERR_FILENO, text, (size_t)len) < 0)
        _exit(CRASH_STATUS);
}

static int tear_file(const char *path)
{
    struct stat about;
    if (stat(path, &about) < 0 || truncate(path, about.st_size / 2) < 0)
        refuse("cannot cut", path);
    return 0;
}

static int happen(const fault *f, const char *path)
{
    if (f->kind == LATE) {
        mur_sleep(LATE_SECONDS);
        return 0;
    }
    tell(f);
    switch (f->kind) {
    case CRASH: _exit(CRASH_STATUS);
    case MEMORY: memory_is_gone = true; return 0;
    case HALT: raise(SIGSTOP); return 0;
    case SHORT:
    case TORN:
        if (!path)
            tearing = (int)f->kind;
        else if (tear_file(path) == 0 && f->kind == TORN)
            _exit(CRASH_STATUS);
        return 0;
    default: errno = EIO; return mur_fail(MUR_EIO, "a test's failure at %s: %s", points[f->point].name, strerror(EIO));
    }
}

static int pass(const char *point, const char *path)
{
    pthread_once(&begun, begin);
    size_t at = find_point(point);
    int nth = ++passed[at], rank = mur_log_rank(), rc = 0;
    if (trace && rank < MAX_RANKS)
        strncpy(trace + (size_t)rank * SLOT_BYTES, point, SLOT_BYTES - 1);
    for (size_t i = 0; i < n_faults && rc == 0; i++)
        if (faults[i].point == at && faults[i].rank == rank &&
            (faults[i].nth == nth || (faults[i].kind == LATE && faults[i].nth < nth)))
            rc = happen(&faults[i], path);
    return rc;
}

int mur_fault(const char *point)
{
    return pass(point, NULL);
}

int mur_fault_after(const char *point, const char *path, int rc)
{
    return rc < 0 ? rc : pass(point, path);
}

int mur_fault_write(int fd, mur_view bytes)
{
    int how = atomic_exchange(&tearing, -1);
    if (how < 0)
        return 0;
    ssize_t done = write(fd, bytes.ptr, bytes.len / 2);
    if (how == TORN || done < 0)
        _exit(CRASH_STATUS);
    errno = ENOSPC;
    return -1;
}

bool mur_fault_memory(void)
{
    return atomic_exchange(&memory_is_gone, false);
}

bool mur_fault_disables(const char *what)
{
    const char *disabled = getenv("MURMUR_FAULT_DISABLE");
    return disabled && strcmp(disabled, what) == 0;
}

#endif
