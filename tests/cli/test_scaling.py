"""scripts/scaling: the simulation's arithmetic, the tables that a measurement makes; and counting many mentions, held against sort."""

import subprocess
import sys
import unittest

import murmur_cli

SCRIPTS = murmur_cli.SOURCE / "scripts/scaling"
sys.path.insert(0, str(SCRIPTS))

import model  # noqa: E402
import tables  # noqa: E402

CONSTANTS = {"seconds_per_token_fp32": 1.4e-4, "ingest_seconds_per_byte": 1e-8, "refine_seconds_per_tweet": 1e-6,
             "tokens_per_byte": 0.06, "tweets_per_byte": 0.0075, "mentions_per_byte": 0.005, "distinct_of_mentions": 0.4,
             "raw_bytes_per_byte": 3, "file_bytes_per_raw_byte": 0.4, "share_bronze": 0.4, "share_silver": 0.2, "share_gold": 0.3,
             "unit_spread": 0.2, "count_seconds_per_row": 1e-6, "record_seconds": 1e-3, "plan_seconds_per_unit": 1e-8,
             "estimate_seconds_per_unit": 1e-4, "record_seconds_per_unit": 1e-7, "order_seconds_per_unit": 3e-7, "agreements_of_batch": 60,
             "gathers_of_batch": 8, "agreements_of_part": 20, "gathers_of_part": 2, "agreements_of_small_part": 10, "gathers_of_small_part": 2,
             "start_seconds": 0.5,
             "part_seconds": 0.03, "part_cpu_seconds_per_byte": 1.5e-8, "agreement_seconds_per_step": 2e-5,
             "exchange_seconds_per_message": 5e-6, "network_bytes_per_s": 1e9, "agreement_seconds_per_step_in_memory": 2e-6,
             "exchange_seconds_per_message_in_memory": 1e-6, "network_bytes_per_s_in_memory": 4e9, "log_seconds_per_record": 1e-4,
             "log_open_seconds_per_record": 1e-4, "disk_write_bytes_per_s": 1e8, "disk_read_bytes_per_s": 8e8}
MIB = 1 << 20


class Simulation(murmur_cli.TestCase):
    def test_units_are_the_batch(self):
        sizes = model.Model(CONSTANTS).unit_bytes(256 * MIB)
        self.assertEqual(sum(sizes), 256 * MIB)
        self.assertEqual(sizes, sorted(sizes, reverse=True))
        self.assertEqual(len(sizes), 7 * 128 + 4 * 128)
        self.assertEqual(model.Model(CONSTANTS).unit_bytes(MIB), [16384] * 64, "a small batch: 64 units of at least 16 KiB")

    def test_every_unit_is_worked_off_once(self):
        m = model.Model(CONSTANTS, ranks_per_node=4)
        sizes, seconds = m.unit_bytes(64 * MIB), m.unit_seconds(64 * MIB, "fp32", 1)
        for n_ranks in 1, 3, 4, 5, 16, 64, 1000:
            done, n_answers, _ = m.deal(sizes, seconds, n_ranks)
            self.assertLessEqual(max(done), sum(seconds) / n_ranks + 2 * max(seconds) + 1, n_ranks)
            self.assertGreaterEqual(max(done) * (1 + 1e-9), sum(seconds) / n_ranks)
            self.assertEqual(n_answers > 0, n_ranks > 4, "one node has all in advance")
        self.assertAlmostEqual(m.deal(sizes, seconds, 1)[0][0], sum(seconds), 6)
        # As many equal units as ranks: a node asks when one is left, so it may get one more than it has ranks.
        done, _, _ = m.deal([1.0] * 8, [5.0] * 8, 8)
        self.assertLessEqual(max(done), 10.1)

    def test_a_server_works_off_one_request_after_the_other(self):
        server = model.Queue()
        self.assertEqual([server.serve(at, 2) for at in (0, 1, 10)], [2, 4, 12])
        self.assertEqual(server.busy, 6)

    def test_what_grows_with_ranks(self):
        m = model.Model(CONSTANTS)
        self.assertEqual((m.agreement(1), m.exchange(1, MIB)), (0, 0))
        self.assertLess(m.agreement(64), m.agreement(65), "the second node is behind a network")
        self.assertGreater(m.exchange(10000, 0), 10 * m.exchange(640, 0) * 0.9, "a message to each")
        self.assertLess(m.exchange(10000, 0, 45), m.exchange(10000, 0) / 50, "a message to those that get some")
        self.assertLess(m.gather(10000, 8 << 20), m.gather(10000, 17 << 20) / 2, "a tree has log(ranks) messages")
        small, large = m.part(64, 1 << 20, 13), m.part(64, 64 << 20, 13)
        self.assertEqual(small["compression"], (1 << 20) * 1.5e-8, "rank 0 alone")
        self.assertAlmostEqual(large["compression"], (1 << 20) * 1.5e-8, 9)
        self.assertLess(small["agreements"], large["agreements"])
        # Twice the servers, half the time.
        four, eight = (model.Model(CONSTANTS, n_servers=n).write(0, 64, 1e9) for n in (4, 8))
        self.assertAlmostEqual(four, 2 * eight, 6)
        self.assertAlmostEqual(four, 1e9 / 4 / 1e8 + 1e9 / 4 / 8e8, 6)

    def test_one_rank_is_its_work(self):
        m = model.Model(CONSTANTS)
        by = m.run("fp32", 1, 256 * MIB, 256 * MIB)
        per_byte = 1e-8 + 0.0075 * 1e-6 + 0.06 * 1.4e-4
        self.assertAlmostEqual(by["work"] / (256 * MIB * per_byte), 1, 1)
        self.assertEqual((by["exchange"], by["agreements"], by["dealing and tail"]), (0, 0, 0))
        half = model.Model(dict(CONSTANTS, seconds_per_token_fp32=0.7e-4)).run("fp32", 1, 256 * MIB, 256 * MIB)
        self.assertAlmostEqual(by["work"] / half["work"], 2, 1)

    def test_tables_are_the_same_every_time_and_make_sense(self):
        constants = self.folder / "constants.tsv"
        constants.write_text("# how\nname\tvalue\tunit\tcommand\n" +
                             "".join(f"{name}\t{value}\ts\tx\n" for name, value in CONSTANTS.items()))
        measured = self.folder / "scaling.tsv"
        measured.write_text("# how\nprecision\tkind\tranks\ttweets\tbytes\tseconds\nfp32\tstrong\t2\t2000\t4000000\t18.0\n")
        made = []
        for out in "a", "b":
            subprocess.run([sys.executable, SCRIPTS / "model.py", constants, "--out", self.folder / out, "--most", "256",
                            "--measured", measured], check=True)
            made.append({path.name: path.read_text() for path in (self.folder / out).iterdir()})
        self.assertEqual(made[0], made[1])
        self.assertEqual(set(made[0]), {"scaling_model.tsv", "scaling_mechanisms.tsv", "scaling_check.tsv"})
        head, *rows = [line.split("\t") for line in made[0]["scaling_model.tsv"].splitlines()[1:]]
        rows = [dict(zip(head, row)) for row in rows]
        for row in rows:
            self.assertTrue(0.3 < float(row["efficiency"]) <= 1.01, row)
            if row["ranks"] == "1":
                self.assertEqual(float(row["efficiency"]), 1)
        (check,) = [line.split("\t") for line in made[0]["scaling_check.tsv"].splitlines()[2:]]
        self.assertAlmostEqual(float(check[4]) / 18 - 1, float(check[5]), 4)
        self.assertAlmostEqual(float(check[4]), 4e6 * 0.06 * 1.4e-4 / 2, delta=3)


