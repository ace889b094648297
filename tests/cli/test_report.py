#!/usr/bin/env python3
"""report: every figure of a picture against the tables, computed another way; names of any kind; the page in a browser."""

import collections
import datetime
import html.parser
import json
import re
import shutil
import subprocess
import unittest
import xml.etree.ElementTree

import chromium
from murmur_cli import SHARED, TestCase, run, temporary_folder

CLASSES = ["negative", "neutral", "positive"]
PREDICTED = {"NEG": "negative", "NEU": "neutral", "POS": "positive"}
NAMES = ["under_score", "<script>alert(1)</script>", 'quo"ted "name"', '"', "back`date`tick $(date)", "C:\\new\\101",
         "#hash", "&amp;&#60;", "عمر_מח", "😀 emoji 😀", "日本語のとても長い名前は切られます切られます", "NaN", "?", "", " ", "tab\tnew\nline",
         "x" * 300, "a^2_{b}", "%s%n", "'; rm -rf *", "-e", "@name", "\u202egnirts", "plain", "plain", "plain"]


def write_tweets(folder):
    """Tweets of all three labels by users of all kinds, over some days."""
    lines = []
    for i, name in enumerate(NAMES * 3):
        date = datetime.datetime(2009, 4, 6 + i % 5, i % 24, 0, 0)
        text = ["@Alice_1 so good, I love it!", "@Bob @alice this is awful, I hate it", "@_x_ it is there",
                "no mention at all"][i % 4]
        lines.append(json.dumps({"date": date.strftime("%a %b %d %H:%M:%S UTC %Y"), "user": name, "text": text,
                                 "sentiment": ["positive", "negative", "neutral"][i % 3]}))
    folder.mkdir(exist_ok=True)
    (folder / "tweets.jsonl").write_text("\n".join(lines) + "\n")
    return folder


def shown(text, columns=22):
    """A name as a table of a picture has it."""
    if not text or text[0] == " " or text[-1] == " ":
        return f"\\042{cut_to(text, columns - 2)}\\042"
    return cut_to(text, columns)


def cut_to(text, columns):
    cells, width, cut = [], 0, 0
    for c in text:
        n = ord(c)
        wide = (0x1100 <= n <= 0x115F or 0x2E80 <= n <= 0xA4CF or 0xAC00 <= n <= 0xD7A3 or 0xF900 <= n <= 0xFAFF
                or 0xFE30 <= n <= 0xFE6F or 0xFF00 <= n <= 0xFF60 or 0xFFE0 <= n <= 0xFFE6 or 0x1F300 <= n <= 0x1FAFF
                or n >= 0x20000)
        is_control = n < 0x20 or 0x7F <= n < 0xA0
        cell = f"\\\\x{n:02x}" if is_control else {"\\": "\\\\", '"': "\\042"}.get(c, c)
        width += 4 if is_control else 1 + wide
        if width > columns:
            return "".join(cells[:cut]) + "…"
        cells.append(cell)
        if width < columns:
            cut = len(cells)
    return "".join(cells)


def drawn(cell):
    """What gnuplot makes of such a cell."""
    return cell.replace("\\042", '"').replace("\\\\", "\\")


def read_table(folder, name):
    lines = (folder / f"{name}.tsv").read_text().split("\n")
    head = lines[0].split("\t")
    return [dict(zip(head, line.split("\t"))) for line in lines[1:-1]]


def svg_texts(folder, name):
    root = xml.etree.ElementTree.parse(folder / f"{name}.svg").getroot()
    return ["".join(t.itertext()) for t in root.iter("{http://www.w3.org/2000/svg}text")]


