#!/usr/bin/env bash
# From a bare Debian 12 or Ubuntu to sentiment per mention: installs, builds, makes tweets, runs on all cores, shows.
#
#     scripts/demo.sh [--fresh] [--tweets N]
#
# A second run finds all of it there and adds nothing; --fresh starts over with an empty store.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

n_tweets=10000
is_fresh=false
while [ $# -gt 0 ]; do
    case $1 in
        --fresh) is_fresh=true ;;
        --tweets)
            shift
            n_tweets=${1:?--tweets needs a number}
            ;;
        *)
            echo "usage: $0 [--fresh] [--tweets N]" >&2
            exit 64
            ;;
    esac
    shift
done

scripts/install_dependencies.sh
options=()
[ -f build/release/CMakeCache.txt ] || options+=(-DBUILD_TESTING=OFF) # tests need packages that a demonstration does not
cmake --preset release "${options[@]}" >/dev/null
cmake --build --preset release -j "$(nproc)"

tweets=results/demo/tweets
store=results/demo/store
murmur=build/release/murmur
if $is_fresh; then
    rm -rf results/demo
fi
"$murmur" generate "$tweets" --tweets "$n_tweets"

# Open MPI refuses more ranks than physical cores unless told, and single-copy transfers need a right that containers
# withhold; shared memory does without.
. scripts/mpirun_as_root.sh
export OMPI_MCA_btl_vader_single_copy_mechanism=none
n_ranks=$(nproc)
mpirun --oversubscribe --bind-to none -np "$n_ranks" "$murmur" run "$tweets" --store "$store"

"$murmur" mentions "$store" --top 20
"$murmur" report "$store" --out results/demo/report

cat <<END

The store is $store, its pictures are on results/demo/report/index.html. What to try next:
  $murmur export $store gold --format csv --limit 5
  $murmur evaluate $store
  $murmur history $store
  $murmur verify $store
  $murmur classify "what a lovely morning"
  mpirun -np $n_ranks $murmur run YOUR_TWEETS --store YOUR_STORE
END
