#!/usr/bin/env python3
"""Reads tables of a murmur store with h5py and numpy; docs/FORMAT.md is the format.

    from murmur_store import Store, read_table
    gold = read_table("store", "gold")                       {column: values}; also version=3 or as_of="2026-11-22"
    gold.to_pandas(); gold.to_arrow()                        where pandas or pyarrow is there

    store = Store("store")                                   as of one record of the log: all its tables fit together
    gold, application = store.read("gold"), store.read("application")
    for batch in store.batches("bronze", columns=["text"]):  a table of any size, some rows at a time
        ...

Strings are lists of str, None where null (rejects.raw: of bytes); numbers are numpy arrays, masked where there is a null;
timestamps are datetime64[ms], NaT where null. Where the module xxhash is there, records and parts are held against their
hashes before they are used. Checkpoints of the log are passed by: they are a cache of its records.

As a program: murmur_store.py STORE TABLE [VERSION] prints the rows as JSON Lines.
"""
import datetime
import itertools
import json
import pathlib
import struct
import sys

import h5py
import numpy as np

try:
    import xxhash
except ImportError:
    xxhash = None

DTYPES = {"int64": "i8", "int8": "i1", "float32": "f4", "float64": "f8", "bool": "?", "timestamp": "M8[ms]"}
BATCH_ROWS = 65536
FILE_BLOCK = 1 << 20  # bytes that are hashed together


class DamagedError(Exception):
    """Something of the store is not as it was written."""


class Table(dict):
    """{column: values}, in the table's order."""

    def to_pandas(self):
        """A DataFrame: numbers with nulls as pandas's nullable integers and booleans, floats with NaN."""
        import pandas

        nullable = {"i": pandas.arrays.IntegerArray, "b": pandas.arrays.BooleanArray}
        columns = {}
        for name, values in self.items():
            if isinstance(values, np.ma.MaskedArray):
                make = nullable.get(values.dtype.kind)
                mask = np.ma.getmaskarray(values)
                values = make(values.data, mask) if make else values.filled(np.nan)
            columns[name] = values if not isinstance(values, list) else np.array(values + [None], dtype=object)[:-1]
        return pandas.DataFrame(columns)

    def to_arrow(self):
        """A pyarrow.Table; timestamps are UTC."""
        import pyarrow

        columns = {}
        for name, values in self.items():
            if isinstance(values, list):
                is_bytes = any(isinstance(value, bytes) for value in values)
                columns[name] = pyarrow.array(values, pyarrow.binary() if is_bytes else pyarrow.string())
            elif values.dtype.kind == "M":
                times = pyarrow.array(values.astype("i8"), mask=np.isnat(values))
                columns[name] = times.cast(pyarrow.timestamp("ms", tz="UTC"))
            else:
                columns[name] = pyarrow.array(np.ma.getdata(values), mask=np.ma.getmaskarray(values))
        return pyarrow.table(columns)


def instant(time):
    """A time as a datetime with a zone: ISO 8601 text or a datetime; UTC where it names no zone."""
    if isinstance(time, str):
        time = datetime.datetime.fromisoformat(time.strip().replace("Z", "+00:00"))
    return time if time.tzinfo else time.replace(tzinfo=datetime.timezone.utc)


def read_log(store):
    """The log's records, oldest first."""
    folder = pathlib.Path(store) / "_log"
    if not folder.is_dir():
        raise FileNotFoundError(f"{store} is no store: it has no _log folder")
    records = []
    # One by one: a listing of a folder to which a writer adds may hold a record and not the one before it.
    for number in itertools.count():
        path = folder / f"{number:020}.json"
        if not path.exists():
            if not any(other.name > path.name for other in folder.glob("[0-9]" * 20 + ".json")):
                return records
            if not path.exists():  # it may have come just before the one that the listing shows
                raise DamagedError(f"record {number} is missing in {folder}")
        line = path.read_bytes()
        body, _, checksum = line.rpartition(b',"checksum":"')
        if xxhash and checksum != xxhash.xxh3_64_hexdigest(body).encode() + b'"}\n':
            raise DamagedError(f"{path} is damaged: its checksum is missing or wrong")
        records.append(json.loads(line))


