#include "bins.h"

size_t mur_bins_make(mur_bin *bins, const int64_t *sizes, size_t n, int64_t target)
{
    size_t n_bins = 0, first = 0;
    int64_t sum = 0;
    for (size_t i = 0; i <= n; i++) {
        if (i < n && sizes[i] <= target - sum) {
            sum += sizes[i];
            continue;
        }
        if (i - first > 1)
            bins[n_bins++] = (mur_bin){first, i - first};
        first = i;
        sum = i < n ? sizes[i] : 0;
    }
    return n_bins;
}
