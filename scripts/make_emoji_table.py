#!/usr/bin/env python3
"""Writes src/token/emoji_table.inc, the emoji names of the tweet tokenizer.

    make_emoji_table.py SHARED [OUTPUT]

SHARED is a folder that holds golden/tables/emoji060_single_codepoint.tsv:
one "HEX-CODE-POINT<TAB>NAME" a line, where an absent name is the empty one.
The output is a C array body in code point order, for binary search.
"""

import argparse
import pathlib

TABLE = "golden/tables/emoji060_single_codepoint.tsv"
DEFAULT_OUTPUT = pathlib.Path(__file__).resolve().parent.parent / "src/token/emoji_table.inc"

PREFACE = """\
/* Written by scripts/make_emoji_table.py; do not edit.
 *
 * English aliases of the Python package emoji 0.6.0, the version BERTweet was
 * trained with, for every emoji that is a single code point.  Later versions
 * renamed many of them, and only these names are in BERTweet's vocabulary.
 * U+FE0F, the emoji variation selector, becomes the empty string.
 * In code point order; names are UTF-8.
 */
"""


def read_names(path):
    """Returns {code point: name}."""
    names = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        code_point, _, name = line.partition("\t")
        names[int(code_point, 16)] = name
    return names


def c_string(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shared", type=pathlib.Path, help="folder that holds " + TABLE)
    parser.add_argument("output", type=pathlib.Path, nargs="?", default=DEFAULT_OUTPUT)
    arguments = parser.parse_args()

    names = read_names(arguments.shared / TABLE)
    lines = [f"    {{0x{code_point:04X}, {c_string(names[code_point])}}},\n" for code_point in sorted(names)]
    arguments.output.write_text(PREFACE + "".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
