"""Strict JSON over bytes: the extent of a value, what it breaks, and its members as written.

The standard library's json is of no use here: it accepts NaN and lone surrogates, forgets byte ranges and how values
were written, and gives up on deep nesting.  Nothing below recurses.
"""

import re

SPACE = b" \t\n\r"
STRING = re.compile(rb'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*"')
NUMBER = re.compile(rb"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
LITERAL = re.compile(rb"true|false|null")
ESCAPE = re.compile(rb'\\(?:u([dD][89abAB][0-9A-Fa-f]{2})\\u([dD][c-fC-F][0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|(["\\/bfnrt]))')
PLAIN_ESCAPES = {b'"': '"', b"\\": "\\", b"/": "/", b"b": "\b", b"f": "\f", b"n": "\n", b"r": "\r", b"t": "\t"}


class NotJson(Exception):
    pass


def skip_space(text, at):
    while at < len(text) and text[at] in SPACE:
        at += 1
    return at


def expect(pattern, text, at):
    match = pattern.match(text, at)
    if not match:
        raise NotJson(at)
    return match.end()


def scan_scalar(text, at):
    """The end of a string, number or literal."""
    first = text[at : at + 1]
    if first == b'"':
        return expect(STRING, text, at)
    if first in (b"t", b"f", b"n"):
        return expect(LITERAL, text, at)
    return expect(NUMBER, text, at)


def scan_value(text, at):
    """The (end, depth) of the value that begins at `at`, which is no space; raises NotJson."""
    open_brackets = []
    deepest = 0
    expects_value = True  # else a comma or a closing bracket
    may_close = False  # right behind an opening bracket
    while True:
        at = skip_space(text, at)
        byte = text[at : at + 1]
        if expects_value and not (may_close and byte == (b"}" if open_brackets[-1] == b"{" else b"]")):
            if open_brackets and open_brackets[-1] == b"{":
                at = skip_space(text, expect(STRING, text, at))
                if text[at : at + 1] != b":":
                    raise NotJson(at)
                at = skip_space(text, at + 1)
                byte = text[at : at + 1]
            if byte in (b"{", b"["):
                open_brackets.append(byte)
                deepest = max(deepest, len(open_brackets))
                may_close = True
                at += 1
                continue
            at = scan_scalar(text, at)
        elif byte in (b"}", b"]") and open_brackets and open_brackets[-1] == (b"{" if byte == b"}" else b"["):
            open_brackets.pop()
            at += 1
        elif byte == b"," and open_brackets:
            at += 1
            expects_value, may_close = True, False
            continue
        else:
            raise NotJson(at)
        expects_value, may_close = False, False
        if not open_brackets:
            return at, deepest


def parse_extent(text):
    """The (begin, end, depth) of the only value of a text that is valid JSON in valid UTF-8; raises NotJson."""
    begin = skip_space(text, 0)
    end, depth = scan_value(text, begin)
    if skip_space(text, end) != len(text):
        raise NotJson(end)
    try:
        text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotJson(error.start) from None
    return begin, end, depth


def has_escaped_nul(text):
    """Whether a valid JSON text holds U+0000 as an escape; a backslash may itself be escaped."""
    return any(match.group(3) == b"0000" for match in ESCAPE.finditer(text))


def unquote(quoted):
    """The text of a string; a surrogate without its partner is U+FFFD."""

    def decode(match):
        high, low, unit, plain = match.groups()
        if plain:
            return PLAIN_ESCAPES[plain].encode()
        if high:
            return chr(0x10000 + ((int(high, 16) & 0x3FF) << 10) + (int(low, 16) & 0x3FF)).encode()
        point = int(unit, 16)
        return (chr(0xFFFD) if 0xD800 <= point < 0xE000 else chr(point)).encode()

    return ESCAPE.sub(decode, quoted[1:-1]).decode("utf-8")


def members(text):
    """The (name as written, value as written) of a valid object, in order."""
    at = skip_space(text, 1)
    while text[at : at + 1] != b"}":
        name_end = expect(STRING, text, at)
        value_begin = skip_space(text, skip_space(text, name_end) + 1)
        value_end, _ = scan_value(text, value_begin)
        yield text[at:name_end], text[value_begin:value_end]
        at = skip_space(text, value_end)
        if text[at : at + 1] == b",":
            at = skip_space(text, at + 1)


def elements(text):
    """The (begin, end, depth) of each element of a valid array."""
    at = skip_space(text, 1)
    while text[at : at + 1] != b"]":
        end, depth = scan_value(text, at)
        yield at, end, depth
        at = skip_space(text, end)
        if text[at : at + 1] == b",":
            at = skip_space(text, at + 1)
