#!/bin/bash
#
#     scripts/scaling/many_mentions.sh [--mentions N] [--ranks "1 2 4"] [--out DIR]
#
# Counts N (default 10,000,000) distinct mentions, each by a rank count of its own, and tells the memory that the fullest
# rank and rank 0 took: once all of gold, once a small addition to the table that is there. Each result is held against
# gold's mentions counted by sort and uniq. Leaves DIR/mentions.tsv (default results). Scratch is below $TMPDIR.
set -euo pipefail
here=$(cd "$(dirname "$0")/../.." && pwd)
murmur=${MURMUR:-$here/build/release/murmur}
n_mentions=10000000 ranks="1 2 4" out=$here/results
while [ $# -gt 0 ]; do
    case $1 in
    --mentions) n_mentions=$2 ;;
    --ranks) ranks=$2 ;;
    --out) out=$2 ;;
    *)
        sed -n 's/^# \{0,1\}//p' "$0" >&2
        exit 64
        ;;
    esac
    shift 2
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export OPENBLAS_NUM_THREADS=1 LC_ALL=C
. "$here"/scripts/mpirun_as_root.sh

# tweets FILE FIRST END: each with 20 mentions of users FIRST to END - 1 in a mixed order, and one of a few frequent ones.
# All but the mentions is the same, so that a text is scored once for a work unit.
tweets() {
    mkdir -p "$(dirname "$1")"
    awk -v first="$2" -v end="$3" -v n="$n_mentions" 'BEGIN {
        for (i = first; i < end; i += 20) {
            text = "@often" int(i / 20) % 97
            for (k = i; k < i + 20 && k < end; k++)
                text = text " @u" (k * 7368787) % n
            printf "{\"date\":\"2009-04-%02d\",\"user\":\"a\",\"text\":\"%s\",\"sentiment\":\"positive\"}\n", 1 + i % 28, text
        }
    }' >"$1"
}

# run RANKS OPTION...: over all tweets there are; what it tells is in progress.jsonl.
run() {
    local n_ranks=$1
    shift
    mpirun --oversubscribe --bind-to none -np "$n_ranks" "$murmur" run "$work/tweets" --store "$work/store" --max-bytes 8M "$@" \
        2>"$work/log" || { tail -5 "$work/log" >&2; exit 1; }
}

# measure WHAT RANKS OPTION...: appends a line to the table.
measure() {
    local what=$1
    shift
    run "$@"
    python3 - "$work/store/progress.jsonl" "$what" "$1" "$n_mentions" >>"$work/mentions.tsv" <<'END'
import json, sys
progress, what, ranks, mentions = sys.argv[1:]
c = [line for line in map(json.loads, open(progress)) if line["name"] == "run"][-1]["counters"]
print(what, ranks, mentions, round(max(c["peak_bytes"]) / 2**20), round(c["peak_bytes"][0] / 2**20),
      round(sum(c["spilled_bytes"]) / 2**20), round(max(c["merge_seconds"]), 1), round(max(c["write_seconds"]), 1), sep="\t")
END
}

# check RANKS: what so many ranks counted, and then added to. Mentions have no capitals, so they are the same folded.
check() {
    "$murmur" export "$work/store" gold --columns mention --format csv | tail -n +2 | tr -d '\r' |
        sort -S 1G -T "$work" | uniq -c | awk '{ print $1 "," $2 }' | sort -S 1G -T "$work" -t, -k1,1nr -k2,2 >"$work/want"
    "$murmur" export "$work/store" application --columns total,mention --format csv | tail -n +2 | tr -d '\r' >"$work/got"
    cmp "$work/want" "$work/got"
    echo "$(wc -l <"$work/want") mentions, counted by $1 ranks and by sort and uniq: equal, in the same order"
}

printf 'what\tranks\tmentions\tpeak_mib\trank_0_peak_mib\tspilled_mib\tmerge_seconds\twrite_seconds\n' >"$work/mentions.tsv"
n_files=16
per_file=$((n_mentions / n_files / 20)) # of whole tweets:
per_file=$((per_file * 20))
for ((f = 0; f < n_files; f++)); do
    tweets "$work/tweets/$(printf %02d "$f").jsonl" $((f * per_file)) $((f < n_files - 1 ? (f + 1) * per_file : n_mentions))
done
run 1 --quiet
fold=--fold-case # counting begins anew where the option is another one
for n_ranks in $ranks; do
    measure "all of gold" "$n_ranks" $fold
    tweets "$work/tweets/more-$n_ranks.jsonl" 0 2000
    measure "2,100 rows more" "$n_ranks" $fold
    if [ "$fold" ]; then fold=; else fold=--fold-case; fi
    check "$n_ranks"
done
mkdir -p "$out"
{
    echo "# scripts/scaling/many_mentions.sh --mentions $n_mentions --ranks \"$ranks\""
    cat "$work/mentions.tsv"
} | tee "$out/mentions.tsv"
