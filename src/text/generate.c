#include "murmur/generate.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "generate_tweet.h"
#include "murmur/file.h"
#include "murmur/mem.h"

#define REJECT_EVERY 200
#define MEMBER_EVERY 64         /* tweets in a member of a multi-member gzip */
#define PIECE ((size_t)1 << 20) /* bytes gathered before they are written */
#define GZIP_WINDOW (15 + 16)   /* zlib: the largest window, gzip instead of zlib framing */

/* Says whose the folder is; its name begins with '_', so that ingest skips it. */
#define MARKER "_generated.json"
#define TEMPORARY ".generating"

typedef enum { LAYOUT_LINES, LAYOUT_ARRAY, LAYOUT_OBJECT } layout;

typedef struct form {
    const char *suffix;
    layout layout;
    const char *line_end;
    bool is_gzip, is_many_members, is_cut; /* cut: without the last bytes of the gzip's trailer */
    bool has_mark, has_blank_lines, is_open_ended, is_pretty;
} form;

/* Files take these in turn: half of them plain, as in the wild. */
static const form forms[] = {
    {.suffix = ".jsonl", .line_end = "\n"},
    {.suffix = ".jsonl.gz", .line_end = "\n", .is_gzip = true},
    {.suffix = ".json", .layout = LAYOUT_ARRAY, .is_pretty = true},
    {.suffix = ".jsonl", .line_end = "\r\n", .has_blank_lines = true},
    {.suffix = ".ndjson", .line_end = "\n", .is_open_ended = true},
    {.suffix = ".json", .line_end = "\n", .has_mark = true},
    {.suffix = ".jsonl.gz", .line_end = "\n", .is_gzip = true, .is_many_members = true},
    {.suffix = ".json", .layout = LAYOUT_OBJECT, .is_pretty = true},
    {.suffix = ".json.gz", .layout = LAYOUT_ARRAY, .is_gzip = true, .has_mark = true},
    {.suffix = ".jsonl", .line_end = "\n"},
    {.suffix = ".jsonl.gz", .line_end = "\n", .is_gzip = true, .is_cut = true},
    {.suffix = ".jsonl", .line_end = "\n"},
    {.suffix = ".jsonl", .line_end = "\n"},
    {.suffix = ".jsonl", .line_end = "\n"},
    {.suffix = ".ndjson", .line_end = "\n"},
    {.suffix = ".jsonl", .line_end = "\n"},
};
#define N_FORMS (sizeof forms / sizeof *forms)

/* A file being written, compressed where its form says so. */
typedef struct sink {
    const char *path;
    int fd;
    bool is_gzip;
    z_stream z;
    mur_buf text;   /* not yet compressed */
    mur_buf packed; /* not yet written; the last bytes stay here until the end, where they may be cut */
} sink;

