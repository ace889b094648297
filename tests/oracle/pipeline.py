#!/usr/bin/env python3
"""murmur's tables recomputed in plain Python, sharing nothing with the C code: what the tests compare it with.

    pipeline.py SOURCE... [--mention-rule twitter|word] [--max-value N] [--table bronze|rejects|silver]

Prints the rows of one table as `murmur export --format jsonl` does.  Tables are lists of dicts whose keys are the
columns, in order.  Left out, since nothing here can know them: bronze's processing_time and the words of rejects'
reason.
"""

import argparse
import json
import math
import os
import pathlib
import re
import sys
import zlib

from strict_json import NotJson, elements, has_escaped_nul, members, parse_extent, unquote
from tweets import MENTION_RULES, format_time, parse_date

SUFFIXES = tuple(f".{kind}{packed}" for kind in ("json", "jsonl", "ndjson") for packed in ("", ".gz"))
DECLARED = ("date", "user", "text", "sentiment")
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
RAW_LIMIT = 4096
MAX_DEPTH = 64
MAX_VALUE = 64 << 10


# --- Sources -----------------------------------------------------------------------------


def list_sources(roots):
    """Absolute paths of the source files below the roots, in byte order."""
    found = set()
    for root in roots:
        if os.path.isfile(root):  # by its own name, also where that is a link
            found.add(os.path.join(os.path.realpath(os.path.dirname(root) or "."), os.path.basename(root)))
            continue
        root = os.path.realpath(root)
        for folder, subfolders, names in os.walk(root):
            subfolders[:] = [name for name in subfolders if name[0] not in "._"]
            found.update(os.path.join(folder, name) for name in names if name[0] not in "._" and name.endswith(SUFFIXES))
    return sorted(found, key=os.fsencode)


def inflate(packed):
    """The bytes of all gzip members, and whether the end is missing or wrong."""
    text = bytearray()
    while packed:
        member = zlib.decompressobj(wbits=31)
        try:
            text += member.decompress(packed)
        except zlib.error:
            return bytes(text) + inflate_bytewise(packed), True
        if not member.eof:
            return bytes(text), True
        packed = member.unused_data.lstrip(b"\0")  # zeros between members are padding
    return bytes(text), False


def inflate_bytewise(packed):
    """What can be read of a damaged member."""
    member, text = zlib.decompressobj(wbits=31), bytearray()
    try:
        for at in range(len(packed)):
            text += member.decompress(packed[at : at + 1])
    except zlib.error:
        pass
    return bytes(text)


# --- Bronze and rejects ------------------------------------------------------------------


def as_text(value, decoded):
    return value.decode() if decoded is None else decoded


def as_int64(value, decoded):
    if not re.fullmatch(rb"-?[0-9]+", value) or not -(2**63) <= int(value) < 2**63:
        raise ValueError
    return int(value)


def as_float64(value, decoded):
    if value[:1] not in b"-0123456789" or not math.isfinite(float(value)):
        raise ValueError
    return float(value)


def as_bool(value, decoded):
    return {b"true": True, b"false": False}[value]


def as_timestamp(value, decoded):
    time = None if decoded is None else parse_date(decoded)
    if time is None:
        raise ValueError
    return format_time(time)


# How a field becomes a column; ValueError or KeyError where it is not of the column's type.
CONVERSIONS = {"string": as_text, "int64": as_int64, "float64": as_float64, "bool": as_bool, "timestamp": as_timestamp}


def read_record(text, depth, max_value, merged):
    """The bronze columns of a valid object, or None where it breaks a limit. `merged` has the types of columns by name."""
    if depth > MAX_DEPTH or has_escaped_nul(text):
        return None
    fields = {}  # of duplicates: the place of the first, the text of the last
    for name, value in members(text):
        decoded = unquote(value) if value[:1] == b'"' else None
        if len(value if decoded is None else decoded.encode()) > max_value:
            return None
        fields[unquote(name)] = (name, value, decoded)
    types = {**dict.fromkeys(DECLARED, "string"), **merged}
    row = dict.fromkeys(types)
    rescued = []
    for key, (name, value, decoded) in fields.items():
        try:
            row[key] = CONVERSIONS[types[key]](value, decoded) if key not in types or value != b"null" else None
        except (KeyError, ValueError):
            rescued.append(f"{name.decode()}:{value.decode()}")
    row["rescued_data"] = "{" + ",".join(rescued) + "}" if rescued else None
    return row


