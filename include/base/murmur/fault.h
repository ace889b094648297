/* fault.h: named failure points, for tests of what survives a failure. They are in builds with -DMURMUR_FAULTS alone
 * (preset `faults`); in all others each is a constant 0 and costs nothing.
 *
 *     rc = MUR_STEP("part.sync", mur_file_sync(path));              the point, then the step
 *     rc = mur_agree(c, MUR_AFTER("part.file", create(…)));         the point after what ranks do together: one that
 * stays away would only hang the others if (mur_fault("record.link") < 0 || link(from, to) < 0)       a system call
 * with its errno mur_fault_pass("silver.refine");                              where nothing can fail, but the process
 * can die
 *
 * Environment of such a build:
 *
 *     MURMUR_FAULT=POINT:RANK:NTH[:KIND][,...]    at the NTH time (from 1) that RANK passes POINT:
 *         crash   the process ends at once, without flushing anything (the default)
 *         io      the step fails as if its system call did, with EIO
 *         memory  the next allocation finds no memory
 *         short   a write: half of it reaches the file, then the disk is full; a closed file: half of it is gone, and
 *                 nobody says so, as with MPI-IO on a full disk
 *         torn    as short, and then crash
 *         halt    the process stops until SIGCONT
 *         late    not an error: from the NTH time on, the rank comes 50 ms later
 *     MURMUR_FAULT=list              prints points and kinds, and ends
 *     MURMUR_FAULT_COUNTS=FILE       appends "RANK POINT TIMES" at a rank's end
 *     MURMUR_FAULT_TRACE=FILE        64 bytes for each rank: the last point that it passed, also after SIGKILL
 *     MURMUR_FAULT_DISABLE=fsync     nothing is synced; =exclusive: a record replaces one of the same number. For tests
 *                                    that must find what is missing then. =small: all ranks write small parts too
 */
#ifndef MURMUR_FAULT_H
#define MURMUR_FAULT_H

#include <stdbool.h>
#include <stddef.h>

#include "murmur/error.h"
#include "murmur/view.h"

/* All points, in the order in which a run first passes them, then those of other commands. PASS: nothing can fail
 * there, the process can die or run out of memory. STEP: also io. WRITE: also short and torn. A name that is not here
 * ends the test build. */
