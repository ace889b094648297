#include "unicode_class.h"

#include <stddef.h>

typedef struct class_range {
    uint32_t first, last;
    uint8_t class;
} class_range;

const uint8_t mur_ascii_class[0x80] = {
#include "ascii_class.inc"
};

static const class_range ranges[] = {
#include "unicode_class.inc"
};

/* The range that holds `point`, or NULL. */
static const class_range *range_of(uint32_t point)
{
    size_t first = 0, end = sizeof ranges / sizeof *ranges;
    while (first < end) {
        size_t middle = first + (end - first) / 2;
        if (point > ranges[middle].last)
            first = middle + 1;
        else if (point < ranges[middle].first)
            end = middle;
        else
            return &ranges[middle];
    }
    return NULL;
}

uint8_t mur_unicode_class_beyond_ascii(uint32_t point)
{
    const class_range *range = range_of(point);
    return range ? range->class : 0;
}

int mur_unicode_decimal(uint32_t point)
{
    if (point < 0x80)
        return point >= '0' && point <= '9' ? (int)(point - '0') : -1;
    const class_range *range = range_of(point);
    /* A range of digits begins with a zero (the script sees to it) and may hold several sets of ten. */
    return range && (range->class & MUR_DECIMAL) ? (int)((point - range->first) % 10) : -1;
}
