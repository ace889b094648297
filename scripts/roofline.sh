#!/usr/bin/env bash
# The forward pass under its roofs: what a core computes and reads at most, and what the encoder reaches, measured by
# `murmur bench` in one process. Puts this machine's rows in results/roofline.tsv, where those of others stay, and draws all.
#
#     scripts/roofline.sh [--machine NAME]     # NAME: the processor's, where it is not told
#     scripts/roofline.sh --draw               # only the picture, from the table that is there
#
# Across: operations for each byte of weights, as each batch of tokens reads the weights once. Up: operations a second of
# processor time. Left of where the roofs meet memory would be the limit.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
table=results/roofline.tsv
machine=$(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -n 1)
[ "${1:-}" != --machine ] || machine=${2:?--machine needs a name}
if [ "${1:-}" != --draw ]; then
    unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE
    "${MURMUR_BINARY:-build/release/murmur}" bench peak encoder --json | ${PYTHON:-python3} -c '
import json, pathlib, sys
table, machine = pathlib.Path(sys.argv[1]), sys.argv[2]
weight_bytes = {"fp32": 4, "bf16": 2, "int8": 1}
rows, roofs = [], set()
for line in map(json.loads, sys.stdin):
    if line["bench"] == "peak" and line["what"] == "memory":
        rows.append(("memory", "memory", 0, round(line["bytes_per_s"] / 1e9, 1), 1))
    elif line["bench"] == "peak" and line["gflops"] and line["what"] not in roofs: # the best instructions come first
        roofs.add(line["what"])
        rows.append(("roof", line["what"], 0, round(line["gflops"], 1), 1))
    elif line["bench"] == "encoder" and line["fraction_by_cpu"]:
        rows.append(("encoder", line["shape"] + " " + line["precision"], 2 * line["batch_tokens"] / weight_bytes[line["precision"]],
                     round(line["gflops"] * line["seconds"] / line["cpu"], 1), round(line["fraction_by_cpu"], 3)))
old = [row for row in table.read_text().splitlines()[1:] if row.split("\t")[0] != machine] if table.exists() else []
new = ["\t".join(map(str, (machine, *row))) for row in rows]
head = "# scripts/roofline.sh: machine, kind, name, operations for each byte of weights, 1e9 operations (memory: bytes) a second, of the peak"
table.write_text("\n".join([head, *old, *new]) + "\n")
' "$table" "$machine"
fi
gnuplot scripts/roofline.gp
echo "$table results/roofline.svg" >&2
