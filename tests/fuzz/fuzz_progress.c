/* What jobs tell of themselves, from any bytes: passed over, or read back alike from what is written of it again. */
#include "fuzz.h"

#include <string.h>

#include "../../src/pipeline/progress_text.h"

const char *const mur_fuzz_seeds[] = {
    "{\"id\":\"0\",\"runId\":\"0123456789abcdef0123456789abcdef\",\"name\":\"gold_stream\",\"timestamp\":"
    "\"2026-11-22T21:40:33.960Z\",\"batchId\":2,\"numInputRows\":819,\"inputRowsPerSecond\":1.5,\"durationMs\":{"
    "\"addBatch\":5380},\"sources\":[{\"startOffset\":null,\"endOffset\":{\"version\":0}}],\"sink\":{\"numOutputRows\":"
    "819},\"observedMetrics\":{\"numTexts\":739},\"ranks\":{\"n\":2,\"seconds\":{\"min\":0,\"mean\":2.5,\"max\":5e300}}"
    "}",
    "{\"runId\":\"r\",\"name\":\"run\",\"timestamp\":\"2026-11-22\",\"seconds\":1,\"nodes\":1,\"slowestUnit\":{"
    "\"rank\":1,"
    "\"file\":\"/\xC3\xA9\"},\"counters\":{\"units\":[1,2],\"tokens\":[3,4],\"score_seconds\":[0.5,1e9]}}",
    "{\"runId\":\"r\",\"time\":\"2026-11-22\",\"phase\":\"writing\",\"batch\":3,\"fraction\":0.5,\"secondsLeft\":7}",
    NULL};

static void check_line(mur_view text)
{
    mur_progress_line line;
    mur_run_counters run = {0}, again = {0};
    mur_buf once = {0}, twice = {0};
    mur_progress_kind kind = mur_progress_parse(text, &line, &run);
    if (kind == MUR_PROGRESS_LINE) {
        mur_progress_line_format(&once, &line, "/store", "0123456789abcdef0123456789abcdef");
        CHECK(mur_progress_parse(mur_buf_view(&once), &line, &again) == kind);
        mur_progress_line_format(&twice, &line, "/store", "0123456789abcdef0123456789abcdef");
    } else if (kind == MUR_PROGRESS_RUN) {
        CHECK(run.n_ranks > 0 && run.slowest_rank < run.n_ranks);
        mur_run_counters_format(&once, &run);
        CHECK(mur_progress_parse(mur_buf_view(&once), &line, &again) == kind);
        mur_run_counters_format(&twice, &again);
    }
    CHECK(mur_view_equal(mur_buf_view(&once), mur_buf_view(&twice)));
    mur_run_counters_clear(&run);
    mur_run_counters_clear(&again);
    mur_buf_clear(&once);
    mur_buf_clear(&twice);
}

static void check_now(mur_view text)
{
    mur_progress_now now;
    mur_buf bar = {0};
    if (mur_progress_now_parse(&now, text)) {
        mur_progress_now_format(&bar, &now, 79);
        CHECK(bar.len <= 79 && memchr(bar.ptr, '\n', bar.len) == NULL);
    }
    mur_buf_clear(&bar);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    mur_view text = {(const char *)bytes, len};
    check_line(text);
    check_now(text);
    return 0;
}
