#!/usr/bin/env python3
"""Writes the character tables of the tokenizers, src/token/*.inc but the emoji's.

    make_unicode_tables.py TABLES [OUTPUT_FOLDER]

TABLES is a folder that holds, for the reference tokenizer, the ranges of each class
("FIRST LAST" a line, hexadecimal, both inclusive) and html_name2codepoint.tsv.
"""

import argparse
import pathlib

DEFAULT_OUTPUT = pathlib.Path(__file__).resolve().parent.parent / "src/token"

# Bit name in unicode_class.h, table.
CLASSES = (
    ("WORD", "regex_w.txt"),
    ("DIGIT", "regex_d.txt"),
    ("LETTER", "regex_letter_not_W_d_underscore.txt"),
    ("SPACE", "regex_s.txt"),
    ("BLANK", "py_isspace.txt"),
    ("AZ", "regex_I_a-z.txt"),
    ("AZ09", "regex_I_a-z0-9.txt"),
)
# Bit name in text_class.h, table.
TEXT_CLASSES = (
    ("LETTER", "regex_p_L.txt"),
    ("NUMBER", "regex_p_N.txt"),
    ("SPACE", "regex_s.txt"),
    ("BLANK", "bert_whitespace.txt"),
    ("CONTROL", "bert_control_Cc_Cf_Co.txt"),
    ("PUNCTUATION", "bert_punct.txt"),
)
# The blocks that BERT puts spaces around.
CJK = ((0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2B73F), (0x2B740, 0x2B81F))
CJK += ((0x2B820, 0x2CEAF), (0xF900, 0xFAFF), (0x2F800, 0x2FA1F))
# What BERT drops beside the control characters.
DROPPED = (0x0000, 0xFFFD)
# Python's `re` and `regex` must see the white space that the C code takes for theirs.
SAME_TABLES = (("py_isspace.txt", "re_s.txt"), ("regex_s.txt", "regex_noflag_s.txt"))
# The reference ran on Python 3.11, whose int() knows the digits of Unicode 14; its regex module those of Unicode 15.
UNASSIGNED = "unassigned_Cn_unicode14.txt"

PREFACE = "/* Written by scripts/make_unicode_tables.py; do not edit.\n *\n{}\n */\n"


def read_ranges(path):
    return [tuple(int(bound, 16) for bound in line.split()) for line in path.read_text(encoding="ascii").splitlines()]


def points_of(ranges):
    return {point for first, last in ranges for point in range(first, last + 1)}


def read_classes(tables):
    """Returns {code point: names of the classes it is in}."""
    for one, other in SAME_TABLES:
        if read_ranges(tables / one) != read_ranges(tables / other):
            raise SystemExit(f"{one} and {other} differ, but the tokenizer takes them for one class")
    sets = {name: points_of(read_ranges(tables / table)) for name, table in CLASSES}
    sets["DECIMAL"] = sets["DIGIT"] - points_of(read_ranges(tables / UNASSIGNED))
    points = set().union(*sets.values())
    return {point: tuple(name for name, members in sets.items() if point in members) for point in points}


def read_text_classes(tables):
    sets = {name: points_of(read_ranges(tables / table)) for name, table in TEXT_CLASSES}
    sets["CONTROL"] |= set(DROPPED)
    sets["CJK"] = points_of(CJK)
    points = set().union(*sets.values())
    return {point: tuple(name for name, members in sets.items() if point in members) for point in points}


def class_rows(classes):
    """Yields (first, last, names) for the longest runs of one class."""
    first = last = None
    for point in sorted(classes):
        if first is not None and point == last + 1 and classes[point] == classes[first]:
            last = point
            continue
        if first is not None:
            yield first, last, classes[first]
        first = last = point
    yield first, last, classes[first]


def check_decimals(rows):
    """A digit's value is its distance from the row's start, modulo ten: rows must start at a zero."""
    for first, last, names in rows:
        if "DECIMAL" in names and (int(chr(first)) != 0 or int(chr(last)) != 9):
            raise SystemExit(f"U+{first:04X}..U+{last:04X} is not a whole number of digit sets")


def c_class(names, prefix="MUR_"):
    return " | ".join(prefix + name for name in names) if names else "0"


def write(path, explanation, lines):
    text = "\n".join(" * " + line if line else " *" for line in explanation)
    path.write_text(PREFACE.format(text) + "".join(line + "\n" for line in lines), encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tables", type=pathlib.Path, help="folder with the class tables of the reference tokenizer")
    parser.add_argument("output", type=pathlib.Path, nargs="?", default=DEFAULT_OUTPUT)
    arguments = parser.parse_args()

    classes = read_classes(arguments.tables)
    rows = list(class_rows({point: names for point, names in classes.items() if point >= 0x80}))
    check_decimals(rows)
    write(
        arguments.output / "unicode_class.inc",
        [
            "Classes of code points outside ASCII: ranges in code point order, for binary search. What is",
            "missing is in none.",
        ],
        [f"    {{0x{first:04X}, 0x{last:04X}, {c_class(names)}}}," for first, last, names in rows],
    )
    write(
        arguments.output / "ascii_class.inc",
        ["Classes of ASCII, by code point."],
        [f"    [0x{point:02X}] = {c_class(classes[point])}," for point in range(0x80) if point in classes],
    )

    classes = read_text_classes(arguments.tables)
    write(
        arguments.output / "text_class.inc",
        ["Classes of all code points: ranges in code point order. What is missing is in none."],
        [
            f"    {{0x{first:04X}, 0x{last:04X}, {c_class(names, 'MUR_TEXT_')}}},"
            for first, last, names in class_rows(classes)
        ],
    )

    names = dict(line.split("\t") for line in (arguments.tables / "html_name2codepoint.tsv").read_text().splitlines())
    write(
        arguments.output / "html_entity.inc",
        ["The named character entities of HTML 4.01, in byte order of their names, for binary search."],
        [f'    {{"{name}", 0x{int(names[name], 16):04X}}},' for name in sorted(names)],
    )


if __name__ == "__main__":
    main()