static int sink_open(sink *s, const char *path, bool is_gzip)
{
    *s = (sink){.path = path, .is_gzip = is_gzip};
    s->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (s->fd < 0)
        return mur_fail_errno(MUR_ECREATE, "cannot create %s", path);
    if (is_gzip && deflateInit2(&s->z, 6, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        close(s->fd);
        s->fd = -1;
        return mur_fail(MUR_EINTERNAL, "zlib has no memory to compress %s", path);
    }
    return 0;
}

/* Compresses what was gathered; `is_member_end` closes the gzip member and begins another. */
static void sink_pack(sink *s, bool is_member_end)
{
    if (!s->is_gzip) {
        mur_buf_append_view(&s->packed, mur_buf_view(&s->text));
        mur_buf_reset(&s->text);
        return;
    }
    s->z.next_in = (Bytef *)s->text.ptr;
    s->z.avail_in = (uInt)s->text.len;
    do {
        s->z.avail_out = 1 << 16;
        s->z.next_out = (Bytef *)mur_buf_reserve(&s->packed, s->z.avail_out);
        deflate(&s->z, is_member_end ? Z_FINISH : Z_NO_FLUSH);
        s->packed.len += (1 << 16) - s->z.avail_out;
    } while (s->z.avail_out == 0);
    if (is_member_end)
        deflateReset(&s->z);
    mur_buf_reset(&s->text);
}

static int sink_write(sink *s)
{
    int rc = mur_fd_write(s->fd, mur_buf_view(&s->packed), s->path);
    mur_buf_reset(&s->packed);
    return rc;
}

static int sink_close(sink *s, int rc)
{
    if (s->fd >= 0 && close(s->fd) < 0 && rc == 0)
        rc = mur_fail_errno(MUR_EIO, "cannot close %s", s->path);
    if (s->fd >= 0 && s->is_gzip)
        deflateEnd(&s->z);
    mur_buf_clear(&s->text);
    mur_buf_clear(&s->packed);
    return rc;
}

/* Writes tweets [first, end) in one form; `*n_rejects` grows. */
static int write_tweets(const char *path, const form *f, const mur_tweet_maker *m, int64_t first, int64_t end,
                        bool is_clean, int64_t *n_rejects)
{
    sink s;
    int rc = sink_open(&s, path, f->is_gzip);
    if (rc < 0)
        return rc;
    const char *between = f->layout == LAYOUT_LINES ? f->line_end : f->is_pretty ? ",\n" : ", ";
    if (f->has_mark)
        mur_buf_append_text(&s.text, "\xEF\xBB\xBF");
    if (f->layout == LAYOUT_ARRAY)
        mur_buf_append_text(&s.text, f->is_pretty ? "[\n" : "[");

    for (int64_t i = first; i < end && rc == 0; i++) {
        if (i > first)
            mur_buf_append_text(&s.text, between);
        if (f->has_blank_lines && i % 7 == 0)
            mur_buf_append_text(&s.text, i % 2 ? "\r\n" : " \t\r\n\n");
        mur_tweet_make(m, (uint64_t)i, f->is_pretty, &s.text);
        if (!is_clean && f->layout != LAYOUT_OBJECT && i % REJECT_EVERY == REJECT_EVERY - 1) {
            mur_buf_append_text(&s.text, between);
            mur_reject_make(m, (uint64_t)(i / REJECT_EVERY), f->layout == LAYOUT_ARRAY, &s.text);
            ++*n_rejects;
        }
        bool is_member_end = f->is_many_members && i + 1 < end && (i - first) % MEMBER_EVERY == MEMBER_EVERY - 1;
        if (is_member_end || s.text.len >= PIECE)
            sink_pack(&s, is_member_end);
        if (s.packed.len >= PIECE)
            rc = sink_write(&s);
    }
    if (f->layout == LAYOUT_ARRAY)
        mur_buf_append_text(&s.text, f->is_pretty ? "\n]\n" : "]");
    else if (first < end && !f->is_open_ended)
        mur_buf_append_text(&s.text, f->layout == LAYOUT_LINES ? f->line_end : "\n");
    if (rc == 0) {
        sink_pack(&s, true);
        if (f->is_cut && !is_clean) {
            s.packed.len -= 4; /* half of the trailer: all tweets can be read, the end is missing */
            ++*n_rejects;
        }
        rc = sink_write(&s);
    }
    return sink_close(&s, rc);
}

/* Whether two files hold the same bytes; false also where one cannot be read. */
static bool is_same(const char *a, const char *b)
{
    bool same = false;
    struct stat about_a, about_b;
    mur_buf text_a = {0}, text_b = {0};
    if (stat(a, &about_a) < 0 || stat(b, &about_b) < 0 || about_a.st_size != about_b.st_size)
        return false;
    same = true;
    for (int64_t at = 0; same && at < about_a.st_size; at += (int64_t)PIECE) {
        int64_t len = about_a.st_size - at < (int64_t)PIECE ? about_a.st_size - at : (int64_t)PIECE;
        mur_buf_reset(&text_a);
        mur_buf_reset(&text_b);
        same = mur_file_read_range(&text_a, a, at, len) == 0 && mur_file_read_range(&text_b, b, at, len) == 0 &&
               mur_view_equal(mur_buf_view(&text_a), mur_buf_view(&text_b));
    }
    mur_buf_clear(&text_a);
    mur_buf_clear(&text_b);
    return same;
}

/* "tweets-00012.jsonl": the number, or -1 for a name that is none of ours. */
static int64_t own_number(const char *name)
{
    static const char prefix[] = "tweets-";
    if (strncmp(name, prefix, sizeof prefix - 1) != 0)
        return -1;
    char *rest;
    int64_t number = strtoll(name + sizeof prefix - 1, &rest, 10);
    for (size_t i = 0; i < N_FORMS; i++)
        if (number >= 0 && strcmp(rest, forms[i].suffix) == 0)
            return number;
    return -1;
}

static char *file_name(int64_t number, const form *f)
{
    return mur_format("tweets-%05" PRId64 "%s", number, f->suffix);
}

/* The form of file `number`. A single object takes one tweet, so where there are too few tweets or only one file there
 * is none. */
static const form *form_of(int64_t number, const mur_generate_options *options)
{
    const form *f = &forms[(size_t)number % N_FORMS];
    return f->layout == LAYOUT_OBJECT && options->n_tweets < options->n_files ? &forms[0] : f;
}

/* Refuses a folder with others' files; removes files of an earlier set that the new one will not replace. */
static int take_folder(const char *folder, const mur_generate_options *options, mur_generated *out)
{
    int rc = mur_folder_make(folder);
    if (rc < 0)
        return rc;
    char *marker = mur_path_join(folder, MARKER);
    bool is_ours = mur_path_exists(marker);
    free(marker);
    for (int pass = 0; rc == 0 && pass < 2; pass++) { /* look at all before removing any */
        DIR *d = opendir(folder);
        if (!d)
            return mur_fail_errno(MUR_EIO, "cannot list %s", folder);
        struct dirent *entry;
        while (rc == 0 && (entry = readdir(d))) {
            const char *name = entry->d_name;
            if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, MARKER) == 0 ||
                strcmp(name, TEMPORARY) == 0)
                continue;
            int64_t number = own_number(name);
            if (!is_ours || number < 0) {
                rc = mur_fail(MUR_ECREATE, "%s holds %s, which murmur did not generate; name an empty or new folder",
                              folder, name);
                break;
            }
            char *expected = file_name(number, form_of(number, options));
            bool is_wanted = number < options->n_files && strcmp(name, expected) == 0;
            free(expected);
            if (pass == 1 && !is_wanted) {
                char *path = mur_path_join(folder, name);
                if (unlink(path) < 0)
                    rc = mur_fail_errno(MUR_EIO, "cannot remove %s", path);
                else
                    out->n_removed++;
                free(path);
            }
        }
        closedir(d);
    }
    return rc;
}

