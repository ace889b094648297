#include "zip.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

#include "murmur/file.h"
#include "murmur/mem.h"

#define END_LEN 22            /* end of central directory record, without its comment */
#define END64_LEN 56          /* zip64 end of central directory record, without its extensible data */
#define LOCATOR_LEN 20        /* zip64 end of central directory locator, directly before the end record */
#define CENTRAL_LEN 46        /* central directory header, without name, extra field and comment */
#define LOCAL_LEN 30          /* local file header, likewise */
#define COMMENT 65535         /* the longest comment */
#define SATURATED 0xFFFFFFFFu /* the value is in the zip64 extra field */
#define ZIP64_EXTRA 1
#define IS_ENCRYPTED 1u /* bit of the flags */
#define STORED 0
#define DEFLATED 8
#define MOST_DIRECTORY ((int64_t)64 << 20) /* a state dict of a million tensors has 80 MB; none has a tenth */
#define NAME_SHOWN 200

static const char not_torch[] = "not a file that torch.save wrote";

static uint64_t little(const char *at, size_t n)
{
    uint64_t value = 0;
    while (n-- > 0)
        value = value << 8 | (unsigned char)at[n];
    return value;
}

static bool has_signature(const char *at, char third, char fourth)
{
    return at[0] == 'P' && at[1] == 'K' && at[2] == third && at[3] == fourth;
}

static int read_at(mur_buf *out, const mur_zip_source *s, int64_t offset, int64_t len)
{
    if (!s->bytes)
        return mur_file_read_range(out, s->path, offset, len);
    mur_buf_append(out, s->bytes + offset, (size_t)len);
    return 0;
}

/* What the end records say. */
typedef struct directory {
    int64_t begin, len;
    uint64_t n_entries;
} directory;

/* The zip64 record, where a locator stands directly before the end record at `end`. */
static int read_end64(directory *d, const mur_zip_source *s, int64_t end)
{
    mur_buf bytes = {0};
    int rc = 0;
    if (end < LOCATOR_LEN)
        goto done;
    rc = read_at(&bytes, s, end - LOCATOR_LEN, LOCATOR_LEN);
    if (rc < 0 || !has_signature(bytes.ptr, 6, 7))
        goto done;
    uint64_t at = little(bytes.ptr + 8, 8);
    if (at > (uint64_t)end || end - LOCATOR_LEN - (int64_t)at < END64_LEN) {
        rc = mur_fail(MUR_EDATA, "%s: its zip64 directory record lies outside the file: %s", s->path, not_torch);
        goto done;
    }
    mur_buf_reset(&bytes);
    rc = read_at(&bytes, s, (int64_t)at, END64_LEN);
    if (rc == 0 && !has_signature(bytes.ptr, 6, 6))
        rc = mur_fail(MUR_EDATA, "%s: its zip64 directory record is no such record: %s", s->path, not_torch);
    if (rc == 0) {
        uint64_t len = little(bytes.ptr + 40, 8), begin = little(bytes.ptr + 48, 8);
        d->n_entries = little(bytes.ptr + 32, 8);
        d->len = len < INT64_MAX ? (int64_t)len : INT64_MAX;
        d->begin = begin < INT64_MAX ? (int64_t)begin : INT64_MAX;
    }
done:
    mur_buf_clear(&bytes);
    return rc;
}

static int find_directory(directory *d, const mur_zip_source *s)
{
    mur_buf tail = {0};
    int64_t len = s->len < END_LEN + COMMENT ? s->len : END_LEN + COMMENT;
    int rc = read_at(&tail, s, s->len - len, len);
    int64_t at = rc == 0 ? len - END_LEN : -1; /* in the tail; the comment behind it must end with the file */
    while (at >= 0 &&
           !(has_signature(tail.ptr + at, 5, 6) && (int64_t)little(tail.ptr + at + 20, 2) == len - END_LEN - at))
        at--;
    if (rc == 0 && at < 0)
        rc = mur_fail(MUR_EDATA, "%s: it has no zip directory at its end: it was cut, or is %s", s->path, not_torch);
    if (rc == 0) {
        d->n_entries = little(tail.ptr + at + 10, 2);
        d->len = (int64_t)little(tail.ptr + at + 12, 4);
        d->begin = (int64_t)little(tail.ptr + at + 16, 4);
        int64_t end = s->len - len + at;
        rc = read_end64(d, s, end);
        if (rc == 0 && (d->begin > end || d->len > end - d->begin || d->len > MOST_DIRECTORY))
            rc = mur_fail(MUR_EDATA, "%s: its zip directory of %" PRId64 " bytes lies outside the file or is too long",
                          s->path, d->len);
    }
    mur_buf_clear(&tail);
    return rc;
}