class Page(html.parser.HTMLParser):
    """All elements, ids and addresses of a page, and whether elements are closed as they were opened."""

    VOID = {"meta", "link", "br", "hr", "img", "input"}

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements, self.ids, self.addresses, self.open, self.text = collections.Counter(), [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.elements[tag] += 1
        for name, value in attributes:
            if name == "id":
                self.ids.append(value)
            if name in ("href", "src", "srcset", "xlink:href", "action", "data", "poster"):
                self.addresses.append(value)
            assert not name.startswith("on"), name
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f"</{tag}> in {self.open}"
        self.open.pop()

    def handle_data(self, data):
        self.text.append(data)


class ReportTestCase(TestCase):
    @classmethod
    def setUpClass(cls):
        """A store of three labels and users of all kinds, and its report: tests only read them."""
        context = temporary_folder()
        folder = context.__enter__()
        cls.addClassCleanup(context.__exit__, None, None, None)
        cls.nasty_store, cls.nasty_report = folder / "store", folder / "report"
        for result in (run("run", write_tweets(folder / "in"), "--store", cls.nasty_store),
                       run("report", cls.nasty_store, "--out", cls.nasty_report)):
            assert result.status == 0, result.err

    def report(self, store, out=None):
        out = out or self.folder / "report"
        result = self.assert_status(run("report", store, "--out", out), 0)
        self.assertEqual(result.out.decode(), f"{out}/index.html\n")
        return out

    def rows(self, store, table):
        return self.export(store, table).rows

    def assert_names(self, out, picture, column, expected):
        """The table's names, and the same as text of the picture."""
        table = read_table(out, picture)
        self.assertEqual([row[column] for row in table], [shown(name) for name in expected])
        texts = svg_texts(out, picture)
        for row in table:
            self.assertIn(drawn(row[column]), texts)

    def assert_pictures(self, store, out):
        """Every table of the folder against the store's own tables."""
        bronze, gold, application = (self.rows(store, name) for name in ("bronze", "gold", "application"))
        self.check_users(out, bronze)
        self.check_mentions(out, application)
        self.check_time(out, gold)
        self.check_evaluation(out, gold)
        self.check_streams(out, bronze, gold)

    def check_users(self, out, bronze):
        users = collections.Counter(row["user"] for row in bronze if row["user"] is not None)
        ranked = sorted(users.items(), key=lambda item: (-item[1], item[0].encode()))
        self.assert_names(out, "top-users", "user", [name for name, _ in ranked[:20]])
        self.assertEqual([int(row["tweets"]) for row in read_table(out, "top-users")], [n for _, n in ranked[:20]])
        classes = collections.Counter(n.bit_length() - 1 for n in users.values())
        self.assertEqual([int(row["users"]) for row in read_table(out, "users-by-tweets")],
                         [classes[k] for k in range(max(classes) + 1)])

    def check_mentions(self, out, application):
        for picture, key in [("most-mentioned", "total"), ("in-favour", "positive"), ("villains", "negative")]:
            ranked = sorted((row for row in application if row[key] > 0),
                            key=lambda row: (-row[key], -row["total"], row["mention"].encode()))[:20]
            table = read_table(out, picture) if ranked else []
            if ranked:
                self.assert_names(out, picture, "mention", [row["mention"] for row in ranked])
            for got, expected in zip(table, ranked):
                self.assertEqual([int(got[name]) for name in [*CLASSES, "total"]],
                                 [expected[name] for name in [*CLASSES, "total"]])
        # The curve's table leaves out what lies on a level line between two points.
        totals = sorted((row["total"] for row in application), reverse=True)
        for row in read_table(out, "mention-rank"):
            self.assertEqual(totals[int(row["rank"]) - 1], int(row["mentions"]))
        kept = {int(row["rank"]) for row in read_table(out, "mention-rank")}
        for i, total in enumerate(totals):
            is_inside = 0 < i < len(totals) - 1 and totals[i - 1] == total == totals[i + 1]
            self.assertTrue(is_inside or i + 1 in kept, f"rank {i + 1}")

    def check_time(self, out, gold):
        for picture in ("sentiment-over-time", "shares-over-time"):
            table = read_table(out, picture)
            self.assertEqual([row["begin"] for row in table], sorted({row["begin"] for row in table}, key=int))
            times = [(datetime.datetime.fromisoformat(row["timestamp"].replace("Z", "+00:00")).timestamp(),
                      PREDICTED[row["predicted_sentiment"]]) for row in gold if row["timestamp"]]
            left_out = len(times)
            for row in table:
                here = collections.Counter(c for t, c in times if int(row["begin"]) <= t < int(row["end"]))
                self.assertEqual([int(row[c]) for c in CLASSES], [here[c] for c in CLASSES])
                self.assertEqual(int(row["total"]), sum(here.values()))
                left_out -= sum(here.values())
            self.assertLessEqual(left_out, len(times) // 100)

    def check_evaluation(self, out, gold):
        confusion = collections.Counter((row["sentiment"], PREDICTED[row["predicted_sentiment"]]) for row in gold)
        given = collections.Counter(row["sentiment"] for row in gold)
        binary = collections.Counter((row["sentiment_id"], row["predicted_sentiment_id"]) for row in gold)
        table = read_table(out, "confusion")
        self.assertEqual({(r["given"], r["predicted"]): int(r["count"]) for r in table},
                         {(g, p): confusion[g, p] for g in CLASSES for p in CLASSES})
        for row in table:
            share = int(row["count"]) / given[row["given"]] if given[row["given"]] else 0
            self.assertAlmostEqual(float(row["share"]), share, places=6)
        self.assertEqual([int(r["count"]) for r in read_table(out, "confusion-binary")],
                         [binary[g, p] for g in (0, 1) for p in (0, 1)])
        # The numbers are in the picture, too.
        texts = svg_texts(out, "confusion")
        for row in table:
            self.assertIn(row["count"], texts)

        predicted = collections.Counter(p for (g, p), n in confusion.items() for _ in range(n) if g in CLASSES)
        for column, counts in (("given", given), ("predicted", predicted)):
            row = next(r for r in read_table(out, "balance") if r["labels"] == column)
            self.assertEqual([int(row[c]) for c in CLASSES], [counts[c] for c in CLASSES])
        for c in CLASSES:
            right = confusion[c, c]
            precision = right / predicted[c] if predicted[c] else 0
            recall = right / given[c] if given[c] else 0
            f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0
            for rate, expected in (("precision", precision), ("recall", recall), ("F1", f1)):
                row = next(r for r in read_table(out, "rates-by-class") if r["rate"] == rate)
                self.assertAlmostEqual(float(row[c]), expected, places=6)

        scores = collections.Counter((min(int(row["predicted_score"] // 2), 49), PREDICTED[row["predicted_sentiment"]])
                                     for row in gold)
        table = read_table(out, "scores")
        self.assertEqual({(int(row["low"]) // 2, c): int(row[c]) for row in table for c in CLASSES if row[c] != "0"},
                         dict(scores))
        for row in read_table(out, "reliability"):
            low, high = (10 * round(float(row[name]) * 10) for name in ("low", "high"))
            here = [r for r in gold if r["sentiment"] in CLASSES
                    and (low <= r["predicted_score"] < high or low == 90 and r["predicted_score"] == 100)]
            self.assertEqual(int(row["rows"]), len(here))
            self.assertAlmostEqual(float(row["confidence"]), sum(r["predicted_score"] for r in here) / len(here) / 100,
                                   places=5)
            self.assertAlmostEqual(float(row["accuracy"]), sum(
                r["sentiment"] == PREDICTED[r["predicted_sentiment"]] for r in here) / len(here), places=6)

    def check_streams(self, out, bronze, gold):
        for picture in ("rows-over-time", "processing-time"):
            table = read_table(out, picture)
            for stream, expected in (("bronze_stream", len(bronze)), ("silver_stream", len(bronze)),
                                     ("gold_stream", len(gold)), ("application", len(gold))):
                rows = [row for row in table if row["stream"] == stream]
                self.assertEqual(sum(int(row["rows"]) for row in rows), expected, stream)
                self.assertEqual(int(rows[-1]["rows_so_far"]), expected, stream)
                self.assertEqual(float(rows[0]["seconds"]), 0, stream)

    def assert_complete(self, out, at_least=0):
        """Four files to each picture, a page that stands alone, and scripts that draw the same again."""
        svgs = sorted(path.stem for path in out.glob("*.svg"))
        self.assertGreaterEqual(len(svgs), at_least)
        for name in svgs:
            self.assertTrue((out / f"{name}.png").read_bytes().startswith(b"\x89PNG"), name)
            self.assertTrue((out / f"{name}.tsv").exists() and (out / f"{name}.gp").exists(), name)
        text = (out / "index.html").read_text()
        page = Page(text)
        self.assertEqual(page.open, [])
        self.assertEqual(page.elements["figure"], len(svgs))
        self.assertEqual(page.elements["script"] + page.elements["img"] + page.elements["iframe"], 0)
        self.assertEqual([i for i, n in collections.Counter(page.ids).items() if n > 1], [])
        for address in page.addresses:
            self.assertTrue(address == "data:," or address.startswith("#") and address[1:] in page.ids, address)
        colours = set(re.findall(r"rgb\([^)]*\)", text)) - {"rgb(255,255,255)", "rgb(255, 255, 255)"}
        self.assertEqual(colours, set(), "they do not change with the page's")
        return page


class Report(ReportTestCase):
    def test_every_figure_equals_the_tables_whatever_users_are_called(self):
        self.assert_pictures(self.nasty_store, self.nasty_report)
        page = self.assert_complete(self.nasty_report, at_least=8)
        text = "".join(page.text)
        self.assertIn("Alice_1", text)
        self.assertIn("<script>alert(1)", text)
        for script in self.nasty_report.glob("*.gp"):
            self.assertNotRegex(script.read_text(), "alert|rm -rf|Alice|plain")

    def test_the_same_store_makes_the_same_page_and_each_script_the_same_picture(self):
        second = self.report(self.nasty_store)
        for path in self.nasty_report.iterdir():
            if path.suffix != ".png":
                self.assertEqual(path.read_bytes(), (second / path.name).read_bytes(), path.name)
        for script in second.glob("*.gp"):
            picture = script.with_suffix(".svg")
            before = picture.read_bytes()
            picture.unlink()
            subprocess.run(["gnuplot", script.name], cwd=second, check=True, timeout=60)
            self.assertEqual(picture.read_bytes(), before, script.name)

    def test_a_store_without_rows_has_a_page_without_pictures(self):
        (self.folder / "in").mkdir()
        (self.folder / "in/none.jsonl").write_text("")
        store = self.folder / "store"
        self.run_job(self.folder / "in", store)
        page = self.assert_complete(self.report(store))
        self.assertIn("No tweet was read yet", "".join(page.text))

    def test_one_row_is_drawn_and_older_pictures_are_gone(self):
        out = self.folder / "report"
        shutil.copytree(self.nasty_report, out)
        self.assertTrue((out / "rates-by-class.svg").exists())
        (self.folder / "one").mkdir()
        (self.folder / "one/tweet.jsonl").write_text(json.dumps({
            "date": "Mon Apr 06 22:19:45 PDT 2009", "user": "me", "text": "@you are nice", "sentiment": "positive"}))
        store = self.folder / "single"
        self.run_job(self.folder / "one", store)
        self.report(store, out)
        self.assertFalse((out / "rates-by-class.svg").exists(), "of the other store")
        self.assert_complete(out, at_least=8)
        self.assertEqual(read_table(out, "most-mentioned")[0]["mention"], "@you")

    def test_a_tweet_without_a_mention_a_date_or_a_user_is_reported(self):
        (self.folder / "in").mkdir()
        (self.folder / "in/tweet.jsonl").write_text('{"text": "alone"}\n{"text": "@a is", "sentiment": "odd"}\n')
        store = self.folder / "store"
        self.run_job(self.folder / "in", store)
        page = self.assert_complete(self.report(store))
        self.assertIn("No mention has a date that could be read", "".join(page.text))

    def test_wrong_usage_and_a_missing_store_are_told(self):
        self.assertIn("--out", self.assert_fails(run("report", self.folder), 64))
        self.assert_fails(run("report", self.folder / "none", "--out", self.folder / "out"), 66)
        self.assertFalse((self.folder / "out").exists())
        (self.folder / "file").write_text("")
        self.assert_fails(run("report", self.nasty_store, "--out", self.folder / "file"), 73)

    @unittest.skipUnless((SHARED / "data/tweets").is_dir(), "the team's tweets are not there")
    def test_every_figure_of_real_tweets_equals_the_tables(self):
        (self.folder / "in").mkdir()
        for path in sorted((SHARED / "data/tweets").glob("tweets-*.gz"))[::20] + [SHARED / "data/tweets/manual-498.jsonl"]:
            shutil.copy(path, self.folder / "in")
        store = self.folder / "store"
        self.run_job(self.folder / "in", store, "--max-files", "2", n_ranks=2)
        out = self.report(store)
        self.assert_pictures(store, out)
        self.assert_complete(out, at_least=8)


@unittest.skipUnless(chromium.find(), "chromium is not installed: apt-get install chromium")
class InBrowser(ReportTestCase):
    def test_nothing_overflows_and_no_request_leaves_the_page(self):
        page = self.nasty_report / "index.html"
        with chromium.Chromium() as browser:
            for width, is_phone in ((1280, False), (768, False), (390, True), (320, True)):
                for is_dark in (False, True):
                    browser.open(page, width, is_dark=is_dark, is_phone=is_phone)
                    here = f"{width} px, dark {is_dark}"
                    self.assertEqual(browser.requests(), [f"file://{page}"], here)
                    self.assertEqual(browser.complaints(), [], here)
                    self.assertLessEqual(browser.evaluate("document.documentElement.scrollWidth"), width, here)
                    wide = browser.evaluate(
                        "[...document.querySelectorAll('body *')].filter(e => !e.closest('svg, .scroll table') && "
                        "e.getBoundingClientRect().right > innerWidth + 0.5).map(e => e.outerHTML.slice(0, 80))")
                    self.assertEqual(wide, [], here)
                    # Labels may not be cut off by the edge of their picture, nor lie on each other.
                    cut = browser.evaluate(
                        "[...document.querySelectorAll('figure svg text')].filter(t => { const b = t.getBoundingClientRect(), "
                        "s = t.closest('svg').getBoundingClientRect(); return b.width > 0 && (b.left < s.left - 1 || "
                        "b.right > s.right + 1 || b.top < s.top - 1 || b.bottom > s.bottom + 1) })"
                        ".map(t => t.closest('figure').id + ': ' + t.textContent)")
                    self.assertEqual(cut, [], here)
                    ink = browser.evaluate("getComputedStyle(document.querySelector('h1')).color")
                    paper = browser.evaluate("getComputedStyle(document.body).backgroundColor")
                    self.assertGreater(contrast(ink, paper), 7, here)
                    faint = browser.evaluate(
                        "[...document.querySelectorAll('figure svg text')].map(t => [t.closest('figure').id, t.textContent, "
                        "getComputedStyle(t).fill, getComputedStyle(t.closest('figure')).backgroundColor])")
                    for figure, text, fill, card in faint:
                        if fill != "rgb(255, 255, 255)":  # that stands on bars
                            self.assertGreater(contrast(fill, card), 2.9, f"{here}: {figure}: {text}")
            browser.open(page, 1280)
            self.assertTrue(browser.evaluate("document.querySelectorAll('figure').length >= 8"))
            for link in browser.evaluate("[...document.querySelectorAll('nav a')].map(a => a.hash)"):
                self.assertTrue(browser.evaluate(f"document.querySelector('{link}') !== null"), link)

    def test_labels_do_not_lie_on_each_other(self):
        page = self.nasty_report / "index.html"
        with chromium.Chromium() as browser:
            browser.open(page, 1280)
            overlaps = browser.evaluate("""[...document.querySelectorAll('figure')].flatMap(f => {
                const boxes = [...f.querySelectorAll('svg text')].filter(t => !t.parentNode.getAttribute('transform')
                    .includes('rotate')).map(t => [t.textContent, t.getBoundingClientRect()]).filter(b => b[1].width > 0);
                const found = [];
                for (let i = 0; i < boxes.length; i++)
                    for (let j = i + 1; j < boxes.length; j++) {
                        const [a, b] = [boxes[i][1], boxes[j][1]];
                        const x = Math.min(a.right, b.right) - Math.max(a.left, b.left);
                        const y = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
                        if (x > 2 && y > 0.35 * Math.min(a.height, b.height))
                            found.push(f.id + ': ' + boxes[i][0] + ' on ' + boxes[j][0]);
                    }
                return found; })""")
            self.assertEqual(overlaps, [])


def contrast(one, other):
    """WCAG 2's contrast ratio of two CSS colours."""

    def luminance(colour):
        parts = [float(x) / 255 for x in re.findall(r"[\d.]+", colour)[:3]]
        linear = [x / 12.92 if x <= 0.03928 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


if __name__ == "__main__":
    unittest.main(verbosity=2)
