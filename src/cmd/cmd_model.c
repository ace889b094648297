#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "json_lines.h"
#include "murmur/file.h"
#include "murmur/hash.h"
#include "murmur/json.h"
#include "murmur/log.h"
#include "murmur/mem.h"
#include "murmur/model.h"
#include "murmur/quantity.h"
#include "murmur/registry.h"
#include "murmur/scorer.h"

typedef struct settings {
    const char *label_map, *set_alias;
    bool is_json;
} settings;

static const mur_option options[] = {
    {"json", NULL, "one JSON object (of each model, where they are listed)", NULL},
    MUR_LABEL_MAP_OPTION,
    {"set-alias", "N@A=V", "alias A of model N in $MURMUR_MODELS is version V from now on; without V it is gone", NULL},
    {NULL, NULL, NULL, NULL},
};

static int set(void *into, const char *name, const char *value)
{
    settings *s = into;
    if (strcmp(name, "json") == 0)
        s->is_json = true;
    else if (strcmp(name, "label-map") == 0)
        s->label_map = value;
    else
        s->set_alias = value;
    return 0;
}

/* What could be found out about a folder. `model` and `tokenizer` are NULL where they do not open. */
typedef struct findings {
    char *folder;
    mur_model *model;
    mur_tokenizer *tokenizer;
    char *architecture, *tokenizer_class; /* as the files say, usable or not; NULL where they do not */
    uint64_t hash;
    bool has_hash;
    int code; /* 0: it can be used */
    char *why;
} findings;

/* The first fault is the one that is told. */
static void note_fault(findings *f, int rc)
{
    if (rc >= 0 || f->code < 0)
        return;
    f->code = rc;
    f->why = mur_strdup(mur_error_last()->message);
}

/* A text in one of the folder's JSON files: of `name` itself, or of the first element of an array. NULL where there is
 * none, or no such file that can be read. */
static char *read_text(const char *folder, const char *file, const char *name)
{
    char *path = mur_path_join(folder, file), *text = NULL;
    cJSON *root = mur_path_exists(path) ? mur_json_parse_file(path) : NULL;
    const cJSON *member = cJSON_IsObject(root) ? mur_json_member(root, name) : NULL;
    if (cJSON_IsArray(member))
        member = member->child;
    if (cJSON_IsString(member))
        text = mur_strdup(member->valuestring);
    cJSON_Delete(root);
    free(path);
    return text;
}

/* Reads the weights too: only then is it known that all of them are finite, and what the hash is. */
static int load(findings *f)
{
    void *block = mur_try_alloc(mur_model_block_bytes(f->model), 1);
    int rc = block ? mur_model_load(f->model, block) : MUR_EINTERNAL;
    if (rc == 0) {
        mur_model_bind(f->model, block);
        f->hash = mur_model_hash(f->model);
        f->has_hash = true;
    }
    free(block);
    return rc;
}

static void examine(findings *f, const settings *s)
{
    int rc = mur_model_open(&f->model, f->folder, s->label_map);
    note_fault(f, rc);
    if (rc == 0)
        note_fault(f, load(f));
    note_fault(f, mur_tokenizer_open(&f->tokenizer, f->folder));
    if (f->model && f->tokenizer)
        note_fault(f, mur_scorer_check(f->model, f->tokenizer));
    f->architecture = read_text(f->folder, "config.json", "architectures");
    f->tokenizer_class = read_text(f->folder, "tokenizer_config.json", "tokenizer_class");
    if (!f->tokenizer_class)
        f->tokenizer_class = read_text(f->folder, "config.json", "tokenizer_class");
}

static void clear(findings *f)
{
    mur_model_close(&f->model);
    mur_tokenizer_close(&f->tokenizer);
    free(f->folder);
    free(f->architecture);
    free(f->tokenizer_class);
    free(f->why);
}

static const char *activation_name(mur_activation a)
{
    static const char *const names[] = {"gelu", "gelu (tanh)", "relu", "tanh"};
    return names[a];
}

