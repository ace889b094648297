#!/usr/bin/env bash
# murmur on a real Slurm: munge, slurmctld and three slurmd on this one machine, each node with its own network, host name,
# IPC, /dev/shm and /tmp; jobs by srun and sbatch. All of it lives in namespaces that end with the script.
#
#     tests/cluster/run.sh [TEST...]                      e.g. tests/cluster/run.sh ClusterTest.test_a_killed_node_...
#     tests/cluster/run.sh --shell [COMMAND]              the cluster itself, to try things on
#
# Needs root (or rights to make namespaces), Debian's slurmctld slurmd slurm-client slurm-wlm-basic-plugins munge iproute2,
# python3, and a built program (build/release/murmur, or MURMUR_BINARY below the source folder). Installs nothing. The last
# line is "N passed, N failed"; status 0 only if none failed, 77 where the machine cannot do it.
set -euo pipefail

source_folder=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
binary=${MURMUR_BINARY:-$source_folder/build/release/murmur}
most_seconds=600

skip() {
    echo "skipped: $1"
    echo "0 passed, 0 failed"
    exit 77
}

PATH=$PATH:/usr/sbin:/sbin
for program in munged slurmctld slurmd srun sbatch scontrol sinfo ip unshare nsenter mpirun python3; do
    command -v "$program" >/dev/null || skip "no $program here (scripts/install_dependencies.sh --tests)"
done
[ -x "$binary" ] || skip "no program at $binary: build it first"
case $(realpath "$binary") in
    "$source_folder"/*) ;;
    *) skip "$binary is not below $source_folder, which is all of this machine's files that the nodes are sure to see" ;;
esac
find /usr/lib/*/slurm-wlm -name 'mpi_pmix*.so' 2>/dev/null | grep -q . || skip "this Slurm has no plugin for PMIx"
outer=(unshare --net --mount --uts --ipc --pid --fork --kill-child --mount-proc --propagation private)
"${outer[@]}" true 2>/dev/null || skip "no right to make namespaces (root in a container with CAP_SYS_ADMIN has it)"

# shellcheck disable=SC2016  # expanded inside
# Nodes hide /tmp behind their own, so that the source folder, wherever it is, is seen under another name.
exec timeout --kill-after=10 "$most_seconds" "${outer[@]}" bash -c '
    set -euo pipefail
    mount -t tmpfs -o mode=755 cluster /mnt
    mkdir /mnt/murmur /mnt/shared
    mount --bind "$1" /mnt/murmur
    cd /mnt/shared
    export MURMUR_SOURCE=/mnt/murmur MURMUR_BINARY=/mnt/murmur/$2 PYTHONDONTWRITEBYTECODE=1
    shift 2
    program=test_cluster.py
    if [ "${1:-}" = --shell ]; then
        program=cluster.py
        shift
    fi
    exec python3 "/mnt/murmur/tests/cluster/$program" "$@"
' cluster "$source_folder" "$(realpath --relative-to="$source_folder" "$binary")" "$@"
