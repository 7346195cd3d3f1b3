# shellcheck shell=bash disable=SC2154
# The demo of stage 05, run by ./lab demo 05: a restart while a slow request is in flight and clients keep sending
# requests. The old process responds to the slow request, either process to the others, and none is lost.

get() {  # get PATH: prints the body
    curl --silent --noproxy '*' --max-time 20 "http://127.0.0.1:$port$1"
}

client() {  # adds a line to the timeline that does not come from the server
    echo "        client: $*" >>"$log"
}

eventField() {  # eventField EVENT FIELD: of its first line
    [[ $(grep -m1 -E "^\+[^ ]+ $1( |$)" "$log") =~ \ $2=([^ ]+) ]] && echo "${BASH_REMATCH[1]}"
}

slowRequest() {
    local answer
    answer=$(get /) || true
    client "the slow request got: $answer"
    [ "$answer" = "old pid=$pid generation=1" ]
}

sendRequests() {  # until the file "$folder/stop" exists, each on a new connection; counts responses and losses
    local answered=0 lost=0
    until [ -e "$folder/stop" ]; do
        if get /healthz >/dev/null; then answered=$((answered + 1)); else lost=$((lost + 1)); fi
    done
    echo "$answered $lost" >"$folder/count"
}

folder=$(mktemp -d)
echo 'message=old' >"$folder/config"
echo "1. Starting a server that works 2 seconds on every GET /."
startStage --port 0 --work 2s --config "$folder/config" --pid-file "$folder/pid" --rollback-window 1s
trap 'kill $job $(cat "$folder/pid" 2>/dev/null) 2>/dev/null || true; rm -rf "$log" "$folder"' EXIT
echo "   It is ready: port $port, pid $pid."

echo "2. Sending it a GET / in the background, and many small requests in parallel."
slowRequest &
slow=$!
sendRequests &
load=$!
waitForEvent 'request.begin id=[0-9]+ method=GET path=/'

echo "3. Changing its greeting, and sending SIGHUP."
echo 'message=new' >"$folder/config"
client "sending SIGHUP"
kill -HUP "$pid"
waitForEvent restart.handed_over
new=$(eventField restart.handed_over new_pid)
echo "   Process $new serves in its place. The old one stops accepting, and drains."

echo "4. Waiting for the response to the slow request."
wait "$slow" || differs "the slow request did not get its response from the old process"
echo "   The old greeting, from the old process."

echo "5. Sending another request."
answer=$(get /) || true
client "the next request got: $answer"
[ "$answer" = "new pid=$new generation=2" ] || differs "the next response is '$answer'"
echo "   The new greeting, from the new process."

echo "6. Waiting for the old process to exit, and counting."
wait "$job" || differs "the old process's exit code is $?, not 0"
touch "$folder/stop"
wait "$load"
read -r answered lost <"$folder/count"
[ "$lost" -eq 0 ] || differs "$lost of $((answered + lost)) small requests were lost"
kill -TERM "$new"
until [ ! -e "$folder/pid" ]; do sleep 0.01; done
echo "   Exit code 0; $answered small requests got their response meanwhile, and 0 were lost."

printf '\nThe timeline. A line with + is an event, at that time since the start of its process.\n\n'
grep -v 'path=/healthz' "$log"

# shellcheck disable=SC2034  # for ./lab demo
logs=(--log "$log" --title "A hot restart while a slow request is in flight")
