"""What murmur reads in a tweet: its mentions, by either rule, and its date."""

import datetime
import re

# twitter-text's rule: https://github.com/twitter/twitter-text, extractMentionsOrListsWithIndices.
BEFORE = r"(?:^|[^A-Za-z0-9_!#$%&*@＠]|(?:^|[^A-Za-z0-9_+~.-])[Rr][Tt]:?)"
MENTION = re.compile(BEFORE + r"([@＠][A-Za-z0-9_]{1,20})(/[A-Za-z][A-Za-z0-9_-]{0,24})?")
LATIN_ACCENTS = (
    "\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u00ff\u0100-\u024f\u0253\u0254\u0256\u0257\u0259\u025b\u0263\u0268\u026f\u0272"
    "\u0289\u028b\u02bb\u0300-\u036f\u1e00-\u1eff"
)
FORBIDDEN_BEHIND = re.compile(f"[@＠{LATIN_ACCENTS}]|://")


def find_mentions_twitter(text):
    """The mentions with their signs, and the text without them."""
    found, cleaned, copied = [], [], 0
    for match in MENTION.finditer(text):
        if match.group(2) or FORBIDDEN_BEHIND.match(text, match.end()):
            continue
        found.append(match.group(1))
        cleaned.append(text[copied : match.start(1)])
        copied = match.end(1)
    return found, "".join(cleaned) + text[copied:]


def find_mentions_word(text):
    """The notebook's: regexp_replace(text, "[^@\\w]", " "), split, keep ^@\\w+; Java's \\w is ASCII."""
    tokens = re.sub(r"[^@\w]", " ", text, flags=re.ASCII).split(" ")
    found = [token for token in tokens if re.match(r"@\w+", token, re.ASCII)]
    return found, re.sub(r"@\w+", "", text, flags=re.ASCII)


MENTION_RULES = {"twitter": find_mentions_twitter, "word": find_mentions_word}

ZONES = {"UTC": 0, "GMT": 0, "Z": 0, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7}
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
TWITTER_DATE = re.compile(
    rf"[A-Za-z]+ ((?i:{'|'.join(MONTHS)})) ([0-9]{{1,2}}) ([0-9]{{2}}):([0-9]{{2}}):([0-9]{{2}})"
    r" ([A-Z]+|[+-][0-9]{2}:?[0-9]{2}) ([0-9]{4})"
)
ISO_DATE = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:[Tt ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]+))?)?([Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)?)?"
)
EPOCH = datetime.datetime(1970, 1, 1)


def offset_minutes(zone):
    """Of "", "Z", "+05", "+0530", "+05:30" or a name; None for what is none."""
    if zone in ("", "z"):
        return 0
    if zone in ZONES:
        return 60 * ZONES[zone]
    if zone[0] not in "+-":
        return None
    digits = zone[1:].replace(":", "").ljust(4, "0")
    hours, minutes = int(digits[:2]), int(digits[2:])
    if hours > 23 or minutes > 59:
        return None
    return (-1 if zone[0] == "-" else 1) * (60 * hours + minutes)


def parse_date(text):
    """Milliseconds since 1970 in UTC, or None."""
    milliseconds = 0
    match = TWITTER_DATE.fullmatch(text)
    if match:
        month, day, hour, minute, second, zone, year = match.groups()
        month = MONTHS.index(month.title()) + 1
    else:
        match = ISO_DATE.fullmatch(text)
        if not match:
            return None
        year, month, day, hour, minute, second, fraction, zone = (group or "" for group in match.groups())
        milliseconds = int((fraction + "000")[:3])
    minutes = offset_minutes(zone)
    if minutes is None:
        return None
    try:
        local = datetime.datetime(*(int(part or 0) for part in (year, month, day, hour, minute, second)))
    except ValueError:
        return None
    return (local - EPOCH) // datetime.timedelta(milliseconds=1) + milliseconds - 60000 * minutes


def format_time(milliseconds):
    if milliseconds is None:
        return None
    instant = EPOCH + datetime.timedelta(milliseconds=milliseconds)
    fraction = f".{milliseconds % 1000:03d}" if milliseconds % 1000 else ""
    return instant.strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0") + fraction + "Z"
