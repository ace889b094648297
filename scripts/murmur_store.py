#!/usr/bin/env python3
"""Reads tables of a murmur store with h5py and numpy; docs/FORMAT.md is the format.

    from murmur_store import read_table
    gold = read_table("store", "gold")                       {column: list of str or None, or numpy array}
    pandas.DataFrame(read_table("store", "application", version=3))
    now = last_record("store")                               both as of one instant, beside a writer:
    silver, gold = (read_table("store", table, record=now) for table in ("silver", "gold"))

It reads the log's records and passes its checkpoints by, which are a cache of them.

As a program: murmur_store.py STORE TABLE [VERSION] prints the rows as JSON Lines.
"""
import itertools
import json
import pathlib
import sys

import h5py
import numpy as np


def records(store):
    """The log. Its records are asked for one by one, since a listing of a folder to which a writer adds may hold a record
    and not the one before it. One that is missing below others is an error."""
    log = pathlib.Path(store) / "_log"
    for number in itertools.count():
        path = log / f"{number:020}.json"
        if not path.exists() and not any(other.name > path.name for other in log.glob("[0-9]" * 20 + ".json")):
            return
        yield json.loads(path.read_bytes())


def last_record(store):
    """The number of the last record, -1 without one: the present, as read_table's `record`."""
    return sum(1 for _ in records(store)) - 1


def parts_of(store, table, version=None, record=None):
    """The parts of a version (None: the latest, or that as of a record) in row order, and the schema of that version."""
    parts, schema, latest, vacuumed = [], None, -1, set()
    for number, entry in enumerate(records(store)):
        vacuumed.update(entry.get("vacuumed", []))
        change = entry["tables"].get(table)
        if change is None or latest == version or (record is not None and number > record):
            continue
        # What is added takes the place of the first part that is removed, else it comes last.
        removed = set(change["removed"])
        place = next((i for i, part in enumerate(parts) if part in removed), len(parts))
        added = [part["path"] for part in change["added"]]
        parts = parts[:place] + added + [part for part in parts[place:] if part not in removed]
        schema, latest = change["schema"], int(change["version"])
    if latest < 0 or (version is not None and latest != version):
        raise KeyError(f"{store} has no version {'' if version is None else version} of {table}")
    if vacuumed.intersection(parts):
        raise KeyError(f"version {version} of {table} of {store} was vacuumed")
    return parts, schema


def dataset_name(column):
    """A column's name as HDF5 can hold it."""
    special = {c for c in column if c in "/%" or ord(c) < 0x20}
    first = column[0] if column == "valid" or column[0] == "." else None
    return "".join(f"%{ord(c):02x}" if c in special or (i == 0 and c == first) else c for i, c in enumerate(column))


def read_column(part, column):
    """A column's values in one open part: strings as list with None, numbers as array, and where they are present."""
    n_rows = int(part.attrs["n_rows"])
    names = [c["name"] for c in json.loads(part.attrs["schema"])["columns"]]
    if column["name"] not in names:
        present = np.zeros(n_rows, dtype=bool)
        values = [None] * n_rows if column["type"] == "string" else np.zeros(n_rows)
        return values, present
    item = part[dataset_name(column["name"])]
    present = (part["valid"][:] >> np.uint64(item.attrs["valid_bit"]) & np.uint64(1)).astype(bool)
    if column["type"] != "string":
        return item[:], present
    offsets, text = item["offsets"][:], item["bytes"][:].tobytes()
    values = [text[begin:end].decode("utf-8", "backslashreplace") if here else None
              for begin, end, here in zip(offsets[:-1], offsets[1:], present)]
    return values, present


def read_table(store, table, version=None, record=None):
    """The rows of a table's version as {column: values}: lists of str or None; numpy arrays of numbers, masked where
    null; timestamps as datetime64[ms], NaT where null. Parts are opened one at a time."""
    parts, schema = parts_of(store, table, version, record)
    dtypes = {"int64": "i8", "int8": "i1", "float32": "f4", "float64": "f8", "bool": "?", "timestamp": "M8[ms]"}
    columns = {column["name"]: [] for column in schema["columns"]}
    for path in parts:
        with h5py.File(pathlib.Path(store) / path, "r") as part:
            for column in schema["columns"]:
                values, present = read_column(part, column)
                if column["type"] == "string":
                    columns[column["name"]].extend(values)
                    continue
                values = values.astype(dtypes[column["type"]])
                if column["type"] == "timestamp":
                    values[~present] = np.datetime64("NaT")
                elif not present.all():
                    values = np.ma.masked_array(values, mask=~present)
                columns[column["name"]].append(values)
    for column in schema["columns"]:
        if column["type"] != "string":
            arrays = columns[column["name"]] or [np.zeros(0, dtype=dtypes[column["type"]])]
            is_masked = any(isinstance(a, np.ma.MaskedArray) for a in arrays)
            columns[column["name"]] = np.ma.concatenate(arrays) if is_masked else np.concatenate(arrays)
    return columns


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    table = read_table(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) == 4 else None)
    columns = [values if isinstance(values, list) else
               [None if str(time) == "NaT" else str(time) for time in values] if values.dtype.kind == "M" else
               values.tolist() for values in table.values()]
    for row in zip(*columns):
        print(json.dumps(dict(zip(table, row)), ensure_ascii=False))


if __name__ == "__main__":
    main()