class Ingest:
    """Bronze rows and rejects of source files, in order."""

    def __init__(self, max_value=MAX_VALUE, merged=None):
        self.max_value = max_value
        self.merged = merged or {}
        self.bronze = []
        self.rejects = []

    def add_reject(self, path, text, begin, end):
        raw = text[begin : min(end, begin + RAW_LIMIT)].decode("utf-8", errors="backslashreplace")
        self.rejects.append({"source_file": path, "byte_offset": begin, "byte_length": end - begin, "raw": raw})

    def add_value(self, path, text, begin, end, depth, reject_range=None):
        row = read_record(text[begin:end], depth, self.max_value, self.merged) if text[begin : begin + 1] == b"{" else None
        if row is None:
            self.add_reject(path, text, *(reject_range or (begin, end)))
        else:
            own = {name: row.pop(name) for name in DECLARED}
            rescued = row.pop("rescued_data")
            self.bronze.append({**own, "source_file": path, "rescued_data": rescued, **row})

    def add_lines(self, path, text, begin, end):
        """`begin` is a line's start; `end` a line's end, or the text's."""
        while begin < end:
            line_end = text.find(b"\n", begin, end)
            line_end = end if line_end < 0 else line_end
            line = text[begin:line_end]
            if line.strip(b" \t\r"):
                try:
                    value_begin, value_end, depth = parse_extent(line)
                    self.add_value(path, text, begin + value_begin, begin + value_end, depth, (begin, line_end))
                except NotJson:
                    self.add_reject(path, text, begin, line_end)
            begin = line_end + 1

    def add_file(self, path):
        text = pathlib.Path(path).read_bytes()
        is_damaged = False
        if text[:2] == b"\x1f\x8b":
            text, is_damaged = inflate(text)
        start = len(BYTE_ORDER_MARK) if text.startswith(BYTE_ORDER_MARK) else 0
        if is_damaged:
            end_of_lines = max(text.rfind(b"\n") + 1, start)
            self.add_lines(path, text, start, end_of_lines)
            self.add_reject(path, text, end_of_lines, len(text))
            return
        try:
            begin, end, depth = parse_extent(text[start:])
        except NotJson:
            begin = None
        first = text[start + begin : start + begin + 1] if begin is not None else b""
        if first == b"{":
            self.add_value(path, text, start + begin, start + end, depth)
        elif first == b"[":
            for at, element_end, element_depth in elements(text[start + begin : start + end]):
                self.add_value(path, text, start + begin + at, start + begin + element_end, element_depth)
        else:
            self.add_lines(path, text, start, len(text))


def make_bronze(sources, max_value=MAX_VALUE, merged=None):
    """(bronze, rejects) of the files below the sources; `merged` has the types of columns of a wider schema by name."""
    ingest = Ingest(max_value, merged)
    for path in list_sources(sources):
        ingest.add_file(path)
    return ingest.bronze, ingest.rejects


# --- Silver, gold, application -----------------------------------------------------------


def make_silver(bronze, mention_rule="twitter"):
    """Silver's rows, and the whole text that each row's mention stands in."""
    silver, texts = [], []
    for row in bronze:
        if row["text"] is None:
            continue
        timestamp = format_time(parse_date(row["date"])) if row["date"] is not None else None
        mentions, cleaned = MENTION_RULES[mention_rule](row["text"])
        for mention in mentions:
            silver.append(
                {"timestamp": timestamp, "mention": mention, "cleaned_text": cleaned, "sentiment": row["sentiment"]}
            )
            texts.append(row["text"])
    return silver, texts


def make_gold(silver, scored_texts, classifier):
    """`classifier.classify(texts)` gives (sentiment, probability) for each."""
    gold = []
    for row, (sentiment, probability) in zip(silver, classifier.classify(scored_texts)):
        gold.append(
            {
                **row,
                "predicted_score": 100 * probability,
                "predicted_sentiment": sentiment,
                "sentiment_id": int(row["sentiment"] == "positive"),
                "predicted_sentiment_id": int(sentiment == "POS"),
            }
        )
    return gold


COUNTED = {"NEG": "negative", "NEU": "neutral", "POS": "positive"}


def fold_ascii(text):
    return "".join(chr(ord(c) + 32) if "A" <= c <= "Z" else c for c in text)


def make_application(gold, fold_case=False):
    rows = {}
    for row in gold:
        mention = fold_ascii(row["mention"]) if fold_case else row["mention"]
        counts = rows.setdefault(mention, {"times": [], "negative": 0, "neutral": 0, "positive": 0})
        counts[COUNTED[row["predicted_sentiment"]]] += 1
        if row["timestamp"] is not None:
            # Texts of unlike length (with and without milliseconds) do not sort as instants do.
            counts["times"].append((parse_date(row["timestamp"]), row["timestamp"]))
    table = []
    for mention, counts in rows.items():
        times = counts.pop("times")
        table.append(
            {
                "mention": mention,
                "min_timestamp": min(times)[1] if times else None,
                "max_timestamp": max(times)[1] if times else None,
                **counts,
                "total": sum(counts.values()),
            }
        )
    return sorted(table, key=lambda row: (-row["total"], row["mention"].encode()))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sources", nargs="+", metavar="SOURCE")
    parser.add_argument("--mention-rule", choices=sorted(MENTION_RULES), default="twitter")
    parser.add_argument("--max-value", type=int, default=MAX_VALUE)
    parser.add_argument("--table", choices=("bronze", "rejects", "silver"), default="silver")
    arguments = parser.parse_args()

    bronze, rejects = make_bronze(arguments.sources, arguments.max_value)
    tables = {"bronze": bronze, "rejects": rejects, "silver": make_silver(bronze, arguments.mention_rule)[0]}
    for row in tables[arguments.table]:
        json.dump(row, sys.stdout, ensure_ascii=False, separators=(",", ":"))
        print()


if __name__ == "__main__":
    main()
