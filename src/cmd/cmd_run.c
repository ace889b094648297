#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "murmur/mem.h"
#include "murmur/quantity.h"
#include "murmur/run.h"
#include "murmur/stop.h"
#include "writing_options.h"

static const mur_option options[] = {
    {"store", "DIR", "where the tables are kept; made if it is not there", "MURMUR_STORE"},
    {"model", "MODEL",
     "classifier: a Hugging Face folder, or NAME@VERSION of $MURMUR_MODELS (default murmur-mini, $MURMUR_MODEL)", NULL},
    MUR_LABEL_MAP_OPTION,
    MUR_PRECISION_OPTION,
    {"trigger", "WHEN", "available-now: batches until all is read (default); once: one batch; 10s: look every 10 s",
     NULL},
    {"max-files", "N", "files of one batch at most (default 1000)", NULL},
    {"max-bytes", "SIZE", "bytes of one batch's files at most (default 256M)", NULL},
    {"time-limit", "TIME", "begin no batch that might not end within it, status 75 then (default: the SLURM job's end)",
     NULL},
    {"settle", "TIME", "leave files that changed within this time for the next trigger (default 0s)", NULL},
    {"max-value", "SIZE", "a record with a longer value is rejected (default 64K)", NULL},
    {"mention-rule", "RULE", "twitter: twitter-text's (default); word: every @\\w+", NULL},
    {"text", "CHOICE", "what the model reads: cleaned (without mentions, default) or raw", NULL},
    {"fold-case", NULL, "count mentions in the application table without regard to case", NULL},
    {"schema", "FILE", "columns that bronze is to have (JSON of murmur or of Spark's StructType)", NULL},
    {"merge-schema", NULL, "add columns of --schema that bronze lacks, from the next commit on", NULL},
    {"strict", NULL, "a record that is rejected ends the job", NULL},
    {"metrics-file", "FILE", "keep figures of the run there for Prometheus (node_exporter's textfile collector)", NULL},
    MUR_WRITING_OPTIONS,
    {NULL, NULL, NULL, NULL},
};

static int choose(const char *value, const char *first, const char *second)
{
    if (strcmp(value, first) == 0)
        return 0;
    if (strcmp(value, second) == 0)
        return 1;
    return mur_fail(MUR_EUSAGE, "'%s' is neither %s nor %s", value, first, second);
}

static int set_trigger(mur_run_options *o, const char *value)
{
    if (strcmp(value, "available-now") == 0) {
        o->trigger = MUR_TRIGGER_AVAILABLE_NOW;
    } else if (strcmp(value, "once") == 0) {
        o->trigger = MUR_TRIGGER_ONCE;
    } else if (mur_duration_parse(&o->interval_ms, value) == 0 && o->interval_ms > 0) {
        o->trigger = MUR_TRIGGER_INTERVAL;
    } else {
        return mur_fail(MUR_EUSAGE, "'%s' is neither available-now nor once nor an interval such as 10s", value);
    }
    return 0;
}

static int set(void *into, const char *name, const char *value)
{
    mur_run_options *o = into;
    int rc = 0;
    if (strcmp(name, "store") == 0) {
        o->store = value;
    } else if (strcmp(name, "model") == 0) {
        o->model = value;
    } else if (strcmp(name, "label-map") == 0) {
        o->label_map = value;
    } else if (strcmp(name, "precision") == 0) {
        rc = mur_precision_parse(&o->precision, value);
    } else if (strcmp(name, "trigger") == 0) {
        rc = set_trigger(o, value);
    } else if (strcmp(name, "max-files") == 0) {
        rc = mur_integer_parse(&o->max_files, value, 1, INT64_C(1) << 40);
    } else if (strcmp(name, "max-bytes") == 0) {
        rc = mur_size_parse(&o->max_bytes, value);
    } else if (strcmp(name, "time-limit") == 0) {
        rc = mur_duration_parse(&o->time_limit_ms, value);
    } else if (strcmp(name, "settle") == 0) {
        rc = mur_duration_parse(&o->settle_ms, value);
    } else if (strcmp(name, "max-value") == 0) {
        rc = mur_size_parse(&o->max_value, value);
    } else if (strcmp(name, "mention-rule") == 0) {
        if (!mur_mention_rule_from_name(&o->mention_rule, value))
            rc = mur_fail(MUR_EUSAGE, "'%s' is neither twitter nor word", value);
    } else if (strcmp(name, "text") == 0) {
        rc = choose(value, "cleaned", "raw");
        o->text = rc == 1 ? MUR_TEXT_RAW : MUR_TEXT_CLEANED;
    } else if (strcmp(name, "fold-case") == 0) {
        o->is_folding_case = true;
    } else if (strcmp(name, "schema") == 0) {
        o->schema = value;
    } else if (strcmp(name, "merge-schema") == 0) {
        o->is_merging_schema = true;
    } else if (strcmp(name, "strict") == 0) {
        o->is_strict = true;
    } else if (strcmp(name, "metrics-file") == 0) {
        o->metrics_file = value;
    } else if (mur_writing_takes(name)) {
        rc = mur_writing_set(&o->writing, name, value);
    }
    return rc < 0 ? rc : 0;
}

static int run(const mur_command *self, int argc, char **argv)
{
    mur_run_options o;
    mur_run_options_init(&o);
    int first, rc = mur_parse_options(self, argc, argv, set, &o, &first);
    if (rc != 0)
        return rc;
    if (!o.store)
        return mur_fail(MUR_EUSAGE, "murmur run needs --store DIR, the folder for its tables");
    if (o.is_merging_schema && !o.schema)
        return mur_fail(MUR_EUSAGE, "--merge-schema needs --schema FILE, which declares the columns to merge");
    o.sources = argv + first;
    o.n_sources = (size_t)(argc - first);
    char *model = mur_model_or_default(o.model);
    o.model = model;

    mur_comm c;
    mur_stop_listen();
    rc = mur_comm_open(&c);
    if (rc == 0)
        rc = mur_run(&c, &o);
    mur_comm_close(&c);
    free(model);
    return rc;
}

const mur_command mur_cmd_run = {
    .name = "run",
    .operands = "SOURCE...",
    .summary = "ingest tweet files, score them, count per mention (under mpirun, srun or alone)",
    .options = options,
    .min_operands = 1,
    .max_operands = 100000,
    .is_collective = true,
    .run = run,
};
