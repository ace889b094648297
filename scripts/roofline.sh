#!/usr/bin/env bash
# The forward pass under its roofs: what a core computes and reads at most, and what the encoder reaches, measured by
# `murmur bench` in one process. Writes results/roofline.tsv and draws it.
#
#     scripts/roofline.sh [--draw]        # --draw: only the picture, from the table that is there
#
# Across: operations for each byte of weights, as each batch of tokens reads the weights once. Up: operations a second of
# processor time. Left of where the roofs meet memory would be the limit.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
table=results/roofline.tsv
if [ "${1:-}" != --draw ]; then
    unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE
    "${MURMUR_BINARY:-build/release/murmur}" bench peak encoder --json | ${PYTHON:-python3} -c '
import json, sys
weight_bytes = {"fp32": 4, "bf16": 2, "int8": 1}
roofs = set()
print("# scripts/roofline.sh: kind, name, operations for each byte of weights, 1e9 operations (memory: bytes) a second, of the peak")
for line in map(json.loads, sys.stdin):
    if line["bench"] == "peak" and line["what"] == "memory":
        print("memory", "memory", 0, round(line["bytes_per_s"] / 1e9, 1), 1, sep="\t")
    elif line["bench"] == "peak" and line["gflops"] and line["what"] not in roofs: # the widest instructions come first
        roofs.add(line["what"])
        print("roof", line["what"], 0, round(line["gflops"], 1), 1, sep="\t")
    elif line["bench"] == "encoder" and line["fraction_by_cpu"]: # bf16 only where it has a roof
        reached = line["gflops"] * line["seconds"] / line["cpu"]
        print("encoder", line["shape"] + " " + line["precision"], 2 * line["batch_tokens"] / weight_bytes[line["precision"]],
              round(reached, 1), round(line["fraction_by_cpu"], 3), sep="\t")
' > "$table.new"
    mv "$table.new" "$table"
fi
gnuplot scripts/roofline.gp
echo "$table results/roofline.svg" >&2
