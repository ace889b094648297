/* file.h: whole files, folders and paths, with errors that name the path. Every function that fails sets a message. */
#ifndef MURMUR_FILE_H
#define MURMUR_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "murmur/buf.h"
#include "murmur/error.h"

/* "a file", "a folder", "a FIFO" … of a st_mode. */
const char *mur_file_kind(mode_t mode);

/* Appends the whole file, or `len` bytes from `offset` (fewer are an error: the file changed). MUR_ENOINPUT when it is
 * not there, MUR_EIO otherwise, also for what is no regular file: nothing blocks. */
int mur_file_read(mur_buf *out, const char *path) MUR_MUST_USE;
int mur_file_read_range(mur_buf *out, const char *path, int64_t offset, int64_t len) MUR_MUST_USE;

/* Lets the system read these bytes into its cache, while the caller goes on. What fails shows when they are read. */
void mur_file_prefetch(const char *path, int64_t offset, int64_t len);

/* Creates the file, and replaces or continues what is in it; not atomic, not synced. MUR_ECREATE or MUR_EIO. */
int mur_file_write(const char *path, mur_view bytes) MUR_MUST_USE;
int mur_file_append(const char *path, mur_view bytes) MUR_MUST_USE;

/* Writes all of `bytes`, through interruptions and short writes. MUR_EIO, naming `path`. */
int mur_fd_write(int fd, mur_view bytes, const char *path) MUR_MUST_USE;

/* fsync of a file or of a folder's entries. MUR_EIO, naming `path`. */
int mur_fd_sync(int fd, const char *path) MUR_MUST_USE;
int mur_file_sync(const char *path) MUR_MUST_USE;

/* Brings the name itself to disk, as its folder's fsync does; where the folder may not be opened that cannot be done,
 * and is no failure. MUR_EIO. */
int mur_file_sync_name(const char *path) MUR_MUST_USE;

/* Makes the folder and its missing parents, their names brought to disk. MUR_ECREATE. */
int mur_folder_make(const char *path) MUR_MUST_USE;

/* Makes a new folder below $TMPDIR, or /tmp, whose name begins with murmur-NAME; its path is a fresh string.
 * MUR_ECREATE, and NULL. */
int mur_folder_make_temporary(char **path, const char *name) MUR_MUST_USE;

/* Removes the folder and all in it, as far as it goes; nothing there is fine. Whether all of it is gone, else errno
 * tells why. Sets no message: it cleans up behind what may have failed. */
bool mur_folder_remove(const char *path);

/* Bytes that are left to this user on the file system of `path`. MUR_EIO. */
int mur_path_space(int64_t *bytes, const char *path) MUR_MUST_USE;

bool mur_path_exists(const char *path);
bool mur_path_is_folder(const char *path);

/* Fresh strings, the caller's to free. mur_path_absolute resolves symbolic links; NULL (MUR_ENOINPUT) if not there. */
char *mur_path_join(const char *folder, const char *name);
char *mur_path_absolute(const char *path);

#endif
