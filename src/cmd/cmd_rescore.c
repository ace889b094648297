#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "murmur/mem.h"
#include "murmur/quantity.h"
#include "murmur/rescore.h"
#include "murmur/stop.h"
#include "writing_options.h"

static const mur_option options[] = {
    {"model", "MODEL",
     "classifier: a Hugging Face folder, or NAME@VERSION of $MURMUR_MODELS (default murmur-mini, $MURMUR_MODEL)", NULL},
    MUR_LABEL_MAP_OPTION,
    MUR_PRECISION_OPTION,
    {"text", "CHOICE", "what the model reads: cleaned or raw (default: as the last one did)", NULL},
    {"max-bytes", "SIZE", "rows of so many bytes of source files make one part (default 256M)", NULL},
    MUR_WRITING_OPTIONS,
    {NULL, NULL, NULL, NULL},
};

static int set(void *into, const char *name, const char *value)
{
    mur_rescore_options *o = into;
    int rc = 0;
    if (strcmp(name, "model") == 0) {
        o->model = value;
    } else if (strcmp(name, "label-map") == 0) {
        o->label_map = value;
    } else if (strcmp(name, "precision") == 0) {
        rc = mur_precision_parse(&o->precision, value);
    } else if (strcmp(name, "text") == 0) {
        o->has_text = true;
        o->text = strcmp(value, "raw") == 0 ? MUR_TEXT_RAW : MUR_TEXT_CLEANED;
        if (o->text == MUR_TEXT_CLEANED && strcmp(value, "cleaned") != 0)
            rc = mur_fail(MUR_EUSAGE, "'%s' is neither cleaned nor raw", value);
    } else if (strcmp(name, "max-bytes") == 0) {
        rc = mur_size_parse(&o->max_bytes, value);
    } else if (mur_writing_takes(name)) {
        rc = mur_writing_set(&o->writing, name, value);
    }
    return rc < 0 ? rc : 0;
}

static int run(const mur_command *self, int argc, char **argv)
{
    mur_rescore_options o;
    mur_rescore_options_init(&o);
    int first, rc = mur_parse_options(self, argc, argv, set, &o, &first);
    if (rc != 0)
        return rc;
    o.store = argv[first];
    char *model = mur_model_or_default(o.model);
    o.model = model;

    mur_comm c;
    mur_stop_listen();
    rc = mur_comm_open(&c);
    if (rc == 0)
        rc = mur_rescore(&c, &o);
    mur_comm_close(&c);
    free(model);
    return rc;
}

const mur_command mur_cmd_rescore = {
    .name = "rescore",
    .operands = "STORE",
    .summary = "gold again from silver with another model, and application (under mpirun, srun or alone)",
    .options = options,
    .min_operands = 1,
    .max_operands = 1,
    .is_collective = true,
    .run = run,
};
