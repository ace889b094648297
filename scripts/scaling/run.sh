#!/bin/bash
#
#     scripts/scaling/run.sh [--tweets N] [--repeats K] [--precisions "fp32 bf16 int8"] [--out DIR] [--by-cpu] [--model-only]
#
# Measures murmur at 1 and 2 ranks on this machine and from one rank predicts the rest. Leaves in DIR (default results)
#     scaling.tsv             seconds, processor time and efficiency, strong and weak, by precision: medians of K (3) runs
#                             over N (20000) tweets, one kind after the other in each round
#     scaling_constants.tsv   what the model is made of, each with the command that measured it
#     scaling_check.tsv       the model at 2 ranks against the measurement
#     scaling_model.tsv, scaling_mechanisms.tsv, and pictures of both
# --by-cpu: constants by processor time, for a machine that others use too; the check then says nothing.
# --model-only: the last three, from the first two as they are.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
murmur=${MURMUR:-$PWD/build/release/murmur}
n_tweets=20000 n_repeats=3 precisions="fp32 bf16 int8" out=results is_measuring=1 by_cpu=
while [ $# -gt 0 ]; do
    case $1 in
    --tweets) n_tweets=$2 ;;
    --repeats) n_repeats=$2 ;;
    --precisions) precisions=$2 ;;
    --out) out=$2 ;;
    --model-only) is_measuring= ;;
    --by-cpu) by_cpu=by-cpu ;;
    *)
        sed -n '2,14s/^# \{0,1\}//p' "$0" >&2
        exit 64
        ;;
    esac
    case $1 in --model-only | --by-cpu) shift ;; *) shift 2 ;; esac
done
python=${PYTHON:-python3}
export OPENBLAS_NUM_THREADS=1 TIMEFORMAT='%R %U %S'
. scripts/mpirun_as_root.sh
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE

launch() {
    local n_ranks=$1
    shift
    mpirun --oversubscribe --bind-to none -np "$n_ranks" "$@"
}

# measure PRECISION KIND RANKS TWEETS: the whole program's seconds, its processor time, and what it tells of itself.
measure() {
    local took
    took=$({ time launch "$3" "$murmur" run "$work/tweets-$4" --store "$work/store" --precision "$1" --quiet >&2; } 2>&1) ||
        { echo "$took" >&2; exit 1; }
    echo "$1 $2 $3 $4 $took" >>"$work/runs"
    "$python" scripts/scaling/tables.py of-run "$work/store" "$(tail -n 1 "$work/runs")" >>"$work/runs.jsonl"
    rm -rf "$work/store"
}

mkdir -p "$out"
if [ $is_measuring ]; then
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    for n in "$n_tweets" $((2 * n_tweets)); do
        "$murmur" generate "$work/tweets-$n" --tweets "$n" --files 16 --seed 1 >/dev/null
    done
    for ((i = 0; i < n_repeats; i++)); do
        for precision in $precisions; do
            measure "$precision" strong 1 "$n_tweets"
            measure "$precision" strong 2 "$n_tweets"
            measure "$precision" weak 2 $((2 * n_tweets))
        done
    done
    {
        launch 1 "$murmur" bench ranks --json
        launch 2 "$murmur" bench ranks --json
        launch 2 --mca btl tcp,self "$murmur" bench ranks --json | sed 's/^{/{"network":true,/'
        "$murmur" bench log --json 2>/dev/null
        "$murmur" bench plan --json
        # How often ranks meet for a batch whose parts are small.
        "$murmur" generate "$work/few" --tweets 200 --files 2 --seed 1 >/dev/null
        launch 2 "$murmur" run "$work/few" --store "$work/few-store" --verbose 2>&1 |
            sed -n 's/.*the ranks met for this batch: \([0-9]*\) agreements, \([0-9]*\) gathers, .*/{"bench":"batch","what":"batch","agreements":\1,"gathers":\2}/p'
        # The disk, past the page cache where it can be.
        dd if=/dev/zero of="$work/disk" bs=1M count=256 conv=fsync 2>&1 | sed -n 's/.* \([0-9.,]*\) s, .*/{"bench":"disk","what":"write","seconds":\1}/p'
        dd if="$work/disk" of=/dev/null bs=1M iflag=direct 2>&1 | sed -n 's/.* \([0-9.,]*\) s, .*/{"bench":"disk","what":"read","seconds":\1}/p'
    } >>"$work/bench.jsonl"
    "$python" scripts/scaling/tables.py measured "$work/runs.jsonl" "$work/bench.jsonl" "$out" \
        "scripts/scaling/run.sh --tweets $n_tweets --repeats $n_repeats --precisions \"$precisions\"${by_cpu:+ --by-cpu}" ${by_cpu:+"$by_cpu"}
fi
"$python" scripts/scaling/model.py "$out/scaling_constants.tsv" --out "$out" --measured "$out/scaling.tsv" --markdown >"$out/scaling.md"
if [ "$out" = results ]; then # the tables of the page
    "$python" scripts/scaling/tables.py into-page "$out/scaling.md" docs/SCALING.md
    rm "$out/scaling.md"
fi
# Less work a token, so more of the rest: the last precision of the table is the hardest to scale.
fastest=$(awk '!/^#/ && $1 != "precision" { last = $1 } END { print last }' "$out/scaling_model.tsv")
if command -v gnuplot >/dev/null; then
    for picture in scaling scaling_mechanisms; do
        gnuplot -e "folder = '$out'; precision = '$fastest'" "scripts/scaling/$picture.gp"
        echo "$out/$picture.svg" >&2
    done
fi
cat "$out/scaling.tsv" "$out/scaling_check.tsv"
