"""Who starts murmur: processes of a wrong launcher are refused before they touch a store; one rank on purpose is not.

The launchers are told from their environment variables, which the tests set: SLURM is not needed."""

import os
import subprocess
import unittest

import murmur_cli
from murmur_cli import BINARY, MPI_ENVIRONMENT, execute, run

HOST = os.uname().nodename


def allocation(n_tasks):
    """What Slurm 22.05 tells an sbatch script."""
    return {"SLURM_JOB_ID": "5", "SLURM_JOBID": "5", "SLURM_NTASKS": str(n_tasks), "SLURM_PROCID": "0",
            "SLURM_NODELIST": HOST}


def step(n_tasks, task, n_in_allocation=None):
    """What it tells a task of srun --mpi=none."""
    return {**allocation(n_in_allocation or n_tasks), "SLURM_STEP_ID": "0", "SLURM_STEPID": "0",
            "SLURM_STEP_NUM_TASKS": str(n_tasks), "SLURM_PROCID": str(task)}


class Launch(murmur_cli.TestCase):
    def setUp(self):
        super().setUp()
        self.source, self.store = self.folder / "tweets", self.folder / "store"
        self.assert_status(run("generate", self.source, "--tweets", "20"), 0)

    def start_tasks(self, environments):
        """Starts a task for each environment, as a launcher does; their statuses and all that they said."""
        tasks = [subprocess.Popen([BINARY, "run", str(self.source), "--store", str(self.store)], text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  env={**os.environ, **MPI_ENVIRONMENT, **environment})
                 for environment in environments]
        said = [task.communicate(timeout=60)[0] for task in tasks]
        return [task.returncode for task in tasks], said

    def assert_refused(self, environments):
        statuses, said = self.start_tasks(environments)
        self.assertEqual(statuses, [64] + [0] * (len(environments) - 1), said)
        self.assertEqual(said[1:], [""] * (len(said) - 1))
        self.assertFalse(self.store.exists())
        return said[0]

    def test_tasks_of_srun_without_pmix_are_refused_with_one_message(self):
        said = self.assert_refused([step(3, task) for task in range(3)])
        self.assertEqual(said.count("\n"), 1, said)
        self.assertIn("srun --mpi=pmix", said)
        self.assertIn("mpirun", said)

    def test_tasks_of_srun_with_another_pmi_end_with_the_cure_told_once(self):
        # Open MPI itself ends them in MPI_Init where it was built without that PMI, as Debian's is.
        statuses, said = self.start_tasks([{**step(2, task), "PMI_FD": "99", "PMI_RANK": str(task), "PMI_SIZE": "2"}
                                           for task in range(2)])
        self.assertNotEqual(statuses[0], 0, said)
        self.assertEqual("".join(said).count("srun --mpi=pmix"), 1, said)
        self.assertEqual(said[1], "")
        self.assertFalse(self.store.exists())

    def test_ranks_of_another_mpis_launcher_are_refused_with_one_message(self):
        said = self.assert_refused([{"PMI_FD": "99", "PMI_RANK": str(rank), "PMI_SIZE": "4"} for rank in range(4)])
        self.assertEqual(said.count("\n"), 1, said)
        self.assertIn("Open MPI", said)

    def test_an_sbatch_script_that_starts_murmur_bare_is_refused(self):
        said = self.assert_refused([allocation(16)])
        self.assertIn("mpirun -np 1 if one rank is meant", said)

    def test_one_rank_on_purpose_runs(self):
        meant = {
            "srun -n1 without PMIx": step(1, 0),
            "srun -n1 in a larger allocation": step(1, 0, n_in_allocation=16),
            "an allocation of one task": allocation(1),
            "another MPI's mpiexec -n 1 in an allocation": {**allocation(16), "PMI_RANK": "0", "PMI_SIZE": "1"},
        }
        for how, environment in meant.items():
            with self.subTest(how):
                self.run_job(self.source, self.store, env=environment)
        # Open MPI's own launcher; Slurm's variables are set behind it, or it would look for Slurm.
        variables = [f"{name}={value}" for name, value in step(16, 0).items()]
        self.assert_status(execute(["mpirun", "-np", "1", "env", *variables, BINARY, "run", self.source, "--store",
                                    self.store]), 0)

    def test_commands_that_read_are_answered_by_the_first_task_alone(self):
        self.run_job(self.source, self.store)
        first, second = (run("history", self.store, env=step(2, task)) for task in range(2))
        self.assertIn(b"gold", self.assert_status(first, 0).out)
        self.assertEqual((second.status, second.out, second.err), (0, b"", ""))


if __name__ == "__main__":
    unittest.main()
