"""murmur under a real Slurm, on several hosts: started by run.sh, which see."""

import datetime
import json
import os
import pathlib
import re
import shutil
import sys
import tempfile
import time
import unittest

import cluster
from cluster import SHARED, execute, wait_until

BINARY = os.environ["MURMUR_BINARY"]
SOURCE = pathlib.Path(os.environ["MURMUR_SOURCE"])
TABLES = {
    "bronze": ("--columns", "date,user,text,sentiment,source_file,rescued_data"),  # processing_time is the clock's
    "silver": (), "gold": (), "application": (), "rejects": (),
}
N_NODES = 3
SMALL_BATCHES = ("--max-files", "1")  # many commits, so that something can happen between two
N_BATCHES = 24  # a commit takes 0.05 to 1 s


def lines(path):
    return path.read_text(errors="replace") if path.exists() else ""


class SlurmJob:
    """A batch job of slurm/murmur.sbatch."""

    def __init__(self, submitted, log):
        self.number = submitted.stdout.split(";")[0].strip()
        self.log = pathlib.Path(str(log).replace("%j", self.number))

    @property
    def state(self):
        return the_cluster.job(self.number).get("JobState")

    @property
    def restarts(self):
        return int(the_cluster.job(self.number).get("Restarts", 0))

    @property
    def said(self):
        return lines(self.log)

    def wait_for(self, *states, seconds=120):
        wait_until(lambda: self.state in states, seconds,
                   lambda: f"job {self.number} in {states}: {the_cluster.job(self.number)}\n{self.said}\n"
                           f"{the_cluster.logs()}")
        return self.state


class ClusterTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=SHARED))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.addCleanup(self.end_jobs)
        self.source, self.store = self.folder / "tweets", self.folder / "store"

    def end_jobs(self):
        execute(["scancel", "--full", "--signal=KILL", "--user=root"], check=False)
        execute(["scancel", "--user=root"], check=False)
        the_cluster.wait_for_idle_nodes()

    def generate(self, n_tweets, n_files):
        execute([BINARY, "generate", self.source, "--tweets", n_tweets, "--files", n_files])

    def srun(self, *words, check=True, options=(), env=None):
        return execute(["srun", "--kill-on-bad-exit=1", *options, BINARY, *words], check=check,
                       env={**os.environ, **(env or {})})

    def sbatch(self, *options, script=SOURCE / "slurm/murmur.sbatch", run_options=(), words=None, env=None):
        log = self.folder / "job-%j.log"
        environment = {"MURMUR": BINARY, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
                       **(env or {})}
        submitted = execute(["sbatch", "--parsable", f"--output={log}", f"--chdir={SHARED}", *options, script,
                             *(words or (self.source, self.store, *run_options))], env={**os.environ, **environment})
        return SlurmJob(submitted, log)

    def run_alone(self, options):
        """The same input by one rank on the head node, with the same triggers."""
        store = self.folder / "alone"
        execute([BINARY, "run", self.source, "--store", store, *options])
        return store

    def export(self, store, table):
        return execute([BINARY, "export", store, table, "--format", "jsonl", *TABLES[table]]).stdout

    def assert_same_tables(self, store, other):
        for table in TABLES:
            self.assertEqual(self.export(store, table), self.export(other, table), table)

    def assert_complete(self, *options):
        """Whole, every file taken once, and what one rank alone makes of them."""
        execute([BINARY, "verify", self.store])
        self.assert_same_tables(self.store, self.run_alone(options))

    def records(self):
        return sorted((self.store / "_log").glob("0*.json"))

    def wait_for_records(self, n, job, seconds=60):
        wait_until(lambda: len(self.records()) >= n, seconds, lambda: f"{n} records: {job.said}\n{the_cluster.logs()}")

    def test_a_run_on_several_hosts_makes_what_one_rank_makes(self):
        self.generate(1500, 7)
        said = self.srun("run", self.source, "--store", self.store, options=["-N3", "-n6"]).stdout
        self.assertIn("6 ranks", said)
        self.assert_complete()

    def write_skewed(self):
        """Files as large as 10 to 1, of units whose texts are as many as 10 to 1; more than 4 MiB of rows."""
        self.source.mkdir()
        for i, (n_tweets, pad) in enumerate([(3000, 1500), (300, 1500), (1500, 150), (150, 150), (600, 5000)]):
            with open(self.source / f"{i}.jsonl", "w") as file:
                for k in range(n_tweets):
                    text = f"@user{k % 97} number {k} is {('good', 'bad', 'there')[k % 3]}, says file {i}"
                    file.write(json.dumps({"text": text, "pad": "x" * pad}) + "\n")

    def last_run(self):
        """What the ranks counted: {"node": [0, 1, …], "units": […], …}."""
        return json.loads(lines(self.store / "progress.jsonl").splitlines()[-1])["counters"]

    def hashes(self, store):
        """Of the contents of parts, record by record; bronze's rows have the time at which they were read."""
        records = [json.loads(lines(path)) for path in sorted((store / "_log").glob("0*.json"))]
        return [[part["hash"] for table in ("rejects", "silver", "gold", "application")
                 for part in record["tables"].get(table, {}).get("added", [])] for record in records]

    def test_the_work_of_a_host_that_stands_still_goes_to_the_others(self):
        self.write_skewed()
        job = self.sbatch("-N3", "--ntasks-per-node=1", "--no-requeue")
        wait_until(lambda: self.progress() > 0, 60, lambda: job.said)
        node = self.the_nodes_of(job)[2]
        node.run(["pkill", "-STOP", "-x", "murmur"])
        began = time.monotonic()
        n_tweets = [self.progress()]  # of rank 0's node, and from it of all
        while len(n_tweets) < 6 or n_tweets[-1] > n_tweets[-6]:  # until the others have nothing left to do
            time.sleep(1)
            n_tweets.append(self.progress())
        self.assertEqual(self.records(), [])
        node.run(["pkill", "-CONT", "-x", "murmur"])
        self.assertEqual(job.wait_for("COMPLETED", "FAILED"), "COMPLETED", job.said)
        tokens = self.last_run()["tokens"]
        print(f"tokens scored {tokens}, the third host stood still for {time.monotonic() - began:.1f} s")
        # A sixth of the work was dealt to it in advance, and it may have begun some more.
        self.assertLess(tokens[2], 0.28 * sum(tokens))
        self.assertTrue(all(n > 0 for n in self.last_run()["part_bytes_written"]), "all ranks write a large part")
        self.assert_complete()
        self.assertEqual(self.hashes(self.store), self.hashes(self.folder / "alone"))

    def progress(self):
        look = json.loads(execute([BINARY, "status", self.store, "--json"]).stdout) if self.store.exists() else {}
        return (look.get("progress") or {}).get("tweets", 0)

    def test_rank_0_answers_other_hosts_while_it_computes_and_ranks_end_together(self):
        said = execute(["srun", "-N3", "-n6", BINARY, "bench", "deal", "--json", "--unit-time", "100ms",
                        "--units", "40"]).stdout
        trials = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
        self.assertEqual(len(trials), 3, said)
        for trial in trials:
            print({name: trial[name] for name in ("what", "seconds", "tail_percent", "answers", "median_ms", "p90_ms",
                                                  "p99_ms", "worst_ms", "wake_p90_ms")})
            self.assertEqual((trial["nodes"], trial["ranks"]), (3, 6))
            self.assertGreater(trial["answers"], 10)
            # Rank 0's helper and the asker's wake up one after the other, later where other processes are in the way.
            self.assertLess(trial["median_ms"], 20 + 4 * trial["wake_p90_ms"])
            self.assertLess(trial["tail_percent"], 3)

    def test_small_parts_are_written_by_one_rank_and_are_the_same(self):
        self.generate(300, 6)
        self.srun("run", self.source, "--store", self.store, *SMALL_BATCHES, options=["-N2", "-n4"])
        written = self.last_run()["part_bytes_written"]
        self.assertGreater(written[0], 0)
        self.assertEqual(written[1:], [0, 0, 0])
        self.assert_complete(*SMALL_BATCHES)
        self.assertEqual(self.hashes(self.store), self.hashes(self.folder / "alone"))
        waits = [json.loads(line)["durationMs"]["walCommit"]
                 for line in lines(self.store / "progress.jsonl").splitlines() if '"bronze_stream"' in line]
        print(f"writing and committing a small batch took {waits} ms")

    def test_unequal_numbers_of_ranks_on_the_hosts_make_the_same(self):
        self.generate(600, 5)
        self.srun("run", self.source, "--store", self.store,
                  options=["-N3", "-n6", "--distribution=arbitrary"],
                  env={"SLURM_HOSTFILE": str(self.write_hosts("node1 node1 node1 node2 node2 node3"))})
        self.assert_complete()

    def write_hosts(self, names):
        path = self.folder / "hosts"
        path.write_text("\n".join(names.split()) + "\n")
        return path

    def test_mpirun_inside_sbatch_makes_the_same(self):
        self.generate(600, 5)
        script = self.folder / "mpirun.sbatch"
        script.write_text("#!/bin/bash\nexec mpirun \"$MURMUR\" run \"$1\" --store \"$2\"\n")
        job = self.sbatch("-N2", "--ntasks-per-node=2", script=script)
        self.assertEqual(job.wait_for("COMPLETED", "FAILED", "TIMEOUT"), "COMPLETED", job.said)
        self.assertIn("4 ranks", job.said)
        self.assert_complete()

    def test_the_scaling_job_measures_each_number_of_ranks(self):
        job = self.sbatch("-N2", "--ntasks-per-node=2", script=SOURCE / "slurm/scaling.sbatch",
                          words=(self.folder / "scaling", "200"))
        self.assertEqual(job.wait_for("COMPLETED", "FAILED"), "COMPLETED", job.said)
        header, *rows = [line.split("\t") for line in lines(self.folder / "scaling/scaling.tsv").splitlines()]
        self.assertEqual(header, ["kind", "ranks", "tweets", "seconds", "tweets_per_s", "efficiency"])
        self.assertEqual([row[:3] for row in rows], [
            ["strong", "1", "200"], ["strong", "2", "200"], ["strong", "4", "200"],
            ["weak", "1", "50"], ["weak", "2", "100"], ["weak", "4", "200"]])
        for _, n_ranks, tweets, seconds, rate, efficiency in rows:
            self.assertAlmostEqual(float(rate), int(tweets) / float(seconds), delta=0.01 * float(rate) + 1)
            self.assertLess(float(efficiency), 2, n_ranks)
        self.assertEqual(sorted(path.name for path in (self.folder / "scaling").iterdir() if path.suffix != ".svg"),
                         ["scaling.gp", "scaling.tsv"] if shutil.which("gnuplot") else ["scaling.tsv"])

    def test_srun_without_pmix_is_refused_before_the_store_is_touched(self):
        self.generate(10, 1)
        done = self.srun("run", self.source, "--store", self.store, check=False, options=["-N2", "-n4", "--mpi=none"])
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("srun --mpi=pmix", done.stdout)
        self.assertFalse(self.store.exists())

    def test_hosts_that_multiply_differently_are_refused_with_the_cure(self):
        self.generate(10, 1)
        done = execute(["srun", "--kill-on-bad-exit=1", "-N2", "-n2", "bash", "-c",
                        'if [ "$SLURM_PROCID" = 1 ]; then export MURMUR_ISA=portable; fi; exec "$@"', "rank",
                        BINARY, "run", self.source, "--store", self.store], check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("set MURMUR_ISA to instructions that all nodes have", done.stdout)
        self.assertFalse(self.store.exists())

    def test_too_little_shared_memory_on_one_host_is_refused_with_the_cure(self):
        self.generate(10, 1)
        node = the_cluster.nodes[1]
        self.addCleanup(node.run, ["mount", "-o", "remount,size=512m", "/dev/shm"])
        node.run(["mount", "-o", "remount,size=12m", "/dev/shm"])  # MPI starts with it; the weights take 14 MB
        done = self.srun("run", self.source, "--store", self.store, check=False,
                         options=["--nodelist=node1,node2", "--ntasks-per-node=2"])
        self.assertNotEqual(done.returncode, 0, done.stdout)
        self.assertIn("/dev/shm has", done.stdout)
        self.assertIn("remount,size=", done.stdout)
        self.assertFalse(self.store.exists())

    def test_a_killed_node_costs_nothing_the_job_is_requeued_and_completes(self):
        self.generate(1200, N_BATCHES)
        job = self.sbatch("-N2", "--ntasks-per-node=2", "--nodelist=node2,node3",
                          run_options=SMALL_BATCHES)
        self.wait_for_records(3, job)
        node = the_cluster.nodes[2]
        node.kill()
        began = time.monotonic()
        wait_until(lambda: job.state != "RUNNING", 60, lambda: f"the job ended: {job.said}\n{the_cluster.logs()}")
        print(f"a node's death was seen after {time.monotonic() - began:.1f} s")
        self.assertLess(len(self.records()), N_BATCHES, "the job was over before its node died: nothing was tested")
        node.start()
        job.wait_for("COMPLETED", "FAILED", seconds=180)
        self.assertEqual(job.state, "COMPLETED", job.said)
        self.assertEqual(job.restarts, 1, job.said)
        self.assert_complete(*SMALL_BATCHES)

    def test_at_the_time_limit_the_job_commits_is_requeued_and_completes(self):
        self.requeue_at_the_time_limit("-N2", "--ntasks-per-node=1")

    def test_mpirun_inside_sbatch_is_told_of_the_time_limit_too(self):
        # On one node there is no step, of which Slurm could tell ranks by itself.
        self.requeue_at_the_time_limit("-N1", "--ntasks-per-node=2", env={"MURMUR_LAUNCHER": "mpirun"})

    def requeue_at_the_time_limit(self, *options, env=None):
        self.generate(1200, 60)
        job = self.sbatch(*options, "--time=1", "--signal=B:USR1@50", run_options=SMALL_BATCHES, env=env)
        self.wait_for_records(3, job)
        # However fast the machine is, the job is to be at work when the signal comes: its ranks are halted till then.
        nodes = self.the_nodes_of(job)
        for node in nodes:
            node.run(["pkill", "-STOP", "-x", "murmur"])
        n_records = len(self.records())
        time.sleep(30)
        for node in nodes:  # where Slurm has not woken them itself
            node.run(["pkill", "-CONT", "-x", "murmur"], check=False)
        wait_until(lambda: job.restarts >= 1 or job.state in ("COMPLETED", "FAILED", "TIMEOUT"), 60, lambda: job.said)
        self.assertEqual(job.restarts, 1, f"{job.state}: it never was requeued: {job.said}")
        self.assertIn("files left; run again to go on", job.said)
        self.assertIn("have ended: a stop was asked for", job.said)  # the signal came, not the end of the time
        runs = [json.loads(lines(path))["run_id"] for path in self.records()]  # the next one may be at work already
        self.assertLess(runs.count(runs[0]), n_records + 5)  # the batch in hand, the count, and no more
        # More time for the rest, unless it is done already.
        execute(["scontrol", "update", f"JobId={job.number}", "TimeLimit=10"], check=False)
        job.wait_for("COMPLETED", "FAILED", "TIMEOUT", seconds=180)
        self.assertEqual(job.state, "COMPLETED", job.said)
        self.assert_complete(*SMALL_BATCHES)

    def test_ranks_know_when_the_time_of_their_job_is_over(self):
        program = self.folder / "tell"
        program.write_text('#!/bin/sh\necho "over at $SLURM_JOB_END_TIME"\n')
        program.chmod(0o755)
        job = self.sbatch("-N2", "--ntasks-per-node=1", "--time=7", env={"MURMUR": program})
        job.wait_for("COMPLETED", "FAILED")
        end = datetime.datetime.fromisoformat(the_cluster.job(job.number)["StartTime"]) + datetime.timedelta(minutes=7)
        told = re.findall(r"over at (\d+)", job.said)
        self.assertEqual(len(told), 2, job.said)
        for time_told in told:
            self.assertAlmostEqual(int(time_told), end.timestamp(), delta=2)

    def test_of_two_jobs_on_one_store_one_is_refused(self):
        self.generate(1200, N_BATCHES)
        first = self.sbatch("-N1", "--ntasks-per-node=2", "--nodelist=node1", run_options=SMALL_BATCHES)
        self.wait_for_records(1, first)
        execute(["scontrol", "suspend", first.number])  # it stays in the middle of its work, alive
        second = self.sbatch("-N1", "--ntasks-per-node=2", "--nodelist=node2")
        second.wait_for("COMPLETED", "FAILED")
        self.assertEqual(second.state, "FAILED", second.said)
        self.assertEqual(the_cluster.job(second.number)["ExitCode"], "73:0", second.said)
        self.assertIn("node1", second.said)  # names who has it
        self.assertLess(len(self.records()), N_BATCHES)
        execute(["scontrol", "resume", first.number])
        first.wait_for("COMPLETED", "FAILED")
        self.assertEqual(first.state, "COMPLETED", first.said)
        self.assert_complete(*SMALL_BATCHES)

    def test_stop_from_another_host_ends_the_job_after_its_batch(self):
        self.generate(1200, N_BATCHES)
        job = self.sbatch("-N2", "--ntasks-per-node=2", "--no-requeue",
                          run_options=SMALL_BATCHES)
        self.wait_for_records(2, job)
        writer = json.loads(execute([BINARY, "status", self.store, "--json"]).stdout)["writer"]
        self.assertEqual((writer["state"], writer["host"]), ("running", self.the_nodes_of(job)[0].name))
        execute([BINARY, "stop", self.store])
        job.wait_for("COMPLETED", "FAILED")
        self.assertEqual(the_cluster.job(job.number)["ExitCode"], "75:0", job.said)
        self.assertLess(len(self.records()), N_BATCHES)
        # The rest by another number of ranks.
        self.srun("run", self.source, "--store", self.store, *SMALL_BATCHES, options=["-N3", "-n3"])
        self.assert_complete(*SMALL_BATCHES)

    def test_status_follows_a_job_of_other_hosts_to_its_end(self):
        self.generate(3000, 12)
        job = self.sbatch("-N2", "--ntasks-per-node=1", "--nodelist=node1,node2", "--no-requeue",
                          run_options=("--max-files", "6"))
        wait_until((self.store / "_progress").exists, 60, lambda: job.said)
        followed = [json.loads(line)
                    for line in execute([BINARY, "status", self.store, "--follow", "--json"]).stdout.splitlines()]
        job.wait_for("COMPLETED", "FAILED")
        self.assertEqual(job.state, "COMPLETED", job.said)
        self.assertEqual(followed[0]["writer"]["host"], "node1")
        looks = [line["progress"] for line in followed if line.get("progress")]
        self.assertGreater(len(looks), 1)
        for one, next_one in zip(looks, looks[1:]):
            self.assertLessEqual(one["time"], next_one["time"])
            self.assertLessEqual(one["batches_done"], next_one["batches_done"])
        for look in looks:  # within a batch the other node's share is an estimate, never more than there is
            self.assertLessEqual(look["tweets"], 3000 * 1.1)
        last = followed[-1]
        self.assertIsNone(last["writer"])
        self.assertEqual({name: last["last_run"][name] for name in ("tweets", "ranks", "nodes", "batches")},
                         {"tweets": 3000, "ranks": 2, "nodes": 2, "batches": 2})
        end = json.loads((self.store / "progress.jsonl").read_text().splitlines()[-1])
        self.assertEqual(end["counters"]["node"], [0, 1])
        self.assertEqual(sum(n > 0 for n in end["counters"]["weights_read_bytes"]), 2, "a copy on each node")
        print(f"{len(looks)} looks, the job took {last['last_run']['seconds']:.1f} s")

    def test_a_lost_rank_ends_the_job_and_the_next_run_completes(self):
        self.generate(1200, N_BATCHES)
        job = self.sbatch("-N2", "--ntasks-per-node=2", run_options=SMALL_BATCHES)
        self.wait_for_records(2, job)
        self.the_nodes_of(job)[1].run(["pkill", "-KILL", "--newest", "-x", "murmur"])
        began = time.monotonic()
        job.wait_for("FAILED", "COMPLETED", "NODE_FAIL", seconds=60)
        print(f"a rank's death ended the job after {time.monotonic() - began:.1f} s")
        self.assertEqual(job.state, "FAILED", job.said)
        self.srun("run", self.source, "--store", self.store, *SMALL_BATCHES, options=["-N3", "-n3"])
        self.assert_complete(*SMALL_BATCHES)

    def the_nodes_of(self, job):
        names = execute(["scontrol", "show", "hostnames", the_cluster.job(job.number)["NodeList"]]).stdout.split()
        return [node for node in the_cluster.nodes if node.name in names]

    def test_scancel_ends_the_job_and_the_last_commit_stands(self):
        self.generate(1200, N_BATCHES)
        job = self.sbatch("-N2", "--ntasks-per-node=2", run_options=SMALL_BATCHES)
        self.wait_for_records(2, job)
        execute(["scancel", job.number])
        job.wait_for("CANCELLED", seconds=60)
        the_cluster.wait_for_idle_nodes()
        execute([BINARY, "verify", self.store])
        self.srun("run", self.source, "--store", self.store, *SMALL_BATCHES, options=["-N2", "-n2"])
        self.assert_complete(*SMALL_BATCHES)


class Counting(unittest.TextTestResult):
    def line(self):
        n_failed = len(self.failures) + len(self.errors)
        return f"{self.testsRun - n_failed - len(self.skipped)} passed, {n_failed} failed"


if __name__ == "__main__":
    the_cluster = cluster.Cluster(N_NODES)
    the_cluster.start()
    program = unittest.main(exit=False, verbosity=2, testRunner=unittest.TextTestRunner(
        stream=sys.stdout, verbosity=2, resultclass=Counting))
    print(program.result.line())
    sys.exit(0 if program.result.wasSuccessful() else 1)
