#!/usr/bin/env python3
"""--version and --as-of: old versions as they were, and all tables of a command as of one record of the log."""

import datetime
import json
import unittest

import murmur_cli
from murmur_cli import run


class Versions(murmur_cli.TestCase):
    """Three runs, each with a file of its own: two records each, the second for application."""

    @classmethod
    def setUpClass(cls):
        cls.kept = murmur_cli.temporary_folder()
        folder = cls.kept.__enter__()
        cls.addClassCleanup(cls.kept.__exit__, None, None, None)
        cls.store = folder / "store"
        for number, mention in enumerate(["@first", "@second", "@third"]):
            source = folder / f"{number}.jsonl"
            source.write_text("".join(json.dumps({"text": f"{mention} so good {k}"}) + "\n" for k in range(number + 1)))
            result = run("run", source, "--store", cls.store)
            assert result.status == 0, result.err
        cls.records = [json.loads(path.read_bytes()) for path in sorted((cls.store / "_log").glob("0*.json"))]

    def mentions(self, *options):
        return [row["mention"] for row in self.export(self.store, "gold", *options).rows]

    def totals(self, *options):
        """What `murmur mentions` shows first: mentions and users."""
        text = self.assert_status(run("mentions", self.store, *options), 0).out.decode()
        return text.splitlines()[0]

    def test_versions_are_as_they_were(self):
        everything = ["@first"] + 2 * ["@second"] + 3 * ["@third"]
        for version, n_rows in enumerate((1, 3, 6)):
            self.assertEqual(self.mentions("--version", version), everything[:n_rows])
            self.assertEqual(self.totals("--version", version), f"{n_rows} mentions of {version + 1} users")
        self.assertEqual(self.mentions(), everything)

    def test_instants_are_records(self):
        versions = {"gold": -1, "application": -1}
        for record in self.records:
            versions.update({table: change["version"] for table, change in record["tables"].items() if table in versions})
            later = self.records[record["record"] + 1 :]
            if later and later[0]["time"] == record["time"]:
                continue  # both are as of that millisecond
            self.assertEqual(self.mentions("--as-of", record["time"]), self.mentions("--version", versions["gold"]))
            if versions["application"] >= 0:
                self.assertEqual(self.totals("--as-of", record["time"]), self.totals("--version", versions["application"]))

    def test_instants_may_have_a_zone_and_be_later_than_all(self):
        time = datetime.datetime.fromisoformat(self.records[-1]["time"].replace("Z", "+00:00"))
        elsewhere = time.astimezone(datetime.timezone(datetime.timedelta(hours=-9, minutes=-30)))
        self.assertEqual(self.mentions("--as-of", elsewhere.isoformat(timespec="milliseconds")), self.mentions())
        self.assertEqual(self.mentions("--as-of", "2999-01-01"), self.mentions())
        without_zone = time.replace(tzinfo=None).isoformat(timespec="milliseconds")
        self.assertEqual(self.mentions("--as-of", without_zone), self.mentions())

    def test_what_is_not_there_is_told_with_what_is(self):
        first = next(record["time"] for record in self.records if "application" in record["tables"])
        for command, table in (["export", "gold"], "gold"), (["mentions"], "application"):
            arguments = [command[0], self.store, *command[1:]]
            self.assertIn("has versions 0 to 2", self.assert_fails(run(*arguments, "--version", 3), 64))
            message = self.assert_fails(run(*arguments, "--as-of", "2009-04-07"), 64)
            self.assertIn(f"table {table}", message)
            self.assertIn("2009-04-07T00:00:00Z", message)
            self.assertIn("its first was made at " + (first if table == "application" else self.records[0]["time"]), message)
            for options in ["--version", "-1"], ["--as-of", "today"], ["--version", "1", "--as-of", first], ["--as-of", ""]:
                self.assert_fails(run(*arguments, *options), 64)

    def test_store_without_records_has_no_versions(self):
        store = self.folder / "store"
        (store / "_log").mkdir(parents=True)
        self.assertEqual(self.export(store, "gold").rows, [])
        self.assertIn("no version yet", self.assert_fails(run("export", store, "gold", "--version", 0), 64))
        self.assertIn("no version yet", self.assert_fails(run("export", store, "gold", "--as-of", "2999-01-01"), 64))


if __name__ == "__main__":
    unittest.main()
