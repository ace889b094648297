/* palette.h: the colours of all pictures, told apart with any kind of colour vision (after Okabe and Ito,
 * https://jfly.uni-koeln.de/color/), of middle lightness, so that a picture without background can be read on dark and
 * on light; an HTML page, which knows what it stands on, has nearer and farther ones. */
#ifndef MURMUR_PALETTE_H
#define MURMUR_PALETTE_H

/* X(name, in the picture, on a light page, on a dark page) */
#define MUR_PALETTE(X)                                                                                                 \
    X(ink, 0x6f7985, 0x3d4651, 0xc4ccd6)                                                                               \
    X(faint, 0xb4bac1, 0xdfe3e8, 0x333b46)                                                                             \
    X(accent, 0x1f9588, 0x0f7f74, 0x35b3a4)                                                                            \
    X(negative, 0xd15f2e, 0xc9531f, 0xe57c4c)                                                                          \
    X(neutral, 0x929aa3, 0x8a929b, 0x8f98a3)                                                                           \
    X(positive, 0x2e84c6, 0x1f72b4, 0x56a5e0)                                                                          \
    X(bronze, 0xb36b3a, 0xa75f2f, 0xc98452)                                                                            \
    X(silver, 0x7f8c99, 0x6f7d8b, 0x9aa7b4)                                                                            \
    X(gold, 0xb28c1e, 0x9c7a12, 0xd0a932)                                                                              \
    X(application, 0x7a68c9, 0x6753bd, 0x9c8ce6)

#endif
