"""Files by hand, each with what a reader may get wrong; none of them stops an ingest."""

import gzip
import os

LIMIT = 64 << 10  # of a value
TWEET = b'{"date": "Mon Apr 06 22:19:45 PDT 2009", "user": "a", "text": "@alice so good!", "sentiment": "positive"}'


def nested(depth):
    return b"[" * depth + b"]" * depth


def with_text(text):
    return b'{"text": "' + text + b'"}'


def lines(*texts):
    return b"".join(text + b"\n" for text in texts)


def bad_checksum(packed):
    return packed[:-8] + bytes([packed[-8] ^ 0xFF]) + packed[-7:]


FILES = {
    # Nothing in them.
    "empty/none.jsonl": b"",
    "empty/blank.jsonl": b"\n \t\r\n\r\n   ",
    "empty/mark.json": b"\xef\xbb\xbf",
    "empty/mark-and-blank.json": b"\xef\xbb\xbf\n",
    "empty/array.json": b" [ ] \n",
    "empty/gzip.jsonl.gz": gzip.compress(b"", mtime=0),
    # Order of paths: '-' < '.' < '/' < '0'.
    "order/a-b.json": with_text(b"@one"),
    "order/a.json": with_text(b"@two"),
    "order/a/b.json": with_text(b"@three"),
    "order/a0.json": with_text(b"@four"),
    "order/B.json": with_text(b"@five"),
    # Skipped.
    "skipped/.hidden.jsonl": TWEET,
    "skipped/_begun.jsonl": TWEET,
    "skipped/.folder/a.jsonl": TWEET,
    "skipped/_folder/a.jsonl": TWEET,
    "skipped/notes.txt": TWEET,
    "skipped/jsonl": TWEET,
    "skipped/a.jsonl.bak": TWEET,
    # Names.
    "names/with space and 'quotes\".jsonl": TWEET,
    "names/日本語 é.ndjson": TWEET,
    # Whole documents.
    "whole/object.json": b'\r\n\t {\n "text" : "@alice over\\nlines"\n ,\n"id"\n:\n1 }\n\n',
    "whole/object-nul.json": b'  {"text": "\\u0000"}\r\n',
    "whole/array.json": b'[\n' + TWEET + b' ,{"text":"@b"},\n 1, "x", null, true, [{}], {}, {"a":"\\u0000"},-0.5e+3\n]',
    "whole/array-on-a-line.json": b"[" + TWEET + b",2]",
    "whole/array-mark.json": b"\xef\xbb\xbf[7, " + TWEET + b"]\n",
    "whole/array-not-utf8.json": b"[\n" + TWEET + b",\n" + with_text(b"\xff") + b"\n]",
    "whole/array-open.json": b"[\n" + TWEET + b",\n" + TWEET + b"\n",
    "whole/array-deep.json": b"[" + with_text(b"@deep").replace(b"}", b', "x": ' + nested(64) + b"}, 3") + b"]",
    "whole/array-very-deep.json": b"[" + nested(100000) + b"," + TWEET + b"]",
    "whole/open-very-deep.json": b"[" * 100000,
    "whole/scalar.json": b' "text" ',
    "whole/number.json": b"42",
    "whole/two-objects.json": TWEET + TWEET,
    "whole/two-lines.json": TWEET + b"\n" + TWEET,
    "whole/object-then-bracket.json": TWEET + b"}",
    # JSON Lines.
    "lines/no-end.jsonl": lines(TWEET) + TWEET,
    "lines/no-end-bad.jsonl": lines(TWEET) + TWEET[:-1],
    "lines/crlf.jsonl": TWEET + b"\r\n\r\n \r\nbad\r\n" + TWEET + b"\r",
    "lines/cr-only.jsonl": TWEET + b"\r" + TWEET + b"\r",
    "lines/mark.jsonl": b"\xef\xbb\xbfbad\n" + lines(TWEET, b"\xef\xbb\xbf" + TWEET),
    "lines/spaces.jsonl": lines(b"  \t" + TWEET + b" \t ", b"\x0c", b"\x0b" + TWEET, b"\xc2\xa0", b"\x00", TWEET + b"\x00"),
    "lines/long-reject.jsonl": lines("é".encode() * 3000, b"x" + "é".encode() * 3000, b"\xff" * 5000),
    "lines/kinds.jsonl": lines(
        b"[]", b"{}", b"null", b'""', b"[" + TWEET + b"]", TWEET + TWEET, TWEET + b" " + TWEET, TWEET + b",", b"{", b"}",
        b'{"a"}', b'{"a":}', b'{"a":1,}', b'{a:1}', b"{'a':1}", b'{"a":1 "b":2}', b'{"a":[1,]}', b'{"a":[1}', b'{,}',
    ),
    "lines/numbers.jsonl": lines(
        *(b'{"text": ' + number + b'}' for number in (
            b"0", b"-0", b"01", b"-", b"+1", b".5", b"1.", b"1.0", b"1e5", b"1E+05", b"1e", b"0x10", b"1e999", b"NaN",
            b"-NaN", b"Infinity", b"-Infinity", b"inf", b"1_000", b"123456789012345678901234567890", b"1.000000000000000000001"))
    ),
    "lines/strings.jsonl": lines(
        *(with_text(text) for text in (
            b"\\u0041\\/\\b\\f\\n\\r\\t\\\"\\\\", b"\\x41", b"\\u12", b"\\u12g4", b"\\", b"a\tb", b"a\x7fb", b"a\x1fb", b"\\U0041",
            b"\\ud83d\\ude00", b"\\ud83d", b"\\ude00", b"\\ude00\\ud83d", b"\\ud83d\\ud83d\\ude00", b"\\ud83dx\\ude00", b"\\uD83D\\n",
            b"\\u0000", b"\\\\u0000", b"\\\\\\u0000", b"\\u00000", b"\\u0001", b"\\uffff", b"\\ufeff", b"\\u2028",
            b"\xf0\x9f\x98\x80", b"\xed\xa0\x80", b"\xc0\xaf", b"\xc3", b"\xf4\x90\x80\x80", b"\xf8\x88\x80\x80\x80", b"\x80",
            b"\xe2\x82", b"\xef\xbf\xbf", b"\xc2\x85"))
    ),
    "lines/nul-in-names.jsonl": lines(b'{"a\\u0000": 1}', b'{"a": {"\\u0000": 1}}', b'{"a": [{"b": "\\u0000"}]}', b'{"a": "\\\\u0000"}'),
    "lines/depth.jsonl": lines(
        *(b'{"text": "@a", "x": ' + nested(depth) + b"}" for depth in (0, 62, 63, 64, 65, 5000) if depth),
        *(b'{"text": ' + nested(depth) + b"}" for depth in (63, 64)),
        b'{"a":' * 64 + b"1" + b"}" * 64,
        b'{"a":' * 65 + b"1" + b"}" * 65,
    ),
    "lines/values.jsonl": lines(
        with_text(b"x" * LIMIT), with_text(b"x" * (LIMIT + 1)),
        with_text(b"\\u0041" * LIMIT), with_text(b"\\u0041" * (LIMIT + 1)),
        with_text("é".encode() * (LIMIT // 2)), with_text("é".encode() * (LIMIT // 2) + b"x"),
        with_text(b"\\ud83d" * (LIMIT // 3)), with_text(b"\\ud83d" * (LIMIT // 3 + 1)),
        b'{"id": "' + b"x" * (LIMIT + 1) + b'"}', b'{"id": [' + b"1," * (LIMIT // 2 - 2) + b'11]}', b'{"id": [' + b"1," * (LIMIT // 2 - 1) + b'11]}',
        b'{"text": ' + b"1" * LIMIT + b"}", b'{"text": ' + b"1" * (LIMIT + 1) + b"}",
        b'{"' + b"k" * (LIMIT + 1) + b'": 1}',
        b'{"text": "' + b"x" * (LIMIT + 1) + b'", "text": "the last is short"}',
    ),
    "lines/members.jsonl": lines(
        b'{"text": "@first", "text": "@last", "text ": 1, "TEXT": "@no", "Text": null}',
        b'{"te\\u0078t": "@escaped", "\\u0064ate": "2009-04-07"}',
        b'{"text": null, "user": null, "date": null, "sentiment": null}',
        b'{"text": "set", "text": null}', b'{"text": null, "text": "@set"}',
        b'{"text": 1.50, "user": {"a" : [1, 2 ]}, "date": [ ], "sentiment": false}',
        b'{"source_file": "x", "processing_time": 1, "rescued_data": {"a":1}, "text": "@x"}',
        b'{"b": 1, "a": 2, "b": [3], "c": "x\\ny", "": "", "d":{"e": null} , "a" : "last"}',
        b'{"x":"\\ud800","\\udc00":"\\u00e9"}',
    ),
    # Gzip, by content.
    "gzip/plain-name.jsonl": gzip.compress(lines(TWEET, b"bad"), mtime=0),
    "gzip/not-gzip.jsonl.gz": lines(TWEET, b"bad"),
    "gzip/members.jsonl.gz": b"".join(gzip.compress(part, mtime=0) for part in (TWEET[:30], TWEET[30:] + b"\n", b"", lines(TWEET))),
    "gzip/padded.jsonl.gz": gzip.compress(lines(TWEET), mtime=0) + b"\0" * 512,
    "gzip/array.json.gz": gzip.compress(b"[" + TWEET + b"]", mtime=0),
    "gzip/truncated.jsonl.gz": gzip.compress(lines(TWEET, TWEET, TWEET) + TWEET[:-9], mtime=0)[:-8],
    "gzip/truncated-at-a-line.jsonl.gz": gzip.compress(lines(TWEET, TWEET), mtime=0)[:-8],
    "gzip/truncated-array.json.gz": gzip.compress(b"[" + TWEET + b"]", mtime=0)[:-8],
    "gzip/truncated-head.jsonl.gz": gzip.compress(lines(TWEET), mtime=0)[:7],
    "gzip/checksum.jsonl.gz": bad_checksum(gzip.compress(lines(TWEET, TWEET), mtime=0)),
    "gzip/garbage.jsonl.gz": gzip.compress(lines(TWEET), mtime=0) + b"garbage",
    "gzip/stored.jsonl.gz": gzip.compress(lines(*[TWEET] * 50), 0, mtime=0)[:3000],
    # Dates.
    "dates.jsonl": lines(*(b'{"text": "@date", "date": "' + date + b'"}' for date in (
        *(b"Mon Apr 06 22:19:45 " + zone + b" 2009" for zone in (
            b"UTC", b"GMT", b"Z", b"EST", b"EDT", b"CST", b"CDT", b"MST", b"MDT", b"PST", b"PDT", b"+0000", b"+0530", b"-0930",
            b"CET", b"BST", b"pdt", b"PDTX", b"", b"+2500", b"+05")),
        b"Wed Jun 10 15:59:26 +0000 2020", b"Sun Mon 06 22:19:45 PDT 2009", b"Mon Feb 29 00:00:00 UTC 2008", b"Mon Feb 29 00:00:00 UTC 2009",
        b"Mon Apr 06 24:00:00 PDT 2009", b"Mon Apr 06 22:60:45 PDT 2009", b"Fri Apr 06 22:19:45 PDT 2009", b" Mon Apr 06 22:19:45 PDT 2009",
        b"Mon Apr 06 22:19:45 PDT 2009 ", b"Mon Apr 06 22:19:45 2009", b"Apr 06 22:19:45 PDT 2009", b"yesterday", b"", b"1239081585",
        b"2009-04-07", b"2009-04-07T05:19", b"2009-04-07 05:19:45", b"2009-04-07T05:19:45Z", b"2009-04-07T05:19:45.1Z", b"2009-04-07T05:19:45.1239Z",
        b"2009-04-07T05:19:45,999", b"2009-04-07T05:19:45+02:00", b"2009-04-07T05:19:45-0700", b"2009-04-07T05:19:45+02", b"2009-04-07T05:19:45.000Z",
        b"2009-04-07T05:19:45.", b"2009-04-31", b"2009-13-01", b"2009-4-7", b"20090407", b"2009-04-07T25:00", b"2009-04-07Z", b"1969-12-31T23:59:59.999Z",
        b"1900-01-01", b"2400-02-29T12:00:00Z", b"2009-04-07T05:19:60Z"))),
    # Mentions.
    "mentions.jsonl": lines(*(with_text(text.encode()) for text in (
        "@alice", "RT@alice: so good", "rt @alice", "xRT@alice", "RT:@alice", "@alice@bob hi", "mail a@b.com or @test@example.com",
        "oh, snap! @_@", "@bob@", "@http://x.co", "@aliceìnheiro", "@alice\u0301", "f!@kn f#@kn f$@kn f%@kn f&@kn f*@kn", "＠alice",
        "@alice＠bob", "@username90123456789012345", "@alice/list", "@alice/7list", "@alice/ list", "@/list", "good@night @bob", "@@alice",
        "@ALICE @alice @Alice", "の@usernameに", ".@alice", "(@alice)", "/@alice", "-@alice", "@alice's", "@123", "😀@alice", "_@alice",
        "é@alice", "@alice @alice @alice", "@a @b,@c;@d", " @alice  ", "@", "@ alice", "@é", "@alice:// @bob:/ @carol:", "RT @alice: RT @bob: hi",
        "@alice\\n@bob\\t@carol", "@_ @__ @a_b_", "@alice-bob", "@alice.bob", "no mention", "&lt;3 @alice &amp; @bob", "@alice/list @bob", "٣@alice", "@alice٣"))),
}


def write(folder):
    for name, data in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    os.symlink("lines/no-end.jsonl", folder / "zz-link.jsonl")
