#!/usr/bin/env bash
# dist_train.sh CONFIG PROCESSES [arguments of train.py]   one process a GPU, on one or more machines.
# Several machines: set NNODES, NODE_RANK, MASTER_ADDR and PORT alike to torchrun's arguments.
set -euo pipefail

if [ $# -lt 2 ]; then
    echo "usage: $0 CONFIG PROCESSES [arguments of train.py]" >&2
    exit 2
fi
config=$1
processes=$2
shift 2

# mmengine prints configs with yapf, whose first import on a machine writes a cache that another process can read while
# it is still empty: one process imports it before there are several.
"${PYTHON:-python}" -c "import yapf"
exec "${PYTHON:-python}" -m torch.distributed.run \
    --nnodes="${NNODES:-1}" \
    --node_rank="${NODE_RANK:-0}" \
    --master_addr="${MASTER_ADDR:-127.0.0.1}" \
    --master_port="${PORT:-29500}" \
    --nproc_per_node="$processes" \
    "$(dirname "${BASH_SOURCE[0]}")/train.py" "$config" --launcher pytorch "$@"
