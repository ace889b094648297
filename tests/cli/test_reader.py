"""scripts/murmur_store.py, which knows the store only from docs/FORMAT.md, reads what export prints."""

import json
import subprocess
import sys
import unittest

import murmur_cli
from murmur_cli import SOURCE, run


def comparable(row):
    """Instants in one spelling: numpy writes milliseconds always and no zone."""
    for name in row:
        if name.endswith("timestamp") or name == "processing_time":
            time = row[name]
            row[name] = time and (time.rstrip("Z") if "." in time else time.rstrip("Z") + ".000")
    return row


class Reader(murmur_cli.TestCase):
    def read(self, store, table, *version):
        command = [sys.executable, SOURCE / "scripts/murmur_store.py", store, table, *version]
        done = subprocess.run([str(word) for word in command], capture_output=True, check=True)
        return [json.loads(line) for line in done.stdout.decode("utf-8").split("\n") if line]

    def test_every_table_and_old_versions_read_the_same(self):
        tweets, store = self.folder / "tweets", self.folder / "store"
        self.assert_status(run("generate", tweets, "--tweets", "600", "--files", "6"), 0)
        self.run_job(tweets, store, "--max-files", "4", n_ranks=2)
        for table in "bronze", "rejects", "silver", "gold", "application":
            for version in [], ["0"]:
                options = ["--version", *version] if version else []
                exported = [comparable(row) for row in self.export(store, table, *options).rows]
                read = [comparable(row) for row in self.read(store, table, *version)]
                for row in exported + read:  # numpy's float32 as a double, export's shortest decimal
                    if "predicted_score" in row:
                        row["predicted_score"] = round(row["predicted_score"], 3)
                self.assertGreater(len(exported), 0)
                self.assert_rows(read, exported, f"{table} {version}")


if __name__ == "__main__":
    unittest.main()
