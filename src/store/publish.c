/* The writer's side of the log: the lock, and steps 6 to 8 of a commit. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "checkpoint.h"
#include "murmur/clock.h"
#include "murmur/fault.h"
#include "murmur/file.h"
#include "murmur/mem.h"
#include "murmur/part.h"
#include "murmur/schema.h"

/* A writer that died may have made folders and a record whose names are not on disk yet. What is built on them must not
 * be lost with them, so they are synced before. */
static int sync_names(const mur_store *s)
{
    int rc = mur_file_sync_name(s->folder);
    if (rc == 0)
        rc = mur_file_sync(s->folder);
    if (rc == 0)
        rc = mur_file_sync(s->log_folder);
    return rc;
}

int mur_store_lock(mur_store *s, const char *run_id, bool is_forced)
{
    int rc = mur_lock_take(&s->lock, s->folder, run_id, is_forced);
    if (rc == 0) /* the holder that was waited for may have published */
        rc = mur_state_catch_up(s);
    if (rc == 0)
        rc = MUR_STEP("lock.sync", sync_names(s));
    if (rc < 0)
        mur_store_unlock(s);
    return rc;
}

void mur_store_unlock(mur_store *s)
{
    mur_lock_release(&s->lock);
}

int mur_store_clock(const mur_store *s, int64_t *now_ns)
{
    return mur_lock_clock(s->lock, now_ns);
}

bool mur_store_is_stop_asked(const mur_store *s)
{
    return s->lock && mur_lock_is_stop_asked(s->lock);
}

static void complete(const mur_store *s, mur_record *r)
{
    const mur_record *last = mur_store_record(s, s->n_records - 1);
    r->number = (int64_t)s->n_records;
    r->time = mur_now_ms();
    if (last && r->time < last->time) /* a clock that was set back must not change what --as-of finds */
        r->time = last->time;
    for (size_t i = 0; i < r->n_changes; i++) {
        mur_change *c = &r->changes[i];
        if (!c->columns)
            continue;
        mur_buf schema = {0};
        mur_schema_format(&schema, c->columns);
        free(c->schema);
        c->schema = mur_strdup(mur_buf_text(&schema));
        c->columns = NULL;
        mur_buf_clear(&schema);
    }
}

static int write_synced(const char *path, mur_view text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0)
        return mur_fail_errno(MUR_ECREATE, "cannot create %s", path);
    int rc = MUR_STEP("record.write", mur_fd_write(fd, text, path));
    if (rc == 0)
        rc = MUR_STEP("record.sync", mur_fd_sync(fd, path));
    if (close(fd) < 0 && rc == 0)
        rc = mur_fail_errno(MUR_EIO, "cannot close %s", path);
    if (rc < 0)
        unlink(path);
    return rc;
}

/* The commit: fails with EEXIST where the name is taken. (A test of that takes the care away.) */
static int give_name(const char *temporary, const char *final)
{
    return mur_fault_disables("exclusive") ? rename(temporary, final) : link(temporary, final);
}

int mur_store_publish(mur_store *s, mur_record *r)
{
    if (!s->lock)
        return mur_fail(MUR_EINTERNAL, "a record is published without the lock of %s", s->folder);
    mur_buf text = {0};
    char *temporary = NULL, *final = NULL;
    complete(s, r);
    int rc = mur_state_check(s, r, true);
    if (rc < 0) {
        mur_error_add("record %" PRId64 " of %s would be wrong", r->number, s->folder);
        rc = MUR_EINTERNAL;
        goto done;
    }
    mur_record_format(&text, r);
    final = mur_state_record_path(s->log_folder, r->number);
    temporary = mur_format("%s/_tmp-%020" PRId64 "-%s.json", s->log_folder, r->number, r->run_id);

    rc = MUR_STEP("record.check", mur_lock_check(s->lock));
    if (rc == 0)
        rc = MUR_STEP("record.create", write_synced(temporary, mur_buf_view(&text)));
    if (rc < 0) { /* not above: the parts of a record that would be wrong may be another one's */
        for (size_t i = 0; i < r->n_changes; i++)
            mur_parts_discard(s->folder, r->changes[i].added, r->changes[i].n_added);
        goto done;
    }
    if (mur_fault("record.link") < 0 || give_name(temporary, final) < 0)
        rc = errno == EEXIST ? mur_fail(MUR_ECREATE,
                                        "another writer published record %" PRId64 " of %s in spite of this run's "
                                        "lock: nothing is published; run again",
                                        r->number, s->folder)
                             : mur_fail_errno(MUR_EIO, "cannot publish %s", final);
    if (rc == 0)
        rc = MUR_STEP("record.folder", mur_file_sync(s->log_folder));
    mur_fault_pass("record.unlink");
    unlink(temporary);
    mur_fault_pass("record.done");
    if (rc == 0) {
        mur_state_fold(s, r);
        mur_checkpoint_keep_up(s, s->records[s->n_records - 1].run_id);
    }
done:
    mur_buf_clear(&text);
    free(temporary);
    free(final);
    return rc;
}
