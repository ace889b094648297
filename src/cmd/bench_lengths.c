#include "bench_lengths.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "murmur/buf.h"
#include "murmur/file.h"
#include "murmur/mem.h"
#include "murmur/quantity.h"

/* Fifty equal shares of 12,284 English tweets in BERTweet's ids: the middle of each share, so that mean (20.6), median
 * (21) and the longest hundredth (36) are theirs. Short and long ones take turns, since batches hold some fifty. */
static const unsigned char of_tweets[] = {
    6,  18, 26, 13, 21, 30, 16, 24, 10, 20, 27, 13, 22, 32, 17, 24, 11, 20, 28, 14, 23, 36, 18, 26, 12,
    21, 30, 16, 23, 8,  18, 27, 13, 22, 31, 17, 24, 11, 20, 28, 14, 22, 33, 17, 26, 12, 21, 28, 16, 23,
};
#define N_OF_TWEETS (sizeof of_tweets / sizeof *of_tweets)

#define LONGEST 1000000

static int read_file(mur_lengths *out, const char *path)
{
    mur_buf text = {0};
    int rc = mur_file_read(&text, path);
    size_t cap = 0, line = 1;
    char *rest = text.ptr, *end = text.ptr ? text.ptr + text.len : NULL;
    for (; rc == 0 && rest < end; line++) {
        char *stop = memchr(rest, '\n', (size_t)(end - rest));
        size_t len = (size_t)((stop ? stop : end) - rest);
        char *number = mur_strndup(rest, len > 0 && rest[len - 1] == '\r' ? len - 1 : len);
        int64_t value = 0;
        if (mur_integer_parse(&value, number, 1, LONGEST) < 0)
            rc = mur_fail(MUR_EDATA, "%s, line %zu: '%.40s' is no number of tokens (1 to %d)", path, line, number,
                          LONGEST);
        free(number);
        if (out->n == cap) {
            cap = mur_grown(cap, out->n + 1);
            out->items = mur_realloc(out->items, cap, sizeof *out->items);
        }
        out->items[out->n++] = (size_t)value;
        rest = stop ? stop + 1 : end;
    }
    mur_buf_clear(&text);
    if (rc == 0 && out->n == 0)
        rc = mur_fail(MUR_EDATA, "%s has no lengths: one number a line", path);
    return rc;
}

int mur_lengths_read(mur_lengths *out, const char *path)
{
    *out = (mur_lengths){0};
    if (path)
        return read_file(out, path);
    out->items = mur_alloc(N_OF_TWEETS, sizeof *out->items);
    for (; out->n < N_OF_TWEETS; out->n++)
        out->items[out->n] = of_tweets[out->n];
    return 0;
}

void mur_lengths_clear(mur_lengths *l)
{
    free(l->items);
    *l = (mur_lengths){0};
}
