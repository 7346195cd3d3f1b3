# shellcheck shell=bash disable=SC2154
# The demo of stage 03, run by ./lab demo 03: SIGTERM arrives while a slow request is in flight. The request still
# gets its answer, a new connection is refused, and the server exits with 0. If anything else happens, the demo fails.

client() {  # adds a line to the timeline that does not come from the server
    echo "        client: $*" >>"$log"
}

get() {  # get PATH: prints body and status; the exit code is curl's, 7 when the connection is refused
    curl --silent --noproxy '*' --max-time 20 --write-out '%{http_code}' "http://127.0.0.1:$port$1"
}

slowRequest() {
    local answer code=0
    answer=$(get /hello) || code=$?
    client "the slow request got: ${answer//$'\n'/ } (curl exit code $code)"
    [ "$answer" = $'hello\n200' ]
}

echo "1. Starting a server that works 2 seconds on every GET /hello."
startStage --port 0 --work 2s
echo "   It is ready: port $port, pid $pid."

echo "2. Sending it a GET /hello, in the background."
slowRequest &
slow=$!
waitForEvent request.begin
echo "   The server has begun to work on it."

echo "3. Sending SIGTERM. A server without graceful shutdown would lose that request now."
client "sending SIGTERM"
kill -TERM "$pid"

echo "4. Connecting anew until that is refused."
deadline=$((SECONDS + 5))
refused=no
until [ $refused = yes ]; do
    code=0
    get /healthz >/dev/null || code=$?
    case $code in
        0) [ $SECONDS -lt $deadline ] || differs "5 seconds after SIGTERM a new connection is still answered"
           sleep 0.01 ;;
        7) refused=yes ;;
        *) differs "a new connection was neither answered nor refused (curl exit code $code)" ;;
    esac
done
client "a new connection is refused (curl exit code $code)"
echo "$(sinceStart) client.refused path=/healthz" >>"$log"
kill -0 "$slow" 2>/dev/null || differs "the slow request was over before a new connection was refused"
echo "   Refused, while the slow request is still in flight."

echo "5. Waiting for the answer to the slow request."
wait "$slow" || differs "the slow request did not get 200 hello"
echo "   200 hello."

echo "6. Waiting for the server to exit."
wait "$job" || differs "the server's exit code is $?, not 0"
echo "   Exit code 0: everything it had accepted was finished."

printf '\nThe timeline. A line with + is an event of the server, at that time since its start.\n\n'
cat "$log"

# shellcheck disable=SC2034  # for ./lab demo
logs=(--log "$log" --title "SIGTERM while a slow request is in flight")
