#include <string.h>

#include "murmur/model.h"

static const char *const names[MUR_N_PRECISIONS] = {
    [MUR_PRECISION_FP32] = "fp32",
    [MUR_PRECISION_BF16] = "bf16",
    [MUR_PRECISION_INT8] = "int8",
};

const char *mur_precision_name(mur_precision p)
{
    return names[p];
}

int mur_precision_parse(mur_precision *out, const char *name)
{
    for (size_t i = 0; i < MUR_N_PRECISIONS; i++) {
        if (strcmp(names[i], name) == 0) {
            *out = (mur_precision)i;
            return 0;
        }
    }
    return mur_fail(MUR_EUSAGE, "'%s' is not a precision of this build: fp32, bf16 and int8 are", name);
}