#define MUR_FAULT_POINTS(X)                                                                                            \
    X("schema.file", STEP)       /* the file of --schema is read */                                                    \
    X("store.create", STEP)      /* the store's folders are made */                                                    \
    X("store.open", STEP)        /* the log is read */                                                                 \
    X("lock.create", STEP)       /* the lock file is made under its own name, */                                       \
    X("lock.write", WRITE)       /* written, */                                                                        \
    X("lock.link", STEP)         /* linked to _lock, */                                                                \
    X("lock.unlink", PASS)       /* its own name removed */                                                            \
    X("lock.sync", STEP)         /* what a dead writer left is brought to disk */                                      \
    X("schema.merge", STEP)      /* bronze's columns are found */                                                      \
    X("lock.renew", PASS)        /* by a thread, now and then */                                                       \
    X("source.list", STEP)       /* the source folders are walked */                                                   \
    X("source.probe", STEP)      /* a pending file is opened and its kind found */                                     \
    X("batch.plan", PASS)        /* the plan goes to all ranks */                                                      \
    X("unit.take", STEP)         /* a rank begins to take units */                                                     \
    X("source.read", STEP)       /* a piece of a file is read, */                                                      \
    X("source.inflate", STEP)    /* inflated, */                                                                       \
    X("source.ingest", STEP)     /* made bronze rows and rejects */                                                    \
    X("silver.refine", PASS)     /* mentions are found */                                                              \
    X("gold.score", PASS)        /* texts are scored */                                                                \
    X("unit.done", STEP)         /* a unit's rows are complete */                                                      \
    X("batch.sum", PASS)         /* the ranks add up what they have */                                                 \
    X("part.route", STEP)        /* the ranks agree on the rows of a part */                                           \
    X("part.reserve", STEP)      /* room is checked, the folder made */                                                \
    X("part.create", STEP)       /* the temporary file is created */                                                   \
    X("part.spare", WRITE)       /* some room is held */                                                               \
    X("part.file", STEP)         /* rank 0, or all that write, opened the file */                                      \
    X("part.attributes", STEP)   /* its attributes are written */                                                      \
    X("part.exchange", PASS)     /* a dataset's elements travel to their writers */                                    \
    X("part.dataset", STEP)      /* the dataset is made, */                                                            \
    X("part.write", STEP)        /* written */                                                                         \
    X("part.close", PASS)        /* the file is closed: its own structures are written */                              \
    X("part.closed", WRITE)      /* it is complete, in the page cache */                                               \
    X("part.hashes", PASS)       /* the ranks exchange hashes */                                                       \
    X("part.sync", STEP)         /* a rank of each node brings it to disk */                                           \
    X("part.check", STEP)        /* it is read back and compared */                                                    \
    X("part.hash", STEP)         /* its bytes are hashed */                                                            \
    X("part.link", STEP)         /* it gets its name, */                                                               \
    X("part.unlink", STEP)       /* loses the temporary one, */                                                        \
    X("part.folder", STEP)       /* and the folder is synced */                                                        \
    X("record.make", PASS)       /* all parts are there, the record is made */                                         \
    X("record.check", STEP)      /* the lock is still ours */                                                          \
    X("record.create", STEP)     /* the record's temporary file is created, */                                         \
    X("record.write", WRITE)     /* written, */                                                                        \
    X("record.sync", STEP)       /* synced */                                                                          \
    X("record.link", STEP)       /* the record gets its name: the commit */                                            \
    X("record.folder", STEP)     /* the log's folder is synced */                                                      \
    X("record.unlink", PASS)     /* the temporary name is removed */                                                   \
    X("record.done", PASS)       /* the commit is acknowledged */                                                      \
    X("progress.append", WRITE)  /* lines of progress are written: a warning, no failure */                            \
    X("count.plan", STEP)        /* what is there to count for application */                                          \
    X("count.read", STEP)        /* a slice of gold or of the former application is read */                            \
    X("count.merge", PASS)       /* counts travel to their owners */                                                   \
    X("count.spill", WRITE)      /* those that memory does not hold go to a file, */                                   \
    X("count.sort", PASS)        /* and all are sorted over the ranks, slice by slice */                               \
    X("count.publish", STEP)     /* application's record is made */                                                    \
    X("checkpoint.write", STEP)  /* a checkpoint of the log is written, as a part, */                                  \
    X("checkpoint.link", STEP)   /* gets its name */                                                                   \
    X("checkpoint.folder", STEP) /* and the folder is synced */                                                        \
    X("optimize.check", STEP)    /* parts are held against the log */                                                  \
    X("optimize.read", STEP)     /* and read */                                                                        \
    X("rescore.plan", STEP)      /* work units and options are found in the log */                                     \
    X("rescore.check", STEP)     /* parts are held against it */                                                       \
    X("rescore.read", STEP)      /* a unit's rows are read, */                                                         \
    X("rescore.score", PASS)     /* and scored */                                                                      \
    X("rescore.publish", STEP)   /* gold's record is made */                                                           \
    X("clear.rename", STEP)      /* the log gets a name that ends the store, */                                        \
    X("clear.folder", STEP)      /* the store's folder is synced, */                                                   \
    X("clear.unlink", STEP)      /* a file is removed, */                                                              \
    X("clear.end", STEP)         /* and, last, the folders */                                                          \
    X("vacuum.unlink", STEP)     /* a file is removed */                                                               \
    X("vacuum.folder", STEP)     /* and its folder synced */                                                           \
    X("lock.release", PASS)      /* the lock is removed */

#ifdef MURMUR_FAULTS

/* 0; or, where a test wants it, MUR_EIO with errno EIO and a message; or the process dies. */
int mur_fault(const char *point);

/* The point after a step that ended with `rc`, which is returned where it is a failure. With the path of a file that
 * was just closed: short and torn cut it to half its length. */
int mur_fault_after(const char *point, const char *path, int rc);

/* At the head of a write. 0; or, where the point before it asked for a short write, half of the bytes are written:
 * negative with errno ENOSPC, or the process dies. */
int mur_fault_write(int fd, mur_view bytes);

/* Whether this allocation finds no memory. */
bool mur_fault_memory(void);

/* Whether MURMUR_FAULT_DISABLE names it. */
bool mur_fault_disables(const char *what);

/* Prints the list where it was asked for; true then. */
bool mur_fault_list(void);

#define mur_fault_pass(point) ((void)mur_fault(point))
#define MUR_STEP(point, call) (mur_fault(point) < 0 ? MUR_EIO : (call))
#define MUR_AFTER(point, call) mur_fault_after(point, NULL, call)

#else

#define mur_fault(point) 0
#define mur_fault_after(point, path, rc) (rc)
#define mur_fault_write(fd, bytes) 0
#define mur_fault_memory() false
#define mur_fault_disables(what) false
#define mur_fault_list() false
#define mur_fault_pass(point) ((void)0)
#define MUR_STEP(point, call) (call)
#define MUR_AFTER(point, call) (call)

#endif
#endif