/* A size or offset that did not fit 32 bits stands in the zip64 field, if all before it that did not fit do too. */
static bool take_wide(int64_t *value, mur_view *wide)
{
    if (*value != SATURATED)
        return true;
    if (wide->len < 8)
        return false;
    uint64_t got = little(wide->ptr, 8);
    *value = got < INT64_MAX ? (int64_t)got : INT64_MAX;
    *wide = (mur_view){wide->ptr + 8, wide->len - 8};
    return true;
}

/* The contents of the zip64 field of an extra field; empty where there is none. */
static mur_view find_wide(mur_view extra)
{
    while (extra.len >= 4) {
        size_t id = (size_t)little(extra.ptr, 2), len = (size_t)little(extra.ptr + 2, 2);
        if (len > extra.len - 4)
            break;
        if (id == ZIP64_EXTRA)
            return (mur_view){extra.ptr + 4, len};
        extra = (mur_view){extra.ptr + 4 + len, extra.len - 4 - len};
    }
    return (mur_view){NULL, 0};
}

static int fail_entry(const mur_zip *z, mur_view name, const char *problem)
{
    return mur_fail(MUR_EDATA, "%s: zip entry %.*s: %s", z->source.path,
                    (int)(name.len < NAME_SHOWN ? name.len : NAME_SHOWN), name.ptr, problem);
}

/* Reads the header at the start of `rest`, which loses it. */
static int read_entry(mur_zip *z, mur_view *rest)
{
    const char *at = rest->ptr;
    if (rest->len < CENTRAL_LEN || !has_signature(at, 1, 2))
        return mur_fail(MUR_EDATA, "%s: its zip directory is damaged", z->source.path);
    size_t name_len = (size_t)little(at + 28, 2), extra_len = (size_t)little(at + 30, 2);
    size_t whole = CENTRAL_LEN + name_len + extra_len + (size_t)little(at + 32, 2);
    if (whole > rest->len)
        return mur_fail(MUR_EDATA, "%s: its zip directory is damaged", z->source.path);
    mur_view name = {at + CENTRAL_LEN, name_len}, wide = find_wide((mur_view){at + CENTRAL_LEN + name_len, extra_len});
    *rest = (mur_view){at + whole, rest->len - whole};

    mur_zip_entry e = {.crc = (uint32_t)little(at + 16, 4),
                       .packed_len = (int64_t)little(at + 20, 4),
                       .len = (int64_t)little(at + 24, 4),
                       .header = (int64_t)little(at + 42, 4)};
    unsigned method = (unsigned)little(at + 10, 2);
    e.is_deflated = method == DEFLATED;
    if (!take_wide(&e.len, &wide) || !take_wide(&e.packed_len, &wide) || !take_wide(&e.header, &wide))
        return fail_entry(z, name, "its zip64 sizes are missing");
    if (little(at + 8, 2) & IS_ENCRYPTED)
        return fail_entry(z, name, "it is encrypted");
    if (method != STORED && method != DEFLATED)
        return fail_entry(z, name, "its compression is neither none nor deflate");
    if (method == STORED && e.len != e.packed_len)
        return fail_entry(z, name, "it is not compressed and has two lengths");
    if (e.header > z->source.len - LOCAL_LEN || e.packed_len > z->source.len - LOCAL_LEN - e.header)
        return fail_entry(z, name, "it leaves the file");
    bool is_new;
    size_t number = mur_map_add(&z->names, name, &is_new);
    if (!is_new)
        return fail_entry(z, name, "it is there twice");
    z->entries[number] = e;
    return 0;
}

