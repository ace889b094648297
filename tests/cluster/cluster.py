"""A Slurm cluster in namespaces: one head with munged and slurmctld, and nodes that share files but nothing else.

Each node has its own network (a veth pair into a bridge), host name, IPC, /dev/shm and /tmp. Everything is below /mnt,
which run.sh made: /mnt/murmur is the source tree, /mnt/shared what a cluster's shared file system is, /mnt/slurm ours.
"""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path("/mnt/slurm")
SHARED = pathlib.Path("/mnt/shared")
NETWORK = "10.77.0"
HEAD_ADDRESS = f"{NETWORK}.1"
CPUS = 4  # that each node claims to have, so that several ranks fit; the machine's own are shared

SLURM_CONFIGURATION = """
ClusterName=murmur
SlurmctldHost=head({head})
SlurmUser=root
AuthType=auth/munge
# A requeued job waits until the credentials of its former self are over: 120 s by default.
AuthInfo=socket={root}/munge.socket,cred_expire=5
CredType=cred/munge
StateSaveLocation={root}/state
SlurmdSpoolDir={root}/%n/spool
SlurmctldPidFile={root}/slurmctld.pid
SlurmdPidFile={root}/%n/slurmd.pid
SlurmctldLogFile={root}/slurmctld.log
SlurmdLogFile={root}/%n/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=pmix
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
SchedulerParameters=sched_interval=2,batch_sched_delay=0,sched_min_interval=100000
TmpFS=/tmp
ReturnToService=2
SlurmdTimeout=10
KillWait=5
CompleteWait=0
JobRequeue=1
NodeName={names} CPUS={cpus} State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def execute(command, timeout=120, check=True, **options):
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=timeout, **options)
    if check and done.returncode != 0:
        raise AssertionError(f"{command} ended with {done.returncode}: {done.stdout}")
    return done


def wait_until(condition, seconds, what):
    """The condition's first true value."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what() if callable(what) else what}")
        time.sleep(0.1)


class Node:
    """A namespace of each kind, held open by a process that sleeps, and a slurmd in it."""

    def __init__(self, number):
        self.name = f"node{number}"
        self.address = f"{NETWORK}.{10 + number}"
        self.folder = ROOT / self.name
        self.slurmd = None

    def start(self):
        # A node that comes back finds an empty spool: PMIx fails on the sockets of a former life.
        shutil.rmtree(self.folder, ignore_errors=True)
        (self.folder / "spool").mkdir(parents=True)
        # A process namespace too: what dies with the machine that the node stands for is everything in it.
        self.holder = subprocess.Popen(
            ["unshare", "--net", "--uts", "--ipc", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc",
             "--propagation", "private", "sh", "-c",
             "mount -t tmpfs tmpfs /tmp && mount -t tmpfs -o size=512m tmpfs /dev/shm && "
             f"hostname {self.name} && echo ready && exec sleep infinity"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True)
        assert self.holder.stdout.readline() == "ready\n"
        children = pathlib.Path(f"/proc/{self.holder.pid}/task/{self.holder.pid}/children").read_text().split()
        self.pid = int(children[0])
        link = f"veth-{self.name}"
        execute(["ip", "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", self.pid])
        execute(["ip", "link", "set", link, "master", "bridge0", "up"])
        self.run(["ip", "link", "set", "lo", "up"])
        self.run(["ip", "address", "add", f"{self.address}/24", "dev", "eth0"])
        self.run(["ip", "link", "set", "eth0", "up"])
        self.slurmd = subprocess.Popen([*self.enter(), "slurmd", "-D", "-N", self.name], stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)

    def enter(self):
        # Not `ip netns exec`, which hides /sys/fs/cgroup from slurmd.
        return ["nsenter", f"--target={self.pid}", "--net", "--uts", "--ipc", "--mount", "--pid"]

    def run(self, command, **options):
        return execute([*self.enter(), *command], **options)

    def kill(self):
        """As a machine that loses its power: every process at once."""
        os.kill(self.pid, signal.SIGKILL)
        self.holder.wait()
        self.slurmd.wait()
        execute(["ip", "link", "delete", f"veth-{self.name}"], check=False)


class Cluster:
    def __init__(self, n_nodes):
        self.nodes = [Node(number) for number in range(1, n_nodes + 1)]
        self.daemons = []

    def start(self):
        execute(["hostname", "head"])
        ROOT.mkdir()
        (ROOT / "state").mkdir()
        self.configure_names()
        self.start_network()
        self.start_munge()
        names = ",".join(node.name for node in self.nodes)
        configuration = ROOT / "slurm.conf"
        configuration.write_text(SLURM_CONFIGURATION.format(head=HEAD_ADDRESS, root=ROOT, names=names, cpus=CPUS))
        os.environ["SLURM_CONF"] = str(configuration)
        self.start_daemon(["slurmctld", "-D", "-c"])
        for node in self.nodes:
            node.start()
        self.wait_for_idle_nodes()

    def configure_names(self):
        hosts = ROOT / "hosts"
        lines = ["127.0.0.1 localhost", f"{HEAD_ADDRESS} head", *(f"{node.address} {node.name}" for node in self.nodes)]
        hosts.write_text("\n".join(lines) + "\n")
        execute(["mount", "--bind", hosts, "/etc/hosts"])

    def start_network(self):
        execute(["ip", "link", "set", "lo", "up"])
        execute(["ip", "link", "add", "bridge0", "type", "bridge"])
        execute(["ip", "address", "add", f"{HEAD_ADDRESS}/24", "dev", "bridge0"])
        execute(["ip", "link", "set", "bridge0", "up"])

    def start_munge(self):
        key = ROOT / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o600)
        self.start_daemon(["munged", "--foreground", "--force", f"--key-file={key}", f"--socket={ROOT}/munge.socket",
                           f"--pid-file={ROOT}/munge.pid", f"--seed-file={ROOT}/munge.seed",
                           f"--log-file={ROOT}/munge.log"])
        wait_until((ROOT / "munge.socket").exists, 20, "munge's socket")

    def start_daemon(self, command):
        self.daemons.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                             stderr=subprocess.DEVNULL, start_new_session=True))

    def states(self):
        said = execute(["sinfo", "--noheader", "--Node", "--format=%N %T"], check=False)
        return dict(line.split() for line in said.stdout.splitlines() if len(line.split()) == 2)

    def wait_for_idle_nodes(self, seconds=60):
        names = {node.name for node in self.nodes}
        wait_until(lambda: {name for name, state in self.states().items() if state == "idle"} == names, seconds,
                   lambda: f"all nodes idle: {self.states()}\n{self.logs()}")

    def logs(self):
        """The end of every daemon's log, for a failure's message."""
        files = [ROOT / "slurmctld.log", *(node.folder / "slurmd.log" for node in self.nodes)]
        return "\n".join(f"--- {path}\n" + "".join(path.read_text(errors="replace").splitlines(True)[-15:])
                         for path in files if path.exists())

    def job(self, number):
        """What scontrol says of a job, as a dictionary."""
        said = execute(["scontrol", "show", "job", number], check=False).stdout
        return dict(re.findall(r"(\S+?)=(\S*)", said))


def main():
    """run.sh --shell [COMMAND]: the cluster, to look at."""
    whole = Cluster(3)
    whole.start()
    shell = os.environ.get("SHELL", "/bin/sh")
    return subprocess.run([shell, *(["-c", sys.argv[1]] if len(sys.argv) > 1 else [])]).returncode


if __name__ == "__main__":
    sys.exit(main())
