/* zip.h: which entries a zip archive holds and where (PKWARE's APPNOTE.TXT 6.3, with its zip64): as much as torch.save
 * writes. The directory at the end counts; nothing in it is believed before it is checked against the file. */
#ifndef MURMUR_MODEL_ZIP_H
#define MURMUR_MODEL_ZIP_H

#include <stdint.h>

#include "murmur/buf.h"
#include "murmur/error.h"
#include "murmur/map.h"

/* An archive: a file, or its bytes in memory where `bytes` is not NULL. */
typedef struct mur_zip_source {
    const char *path; /* also for messages */
    int64_t len;
    const char *bytes;
} mur_zip_source;

typedef struct mur_zip_entry {
    int64_t header;     /* offset of the local header */
    int64_t packed_len; /* bytes in the archive */
    int64_t len;        /* bytes that they make; packed_len where it is not deflated */
    bool is_deflated;
    uint32_t crc;
} mur_zip_entry;

typedef struct mur_zip {
    mur_zip_source source;
    mur_map names;          /* a name's number is its entry's */
    mur_zip_entry *entries; /* names.n_keys of them */
} mur_zip;

/* MUR_EIO, MUR_EDATA. The source's path and bytes stay the caller's, and are there as long as `out` is. */
int mur_zip_open(mur_zip *out, mur_zip_source source) MUR_MUST_USE;
void mur_zip_clear(mur_zip *z);

/* The number of the entry of that name, or MUR_MAP_NONE. */
size_t mur_zip_find(const mur_zip *z, const char *name);

/* Where the bytes of entry `number` begin in the file. MUR_EIO, MUR_EDATA. */
int mur_zip_locate(int64_t *begin, const mur_zip *z, size_t number) MUR_MUST_USE;

/* Appends the contents of an entry of at most `limit` bytes, inflated, its checksum compared. MUR_EIO, MUR_EDATA. */
int mur_zip_read(mur_buf *out, const mur_zip *z, size_t number, int64_t limit) MUR_MUST_USE;

/* Inflates exactly `len` bytes from `packed`. MUR_EDATA: damaged, or more or fewer; `what` names the source. */
int mur_inflate_raw(char *out, size_t len, mur_view packed, const char *what) MUR_MUST_USE;

#endif
