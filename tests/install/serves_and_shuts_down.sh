#!/bin/sh
# serves_and_shuts_down.sh SERVER: a request is in flight when SIGTERM comes; it is served, and SERVER exits with 0.
set -eu

folder=$(mktemp -d)
"$1" 0 2>"$folder/log" &
server=$!
trap 'cat "$folder/log"; rm -rf "$folder"; kill "$server" 2>/dev/null || true' EXIT

waitFor() {  # waitFor EVENT
    for _ in $(seq 1000); do
        ! grep -q "^+[^ ]* $1 " "$folder/log" || return 0
        sleep 0.01
    done
    echo "no event $1"
    exit 1
}

waitFor ready
port=$(sed -n 's/.* ready port=//p' "$folder/log")
curl --silent --fail --noproxy '*' --max-time 20 "http://127.0.0.1:$port/" >"$folder/response" &
client=$!
waitFor request.begin
kill -TERM "$server"
wait "$client"
grep -qx hello "$folder/response"
wait "$server"
