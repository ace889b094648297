#!/usr/bin/env bash
# murmur's encoder beside ONNX Runtime on this machine: the same weights, texts of the same lengths, one thread each, in
# turns, so that what else runs here meets both.
#
#     scripts/bench_peers.sh [--shape base|small] [--lengths FILE] [--tweets N] [--rounds N] [--precision NAME]
#
# FILE has a number of tokens a line, the first and last token counted; without it texts are about as long as tweets are.
# ONNX Runtime takes padded batches of 32, in order of arrival and sorted by length. It comes from npm (onnxruntime-node)
# into a folder that is removed at the end; PEERS_NPM names one to keep. Prints tweets a second (medians of the rounds)
# and ratios, by the clock and by processor time; the latter is the one to quote where other jobs run too.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

shape=base
lengths=
tweets=
rounds=3
precision=fp32
while [ $# -gt 0 ]; do
    case $1 in
        --shape | --lengths | --tweets | --rounds | --precision) declare "${1#--}=${2:?$1 needs a value}" && shift 2 ;;
        *)
            sed -n '2,11s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
            exit 64
            ;;
    esac
done
[ -n "$tweets" ] || { [ "$shape" = base ] && tweets=100 || tweets=1000; }
murmur=${MURMUR_BINARY:-build/release/murmur}
python=${PYTHON:-/usr/bin/python3}

skip() {
    echo "bench_peers: skipped: $1" >&2
    exit 0
}
command -v node > /dev/null || skip "there is no node (apt-get install nodejs)"
command -v npm > /dev/null || skip "there is no npm (apt-get install npm)"
"$python" -c 'import numpy' 2> /dev/null || skip "$python has no numpy (apt-get install python3-numpy)"
[ -x "$murmur" ] || skip "there is no $murmur: build it, or set MURMUR_BINARY"

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm_folder=$(realpath -m "${PEERS_NPM:-$folder/npm}")
if [ ! -d "$npm_folder/node_modules/onnxruntime-node" ]; then
    # Its install script fetches libraries for GPUs.
    npm install --prefix "$npm_folder" --ignore-scripts --no-audit --no-fund onnxruntime-node > "$folder/npm.log" 2>&1 ||
        skip "npm cannot install onnxruntime-node: $(tail -n 1 "$folder/npm.log")"
fi
export NODE_PATH="$npm_folder/node_modules"
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE

"$python" scripts/peers/make_models.py "$shape" "$folder/model"
lengths=${lengths:-$folder/model/lengths}

for ((round = 0; round < rounds; round++)); do
    "$murmur" bench encoder --model "$folder/model" --precision "$precision" --lengths "$lengths" --tweets "$tweets" \
        --json >> "$folder/murmur"
    for order in arrival sorted; do
        node scripts/peers/onnxruntime.js "$folder/model" "$lengths" "$tweets" "$order" >> "$folder/$order"
    done
done

"$python" - "$folder" "$shape" "$precision" << 'END'
import json
import pathlib
import statistics
import sys

folder, shape, precision = pathlib.Path(sys.argv[1]), *sys.argv[2:]


def rates(name):
    """Tweets a second, by the clock and by processor time: medians of the rounds."""
    lines = [json.loads(line) for line in (folder / name).read_text().splitlines()]
    return [statistics.median(line["tweets"] / line[time] for line in lines) for time in ("seconds", "cpu")]


ours = rates("murmur")
print(f"{shape:26} {'tweets/s':>10} {'by cpu':>10} {'murmur is':>10} {'by cpu':>8}")
print(f"{'murmur ' + precision:26} {ours[0]:10.1f} {ours[1]:10.1f}")
for name in "arrival", "sorted":
    theirs = rates(name)
    print(f"{'ONNX Runtime fp32, ' + name:26} {theirs[0]:10.1f} {theirs[1]:10.1f} "
          f"{ours[0] / theirs[0]:9.2f}x {ours[1] / theirs[1]:7.2f}x")
END
