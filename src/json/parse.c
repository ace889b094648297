/* Trees for murmur's own documents and for model files, by cJSON, which is given only what the scanner passed. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "murmur/file.h"
#include "murmur/json.h"

int mur_json_fail_at(mur_view text, size_t where, const char *what, const char *format, ...)
{
    size_t line = 1, line_begin = 0;
    for (size_t i = 0; i < where && i < text.len; i++) {
        if (text.ptr[i] == '\n') {
            line++;
            line_begin = i + 1;
        }
    }
    char detail[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(detail, sizeof detail, format, arguments);
    va_end(arguments);
    return mur_fail(MUR_EDATA, "%s: line %zu, column %zu: %s", what, line, where - line_begin + 1, detail);
}

cJSON *mur_json_parse(mur_view text, const char *what)
{
    mur_json_scan scan;
    mur_json_check(&scan, text, CJSON_NESTING_LIMIT);
    if (scan.verdict != MUR_JSON_OK) {
        mur_json_fail_at(text, scan.where, what, "%s", scan.detail);
        return NULL;
    }
    const char *stopped = text.ptr;
    cJSON *root = cJSON_ParseWithLengthOpts(text.ptr, text.len, &stopped, 0);
    if (!root)
        mur_json_fail_at(text, (size_t)(stopped - text.ptr), what,
                         "cJSON cannot read this value: a \\u surrogate without its pair, a number of more than 63 "
                         "characters, or no memory");
    return root;
}

cJSON *mur_json_parse_file(const char *path)
{
    mur_buf text = {0};
    cJSON *root = NULL;
    if (mur_file_read(&text, path) == 0)
        root = mur_json_parse(mur_buf_view(&text), path);
    mur_buf_clear(&text);
    return root;
}

const cJSON *mur_json_member(const cJSON *object, const char *name)
{
    const cJSON *found = NULL;
    for (const cJSON *member = cJSON_IsObject(object) ? object->child : NULL; member; member = member->next)
        if (strcmp(member->string, name) == 0)
            found = member;
    return found;
}

const char *mur_json_string(const cJSON *object, const char *name, const char *otherwise)
{
    const cJSON *member = mur_json_member(object, name);
    return cJSON_IsString(member) ? member->valuestring : otherwise;
}

double mur_json_number(const cJSON *object, const char *name, double otherwise)
{
    const cJSON *member = mur_json_member(object, name);
    return cJSON_IsNumber(member) ? member->valuedouble : otherwise;
}

bool mur_json_bool(const cJSON *object, const char *name, bool otherwise)
{
    const cJSON *member = mur_json_member(object, name);
    return cJSON_IsBool(member) ? cJSON_IsTrue(member) : otherwise;
}
