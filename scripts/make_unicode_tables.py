#!/usr/bin/env python3
"""Writes the character tables of the tokenizers, src/token/*.inc but the emoji's.

    make_unicode_tables.py TABLES [OUTPUT_FOLDER]

TABLES is a folder that holds, for the reference tokenizer, the ranges of each class
("FIRST LAST" a line, hexadecimal, both inclusive) and html_name2codepoint.tsv.
"""

import argparse
import pathlib
import sys
import unicodedata

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
# BERT's lower case and decompositions are those of Unicode 14, and so are Python 3.11's; the folds in FOLD, which the
# reference made of them, are compared.
FOLD_VERSION = "14.0.0"
FOLD = "bert_uncased_fold.tsv"
HANGUL = range(0xAC00, 0xD7A4)  # decomposed by arithmetic
DOTTED_I = 0x130  # the one letter whose lower case is two code points: i and U+0307

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
    sets["MARK"] = {point for point in range(sys.maxunicode + 1) if unicodedata.category(chr(point)) == "Mn"}
    points = set().union(*sets.values())
    return {point: tuple(name for name, members in sets.items() if point in members) for point in points}


def lower(point):
    return [ord(character) for character in chr(point).lower()]


def unaccented(point):
    """The canonical decomposition without nonspacing marks."""
    decomposed = unicodedata.normalize("NFD", chr(point))
    return [ord(character) for character in decomposed if unicodedata.category(character) != "Mn"]


def check_folds(path):
    """Lower case, then decomposition, must be what the reference does."""
    folds = dict(line.split("\t") for line in path.read_text(encoding="ascii").splitlines())
    for point in range(sys.maxunicode + 1):
        if 0xD800 <= point <= 0xDFFF or point in HANGUL:
            continue
        expected = [int(part, 16) for part in folds.get(f"{point:04X}", f"{point:04X}").split()]
        if [part for letter in lower(point) for part in unaccented(letter)] != expected:
            raise SystemExit(f"{path.name} has another fold of U+{point:04X}")


def lower_rows():
    """Yields (first, last, step, difference): of each step-th code point from first to last, its lower case less it."""
    pairs = [(point, lower(point)) for point in range(0x80, sys.maxunicode + 1) if lower(point) != [point]]
    if [point for point, to in pairs if len(to) > 1] != [DOTTED_I]:
        raise SystemExit("a letter beside U+0130 has a lower case of two code points")
    pairs = [(point, to[0] - point) for point, to in pairs if point != DOTTED_I]
    at = 0
    while at < len(pairs):
        first, difference = pairs[at]
        # Runs with a letter at every place, or at every second one, as where capitals and small letters alternate.
        step = pairs[at + 1][0] - first if at + 1 < len(pairs) and pairs[at + 1][1] == difference else 1
        step = step if step in (1, 2) else 1
        end = at + 1
        while end < len(pairs) and pairs[end] == (pairs[end - 1][0] + step, difference):
            end += 1
        yield first, pairs[end - 1][0], step, difference
        at = end


def unaccented_rows():
    for point in range(0x80, sys.maxunicode + 1):
        is_mark = unicodedata.category(chr(point)) == "Mn"
        if not is_mark and point not in HANGUL and unaccented(point) != [point]:
            yield point, unaccented(point)


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

    if unicodedata.unidata_version != FOLD_VERSION:
        raise SystemExit(f"needs a Python whose unicodedata is {FOLD_VERSION}, as 3.11's is")
    check_folds(arguments.tables / FOLD)
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

    write(
        arguments.output / "lower_case.inc",
        ["Lower case outside ASCII, but of U+0130: first, last, step, difference."],
        [f"    {{0x{first:04X}, 0x{last:04X}, {step}, {by}}}," for first, last, step, by in lower_rows()],
    )
    write(
        arguments.output / "unaccented.inc",
        [
            "Canonical decompositions without nonspacing marks, in code point order. Left out: Hangul",
            "syllables, the marks themselves, and what decomposes to itself.",
        ],
        [
            f"    {{0x{point:04X}, {len(to)}, {{{', '.join(f'0x{part:04X}' for part in to)}}}}},"
            for point, to in unaccented_rows()
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
