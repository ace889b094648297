#include "text_class.h"

#include <string.h>

#include "murmur/mem.h"

typedef struct class_range {
    uint32_t first, last;
    uint8_t class;
} class_range;

static const class_range ranges[] = {
#include "text_class.inc"
};

#define N_RANGES (sizeof ranges / sizeof *ranges)

uint8_t *mur_text_classes_make(void)
{
    uint8_t *classes = mur_alloc(MUR_TEXT_CLASSES, sizeof *classes);
    for (size_t i = 0; i < N_RANGES && ranges[i].first < MUR_TEXT_CLASSES; i++) {
        uint32_t last = ranges[i].last < MUR_TEXT_CLASSES ? ranges[i].last : MUR_TEXT_CLASSES - 1;
        memset(classes + ranges[i].first, ranges[i].class, last - ranges[i].first + 1);
    }
    return classes;
}

uint8_t mur_text_class_beyond(uint32_t point)
{
    size_t first = 0, end = N_RANGES;
    while (first < end) {
        size_t middle = first + (end - first) / 2;
        if (point > ranges[middle].last)
            first = middle + 1;
        else if (point < ranges[middle].first)
            end = middle;
        else
            return ranges[middle].class;
    }
    return 0;
}
