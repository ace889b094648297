"""What doctor finds, and that a run says of its machines at its start."""

import json
import os
import pathlib
import shutil
import unittest
import unittest.mock

import murmur_cli
from murmur_cli import mpirun, run

SUBJECTS = ["ranks", "cores", "BLAS", "folder", "model", "shared memory", "memory", "HDF5", "gnuplot"]


class Doctor(murmur_cli.TestCase):
    def findings(self, *arguments, n_ranks=1, status=0, **options):
        result = self.assert_status(mpirun(n_ranks, "doctor", *arguments, "--json", **options), status)
        findings = {finding["subject"]: finding for finding in result.rows}
        self.assertEqual(list(findings), SUBJECTS)
        for finding in findings.values():
            self.assertEqual(finding["grade"] == "good", finding["cure"] is None, finding)
        return findings

    def test_a_usable_machine_has_nothing_bad_and_no_file_is_left(self):
        findings = self.findings(self.folder)
        self.assertNotIn("bad", [finding["grade"] for finding in findings.values()])
        self.assertIn("hard links work, O_EXCL works, fsync works", findings["folder"]["text"])
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_a_folder_that_is_to_be_made_is_judged_by_its_parent(self):
        self.assertEqual(self.findings(self.folder / "new/store")["folder"]["grade"], "good")
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_text_is_a_line_a_finding(self):
        lines = self.assert_status(run("doctor", self.folder), 0).out.decode().splitlines()
        self.assertEqual([line[6:].split("  ")[0] for line in lines if line[:4].strip()], SUBJECTS)

    def test_more_ranks_than_cores_are_told(self):
        n_cores = len(os.sched_getaffinity(0))
        if n_cores > 7:
            self.skipTest(f"{n_cores} cores are here")
        cores = self.findings(self.folder, n_ranks=n_cores + 1)["cores"]
        self.assertEqual(cores["grade"], "slow")
        self.assertIn(f"{n_cores + 1} ranks may use {n_cores} core", cores["text"])
        self.assertEqual(self.findings(self.folder, n_ranks=1)["cores"]["grade"], "good")

    def test_a_folder_where_nothing_can_be_made_is_bad(self):
        findings = self.findings("/proc/1", status=65)
        self.assertEqual(findings["folder"]["grade"], "bad")

    def test_a_model_that_cannot_be_used_is_bad(self):
        findings = self.findings(self.folder, "--model", self.folder, status=65)
        self.assertEqual(findings["model"]["grade"], "bad")
        self.assertIn("config.json", findings["model"]["text"])

    def test_blas_held_below_the_processor_is_told(self):
        if " avx512f " not in pathlib.Path("/proc/cpuinfo").read_text():
            self.skipTest("this processor has no AVX-512")
        blas = self.findings(self.folder, env={"OPENBLAS_CORETYPE": "Haswell", "MURMUR_ISA": "portable"})["BLAS"]
        self.assertEqual(blas["grade"], "slow")
        self.assertIn("unset", blas["cure"])
        cure = {"OPENBLAS_CORETYPE": "SkylakeX", "MURMUR_ISA": "portable"}  # where OpenBLAS does not know the processor
        self.assertEqual(self.findings(self.folder, env=cure)["BLAS"]["grade"], "good")
        with unittest.mock.patch.dict(os.environ):
            os.environ.pop("OPENBLAS_CORETYPE", None)
            unset = self.findings(self.folder, env={"MURMUR_ISA": "portable"})["BLAS"]
        self.assertTrue(unset["grade"] == "good" or "OPENBLAS_CORETYPE=SkylakeX" in unset["cure"], unset)
        blas = self.findings(self.folder, env={"OPENBLAS_CORETYPE": "Haswell"})["BLAS"]
        self.assertEqual(blas["grade"], "good")
        self.assertIn("murmur-fma", blas["text"])

    def test_a_missing_gnuplot_is_told(self):
        for program in ("sh", "ssh", "orted"):  # Open MPI looks for its own
            if shutil.which(program):
                (self.folder / program).symlink_to(shutil.which(program))
        self.assertEqual(self.findings(self.folder, env={"PATH": str(self.folder)})["gnuplot"]["grade"], "slow")

    def test_romio_is_warned_of(self):
        self.assertEqual(self.findings(self.folder, status=65, env={"OMPI_MCA_io": "romio321"})["HDF5"]["grade"], "bad")

    def test_segments_of_dead_jobs_are_found_and_left(self):
        segment = pathlib.Path(f"/dev/shm/vader_segment.test.{os.getpid()}.0")
        try:
            segment.write_bytes(b"x" * 4096)
        except OSError as error:
            self.skipTest(f"/dev/shm: {error}")
        self.addCleanup(segment.unlink)

        def n_stale():
            text = self.findings(self.folder)["shared memory"]["text"]
            return int(text.split("; ")[1].split()[0]) if "stale" in text else 0

        before = n_stale()  # it is new: its job may just have begun
        os.utime(segment, (0, 0))
        self.assertEqual(n_stale(), before + 1)
        self.assertTrue(segment.exists())

    def test_a_run_says_at_its_start_what_its_machines_are(self):
        source = self.folder / "tweets"
        self.assert_status(run("generate", source, "--tweets", "5"), 0)
        said = self.run_job(source, self.folder / "store", n_ranks=2).err
        line = next(line for line in said.splitlines() if "ranks: " in line)
        for what in ("2 on 1 node", "cores: ", "BLAS: ", "in /dev/shm"):
            self.assertIn(what, line)

    def test_a_run_of_more_ranks_than_cores_says_so_first_and_names_the_cure(self):
        source = self.folder / "tweets"
        self.assert_status(run("generate", source, "--tweets", "5"), 0)
        n_cores = len(os.sched_getaffinity(0))
        if n_cores > 7:
            self.skipTest(f"{n_cores} cores are here")
        for n_ranks in (n_cores + 1, 1):
            said = self.run_job(source, self.folder / f"store{n_ranks}", n_ranks=n_ranks).err
            first, second = [line for line in said.splitlines() if " murmur: " in line][:2]
            self.assertRegex(first, rf"cores: {n_ranks} ranks? may use {n_cores} core")
            self.assertEqual("warning: cores: they take turns" in second and "--bind-to none" in second,
                             n_ranks > n_cores, said)


if __name__ == "__main__":
    unittest.main()
