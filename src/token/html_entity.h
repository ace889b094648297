/* html_entity.h: character entities as the tweet tokenizer decodes them, which is more than HTML allows. */
#ifndef MURMUR_TOKEN_HTML_ENTITY_H
#define MURMUR_TOKEN_HTML_ENTITY_H

#include <stddef.h>
#include <stdint.h>

#define MUR_ENTITY_NONE UINT32_MAX

/* The entity at the start of `text`, where text[0] is '&': its length with & and ;, or 0 when there is none. `*point`
 * is the code point it stands for (a surrogate, even), or MUR_ENTITY_NONE when it stands for nothing and is to be
 * deleted. */
size_t mur_html_entity(uint32_t *point, const uint32_t *text, size_t len);

#endif
