"""What a loss of power may leave of a folder: power.c's journal of writes, syncs and names, and the taking back.

Nothing is promised for a file's bytes that were written behind its last fsync, nor for a name (of a file, folder or link)
that was made or removed behind the last fsync of its folder, nor is any order among them.  Each loss takes them back in
one of the ways that this allows: all of them, only names, only bytes, or each by the toss of a coin.
"""

import contextlib
import os
import pathlib
import shutil


class File:
    """What is known of an inode's bytes."""

    def __init__(self, size):
        self.safe_size = size
        self.dirty = []  # (offset, length) since the last fsync


class Power:
    def __init__(self, folder, library):
        """`folder` is made: disk/ below it is what loses power."""
        self.disk, self.graves, self.journal = folder / "disk", folder / "graves", folder / "journal"
        self.disk.mkdir(parents=True)
        self.graves.mkdir()
        self.environment = {
            "LD_PRELOAD": str(library), "MURMUR_POWER_ROOT": os.path.realpath(self.disk),
            "MURMUR_POWER_JOURNAL": str(self.journal), "MURMUR_POWER_GRAVES": str(self.graves)}

    def read_journal(self):
        """(files by inode, changes of names that are not safe: [verb, path, ...])."""
        files, names = {}, []
        lines = self.journal.read_text().splitlines() if self.journal.exists() else []
        for line in lines:
            verb, *words = line.split("\t")
            if verb == "WRITE":
                inode, size, offset, length = map(int, words)
                files.setdefault(inode, File(size)).dirty.append((offset, length))
            elif verb == "SYNC":
                inode, path = int(words[0]), words[1]
                if inode in files:
                    del files[inode]  # the next write says what size is safe
                names = [name for name in names if os.path.dirname(name[1]) != path]
            else:
                names.append([verb, *words])
        return files, names

    def lose(self, rng):
        """Takes back what is not safe.  Returns (names, files) that were."""
        keeps_names, keeps_bytes = rng.choice([(0, 0), (0, 1), (1, 0), (0.5, 0.5), (1, 0.5), (0.5, 1)])
        files, names = self.read_journal()
        lost_names = [name for name in names if rng.random() >= keeps_names]
        lost_files = {inode: file for inode, file in files.items() if rng.random() >= keeps_bytes}
        for name in reversed(lost_names):
            take_back(*name)
        for path in self.disk.rglob("*"):
            inode = path.lstat().st_ino
            if path.is_file() and inode in lost_files:
                take_bytes(path, lost_files[inode], rng)
        self.restart()
        return len(lost_names), len(lost_files)

    def restart(self):
        """What is there now is what the disk has."""
        self.journal.unlink(missing_ok=True)
        shutil.rmtree(self.graves)
        self.graves.mkdir()


def take_back(verb, path, *words):
    if verb in ("CREATE", "LINK"):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
    elif verb == "MKDIR":
        shutil.rmtree(path, ignore_errors=True)
    elif verb == "UNLINK":
        restore(words[0], path)
    elif verb == "RENAME":
        to, moved, replaced = words
        with contextlib.suppress(FileNotFoundError):
            os.unlink(to)
        restore(moved, path)
        restore(replaced, to)
    else:
        raise ValueError(verb)


def restore(grave, path):
    if grave and not os.path.lexists(path) and pathlib.Path(path).parent.is_dir():
        os.link(grave, path)


def take_bytes(path, file, rng):
    """The file is as long as it was, or as it is now, and has zeros where it was written."""
    size = path.stat().st_size
    path.chmod(0o644)
    with open(path, "r+b") as bytes_:
        for offset, length in file.dirty:
            end = min(offset + length, size)
            if offset < end:
                bytes_.seek(offset)
                bytes_.write(bytes(end - offset))
        if rng.random() < 0.5:
            bytes_.truncate(min(file.safe_size, size))
