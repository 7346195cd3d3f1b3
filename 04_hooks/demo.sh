# shellcheck shell=bash disable=SC2154
# The demo of stage 04, run by ./lab demo 04: SIGTERM arrives while a slow request is in flight and orders have been
# acknowledged. The admin server says what blocks the end, the request gets its answer, every order is in the database,
# and the server exits with 0. If anything else happens, the demo fails.

client() {  # adds a line to the timeline that does not come from the server
    echo "        client: $*" >>"$log"
}

get() {  # get PORT PATH: prints the body
    curl --silent --noproxy '*' --max-time 20 "http://127.0.0.1:$1$2"
}

order() {  # prints the status
    curl --silent --noproxy '*' --max-time 20 --output /dev/null --write-out '%{http_code}' \
        --data '{"item":"tea","quantity":1}' "http://127.0.0.1:$port/orders"
}

slowRequest() {
    local answer
    answer=$(get "$port" /hello) || true
    client "the slow request got: $answer"
    [ "$answer" = hello ]
}

counter() {  # counter NAME: its value, as /drainz tells it
    local status
    status=$(get "$adminPort" /drainz)
    [[ $status =~ \"$1\":([0-9]+) ]] && echo "${BASH_REMATCH[1]}"
}

folder=$(mktemp -d)
echo "1. Starting a server that takes orders, and works 2 seconds on every GET /hello."
startStage --port 0 --admin-port 0 --db "$folder/orders.db" --work 2s --hook orders:500ms
trap 'kill $job 2>/dev/null || true; rm -rf "$log" "$folder"' EXIT
[[ $(grep -m1 ' ready ' "$log") =~ admin_port=([0-9]+) ]] && adminPort=${BASH_REMATCH[1]}
echo "   It is ready: port $port, admin port $adminPort, pid $pid."
echo "   In the next seconds you can watch it: http://127.0.0.1:$adminPort/"

echo "2. Sending it 20 orders, and a GET /hello in the background."
acknowledged=0
for _ in {1..20}; do
    [ "$(order)" = 202 ] || differs "an order was not acknowledged"
    acknowledged=$((acknowledged + 1))
done
slowRequest &
slow=$!
until grep -q 'path=/hello' "$log"; do sleep 0.01; done
echo "   $acknowledged orders acknowledged."

echo "3. Sending SIGTERM. From now on there is a plan."
client "sending SIGTERM"
kill -TERM "$pid"

echo "4. Asking the admin server what blocks the end."
waitForEvent drain.begin
status=$(get "$adminPort" /drainz)
[[ $status == *'"state":"draining"'* ]] || differs "the admin server does not say that it is draining: $status"
[[ $status == *'"path":"/hello"'* ]] || differs "the admin server does not show the slow request: $status"
client "/drainz says: draining, and GET /hello in flight"
echo "   GET /hello, it says."

echo "5. Waiting for the answer to the slow request, and for the server to exit."
wait "$slow" || differs "the slow request did not get its answer"
waitForEvent drain.end
stored=$(counter orders_stored)
[ "$stored" = "$acknowledged" ] || differs "$acknowledged orders were acknowledged and ${stored:-none} stored"
wait "$job" || differs "the server's exit code is $?, not 0"
echo "   Exit code 0: the request got its answer, and $stored of $acknowledged orders are in the database."

printf '\nThe timeline. A line with + is an event of the server, at that time since its start.\n\n'
grep -v 'path=/orders' "$log"

# shellcheck disable=SC2034  # for ./lab demo
logs=(--log "$log" --title "SIGTERM with a slow request in flight and orders not yet stored")
