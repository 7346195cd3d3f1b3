#!/bin/sh
# serves_and_shuts_down.sh SERVICE: one job is running when SIGTERM comes, another one begins in the lame duck, when
# /readyz responds 503 already; both are in the journal when SERVICE exits with 0.
set -eu

folder=$(mktemp -d)
"$1" 0 "$folder/journal" 2>"$folder/log" &
service=$!
trap 'cat "$folder/log"; rm -rf "$folder"; kill "$service" 2>/dev/null || true' EXIT

waitFor() {  # waitFor EVENT
    for _ in $(seq 1000); do
        ! grep -q "^+[^ ]* $1 " "$folder/log" || return 0
        sleep 0.01
    done
    echo "no event $1"
    exit 1
}

status() {  # status PATH: of the response
    curl --silent --output /dev/null --write-out '%{http_code}' --noproxy '*' --max-time 20 "http://127.0.0.1:$port$1"
}

waitFor ready
port=$(sed -n 's/.* ready port=//p' "$folder/log")
[ "$(status /readyz)" = 200 ]
[ "$(status /)" = 202 ]
kill -TERM "$service"
waitFor lame_duck.begin
[ "$(status /readyz)" = 503 ]
[ "$(status /)" = 202 ]
wait "$service"
[ "$(grep -cx 'done' "$folder/journal")" = 2 ]

code=0
"$1" 0 "$folder" 2>"$folder/error" || code=$?  # a folder is not a journal
[ "$code" = 69 ]
grep -q "cannot write to $folder" "$folder/error"
