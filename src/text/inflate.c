#include <limits.h>
#include <zlib.h>

#include "murmur/ingest.h"
#include "murmur/quantity.h"

#define STEP_BYTES ((size_t)1 << 20)

static const char cut_short[] = "gzip data cut short";
static const char damaged[] = "gzip data damaged";
static const char garbage[] = "garbage after the gzip data";

bool mur_is_gzip(mur_view bytes)
{
    return bytes.len >= 2 && (unsigned char)bytes.ptr[0] == 0x1F && (unsigned char)bytes.ptr[1] == 0x8B;
}

/* zlib counts in unsigned int. */
static uInt clamped(size_t len)
{
    return len < UINT_MAX ? (uInt)len : UINT_MAX;
}

/* The offset of what follows a member: zeros between members and behind the last are padding, as tapes and block
 * devices leave it. */
static size_t skip_padding(mur_view bytes, size_t at)
{
    while (at < bytes.len && bytes.ptr[at] == '\0')
        at++;
    return at;
}

typedef struct inflater {
    z_stream z;
    mur_view bytes;
    size_t at; /* in `bytes` */
    mur_buf *out;
    size_t first; /* of ours in `out` */
    size_t limit; /* bytes behind it */
    const char *damage;
} inflater;

/* Inflates the member at `at` and moves `at` behind it. */
static int inflate_member(inflater *s)
{
    inflateReset(&s->z);
    for (;;) {
        size_t room = s->limit - (s->out->len - s->first);
        size_t step = room < STEP_BYTES ? room + 1 : STEP_BYTES; /* one more, to see that there is more */
        uInt offered = clamped(s->bytes.len - s->at);
        s->z.next_in = (Bytef *)(s->bytes.ptr + s->at);
        s->z.avail_in = offered;
        s->z.next_out = (Bytef *)mur_buf_reserve(s->out, step);
        s->z.avail_out = (uInt)step;
        int state = inflate(&s->z, Z_NO_FLUSH);
        s->at += offered - s->z.avail_in;
        s->out->len += step - s->z.avail_out;

        if (s->out->len - s->first > s->limit) {
            char text[MUR_QUANTITY_TEXT];
            return mur_fail(MUR_EDATA, "gzip data is more than %s when decompressed: decompress and split the file",
                            mur_size_format(text, (int64_t)s->limit));
        }
        switch (state) {
        case Z_OK: break;
        case Z_STREAM_END: return 0;
        case Z_BUF_ERROR: s->damage = cut_short; return 0; /* there was room for output: the input has ended */
        case Z_MEM_ERROR: return mur_fail(MUR_EINTERNAL, "out of memory in zlib");
        default: s->damage = damaged; return 0;
        }
    }
}

int mur_inflate(mur_buf *out, mur_view bytes, size_t limit, const char **damage)
{
    inflater s = {.bytes = bytes, .out = out, .first = out->len, .limit = limit};
    if (inflateInit2(&s.z, 15 + 16) != Z_OK) /* the largest window, gzip headers only */
        return mur_fail(MUR_EINTERNAL, "out of memory in zlib");
    int rc;
    do {
        rc = inflate_member(&s);
        if (rc < 0 || s.damage)
            break;
        s.at = skip_padding(bytes, s.at);
        if (s.at < bytes.len && !mur_is_gzip((mur_view){bytes.ptr + s.at, bytes.len - s.at}))
            s.damage = garbage;
    } while (s.at < bytes.len && !s.damage);
    inflateEnd(&s.z);
    *damage = s.damage;
    return rc;
}
