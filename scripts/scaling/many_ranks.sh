#!/bin/bash
#
#     scripts/scaling/many_ranks.sh [RANKS [TWEETS]]
#
# A run on RANKS (64) oversubscribed ranks of this machine makes the tables of a run on one, row for row and bit for bit: TWEETS (2000)
# generated ones in 40 files, nasty cases included, in several batches. Exit status 0 only if so.
set -euo pipefail
here=$(cd "$(dirname "$0")/../.." && pwd)
murmur=${MURMUR:-$here/build/release/murmur}
n_ranks=${1:-64} n_tweets=${2:-2000}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export OPENBLAS_NUM_THREADS=1
. "$here"/scripts/mpirun_as_root.sh
"$murmur" generate "$work/tweets" --tweets "$n_tweets" --files 40 --seed 1 >/dev/null
run() {
    local begin=$EPOCHREALTIME
    timeout "${LIMIT:-600}" mpirun --oversubscribe --bind-to none --mca mpi_yield_when_idle 1 -np "$1" \
        "$murmur" run "$work/tweets" --store "$work/store-$1" --max-files 16 --quiet
    awk -v n="$1" -v begin="$begin" -v end="$EPOCHREALTIME" 'BEGIN { printf "%d ranks: %.1f s\n", n, end - begin }'
    "$murmur" verify "$work/store-$1" >/dev/null
}
run 1
run "$n_ranks"
n_different=0
for table in bronze rejects silver gold application; do
    columns=()
    if [ $table = bronze ]; then columns=(--columns "date,user,text,sentiment,source_file,rescued_data"); fi # processing_time is when
    for n in 1 "$n_ranks"; do
        "$murmur" export "$work/store-$n" $table --format jsonl "${columns[@]}" >"$work/$n.jsonl"
    done
    if cmp "$work/1.jsonl" "$work/$n_ranks.jsonl"; then
        echo "$table: $(wc -l <"$work/1.jsonl") rows, equal"
    else
        n_different=$((n_different + 1))
    fi
done
exit $((n_different > 0))
