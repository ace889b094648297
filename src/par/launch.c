#include "launch.h"

#include <fcntl.h>
#include <mpi.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "murmur/log.h"
#include "murmur/par.h"

/* The variables' first whole number of at least 0, or `otherwise`. */
static int64_t first_number(const char *const *names, int64_t otherwise)
{
    for (; *names; names++) {
        const char *text = getenv(*names);
        if (!text || !*text)
            continue;
        char *end;
        long long number = strtoll(text, &end, 10);
        if (*end == '\0' && number >= 0)
            return number;
    }
    return otherwise;
}

/* The launcher nearest to this process first: mpirun and other MPIs' mpiexec start their ranks from within a step or an
 * allocation of SLURM's, whose variables then are about something else. */
static const char *const ranks[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID", NULL};
static const char *const sizes[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS", "SLURM_NTASKS", NULL};

int mur_launch_rank(void)
{
    return (int)first_number(ranks, 0);
}

static bool is_step(void)
{
    return getenv("SLURM_STEP_ID") || getenv("SLURM_STEPID");
}

/* Open MPI's own launcher, or any that speaks PMIx: Open MPI finds the other ranks through it. */
static bool is_known(void)
{
    return getenv("OMPI_COMM_WORLD_SIZE") || getenv("PMIX_RANK");
}

/* A step that srun started with PMI-2, which only some builds of Open MPI know. The others print twenty lines in every
 * process and end it, without asking: so rank 0 says beforehand what that would mean, and the others are not heard
 * while MPI_Init runs. */
static int standard_error = -1;

static void begin_doubt(void)
{
    if (mur_launch_rank() == 0) {
        mur_log_warn("srun started this without PMIx; if Open MPI cannot start, use srun --mpi=pmix, or mpirun inside "
                     "sbatch");
        return;
    }
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nowhere < 0)
        return;
    standard_error = dup(STDERR_FILENO);
    dup2(nowhere, STDERR_FILENO);
    close(nowhere);
}

static void end_doubt(void)
{
    if (standard_error < 0)
        return;
    dup2(standard_error, STDERR_FILENO);
    close(standard_error);
    standard_error = -1;
}

int mur_launch_before_init(void)
{
    int64_t n = first_number(sizes, 1);
    if (is_known())
        return 0;
    if (n <= 1) {
        /* srun -n1 without PMIx. In a step Open MPI insists on PMIx; outside of one it starts alone. */
        unsetenv("SLURM_STEP_ID");
        unsetenv("SLURM_STEPID");
        return 0;
    }
    if (getenv("PMI_RANK")) {
        if (is_step())
            begin_doubt();
        return 0; /* MPI shows whether it knows this launcher */
    }
    if (is_step())
        return mur_fail(MUR_EUSAGE,
                        "SLURM started %d tasks that do not know of each other, and each would write alone: use "
                        "srun --mpi=pmix, or mpirun inside sbatch",
                        (int)n);
    return mur_fail(MUR_EUSAGE,
                    "SLURM's allocation has %d tasks and this process is alone: start it with srun --mpi=pmix or "
                    "mpirun, or with mpirun -np 1 if one rank is meant",
                    (int)n);
}

int mur_launch_after_init(int n_ranks)
{
    end_doubt();
    int64_t n = first_number(sizes, 1);
    if (n_ranks > 1 || n <= 1)
        return 0;
    char library[MPI_MAX_LIBRARY_VERSION_STRING];
    int len;
    MPI_Get_library_version(library, &len);
    library[strcspn(library, ",\n")] = '\0';
    return mur_fail(MUR_EUSAGE,
                    "%d processes were started that do not know of each other, and each would write alone: murmur is "
                    "built with %s, so start it with that MPI's mpirun, or with srun --mpi=pmix",
                    (int)n, library);
}

/* mpirun puts labels before what it hands on, or writes it to files too: a bar would be cut up, or kept. */
static bool is_processed(void)
{
    static const char *const settings[] = {"OMPI_MCA_orte_tag_output", "OMPI_MCA_orte_timestamp_output",
                                           "OMPI_MCA_orte_xml_output", "OMPI_MCA_orte_output_filename"};
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        const char *value = getenv(settings[i]);
        if (value && *value && strcmp(value, "0") != 0)
            return true;
    }
    return false;
}

bool mur_launch_terminal(int *columns)
{
    struct winsize size = {0};
    int fd = STDERR_FILENO, opened = -1;
    if (!isatty(fd)) { /* a rank's is a pipe to its mpirun, which runs as this user on rank 0's host */
        char path[64];
        struct stat about;
        snprintf(path, sizeof path, "/proc/%d/fd/2", (int)getppid());
        if (!getenv("OMPI_COMM_WORLD_RANK") || is_processed() || fstat(fd, &about) < 0 || !S_ISFIFO(about.st_mode))
            return false;
        fd = opened = open(path, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    }
    bool is_terminal = fd >= 0 && isatty(fd);
    if (is_terminal && (ioctl(fd, TIOCGWINSZ, &size) < 0 || size.ws_col == 0))
        size.ws_col = 80;
    *columns = size.ws_col;
    if (opened >= 0)
        close(opened);
    const char *kind = getenv("TERM");
    return is_terminal && kind && *kind && strcmp(kind, "dumb") != 0;
}
