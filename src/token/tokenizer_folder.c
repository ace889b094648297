#include "tokenizer_folder.h"

#include <stdlib.h>
#include <string.h>

#include "murmur/file.h"
#include "murmur/json.h"

bool tokenizer_folder_holds(const tokenizer_folder *f, const char *name)
{
    char *path = mur_path_join(f->path, name);
    bool exists = mur_path_exists(path);
    free(path);
    return exists;
}

/* An absent file is an empty object; a file that is something else than an object is MUR_EDATA. */
static int read_config(cJSON **out, const tokenizer_folder *f, const char *name)
{
    int rc = 0;
    char *path = mur_path_join(f->path, name);
    if (!mur_path_exists(path))
        *out = cJSON_CreateObject();
    else if (!(*out = mur_json_parse_file(path)))
        rc = mur_error_last()->code;
    else if (!cJSON_IsObject(*out))
        rc = mur_fail(MUR_EDATA, "%s is not a JSON object", path);
    free(path);
    return rc;
}

static bool is_name(mur_view quoted, const char *name)
{
    mur_buf text = {0};
    mur_json_unquote_name(&text, quoted);
    bool is_equal = mur_view_equal(mur_buf_view(&text), mur_view_of(name));
    mur_buf_clear(&text);
    return is_equal;
}

/* Puts a member into the tree. */
static int take_member(const tokenizer_json *j, cJSON *into, const mur_json_walk *member)
{
    cJSON *value = mur_json_parse(member->value, j->path);
    if (!value)
        return mur_error_last()->code;
    mur_buf name = {0};
    mur_json_unquote(&name, member->name);
    cJSON_AddItemToObject(into, mur_buf_text(&name), value);
    mur_buf_clear(&name);
    return 0;
}

static int read_model(tokenizer_json *j, mur_view object)
{
    cJSON *model = cJSON_AddObjectToObject(j->tree, "model");
    mur_json_walk walk;
    int rc = 0;
    for (mur_json_walk_begin(&walk, object); rc == 0 && mur_json_walk_next(&walk);) {
        if (is_name(walk.name, "vocab"))
            j->vocab = walk.value;
        else if (is_name(walk.name, "merges"))
            j->merges = walk.value;
        else
            rc = take_member(j, model, &walk);
    }
    return rc;
}

static int read_tokenizer_json(tokenizer_json *j, const tokenizer_folder *f)
{
    j->path = mur_path_join(f->path, "tokenizer.json");
    if (!mur_path_exists(j->path))
        return 0;
    int rc = mur_file_read(&j->text, j->path);
    if (rc < 0)
        return rc;
    mur_view text = mur_buf_view(&j->text);
    mur_json_scan scan;
    mur_json_check(&scan, text, CJSON_NESTING_LIMIT);
    if (scan.verdict != MUR_JSON_OK)
        return mur_json_fail_at(text, scan.where, j->path, "%s", scan.detail);
    if (scan.kind != MUR_JSON_OBJECT)
        return mur_fail(MUR_EDATA, "%s is not a JSON object", j->path);

    j->tree = cJSON_CreateObject();
    mur_json_walk walk;
    for (mur_json_walk_begin(&walk, text); rc == 0 && mur_json_walk_next(&walk);) {
        if (is_name(walk.name, "model") && walk.kind == MUR_JSON_OBJECT)
            rc = read_model(j, walk.value);
        else
            rc = take_member(j, j->tree, &walk);
    }
    return rc;
}

int tokenizer_folder_open(tokenizer_folder *f, const char *path)
{
    *f = (tokenizer_folder){.path = path};
    if (!mur_path_is_folder(path))
        return mur_fail(MUR_ENOINPUT, "%s is not a folder; give the folder of a model", path);
    int rc = read_config(&f->config, f, "config.json");
    if (rc == 0)
        rc = read_config(&f->tokenizer_config, f, "tokenizer_config.json");
    if (rc == 0)
        rc = read_config(&f->special_tokens_map, f, "special_tokens_map.json");
    if (rc == 0)
        rc = read_tokenizer_json(&f->json, f);
    return rc;
}

void tokenizer_folder_close(tokenizer_folder *f)
{
    cJSON_Delete(f->config);
    cJSON_Delete(f->tokenizer_config);
    cJSON_Delete(f->special_tokens_map);
    cJSON_Delete(f->json.tree);
    mur_buf_clear(&f->json.text);
    free(f->json.path);
    *f = (tokenizer_folder){0};
}

const char *tokenizer_json_model_type(const tokenizer_json *j)
{
    const cJSON *model = mur_json_member(j->tree, "model");
    const char *type = mur_json_string(model, "type", NULL);
    if (type)
        return type;
    if (j->merges.ptr)
        return "BPE";
    if (j->vocab.ptr && j->vocab.ptr[0] == '[')
        return "Unigram";
    return mur_json_member(model, "max_input_chars_per_word") ? "WordPiece" : NULL;
}

