/* Walking a text that the scan passed: the grammar is known to hold, so only the ends of things are looked for. A text
 * that did not pass walks nonsense, but never behind its end. */
#include <string.h>

#include "lexical.h"

/* Behind the string that begins at `at`: its closing quote is the first that has an even number of backslashes before
 * it. */
static size_t skip_string(mur_view text, size_t at)
{
    size_t from = at + 1;
    while (from < text.len) {
        const char *quote = memchr(text.ptr + from, '"', text.len - from);
        if (!quote)
            break;
        size_t end = (size_t)(quote - text.ptr), n_backslashes = 0;
        while (end - n_backslashes > from && text.ptr[end - n_backslashes - 1] == '\\')
            n_backslashes++;
        if (n_backslashes % 2 == 0)
            return end + 1;
        from = end + 1;
    }
    return text.len;
}

static size_t skip_brackets(mur_view text, size_t at)
{
    size_t depth = 0;
    while (at < text.len) {
        char c = text.ptr[at];
        if (c == '"') {
            at = skip_string(text, at);
            continue;
        }
        at++;
        if (c == '{' || c == '[')
            depth++;
        else if ((c == '}' || c == ']') && --depth == 0)
            break;
    }
    return at;
}

static size_t skip_word(mur_view text, size_t at)
{
    while (at < text.len && !is_space(text.ptr[at]) && text.ptr[at] != ',' && text.ptr[at] != '}' &&
           text.ptr[at] != ']')
        at++;
    return at;
}

static size_t skip_value(mur_view text, size_t at, mur_json_kind kind)
{
    switch (kind) {
    case MUR_JSON_STRING: return skip_string(text, at);
    case MUR_JSON_OBJECT:
    case MUR_JSON_ARRAY: return skip_brackets(text, at);
    default: return skip_word(text, at);
    }
}

void mur_json_walk_begin(mur_json_walk *w, mur_view object)
{
    size_t bracket = skip_space(object, 0);
    *w = (mur_json_walk){.text = {object.ptr + bracket, object.len - bracket}, .at = 1};
}

bool mur_json_walk_next(mur_json_walk *w)
{
    size_t at = skip_space(w->text, w->at);
    if (at < w->text.len && w->text.ptr[at] == ',')
        at = skip_space(w->text, at + 1);
    if (at >= w->text.len || w->text.ptr[at] == '}' || w->text.ptr[at] == ']')
        return false;

    if (w->text.ptr[0] == '{') {
        size_t end = skip_string(w->text, at);
        w->name = (mur_view){w->text.ptr + at, end - at};
        at = skip_space(w->text, end);
        at = skip_space(w->text, at < w->text.len ? at + 1 : at); /* the colon */
        if (at >= w->text.len)
            return false;
    }
    w->kind = kind_of(w->text.ptr[at]);
    w->at = skip_value(w->text, at, w->kind);
    w->value = (mur_view){w->text.ptr + at, w->at - at};
    return true;
}
