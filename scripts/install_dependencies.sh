#!/usr/bin/env bash
# Installs what murmur needs on Debian and Ubuntu; does nothing, and needs no root, where all of it is there.
#
#     scripts/install_dependencies.sh [--tests]
set -euo pipefail

packages=(build-essential cmake pkg-config openmpi-bin libopenmpi-dev libhdf5-openmpi-dev libcjson-dev libcurl4-openssl-dev
    libopenblas-dev zlib1g-dev libxxhash-dev gnuplot-nox)
for argument in "$@"; do
    case $argument in
        --tests)
            packages+=(libcmocka-dev python3 python3-h5py python3-numpy python3-regex)
            packages+=(chromium) # looks at the page of report
            packages+=(openssl)  # makes certificates for the tests of push
            # tests/cluster: Slurm, its authentication, and networks between its nodes
            packages+=(slurmctld slurmd slurm-client slurm-wlm-basic-plugins munge iproute2)
            ;;
        *)
            echo "usage: $0 [--tests]" >&2
            exit 64
            ;;
    esac
done

if ! command -v dpkg-query >/dev/null; then
    echo "this is no Debian or Ubuntu; install what these packages bring, then go on: ${packages[*]}" >&2
    exit 0
fi

missing=()
for package in "${packages[@]}"; do
    state=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "missing: ${missing[*]}; become root and run: apt-get install ${missing[*]}" >&2
        exit 73
    fi
    as_root=(sudo)
fi
echo "installing ${missing[*]}" >&2
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq update
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq --yes --no-install-recommends install "${missing[@]}" >/dev/null