class Store:
    """A store as of one record: what is committed later does not show."""

    def __init__(self, folder, as_of=None):
        self.folder = pathlib.Path(folder)
        self.records = read_log(folder)
        self.vacuumed = {path for record in self.records for path in record.get("vacuumed", [])}
        if as_of is not None:
            self.records = [record for record in self.records if instant(record["time"]) <= instant(as_of)]

    def changes(self, table):
        """What made the table's versions, in their order."""
        return [record["tables"][table] for record in self.records if table in record["tables"]]

    def tables(self):
        """{name: latest version}"""
        return {table: int(change["version"]) for record in self.records for table, change in record["tables"].items()}

    def parts(self, table, version=None):
        """The parts of a version (None: the latest) in row order, as in the log, and the version's columns."""
        changes = self.changes(table)
        if not changes or (version is not None and not 0 <= version < len(changes)):
            raise KeyError(f"{self.folder} has no version {'' if version is None else version} of {table}")
        parts = []
        for change in changes if version is None else changes[: version + 1]:
            # What is added takes the place of the first part that is removed, else it comes last.
            removed = set(change["removed"])
            place = next((i for i, part in enumerate(parts) if part["path"] in removed), len(parts))
            kept = [part for part in parts if part["path"] not in removed]
            parts = kept[:place] + change["added"] + kept[place:]
        if any(part["path"] in self.vacuumed for part in parts):
            raise KeyError(f"version {version} of {table} of {self.folder} was vacuumed")
        return parts, change["schema"]["columns"]

    def batches(self, table, version=None, columns=None, rows=BATCH_ROWS):
        """Yields the rows some at a time, in order; parts are opened one at a time."""
        parts, schema = self.parts(table, version)
        known = {column["name"]: column for column in schema}
        wanted = schema if columns is None else [known[name] for name in columns]
        for part in parts:
            self.check_file(part)
            with h5py.File(self.folder / part["path"], "r") as file:
                if file.attrs["murmur_format"] != 1:
                    raise ValueError(f"{part['path']}: format {file.attrs['murmur_format']} is not known")
                for first in range(0, int(part["rows"]), rows):
                    end = min(first + rows, int(part["rows"]))
                    yield Table((column["name"], read_column(file, table, column, first, end)) for column in wanted)

    def read(self, table, version=None, columns=None):
        """All rows."""
        _, schema = self.parts(table, version)
        types = {column["name"]: column["type"] for column in schema}
        pieces = {name: [] for name in (types if columns is None else columns)}
        for batch in self.batches(table, version, columns):
            for name, values in batch.items():
                pieces[name].append(values)
        return Table((name, join(values, types[name])) for name, values in pieces.items())

    def check_file(self, part):
        """Holds the file against the log, before HDF5 sees it: a damaged one can crash it."""
        path = self.folder / part["path"]
        if path.stat().st_size != int(part["bytes"]):
            raise DamagedError(f"{path} has {path.stat().st_size} bytes instead of {part['bytes']}")
        if not xxhash:
            return
        with open(path, "rb") as file:
            blocks = [xxhash.xxh3_64_intdigest(block) for block in iter(lambda: file.read(FILE_BLOCK), b"")]
        if xxhash.xxh3_64_hexdigest(struct.pack(f"<{len(blocks)}Q", *blocks)) != part["file_hash"]:
            raise DamagedError(f"{path} is damaged: its hash is not that of the log")


def dataset_name(column):
    """A column's name as HDF5 can hold it."""
    special = {c for c in column if c in "/%" or ord(c) < 0x20}
    first = column[0] if column == "valid" or column[0] == "." else None
    return "".join(f"%{ord(c):02x}" if c in special or (i == 0 and c == first) else c for i, c in enumerate(column))


def read_column(file, table, column, first, end):
    """The values of rows [first, end) of an open part; all null where it lacks the column."""
    name = dataset_name(column["name"])
    if name not in file:
        present = np.zeros(end - first, dtype=bool)
    else:
        bit = np.uint64(file[name].attrs["valid_bit"])
        present = (file["valid"][first:end] >> bit & np.uint64(1)).astype(bool)
    if column["type"] == "string":
        return read_strings(file[name], present, first, end, table == "rejects") if name in file else [None] * len(present)
    dtype = DTYPES[column["type"]]
    values = file[name][first:end].astype(dtype) if name in file else np.zeros(len(present), dtype)
    if dtype.startswith("M"):
        values[~present] = np.datetime64("NaT")
    return values if dtype.startswith("M") or present.all() else np.ma.masked_array(values, mask=~present)


def read_strings(group, present, first, end, may_be_bytes):
    offsets = group["offsets"][first : end + 1]
    text = group["bytes"][offsets[0] : offsets[-1]].tobytes()
    offsets = (offsets - offsets[0]).tolist()
    values = [text[begin:stop] if here else None for begin, stop, here in zip(offsets, offsets[1:], present)]
    if may_be_bytes and group.name == "/raw":  # the one column that is no text
        return values
    return [value if value is None else value.decode("utf-8") for value in values]


def join(pieces, kind):
    if kind == "string":
        return [value for piece in pieces for value in piece]
    if not pieces:
        return np.zeros(0, DTYPES[kind])
    is_masked = any(isinstance(piece, np.ma.MaskedArray) for piece in pieces)
    return np.ma.concatenate(pieces) if is_masked else np.concatenate(pieces)


def read_table(store, table, version=None, as_of=None, columns=None):
    """The rows of a table: of its latest version, of version N, or of the one that was the latest at a time."""
    if version is not None and as_of is not None:
        raise ValueError("version and as_of exclude each other")
    return Store(store, as_of).read(table, version, columns)


def plain(values):
    """Values as json writes them."""
    if not isinstance(values, list):
        return [None if str(time) == "NaT" else str(time) for time in values] if values.dtype.kind == "M" else values.tolist()
    return [value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else value for value in values]


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    version = int(sys.argv[3]) if len(sys.argv) == 4 else None
    for batch in Store(sys.argv[1]).batches(sys.argv[2], version):
        for row in zip(*(plain(values) for values in batch.values())):
            print(json.dumps(dict(zip(batch, row)), ensure_ascii=False))


if __name__ == "__main__":
    main()
