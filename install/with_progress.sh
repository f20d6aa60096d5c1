#!/usr/bin/env bash
# with_progress.sh LOG COMMAND...   run COMMAND, all output to LOG, and show every few seconds that it moves.
# A build of several minutes that prints nothing looks hung; its full log is too long to read.
set -euo pipefail

log=$1
shift
mkdir -p "$(dirname "$log")"

set -m # the command gets a process group of its own, so that its compilers can be stopped with it
"$@" >"$log" 2>&1 &
child=$!
set +m
# A background job ignores Ctrl-C; without this it would go on installing after make has gone.
trap 'kill -- "-$child" 2>/dev/null; exit 130' INT TERM

# Say how far the compiler is, as ninja counts it, or else the last line of the log.
latest() {
    local count
    count=$(tail -n 1000 "$log" | grep -oE '^ *\[[0-9]+/[0-9]+\]' | tail -n 1) || true
    if [ -n "$count" ]; then echo "compiling ${count// /}"; else tail -n 1 "$log" | tr -d '\r'; fi
}

while kill -0 "$child" 2>/dev/null; do
    for _ in {1..50}; do
        sleep 0.2
        kill -0 "$child" 2>/dev/null || break 2
    done
    printf '   %4d s  %s\n' "$SECONDS" "$(latest | cut -c 1-90)"
done

if wait "$child"; then
    exit 0
else
    status=$?
    tail -n 40 "$log" >&2
    printf 'failed after %d s: %s\nfull log: %s\n' "$SECONDS" "$*" "$log" >&2
    exit "$status"
fi