const char *tokenizer_json_part_type(const tokenizer_json *j, const char *part)
{
    return mur_json_string(mur_json_member(j->tree, part), "type", "");
}

/* Processors that write "cls": [STRING, id] and "sep". */
static int add_pair(mur_frame *out, const tokenizer_json *j, const cJSON *processor)
{
    double cls = cJSON_GetNumberValue(cJSON_GetArrayItem(mur_json_member(processor, "cls"), 1));
    double sep = cJSON_GetNumberValue(cJSON_GetArrayItem(mur_json_member(processor, "sep"), 1));
    if (!(cls >= 0 && cls < INT32_MAX && sep >= 0 && sep < INT32_MAX))
        return mur_fail(MUR_EDATA, "%s: post_processor: cls and sep are not [STRING, id]", j->path);
    int rc = mur_frame_add_before(out, (int32_t)cls);
    return rc == 0 ? mur_frame_add_after(out, (int32_t)sep) : rc;
}

/* "single": [{"SpecialToken": {"id": NAME}}, …, {"Sequence": {"id": "A"}}, …]; "special_tokens": {NAME: {"ids": […]}}.
 */
static int add_template(mur_frame *out, const tokenizer_json *j, const cJSON *processor)
{
    const cJSON *single = mur_json_member(processor, "single"), *item;
    const cJSON *specials = mur_json_member(processor, "special_tokens");
    size_t n_sequences = 0;
    int rc = 0;
    cJSON_ArrayForEach(item, single)
    {
        const cJSON *sequence = mur_json_member(item, "Sequence"), *special = mur_json_member(item, "SpecialToken"),
                    *id;
        const cJSON *ids = mur_json_member(mur_json_member(specials, mur_json_string(special, "id", "")), "ids");
        if (sequence) {
            n_sequences++;
            continue;
        }
        if (!cJSON_IsArray(ids))
            rc = mur_fail(MUR_EDATA, "%s: post_processor: the template's token \"%s\" has no ids", j->path,
                          mur_json_string(special, "id", ""));
        cJSON_ArrayForEach(id, ids)
        {
            if (rc == 0 && !(cJSON_IsNumber(id) && id->valuedouble >= 0 && id->valuedouble < INT32_MAX))
                rc = mur_fail(MUR_EDATA, "%s: post_processor: an id of the template is not a whole number from 0 up",
                              j->path);
            if (rc == 0)
                rc = n_sequences ? mur_frame_add_after(out, (int32_t)id->valuedouble)
                                 : mur_frame_add_before(out, (int32_t)id->valuedouble);
        }
        if (rc < 0)
            return rc;
    }
    if (n_sequences != 1)
        return mur_fail(MUR_EDATA, "%s: post_processor: the template for a single text names it %zu times, not once",
                        j->path, n_sequences);
    return 0;
}

static int add_processor(mur_frame *out, const tokenizer_json *j, const cJSON *processor)
{
    const char *type = mur_json_string(processor, "type", "");
    const cJSON *part;
    int rc = 0;
    if (strcmp(type, "RobertaProcessing") == 0 || strcmp(type, "BertProcessing") == 0)
        return add_pair(out, j, processor);
    if (strcmp(type, "TemplateProcessing") == 0)
        return add_template(out, j, processor);
    if (strcmp(type, "ByteLevel") == 0) /* it moves offsets and adds nothing */
        return 0;
    if (strcmp(type, "Sequence") != 0)
        return mur_fail(MUR_EDATA,
                        "%s: post_processor is \"%s\"; murmur has RobertaProcessing, BertProcessing, "
                        "TemplateProcessing, ByteLevel and a Sequence of them only",
                        j->path, type);
    cJSON_ArrayForEach(part, mur_json_member(processor, "processors"))
    {
        /* Not deeper than one Sequence: a file must not choose the depth of the stack. */
        bool is_nested = strcmp(mur_json_string(part, "type", ""), "Sequence") == 0;
        rc = is_nested ? mur_fail(MUR_EDATA, "%s: post_processor is a Sequence in a Sequence", j->path)
                       : add_processor(out, j, part);
        if (rc < 0)
            return rc;
    }
    return 0;
}

int tokenizer_json_read_frame(mur_frame *out, const tokenizer_json *j)
{
    int rc = add_processor(out, j, mur_json_member(j->tree, "post_processor"));
    if (rc == 0 && out->n_before == 0)
        rc = mur_fail(
            MUR_EDATA,
            "%s: post_processor puts no special token before a text, and classifiers read the first one's state",
            j->path);
    return rc;
}