static int write_marker(const char *folder, const mur_generate_options *options)
{
    char *path = mur_path_join(folder, MARKER);
    char *text = mur_format("{\"tweets\": %" PRId64 ", \"files\": %" PRId64 ", \"seed\": %" PRIu64 ", \"clean\": %s}\n",
                            options->n_tweets, options->n_files, options->seed, options->is_clean ? "true" : "false");
    int rc = mur_file_write(path, mur_view_of(text));
    free(text);
    free(path);
    return rc;
}

static int publish(const char *temporary, const char *path, mur_generated *out)
{
    struct stat about;
    if (is_same(temporary, path)) {
        unlink(temporary);
        out->n_kept++;
    } else if (rename(temporary, path) < 0) {
        return mur_fail_errno(MUR_ECREATE, "cannot rename %s to %s", temporary, path);
    } else {
        out->n_written++;
    }
    if (stat(path, &about) == 0)
        out->bytes += about.st_size;
    return 0;
}

int mur_generate(const char *folder, const mur_generate_options *options, mur_generated *out)
{
    *out = (mur_generated){0};
    int rc = take_folder(folder, options, out);
    if (rc == 0)
        rc = write_marker(folder, options);
    if (rc < 0)
        return rc;

    int64_t n_objects = 0;
    for (int64_t k = 0; k < options->n_files; k++)
        n_objects += form_of(k, options)->layout == LAYOUT_OBJECT;

    mur_tweet_maker maker;
    mur_tweet_maker_init(&maker, options->seed);
    char *temporary = mur_path_join(folder, TEMPORARY);
    int64_t n_left = options->n_tweets - n_objects, files_left = options->n_files - n_objects, first = 0;
    for (int64_t k = 0; rc == 0 && k < options->n_files; k++) {
        const form *f = form_of(k, options);
        int64_t n = 1;
        if (f->layout != LAYOUT_OBJECT) {
            n = n_left / files_left;
            n_left -= n;
            files_left--;
        }
        char *name = file_name(k, f);
        char *path = mur_path_join(folder, name);
        rc = write_tweets(temporary, f, &maker, first, first + n, options->is_clean, &out->n_rejects);
        if (rc == 0)
            rc = publish(temporary, path, out);
        first += n;
        free(path);
        free(name);
    }
    if (rc < 0)
        unlink(temporary);
    free(temporary);
    mur_tweet_maker_clear(&maker);
    return rc;
}
