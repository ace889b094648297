#include "special_tokens.h"

#include <stdlib.h>
#include <string.h>

#include "murmur/file.h"
#include "murmur/json.h"

static const char *const role_names[MUR_N_ROLES] = {
    "cls_token", "sep_token", "unk_token", "pad_token", "mask_token", "bos_token", "eos_token",
};

/* A token on its way from a file into the lists. */
typedef struct found_token {
    const char *string;
    int32_t id; /* MUR_VOCAB_NONE: the vocabulary's */
    bool is_normalized;
    mur_added_token flags;
} found_token;

/* {"content": …, "lstrip": …, …}, or a mere string, which has the flags of `otherwise`. */
static int read_token(found_token *out, const cJSON *from, found_token otherwise, const char *what)
{
    *out = otherwise;
    out->string = cJSON_IsString(from) ? from->valuestring : mur_json_string(from, "content", NULL);
    if (!out->string || !out->string[0])
        return mur_fail(MUR_EDATA, "%s: a token without its text", what);
    if (cJSON_IsObject(from)) {
        out->flags.takes_left_space = mur_json_bool(from, "lstrip", false);
        out->flags.takes_right_space = mur_json_bool(from, "rstrip", false);
        out->flags.is_whole_word = mur_json_bool(from, "single_word", false);
        out->is_normalized = mur_json_bool(from, "normalized", otherwise.is_normalized);
    }
    return 0;
}

static int read_id(int32_t *out, double id, const char *string, const char *what)
{
    if (!(id >= 0 && id < INT32_MAX) || id != (double)(int32_t)id)
        return mur_fail(MUR_EDATA, "%s: the id of \"%s\" is not a whole number from 0 up", what, string);
    *out = (int32_t)id;
    return 0;
}

static int32_t id_of(const mur_special_tokens *s, const mur_vocab *v, const char *string)
{
    int32_t id = mur_vocab_id(v, mur_view_of(string));
    return id == MUR_VOCAB_NONE ? mur_vocab_id(&s->beyond, mur_view_of(string)) : id;
}

/* The vocabulary's id comes before the file's. A token without any is left out. */
static int take(mur_special_tokens *s, const mur_vocab *v, found_token token, const char *what)
{
    mur_view string = mur_view_of(token.string);
    if (id_of(s, v, token.string) == MUR_VOCAB_NONE && token.id != MUR_VOCAB_NONE)
        mur_vocab_set(&s->beyond, string, token.id);
    token.flags.id = id_of(s, v, token.string);
    if (token.flags.id == MUR_VOCAB_NONE)
        return 0;
    /* The first place that has a token says how it is read. */
    if (mur_map_find(&s->literal.strings, string) != MUR_MAP_NONE ||
        mur_map_find(&s->normalized.strings, string) != MUR_MAP_NONE)
        return 0;
    int rc = mur_added_tokens_add(token.is_normalized ? &s->normalized : &s->literal, string, token.flags);
    if (rc < 0)
        mur_error_add("%s", what);
    return rc;
}

/* tokenizer.json: "added_tokens": [{"id": …, "content": …}, …]. */
static int take_from_json(mur_special_tokens *s, const mur_vocab *v, const tokenizer_json *j)
{
    const cJSON *item;
    int rc = 0;
    cJSON_ArrayForEach(item, mur_json_member(j->tree, "added_tokens"))
    {
        found_token token;
        rc = read_token(&token, item, (found_token){.is_normalized = true}, j->path);
        if (rc == 0)
            rc = read_id(&token.id, mur_json_number(item, "id", -1), token.string, j->path);
        if (rc == 0)
            rc = take(s, v, token, j->path);
        if (rc < 0)
            break;
    }
    return rc;
}

/* tokenizer_config.json: "added_tokens_decoder": {"ID": {"content": …}, …}. */
static int take_from_decoder(mur_special_tokens *s, const mur_vocab *v, const tokenizer_folder *folder)
{
    static const char what[] = "tokenizer_config.json: added_tokens_decoder";
    const cJSON *item;
    int rc = 0;
    cJSON_ArrayForEach(item, mur_json_member(folder->tokenizer_config, "added_tokens_decoder"))
    {
        found_token token;
        char *end = NULL;
        rc = read_token(&token, item, (found_token){.is_normalized = true}, what);
        double id = rc == 0 && item->string ? strtod(item->string, &end) : -1;
        if (rc == 0)
            rc = read_id(&token.id, end && *end == '\0' && end > item->string ? id : -1, token.string, what);
        if (rc == 0)
            rc = take(s, v, token, what);
        if (rc < 0)
            break;
    }
    return rc;
}

/* added_tokens.json: {"STRING": id, …}. Taken last: special ones among them are known by their roles. */
static int read_added_file(cJSON **out, const tokenizer_folder *folder)
{
    char *path = mur_path_join(folder->path, "added_tokens.json");
    int rc = 0;
    if (!folder->json.tree && mur_path_exists(path)) {
        *out = mur_json_parse_file(path);
        if (!*out)
            rc = mur_error_last()->code;
        else if (!cJSON_IsObject(*out))
            rc = mur_fail(MUR_EDATA, "%s is not a JSON object", path);
    }
    free(path);
    return rc;
}

