#include "tracking_options.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "murmur/mem.h"

bool mur_tracking_takes(const char *name)
{
    return strcmp(name, "tracking-uri") == 0 || strcmp(name, "mlruns") == 0;
}

static int hex_digit(char c)
{
    const char *digits = "0123456789abcdef", *found = c ? strchr(digits, tolower((unsigned char)c)) : NULL;
    return found ? (int)(found - digits) : -1;
}

/* The path of file:///PATH, with %XX decoded. */
static char *decode(const char *text)
{
    char *out = mur_strdup(text), *to = out;
    for (const char *from = text; *from; from++) {
        int high = *from == '%' ? hex_digit(from[1]) : -1, low = high >= 0 ? hex_digit(from[2]) : -1;
        *to++ = low >= 0 ? (char)(high << 4 | low) : *from;
        from += low >= 0 ? 2 : 0;
    }
    *to = '\0';
    return out;
}

int mur_tracking_set(mur_tracking *t, const char *name, const char *value)
{
    static const char file[] = "file://";
    bool is_uri = strcmp(name, "tracking-uri") == 0;
    size_t scheme = strspn(value, "abcdefghijklmnopqrstuvwxyz+");
    if (is_uri && (strncmp(value, "http://", 7) == 0 || strncmp(value, "https://", 8) == 0)) {
        t->server = value;
        return 0;
    }
    if (is_uri &&
        (strcmp(value, "databricks") == 0 || (scheme > 0 && value[scheme] == ':' && strncmp(value, file, 7) != 0)))
        return mur_fail(
            MUR_EUSAGE,
            "murmur writes runs of MLflow into a folder or sends them to a server (http, https), and not to "
            "'%s'; 'mlflow migrate-filestore' puts a folder into a database",
            value);
    if (*value == '\0')
        return mur_fail(MUR_EUSAGE, "a folder has a name");
    t->server = is_uri ? NULL : t->server;
    free(t->folder);
    t->folder = is_uri && strncmp(value, file, 7) == 0 ? decode(value + strlen(file)) : mur_strdup(value);
    return 0;
}

void mur_tracking_clear(mur_tracking *t)
{
    free(t->folder);
    *t = (mur_tracking){0};
}

const char *mur_tracking_folder(const mur_tracking *t)
{
    return t->folder ? t->folder : "mlruns";
}

void mur_shell_append(mur_buf *out, const char *word)
{
    bool is_plain = *word != '\0';
    for (const char *c = word; *c; c++)
        is_plain = is_plain && (isalnum((unsigned char)*c) || strchr("-_./+@%:=,", *c));
    if (is_plain) {
        mur_buf_append_text(out, word);
        return;
    }
    mur_buf_append_byte(out, '\'');
    for (const char *c = word; *c; c++)
        if (*c == '\'')
            mur_buf_append_text(out, "'\\''");
        else
            mur_buf_append_byte(out, *c);
    mur_buf_append_byte(out, '\'');
}
