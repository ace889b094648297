#include "log_folder.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "murmur/hash.h"
#include "murmur/mem.h"
#include "state.h"

char *mur_segment_name(const mur_segment *segment)
{
    char hash[MUR_HASH_HEX];
    return mur_format("checkpoint-%020" PRId64 "-%020" PRId64 "-%s.h5", segment->from, segment->to,
                      mur_hash_hex(hash, segment->hash));
}

bool mur_segment_parse(mur_segment *out, const char *name)
{
    static const char prefix[] = "checkpoint-";
    enum { FROM = sizeof prefix - 1, TO = FROM + 21, HASH = TO + 21 };
    if (strlen(name) < HASH || strncmp(name, prefix, FROM) != 0)
        return false;
    mur_segment segment = {strtoll(name + FROM, NULL, 10), strtoll(name + TO, NULL, 10),
                           strtoull(name + HASH, NULL, 16)};
    if (segment.from < 0 || segment.from >= segment.to)
        return false;
    char *wanted = mur_segment_name(&segment);
    bool is_right = strcmp(wanted, name) == 0;
    free(wanted);
    if (is_right)
        *out = segment;
    return is_right;
}

void mur_log_listing_clear(mur_log_listing *l)
{
    free(l->segments);
    free(l->records);
    *l = (mur_log_listing){0};
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

int mur_log_list(mur_log_listing *l, const char *log_folder)
{
    *l = (mur_log_listing){0};
    DIR *folder = opendir(log_folder);
    if (!folder)
        return mur_fail_errno(errno == ENOENT ? MUR_ENOINPUT : MUR_EIO, "cannot list %s", log_folder);
    struct dirent *entry;
    while ((entry = readdir(folder))) {
        int64_t number = mur_state_number_of(entry->d_name);
        mur_segment segment;
        if (number >= 0 && number < INT64_MAX) {
            if (l->n_records == l->cap_records) {
                l->cap_records = mur_grown(l->cap_records, l->n_records + 1);
                l->records = mur_realloc(l->records, l->cap_records, sizeof *l->records);
            }
            l->records[l->n_records++] = number;
        } else if (mur_segment_parse(&segment, entry->d_name)) {
            if (l->n_segments == l->cap_segments) {
                l->cap_segments = mur_grown(l->cap_segments, l->n_segments + 1);
                l->segments = mur_realloc(l->segments, l->cap_segments, sizeof *l->segments);
            }
            l->segments[l->n_segments++] = segment;
        }
    }
    closedir(folder);
    if (l->n_records > 1)
        qsort(l->records, l->n_records, sizeof *l->records, by_value);
    return 0;
}