static int set_added_ids(mur_vocab *beyond, const cJSON *added)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, added)
    {
        int32_t id = MUR_VOCAB_NONE;
        int rc = read_id(&id, cJSON_IsNumber(item) ? item->valuedouble : -1, item->string, "added_tokens.json");
        if (rc < 0)
            return rc;
        if (item->string[0] == '\0')
            return mur_fail(MUR_EDATA, "added_tokens.json: an empty token");
        mur_vocab_set(beyond, mur_view_of(item->string), id);
    }
    return 0;
}

static int take_from_added(mur_special_tokens *s, const mur_vocab *v, const cJSON *added)
{
    const cJSON *item;
    int rc = 0;
    cJSON_ArrayForEach(item, added)
    {
        found_token token = {.string = item->string, .id = MUR_VOCAB_NONE, .is_normalized = true};
        rc = take(s, v, token, "added_tokens.json");
        if (rc < 0)
            break;
    }
    return rc;
}

/* A member of tokenizer_config.json, or of special_tokens_map.json where that has none. */
static const cJSON *named(const tokenizer_folder *folder, const char *name)
{
    const cJSON *found = mur_json_member(folder->tokenizer_config, name);
    if (!found || cJSON_IsNull(found))
        found = mur_json_member(folder->special_tokens_map, name);
    return found && !cJSON_IsNull(found) ? found : NULL;
}

static int take_roles(mur_special_tokens *s, const mur_vocab *v, const tokenizer_folder *folder,
                      const mur_special_defaults *defaults)
{
    for (int role = 0; role < MUR_N_ROLES; role++) {
        const cJSON *given = named(folder, role_names[role]);
        found_token token = {.id = MUR_VOCAB_NONE};
        token.flags.takes_left_space = role == MUR_ROLE_MASK && defaults->mask_takes_left_space;
        s->ids[role] = MUR_VOCAB_NONE;
        if (given) {
            int rc = read_token(&token, given, token, role_names[role]);
            if (rc < 0)
                return rc;
        } else {
            token.string = folder->is_generic && folder->json.tree ? NULL : defaults->strings[role];
        }
        if (!token.string)
            continue;
        int rc = take(s, v, token, role_names[role]);
        if (rc < 0)
            return rc;
        s->ids[role] = id_of(s, v, token.string);
    }
    return 0;
}

static int take_additional(mur_special_tokens *s, const mur_vocab *v, const tokenizer_folder *folder)
{
    static const char what[] = "additional_special_tokens";
    const cJSON *item;
    cJSON_ArrayForEach(item, named(folder, what))
    {
        found_token token;
        int rc = read_token(&token, item, (found_token){.id = MUR_VOCAB_NONE}, what);
        if (rc == 0 && id_of(s, v, token.string) == MUR_VOCAB_NONE)
            rc = mur_fail(MUR_EDATA, "%s: %s: \"%s\" has no id in the vocabulary or among the added tokens",
                          folder->path, what, token.string);
        if (rc == 0)
            rc = take(s, v, token, what);
        if (rc < 0)
            return rc;
    }
    return 0;
}

int mur_special_tokens_read(mur_special_tokens *out, const mur_vocab *v, const tokenizer_folder *folder,
                            const mur_special_defaults *defaults)
{
    cJSON *added = NULL;
    *out = (mur_special_tokens){0};
    mur_vocab_init(&out->beyond);
    int rc = read_added_file(&added, folder);
    if (rc == 0)
        rc = set_added_ids(&out->beyond, added);
    if (rc == 0)
        rc = take_from_json(out, v, &folder->json);
    if (rc == 0)
        rc = take_from_decoder(out, v, folder);
    if (rc == 0)
        rc = take_additional(out, v, folder);
    if (rc == 0)
        rc = take_roles(out, v, folder, defaults);
    if (rc == 0)
        rc = take_from_added(out, v, added);
    for (size_t i = 0; rc == 0 && !defaults->has_normalizer && i < out->normalized.strings.n_keys; i++)
        rc = mur_added_tokens_add(&out->literal, mur_map_key(&out->normalized.strings, i), out->normalized.tokens[i]);
    if (!defaults->has_normalizer)
        mur_added_tokens_clear(&out->normalized);
    cJSON_Delete(added);
    return rc;
}

void mur_special_tokens_clear(mur_special_tokens *s)
{
    mur_added_tokens_clear(&s->literal);
    mur_added_tokens_clear(&s->normalized);
    mur_vocab_clear(&s->beyond);
    *s = (mur_special_tokens){0};
}

size_t mur_special_tokens_vocab_size(const mur_special_tokens *s, const mur_vocab *v)
{
    return (size_t)(s->beyond.largest > v->largest ? s->beyond.largest : v->largest) + 1;
}

int mur_special_tokens_need(int32_t *id, const mur_special_tokens *s, int role, const char *where)
{
    *id = s->ids[role];
    if (*id == MUR_VOCAB_NONE)
        return mur_fail(MUR_EDATA, "%s has no entry for the %s", where, role_names[role]);
    return 0;
}

int mur_special_tokens_frame(mur_frame *out, const mur_special_tokens *s, const char *where)
{
    int32_t cls, sep;
    int rc = mur_special_tokens_need(&cls, s, MUR_ROLE_CLS, where);
    if (rc == 0)
        rc = mur_special_tokens_need(&sep, s, MUR_ROLE_SEP, where);
    if (rc == 0)
        rc = mur_frame_add_before(out, cls);
    return rc == 0 ? mur_frame_add_after(out, sep) : rc;
}
