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

mkdir -p "$work"
if [ ! -d "$work/model" ]; then
    "$python" "$scripts/train_bpe.py" "$data" --work "$work" --output "$work/model.part"
    mv "$work/model.part" "$work/model"
fi
"$python" "$scripts/teacher.py" "$data" --work "$work"
"$python" "$scripts/train.py" "$data" --work "$work" --output "$work/model"
"$python" "$scripts/evaluate.py" "$work/model" "$data" --work "$work"

mkdir -p "$output"
cp "$work/model/"* "$output/"
