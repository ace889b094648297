/* style.h: the page's CSS. Colours are the pictures' (mur_picture_style). */
#ifndef MURMUR_STYLE_H
#define MURMUR_STYLE_H

#include "murmur/buf.h"

void mur_style(mur_buf *css);

#endif
