/* Runs a fuzz target without libFuzzer. With arguments: each is a file, given to the target as it is. Without: the
 * seeds, then $MURMUR_FUZZ_RUNS (20000) mutations of them, the same ones on every machine and in every run. An input
 * that makes the target abort is left in crash-<program>.bin, to be replayed.
 */
#include "fuzz.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define MAX_INPUT ((size_t)4096)
#define DEFAULT_RUNS 20000

static char crash_path[256];
static struct {
    uint8_t bytes[MAX_INPUT];
    size_t len;
} input;

/* Async-signal-safe calls only. Sanitizers come here when told to abort (abort_on_error=1). */
static void keep_input(int signal_number)
{
    int fd = open(crash_path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (fd >= 0 && write(fd, input.bytes, input.len) == (ssize_t)input.len && close(fd) == 0) {
        static const char text[] = "the input is in ";
        (void)!write(STDERR_FILENO, text, sizeof text - 1);
        (void)!write(STDERR_FILENO, crash_path, strlen(crash_path));
        (void)!write(STDERR_FILENO, "\n", 1);
    }
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

/* xorshift64* (Vigna 2016, https://arxiv.org/abs/1402.6246). */
static uint64_t random_state = 0x9E3779B97F4A7C15u;

static size_t random_below(size_t n)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return (size_t)((random_state * UINT64_C(0x2545F4914F6CDD1D)) >> 33) % n;
}

/* A copy of exactly the input's size, so that the sanitizer sees a byte read behind it. */
static void run_target(const uint8_t *bytes, size_t len)
{
    uint8_t *copy = malloc(len ? len : 1);
    if (!copy)
        abort();
    if (len > 0)
        memcpy(copy, bytes, len);
    LLVMFuzzerTestOneInput(copy, len);
    free(copy);
}

static size_t seed_len(size_t seed)
{
    size_t len = mur_fuzz_seed_lengths ? mur_fuzz_seed_lengths[seed] : strlen(mur_fuzz_seeds[seed]);
    return len < MAX_INPUT ? len : MAX_INPUT;
}

/* Opens a gap of `len` bytes at `at`, as far as there is room; returns how many it has. */
static size_t open_gap(size_t at, size_t len)
{
    if (len > MAX_INPUT - input.len)
        len = MAX_INPUT - input.len;
    memmove(input.bytes + at + len, input.bytes + at, input.len - at);
    input.len += len;
    return len;
}

static void remove_bytes(size_t at, size_t len)
{
    memmove(input.bytes + at, input.bytes + at + len, input.len - at - len);
    input.len -= len;
}

/* Puts a piece of one of the seeds at `at`. */
static void insert_piece(size_t at, size_t n_seeds)
{
    size_t seed = random_below(n_seeds), len = seed_len(seed);
    if (len == 0)
        return;
    size_t first = random_below(len), piece = 1 + random_below(len - first);
    memcpy(input.bytes + at, mur_fuzz_seeds[seed] + first, open_gap(at, piece));
}

static void repeat_bytes(size_t at)
{
    size_t len = 1 + random_below(input.len - at < 16 ? input.len - at : 16), n_times = 1 + random_below(80);
    uint8_t piece[16];
    memcpy(piece, input.bytes + at, len);
    for (size_t i = 0; i < n_times && MAX_INPUT - input.len >= len; i++)
        memcpy(input.bytes + at, piece, open_gap(at, len));
}

/* Bytes that mean something to one format or another. */
static uint8_t notable_byte(void)
{
    static const char notable[] = "\"\\{}[]:,\n\r\t @_/-+.eE0159#RTu\xEF\xBC\xA0\xC3\xED\x80\xF0\xFF\x7F\x01\x1F\x8B";
    return (uint8_t)notable[random_below(sizeof notable)]; /* its NUL too */
}

static void mutate(size_t n_seeds)
{
    if (input.len == 0) {
        insert_piece(0, n_seeds);
        return;
    }
    size_t at = random_below(input.len);
    switch (random_below(8)) {
    case 0: input.bytes[at] ^= (uint8_t)(1u << random_below(8)); break;
    case 1: input.bytes[at] = notable_byte(); break;
    case 2:
        if (open_gap(at, 1) == 1)
            input.bytes[at] = notable_byte();
        break;
    case 3: remove_bytes(at, 1 + random_below(input.len - at < 8 ? input.len - at : 8)); break;
    case 4: repeat_bytes(at); break;
    case 5:
        if (random_below(4) == 0)
            input.len = at;
        break;
    default: insert_piece(at, n_seeds); break;
    }
}

static void run_campaign(size_t n_runs)
{
    size_t n_seeds = 0;
    for (; mur_fuzz_seeds[n_seeds]; n_seeds++) {
        input.len = seed_len(n_seeds);
        memcpy(input.bytes, mur_fuzz_seeds[n_seeds], input.len);
        run_target(input.bytes, input.len);
    }
    for (size_t run = 0; run < n_runs; run++) {
        size_t seed = random_below(n_seeds);
        input.len = seed_len(seed);
        memcpy(input.bytes, mur_fuzz_seeds[seed], input.len);
        for (size_t n = 1 + random_below(6); n > 0; n--)
            mutate(n_seeds);
        run_target(input.bytes, input.len);
    }
    printf("%zu seeds, %zu mutations\n", n_seeds, n_runs);
}

static int replay(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f) {
        perror(path);
        return 1;
    }
    uint8_t *bytes = NULL;
    size_t len = 0, got;
    do {
        bytes = realloc(bytes, len + MAX_INPUT);
        if (!bytes)
            abort();
        got = fread(bytes + len, 1, MAX_INPUT, f);
        len += got;
    } while (got > 0);
    fclose(f);
    run_target(bytes, len);
    free(bytes);
    printf("%s: %zu bytes\n", path, len);
    return 0;
}

int main(int argc, char **argv)
{
    int status = 0;
    for (int i = 1; i < argc; i++)
        status |= replay(argv[i]);
    if (argc > 1)
        return status;

    const char *name = strrchr(argv[0], '/'), *runs = getenv("MURMUR_FUZZ_RUNS");
    snprintf(crash_path, sizeof crash_path, "crash-%s.bin", name ? name + 1 : argv[0]);
    signal(SIGABRT, keep_input);
    signal(SIGSEGV, keep_input);
    signal(SIGFPE, keep_input);
    run_campaign(runs ? strtoul(runs, NULL, 10) : DEFAULT_RUNS);
    return 0;
}
