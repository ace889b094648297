#include "murmur/doctor.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "murmur/file_system.h"
#include "murmur/log.h"
#include "murmur/machine.h"
#include "murmur/mem.h"
#include "murmur/model.h"
#include "murmur/picture.h"
#include "murmur/quantity.h"
#include "murmur/scorer.h"
#include "murmur/usage.h"

/* Host clocks that differ by more make the times of records and locks hard to believe. */
#define MOST_SKEW_SECONDS 5.0

/* With less memory than this for each rank even the small model has no room for its batches. */
#define LEAST_MEMORY ((int64_t)512 << 20)

/* Segments that were left in shared memory are a fault once they take this part of it: a tenth. */
#define STALE_SHARE 10

/* What each rank sees, as it is gathered. */
typedef struct rank_facts {
    char host[MUR_HOST_TEXT], blas[32]; /* mur_fp32_kernel */
    int node;
    bool has_avx512, is_blas_set;
    mur_cores cores;
    mur_shared_memory shared; /* of a node's first rank */
    int64_t memory_limit;
} rank_facts;

const char *mur_finding_grade_name(mur_finding_grade grade)
{
    static const char *const names[] = {"good", "slow", "bad"};
    return names[grade];
}

void mur_findings_clear(mur_findings *f)
{
    for (size_t i = 0; i < f->n; i++) {
        free(f->items[i].text);
        free(f->items[i].cure);
    }
    free(f->items);
    *f = (mur_findings){0};
}

/* The text is what `about` holds, which is emptied. */
static mur_finding *add(mur_findings *f, const char *subject, mur_buf *about)
{
    f->items = mur_realloc(f->items, f->n + 1, sizeof *f->items);
    f->items[f->n] = (mur_finding){.subject = subject, .text = mur_strdup(mur_buf_text(about))};
    mur_buf_clear(about);
    return &f->items[f->n++];
}

