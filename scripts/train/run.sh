#!/bin/sh
# From the data folder to the model folder:
#
#     run.sh DATA WORK MODEL_DIR
#
# WORK holds what is computed on the way (about 2 GB).  After a stop, the same command
# goes on from the last finished step or checkpoint.  MODEL_DIR is written at the end,
# file by file; anything else in it, such as its README, stays.
set -eu

if [ $# -ne 3 ]; then
    echo "usage: run.sh DATA WORK MODEL_DIR" >&2
    exit 64
fi
data=$1
work=$2
output=$3
scripts=$(dirname "$0")
python=${PYTHON:-python3}

# The whole run is GEMMs on all cores and small work between them.
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-$(nproc)}"

mkdir -p "$work"
if [ ! -d "$work/model" ]; then
    "$python" "$scripts/train_bpe.py" "$data" --work "$work" --output "$work/model.part"
    mv "$work/model.part" "$work/model"
fi
"$python" "$scripts/train.py" "$data" --work "$work" --output "$work/model" --threads "$OMP_NUM_THREADS"
"$python" "$scripts/evaluate.py" "$work/model" "$data"

mkdir -p "$output"
cp "$work/model/"* "$output/"