class Measurement(murmur_cli.TestCase):
    def test_medians_and_efficiency(self):
        runs = []
        for ranks, kind, tweets, seconds, cpu in ((1, "strong", 100, 10, 10), (1, "strong", 100, 12, 10), (1, "strong", 100, 11, 10),
                                                  (2, "strong", 100, 6, 11), (2, "weak", 200, 12, 22)):
            runs.append({"precision": "fp32", "kind": kind, "ranks": ranks, "tweets": tweets, "seconds": seconds, "cpu": cpu,
                         "counters": {"source_bytes": [tweets * 100]}})
        rows = {(row[1], row[2]): row for row in tables.scaling_rows(runs)}
        self.assertEqual(rows["strong", 1][5:], (11, 10, 9.1, 1.0, 1.0))
        self.assertEqual(rows["strong", 2][8:], (round(11 / 6 / 2, 3), round(10 / 11, 3)))
        self.assertEqual(rows["weak", 2][8:], (round(22 / 12 / 2, 3), round(20 / 22, 3)))


    def test_units_of_small_batches_are_smaller_and_one_that_took_longer_is_a_spread(self):
        counters = {"source_bytes": [64 * 20_000], "ingest_seconds": [1], "refine_seconds": [1], "score_seconds": [62],
                    "slowest_unit_seconds": [1]}
        self.assertEqual(tables.spread_of({"counters": counters}), 0)  # each of 64 units took as long
        self.assertGreater(tables.spread_of({"counters": dict(counters, slowest_unit_seconds=[2])}), 0.1)

    def test_constants_of_another_machine_stay(self):
        path = self.folder / "constants.tsv"
        rows = [("a", "1", "s", "x"), ("seconds_per_token_int8_by_amx", "2", "s", "y")]
        tables.write(path, "how", ("name", "value", "unit", "command"), rows)
        self.assertEqual(tables.kept(path, [("a", "3", "s", "x")]), rows[1:])
        self.assertEqual(tables.kept(self.folder / "none.tsv", []), [])


class Mentions(murmur_cli.TestCase):
    def test_many_mentions_are_those_of_sort(self):
        done = self.assert_status(murmur_cli.execute(
            [SCRIPTS / "many_mentions.sh", "--mentions", "20000", "--ranks", "1 3", "--out", self.folder],
            env={"MURMUR": murmur_cli.BINARY}), 0)
        self.assertIn(b"20097 mentions, counted by 3 ranks and by sort and uniq: equal, in the same order", done.out)
        head, *rows = [line.split("\t") for line in (self.folder / "mentions.tsv").read_text().splitlines()[1:]]
        self.assertEqual([(row[0], row[1]) for row in rows], [("all of gold", "1"), ("2,100 rows more", "1"),
                                                              ("all of gold", "3"), ("2,100 rows more", "3")])


if __name__ == "__main__":
    unittest.main()