MUR_PRINTF(3, 4)
static void fault(mur_finding *finding, mur_finding_grade grade, const char *format, ...)
{
    char cure[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(cure, sizeof cure, format, arguments);
    va_end(arguments);
    if (grade > finding->grade)
        finding->grade = grade;
    if (finding->cure) {
        char *both = mur_format("%s; %s", finding->cure, cure);
        free(finding->cure);
        finding->cure = both;
    } else {
        finding->cure = mur_strdup(cure);
    }
}

static rank_facts look(const mur_comm *c)
{
    rank_facts own = {.node = c->node,
                      .has_avx512 = mur_machine_has_flag("avx512f"),
                      .is_blas_set = getenv("OPENBLAS_CORETYPE") != NULL,
                      .cores = mur_machine_cores(),
                      .memory_limit = mur_memory_limit(c->node_size)};
    mur_machine_host(own.host);
    snprintf(own.blas, sizeof own.blas, "%s", mur_fp32_kernel());
    if (c->node_rank == 0)
        mur_shared_memory_look(&own.shared);
    return own;
}

/* Rank 0 gets the facts of all ranks, in rank order: n_ranks of them, to be freed. NULL on the others. */
static rank_facts *gather(const mur_comm *c)
{
    rank_facts own = look(c), *all = NULL;
    mur_buf facts = {0};
    mur_gather(c, (mur_view){(const char *)&own, sizeof own}, &facts, NULL);
    if (c->rank == 0) {
        all = mur_alloc((size_t)c->n_ranks, sizeof *all);
        memcpy(all, facts.ptr, (size_t)c->n_ranks * sizeof *all);
    }
    mur_buf_clear(&facts);
    return all;
}

/* The ranks of a node, the cores that any of them may use, and its first rank's facts. */
typedef struct node_facts {
    const rank_facts *first;
    int n_ranks, n_cores;
} node_facts;

static node_facts node_of(const mur_comm *c, const rank_facts *ranks, int node)
{
    node_facts n = {0};
    mur_cores cores = {0};
    for (int r = 0; r < c->n_ranks; r++)
        if (ranks[r].node == node) {
            n.first = n.first ? n.first : &ranks[r];
            n.n_ranks++;
            mur_cores_add(&cores, &ranks[r].cores);
        }
    n.n_cores = mur_cores_count(&cores);
    return n;
}

static void find_ranks(mur_findings *f, const mur_comm *c, const rank_facts *ranks)
{
    mur_buf about = {0};
    int fewest = c->n_ranks, most = 0;
    for (int node = 0; node < c->n_nodes; node++) {
        int n = node_of(c, ranks, node).n_ranks;
        fewest = n < fewest ? n : fewest;
        most = n > most ? n : most;
    }
    mur_buf_printf(&about, "%d on %d node%s", c->n_ranks, c->n_nodes, c->n_nodes == 1 ? "" : "s");
    if (c->n_nodes > 1 && fewest == most)
        mur_buf_printf(&about, ", %d on each", most);
    else if (c->n_nodes > 1)
        mur_buf_printf(&about, ", %d to %d on each", fewest, most);
    mur_buf_printf(&about, "; %s", mur_mpi_name());
    add(f, "ranks", &about);
}

static void find_cores(mur_findings *f, const mur_comm *c, const rank_facts *ranks)
{
    mur_buf about = {0};
    node_facts worst = {0};
    for (int node = 0; node < c->n_nodes; node++) {
        node_facts n = node_of(c, ranks, node);
        if (!worst.first || n.n_ranks * worst.n_cores > worst.n_ranks * n.n_cores)
            worst = n;
    }
    mur_buf_printf(&about, "%d rank%s may use %d core%s on %s%s, one thread each", worst.n_ranks,
                   worst.n_ranks == 1 ? "" : "s", worst.n_cores, worst.n_cores == 1 ? "" : "s", worst.first->host,
                   c->n_nodes > 1 ? ", of all nodes the fullest" : "");
    mur_finding *cores = add(f, "cores", &about);
    if (worst.n_ranks > worst.n_cores)
        fault(cores, MUR_FINDING_SLOW,
              "they take turns: start at most one rank a core, or let them use more (mpirun --bind-to none, srun "
              "--cpu-bind=none)");
}

static void find_blas(mur_findings *f, const mur_comm *c, const rank_facts *ranks)
{
    /* OpenBLAS's names for kernels without AVX-512. */
    static const char *const narrow[] = {"Haswell",  "Zen",       "Sandybridge", "Nehalem",
                                         "Prescott", "Excavator", "Bulldozer",   "Core2"};
    mur_buf about = {0};
    const rank_facts *other = NULL;
    bool is_narrow = false;
    for (int r = 1; r < c->n_ranks && !other; r++)
        if (strcmp(ranks[r].blas, ranks[0].blas) != 0)
            other = &ranks[r];
    for (size_t i = 0; i < sizeof narrow / sizeof *narrow; i++)
        is_narrow = is_narrow || strcasecmp(ranks[0].blas, narrow[i]) == 0;
    const bool is_own = strncmp(ranks[0].blas, "murmur-", 7) == 0;
    mur_buf_printf(&about, is_own ? "not needed, fp32 by %s kernels" : "OpenBLAS with %s kernels", ranks[0].blas);
    if (other)
        mur_buf_printf(&about, " on %s and %s kernels on %s", ranks[0].host, other->blas, other->host);
    mur_finding *blas = add(f, "BLAS", &about);
    if (other)
        fault(blas, MUR_FINDING_BAD,
              "a run in fp32 refuses the mixture: set MURMUR_ISA and OPENBLAS_CORETYPE to what all nodes have, such as "
              "portable and Haswell");
    else if (is_narrow && ranks[0].has_avx512)
        fault(blas, MUR_FINDING_SLOW, "%s",
              ranks[0].is_blas_set ? "the environment's OPENBLAS_CORETYPE keeps it from AVX-512, about half the speed: "
                                     "unset it (and OPENBLAS_L2_SIZE)"
                                   : "the processor has AVX-512 and is one that this OpenBLAS does not know: set "
                                     "OPENBLAS_CORETYPE=SkylakeX, or take a newer one");
}

static void find_shared_memory(mur_findings *f, const mur_comm *c, const rank_facts *ranks, int64_t need)
{
    char size[MUR_QUANTITY_TEXT], wanted[MUR_QUANTITY_TEXT], stale[MUR_QUANTITY_TEXT];
    const rank_facts *least = NULL, *littered = NULL;
    for (int r = 0; r < c->n_ranks; r++) {
        const mur_shared_memory *s = &ranks[r].shared;
        if (r > 0 && ranks[r].node == ranks[r - 1].node)
            continue; /* looked at by the node's first rank, which comes before */
        if (s->is_there && (!least || s->available < least->shared.available))
            least = &ranks[r];
        if (s->n_stale > 0 && !littered)
            littered = &ranks[r];
    }
    mur_buf about = {0};
    if (!least) {
        mur_buf_append_text(&about, "there is no /dev/shm");
        add(f, "shared memory", &about);
        return;
    }
    mur_buf_printf(&about, "%s free in /dev/shm of %s%s", mur_size_format(size, least->shared.available), least->host,
                   c->n_nodes > 1 ? ", the least of all nodes" : "");
    if (need > 0)
        mur_buf_printf(&about, ", the model's weights need %s", mur_size_format(wanted, need));
    if (littered)
        mur_buf_printf(&about, "; %" PRId64 " stale segment%s (%s) on %s", littered->shared.n_stale,
                       littered->shared.n_stale == 1 ? "" : "s", mur_size_format(stale, littered->shared.stale_bytes),
                       littered->host);
    mur_finding *memory = add(f, "shared memory", &about);
    if (need > least->shared.available)
        fault(memory, MUR_FINDING_BAD,
              "two ranks of a node share their weights there: enlarge it (mount -o remount,size=…, docker --shm-size)");
    if (littered && littered->shared.stale_bytes > littered->shared.size / STALE_SHARE)
        fault(memory, MUR_FINDING_SLOW,
              "jobs that were killed left the segments and no process uses them: remove them, such as %s",
              littered->shared.example);
}

static void find_memory(mur_findings *f, const mur_comm *c, const rank_facts *ranks)
{
    char size[MUR_QUANTITY_TEXT];
    const rank_facts *least = &ranks[0];
    for (int r = 1; r < c->n_ranks; r++)
        if (ranks[r].memory_limit > 0 && ranks[r].memory_limit < least->memory_limit)
            least = &ranks[r];
    mur_buf about = {0};
    if (least->memory_limit == 0) {
        mur_buf_append_text(&about, "no limit is known");
        add(f, "memory", &about);
        return;
    }
    mur_buf_printf(&about, "%s for each rank on %s", mur_size_format(size, least->memory_limit), least->host);
    mur_finding *memory = add(f, "memory", &about);
    if (least->memory_limit < LEAST_MEMORY)
        fault(memory, MUR_FINDING_BAD, "start fewer ranks a node, or ask for more (sbatch --mem-per-cpu)");
}

static void find_libraries(mur_findings *f)
{
    mur_buf about = {0};
    const char *chosen = getenv("OMPI_MCA_io");
    mur_buf_printf(&about, "HDF5 %s, parallel; MPI-IO by %s", mur_hdf5_version(),
                   chosen ? chosen : "OMPIO unless Open MPI's files say otherwise");
    mur_finding *hdf5 = add(f, "HDF5", &about);
    if (chosen && strstr(chosen, "romio"))
        fault(hdf5, MUR_FINDING_BAD, "ROMIO hangs when a disk is full: unset OMPI_MCA_io");
}

static void find_file_system(mur_findings *f, const char *folder, int rc, const mur_file_system *s)
{
    char size[MUR_QUANTITY_TEXT];
    mur_buf about = {0};
    if (rc < 0) {
        mur_buf_append_text(&about, mur_error_last()->message);
        fault(add(f, "folder", &about), MUR_FINDING_BAD, "name a folder that you may write to (murmur doctor FOLDER)");
        return;
    }
    mur_buf_printf(&about, "%s is on %s, %s free", folder, s->type, mur_size_format(size, s->available));
    mur_buf_printf(&about, "; hard links %s, O_EXCL %s, fsync %s, flock %s", s->has_links ? "work" : "FAIL",
                   s->has_exclusive ? "works" : "FAILS", s->has_sync ? "works" : "FAILS",
                   s->has_locks ? "works" : "fails");
    mur_finding *place = add(f, "folder", &about);
    if (!s->has_links || !s->has_exclusive || !s->has_sync)
        fault(place, MUR_FINDING_BAD,
              "commits need hard links, O_EXCL and fsync: keep the store on another file system");
    if (s->first_blind >= 0)
        fault(place, MUR_FINDING_BAD,
              "rank %d's node does not see rank 0's files there: take a folder that all nodes share", s->first_blind);
    if (!s->has_locks)
        fault(place, MUR_FINDING_SLOW, "set HDF5_USE_FILE_LOCKING=FALSE where h5py reads parts");
    if (s->clock_skew > MOST_SKEW_SECONDS || s->clock_skew < -MOST_SKEW_SECONDS)
        fault(place, MUR_FINDING_SLOW, "its clock is %.0f s %s this host's: let NTP set both",
              s->clock_skew > 0 ? s->clock_skew : -s->clock_skew, s->clock_skew > 0 ? "ahead of" : "behind");
}

/* The bytes that its weights take in shared memory; 0 where the model cannot be used. */
static int64_t find_model(mur_findings *f, const char *folder)
{
    mur_model *model = NULL;
    mur_tokenizer *tokenizer = NULL;
    mur_buf about = {0};
    int64_t need = 0;
    int rc = mur_model_open(&model, folder, NULL);
    if (rc == 0)
        rc = mur_tokenizer_open(&tokenizer, folder);
    if (rc == 0)
        rc = mur_scorer_check(model, tokenizer);
    if (rc == 0) {
        mur_buf_printf(&about, "%s can be used", folder);
        add(f, "model", &about);
        need = (int64_t)mur_model_block_bytes(model);
    } else {
        mur_buf_append_text(&about, mur_error_last()->message);
        fault(add(f, "model", &about), MUR_FINDING_BAD, "name another by --model or MURMUR_MODEL");
    }
    mur_tokenizer_close(&tokenizer);
    mur_model_close(&model);
    return need;
}

static void find_gnuplot(mur_findings *f)
{
    mur_buf version = {0};
    if (mur_picture_gnuplot(&version) == 0) {
        add(f, "gnuplot", &version);
        return;
    }
    mur_buf_reset(&version);
    mur_buf_append_text(&version, mur_error_last()->message);
    fault(add(f, "gnuplot", &version), MUR_FINDING_SLOW,
          "report draws nothing without it: apt-get install gnuplot-nox");
}

int mur_doctor(mur_findings *out, const mur_comm *c, const char *model, const char *folder)
{
    *out = (mur_findings){0};
    mur_file_system place;
    int rc = mur_file_system_try(&place, c, folder);
    rank_facts *ranks = gather(c);
    if (c->rank == 0) {
        find_ranks(out, c, ranks);
        find_cores(out, c, ranks);
        find_blas(out, c, ranks);
        find_file_system(out, folder, rc, &place);
        int64_t need = model ? find_model(out, model) : 0;
        find_shared_memory(out, c, ranks, c->n_ranks > 1 ? need : 0);
        find_memory(out, c, ranks);
        find_libraries(out);
        find_gnuplot(out);
    }
    free(ranks);
    return 0;
}

void mur_doctor_greet(const mur_comm *c)
{
    rank_facts *ranks = gather(c);
    mur_findings found = {0};
    if (c->rank == 0) {
        mur_buf line = {0};
        find_ranks(&found, c, ranks);
        find_cores(&found, c, ranks);
        find_blas(&found, c, ranks);
        find_shared_memory(&found, c, ranks, 0);
        for (size_t i = 0; i < found.n; i++)
            mur_buf_printf(&line, "%s%s: %s", i > 0 ? "; " : "", found.items[i].subject, found.items[i].text);
        mur_log_info("%s", mur_buf_text(&line));
        for (size_t i = 0; i < found.n; i++)
            if (found.items[i].grade != MUR_FINDING_GOOD)
                mur_log_warn("%s: %s", found.items[i].subject, found.items[i].cure);
        mur_buf_clear(&line);
    }
    mur_findings_clear(&found);
    free(ranks);
}
