/* token_files.h: for fuzz targets of tokenizers: a folder whose files change, and what holds of every text. */
#ifndef MURMUR_TESTS_TOKEN_FILES_H
#define MURMUR_TESTS_TOKEN_FILES_H

#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"
#include "murmur/error.h"
#include "murmur/file.h"
#include "murmur/mem.h"
#include "murmur/tokenizer.h"
#include "murmur/utf8.h"

static char *folder;

static inline void empty_folder(void)
{
    static const char *const names[] = {"vocab.txt",  "bpe.codes",      "tokenizer_config.json", "vocab.json",
                                        "merges.txt", "tokenizer.json", "added_tokens.json"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *path = mur_path_join(folder, names[i]);
        unlink(path);
        free(path);
    }
}

static inline void remove_folder(void)
{
    empty_folder();
    rmdir(folder);
    free(folder);
}

static inline void write_file(const char *name, mur_view bytes)
{
    if (!folder) {
        const char *root = getenv("TMPDIR");
        folder = mur_path_join(root ? root : "/tmp", "murmur-fuzz-XXXXXX");
        CHECK(mkdtemp(folder));
        atexit(remove_folder);
    }
    char *path = mur_path_join(folder, name);
    unlink(path); /* a file made anew needs no write to the disk, as one cut to nothing does on ext4 */
    CHECK(mur_file_write(path, bytes) == 0);
    free(path);
}

static inline void check_text(mur_tokenizer *t, mur_view text)
{
    mur_ids ids = {0}, again = {0};
    mur_buf normalized = {0};
    size_t n_full, max_length = mur_tokenizer_max_length(t);
    mur_tokenizer_encode(t, text, &ids, &n_full);
    mur_tokenizer_encode(t, text, &again, NULL); /* from the cache, and no further than needed */
    CHECK(ids.len == (n_full < max_length ? n_full : max_length));
    CHECK(ids.len == again.len && memcmp(ids.ptr, again.ptr, ids.len * sizeof *ids.ptr) == 0);
    for (size_t i = 0; i < ids.len; i++)
        CHECK(ids.ptr[i] >= 0 && (size_t)ids.ptr[i] < mur_tokenizer_vocab_size(t));
    mur_tokenizer_normalize(t, text, &normalized);
    CHECK(mur_utf8_is_valid(mur_buf_view(&normalized)));
    mur_ids_clear(&ids);
    mur_ids_clear(&again);
    mur_buf_clear(&normalized);
}

/* What is before the next form feed. */
static inline mur_view next_part(mur_view *rest)
{
    const char *feed = rest->len ? memchr(rest->ptr, '\f', rest->len) : NULL;
    mur_view part = {rest->ptr, feed ? (size_t)(feed - rest->ptr) : rest->len};
    size_t taken = part.len + (feed != NULL);
    rest->ptr += taken;
    rest->len -= taken;
    return part;
}

#endif
