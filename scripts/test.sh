#!/usr/bin/env bash
# Builds three times and runs the tests: all of them on the optimised build (warnings are errors), unit, MPI and fuzz tests
# under AddressSanitizer and UBSan, and the short forms of tests/faults on a build with failure points.
#
#     scripts/test.sh [-- CTEST_OPTION...]          e.g. scripts/test.sh -- --tests-regex unit.test_utf8
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [ $# -gt 0 ] && [ "$1" != -- ]; then
    echo "usage: $0 [-- CTEST_OPTION...]" >&2
    exit 64
fi
[ $# -eq 0 ] || shift

scripts/install_dependencies.sh --tests
SECONDS=0
jobs=$(nproc)

build() {
    cmake --preset "$1" -DBUILD_TESTING=ON >/dev/null
    cmake --build --preset "$1" -j "$jobs"
}

verdict=0
build ci
ctest --preset ci --output-on-failure -j "$jobs" --no-tests=error "$@" || verdict=1
optimised=$SECONDS

build dev
ctest --preset dev --output-on-failure -j "$jobs" --label-regex '^(unit|mpi|fuzz)$' "$@" || verdict=1
sanitized=$((SECONDS - optimised))

build faults
ctest --preset faults --output-on-failure -j "$jobs" "$@" || verdict=1

if [ "$verdict" -eq 0 ]; then outcome=passed; else outcome=FAILED; fi
echo "murmur tests $outcome: optimised in $optimised s, sanitized in $sanitized s, with failures in" \
    "$((SECONDS - optimised - sanitized)) s"
exit "$verdict"