int mur_zip_open(mur_zip *out, mur_zip_source source)
{
    *out = (mur_zip){.source = source};
    mur_buf bytes = {0};
    directory d = {0};
    int rc = find_directory(&d, &source);
    if (rc == 0)
        rc = read_at(&bytes, &source, d.begin, d.len);
    if (rc == 0 && d.n_entries > (uint64_t)d.len / CENTRAL_LEN)
        rc =
            mur_fail(MUR_EDATA, "%s: its zip directory is too short for %" PRIu64 " entries", source.path, d.n_entries);
    if (rc == 0) {
        mur_view rest = mur_buf_view(&bytes);
        out->entries = mur_alloc((size_t)d.n_entries, sizeof *out->entries);
        for (uint64_t i = 0; rc == 0 && i < d.n_entries; i++)
            rc = read_entry(out, &rest);
    }
    mur_buf_clear(&bytes);
    if (rc < 0)
        mur_zip_clear(out);
    return rc;
}

void mur_zip_clear(mur_zip *z)
{
    mur_map_clear(&z->names);
    free(z->entries);
    *z = (mur_zip){0};
}

size_t mur_zip_find(const mur_zip *z, const char *name)
{
    return mur_map_find(&z->names, mur_view_of(name));
}

int mur_zip_locate(int64_t *begin, const mur_zip *z, size_t number)
{
    const mur_zip_entry *e = &z->entries[number];
    mur_view name = mur_map_key(&z->names, number);
    mur_buf header = {0};
    int rc = read_at(&header, &z->source, e->header, LOCAL_LEN);
    if (rc == 0 && !has_signature(header.ptr, 3, 4))
        rc = fail_entry(z, name, "its own header is damaged");
    if (rc == 0) {
        *begin = e->header + LOCAL_LEN + (int64_t)little(header.ptr + 26, 2) + (int64_t)little(header.ptr + 28, 2);
        if (*begin > z->source.len - e->packed_len)
            rc = fail_entry(z, name, "it leaves the file");
    }
    mur_buf_clear(&header);
    return rc;
}

int mur_inflate_raw(char *out, size_t len, mur_view packed, const char *what)
{
    z_stream s = {0};
    if (inflateInit2(&s, -MAX_WBITS) != Z_OK)
        return mur_fail(MUR_EINTERNAL, "%s: zlib does not start", what);
    size_t taken = 0, made = 0;
    int state = Z_OK;
    char beyond; /* one byte more than there should be, to see that there is more */
    while (state == Z_OK) {
        size_t offered = packed.len - taken < INT_MAX ? packed.len - taken : INT_MAX;
        size_t room = len - made < INT_MAX ? len - made : INT_MAX;
        bool is_full = room == 0;
        s.next_in = (Bytef *)(packed.ptr + taken);
        s.avail_in = (uInt)offered;
        s.next_out = (Bytef *)(is_full ? &beyond : out + made);
        s.avail_out = is_full ? 1 : (uInt)room;
        state = inflate(&s, Z_NO_FLUSH);
        taken += offered - s.avail_in;
        if (is_full && s.avail_out == 0)
            state = Z_DATA_ERROR;
        else if (!is_full)
            made += room - s.avail_out;
    }
    inflateEnd(&s);
    if (state != Z_STREAM_END || made != len)
        return mur_fail(MUR_EDATA, "%s: deflated data damaged", what);
    return 0;
}

int mur_zip_read(mur_buf *out, const mur_zip *z, size_t number, int64_t limit)
{
    const mur_zip_entry *e = &z->entries[number];
    mur_view name = mur_map_key(&z->names, number);
    mur_buf packed = {0};
    int64_t begin;
    if (e->len > limit)
        return fail_entry(z, name, "it is longer than murmur reads");
    int rc = mur_zip_locate(&begin, z, number);
    if (rc == 0)
        rc = read_at(e->is_deflated ? &packed : out, &z->source, begin, e->packed_len);
    if (rc == 0 && e->is_deflated) {
        char *room = mur_buf_reserve(out, (size_t)e->len);
        rc = mur_inflate_raw(room, (size_t)e->len, mur_buf_view(&packed), z->source.path);
        out->len += rc == 0 ? (size_t)e->len : 0;
    }
    if (rc == 0) {
        uLong crc = crc32_z(0, (const Bytef *)(out->ptr + out->len - (size_t)e->len), (z_size_t)e->len);
        if (crc != e->crc)
            rc = fail_entry(z, name, "its checksum is wrong: the file is damaged");
    }
    mur_buf_clear(&packed);
    return rc;
}