static void append_member(mur_buf *out, const char *name, const char *text)
{
    mur_buf_printf(out, ",\"%s\":", name);
    if (text)
        mur_append_json_string(out, mur_view_of(text));
    else
        mur_buf_append_text(out, "null");
}

static void print_json(mur_buf *out, const findings *f)
{
    mur_buf_append_text(out, "{\"folder\":");
    mur_append_json_string(out, mur_view_of(f->folder));
    append_member(out, "name", f->model ? mur_model_name(f->model) : NULL);
    append_member(out, "architecture", f->architecture);
    if (f->model) {
        const mur_model_config *c = mur_model_config_of(f->model);
        mur_model_summary about;
        mur_model_summarize(f->model, &about);
        mur_buf_printf(out,
                       ",\"layers\":%d,\"hidden\":%d,\"heads\":%d,\"intermediate\":%d,\"vocabulary\":%d,"
                       "\"positions\":%d,\"activation\":\"%s\",\"parameters\":%" PRId64,
                       c->n_layers, c->hidden_size, c->n_heads, c->intermediate_size, c->vocab_size,
                       c->max_positions - c->first_position, activation_name(c->activation), about.n_parameters);
        append_member(out, "weights", about.file);
        mur_buf_printf(out, ",\"files\":%zu,\"bytes\":%" PRId64 ",\"dtype\":\"%s\"", about.n_files, about.n_bytes,
                       about.dtypes);
        mur_buf_printf(out, ",\"multi_label\":%s,\"labels\":{", c->is_multi_label ? "true" : "false");
        for (int i = 0; i < c->n_labels; i++) {
            mur_buf_append_text(out, i ? "," : "");
            mur_append_json_string(out, mur_view_of(c->labels[i]));
            mur_buf_printf(out, ":\"%s\"", mur_sentiment_name(c->sentiments[i]));
        }
        mur_buf_append_text(out, "},\"label_map\":");
        mur_buf_append_text(out, mur_model_label_map(f->model) ? mur_model_label_map(f->model) : "null");
    }
    append_member(out, "tokenizer", f->tokenizer_class);
    if (f->tokenizer)
        mur_buf_printf(out, ",\"token_ids\":%zu,\"longest\":%zu", mur_tokenizer_vocab_size(f->tokenizer),
                       mur_tokenizer_max_length(f->tokenizer));
    char hash[MUR_HASH_HEX];
    append_member(out, "hash", f->has_hash ? mur_hash_hex(hash, f->hash) : NULL);
    mur_buf_printf(out, ",\"usable\":%s", f->code == 0 ? "true" : "false");
    append_member(out, "why_not", f->why);
    mur_buf_append_text(out, "}\n");
}

static void print_labels(mur_buf *out, const mur_model *m)
{
    const mur_model_config *c = mur_model_config_of(m);
    mur_buf_append_text(out, "labels        ");
    for (int i = 0; i < c->n_labels; i++)
        mur_buf_printf(out, "%s%d %s is %s", i ? ", " : "", i, c->labels[i], mur_sentiment_name(c->sentiments[i]));
    mur_buf_printf(out, " (%s%s)\n", mur_model_label_map(m) ? "by --label-map and name" : "by name",
                   c->is_multi_label ? "; not exclusive: a sigmoid each" : "");
}

static void print_text(mur_buf *out, const findings *f)
{
    mur_buf_printf(out, "folder        %s\n", f->folder);
    if (f->model)
        mur_buf_printf(out, "name          %s\n", mur_model_name(f->model));
    mur_buf_printf(out, "architecture  %s\n", f->architecture ? f->architecture : "not said");
    if (f->model) {
        const mur_model_config *c = mur_model_config_of(f->model);
        mur_model_summary about;
        char size[MUR_QUANTITY_TEXT];
        mur_model_summarize(f->model, &about);
        mur_buf_printf(out, "sizes         %d layers, hidden %d, %d heads, intermediate %d, %d ids, %d positions, %s\n",
                       c->n_layers, c->hidden_size, c->n_heads, c->intermediate_size, c->vocab_size,
                       c->max_positions - c->first_position, activation_name(c->activation));
        mur_buf_printf(out, "parameters    %" PRId64 "\n", about.n_parameters);
        mur_buf_printf(out, "weights       %s", about.file);
        if (about.n_files > 1)
            mur_buf_printf(out, " and %zu shards", about.n_files - 1);
        mur_buf_printf(out, ", %s, %s\n", about.dtypes, mur_size_format(size, about.n_bytes));
    }
    mur_buf_printf(out, "tokenizer     %s", f->tokenizer_class ? f->tokenizer_class : "class not said");
    if (f->tokenizer)
        mur_buf_printf(out, ", %zu ids, texts of up to %zu tokens", mur_tokenizer_vocab_size(f->tokenizer),
                       mur_tokenizer_max_length(f->tokenizer));
    mur_buf_append_byte(out, '\n');
    if (f->model)
        print_labels(out, f->model);
    char hash[MUR_HASH_HEX];
    if (f->has_hash)
        mur_buf_printf(out, "hash          %s\n", mur_hash_hex(hash, f->hash));
    mur_buf_printf(out, "usable        %s%s\n", f->code == 0 ? "yes" : "no: ", f->why ? f->why : "");
}

/* The description comes out in any case; the status is that of the fault. */
static int describe(mur_buf *out, const settings *s, const char *model)
{
    findings f = {0};
    int rc = mur_registry_find(&f.folder, model);
    if (rc == 0 && !mur_path_is_folder(f.folder))
        rc = mur_fail(MUR_ENOINPUT, "%s is no model: it is not a folder", f.folder);
    if (rc == 0) {
        examine(&f, s);
        if (s->is_json)
            print_json(out, &f);
        else
            print_text(out, &f);
        rc = mur_output(mur_buf_view(out));
        if (rc >= 0 && f.code < 0)
            rc = mur_fail(f.code, "%s", f.why);
    }
    clear(&f);
    return rc;
}

static int list(mur_buf *out, const settings *s)
{
    mur_registry r;
    int rc = mur_registry_list(&r);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < r.n; i++) {
        const mur_registered *m = &r.models[i];
        char *folder = mur_format("%s/%s/%" PRId64, r.root, m->name, m->version);
        char *architecture = read_text(folder, "config.json", "architectures");
        if (s->is_json) {
            mur_buf_append_text(out, "{\"name\":");
            mur_append_json_string(out, mur_view_of(m->name));
            mur_buf_printf(out, ",\"version\":%" PRId64, m->version);
            append_member(out, "aliases", m->aliases);
            append_member(out, "architecture", architecture);
            append_member(out, "folder", folder);
            mur_buf_append_text(out, "}\n");
        } else {
            mur_buf_printf(out, "%s@%" PRId64 "  %s%s%s%s\n", m->name, m->version,
                           architecture ? architecture : "no model: its config.json names no architecture",
                           *m->aliases ? "  (" : "", m->aliases, *m->aliases ? ")" : "");
        }
        free(architecture);
        free(folder);
    }
    if (r.n == 0)
        mur_log_warn("no models in %s: NAME/VERSION/ is one, VERSION a whole number from 1 on", r.root);
    mur_registry_clear(&r);
    return mur_output(mur_buf_view(out));
}

static int run(const mur_command *self, int argc, char **argv)
{
    settings s = {0};
    int first, rc = mur_parse_options(self, argc, argv, set, &s, &first);
    if (rc != 0)
        return rc;
    if (s.set_alias)
        return first < argc ? mur_fail(MUR_EUSAGE, "--set-alias takes no other model: '%s'", argv[first])
                            : mur_registry_set_alias(s.set_alias);
    mur_buf out = {0};
    rc = first < argc ? describe(&out, &s, argv[first]) : list(&out, &s);
    mur_buf_clear(&out);
    return rc;
}

const mur_command mur_cmd_model = {
    .name = "model",
    .operands = "[DIR|NAME[@VERSION|@ALIAS]]",
    .summary = "what a model folder is and whether it can be used; alone: list the models of $MURMUR_MODELS",
    .options = options,
    .min_operands = 0,
    .max_operands = 1,
    .run = run,
};
