# shellcheck shell=bash disable=SC2154
# The demo of stage 06, run by ./lab demo 06: 20 clients have their 200, and the work that they were promised goes on
# in the background when SIGTERM arrives. The service ends when all of it is in the counter. Then the same, but naive:
# the work is lost, and no client hears of it. If anything else happens, the demo fails. It needs neither Docker nor
# Redis.

promises=20

promiseAll() {  # by one curl: a slow machine must not finish the first work before the last request is sent
    local number answered requests=()
    for ((number = 0; number < promises; number++)); do
        requests+=(--output /dev/null "http://127.0.0.1:$port/incr")
    done
    answered=$(curl --silent --noproxy '*' --max-time 20 --write-out '%{http_code}\n' "${requests[@]}" | grep -cx 200)
    [ "$answered" = $promises ] || differs "a GET /incr was not answered with 200"
}

total() {  # what the counter in memory was at the end
    [[ $(grep -m1 ' counter.total ' "$log") =~ value=([0-9]+) ]] && echo "${BASH_REMATCH[1]}"
}

echo "1. Starting a service that answers GET /incr at once and works 3 seconds on it in the background."
startStage --port 0 --work 3s
echo "   It is ready: port $port, pid $pid. It counts in memory."

echo "2. Sending it $promises GET /incr."
promiseAll
echo "   $promises times 200. For these clients all is done."

echo "3. Sending SIGTERM, and waiting for the service to exit."
kill -TERM "$pid"
wait "$job" || differs "the service's exit code is $?, not 0"
[ "$(total)" = $promises ] || differs "the counter is $(total), not $promises"
echo "   Exit code 0, and the counter is $(total): it has waited for its work."
graceful=$log

echo "4. The same with --naive, the way it is written first."
startStage --port 0 --work 3s --naive
trap 'kill $job 2>/dev/null || true; rm -f "$log" "$graceful"' EXIT
promiseAll
kill -TERM "$pid"
wait "$job" || differs "the naive service's exit code is $?, not 0"
[ "$(total)" -lt $promises ] || differs "the naive service has lost nothing"
broken=$((promises - $(total)))
echo "   Exit code 0 again, and the counter is $(total): $broken of $promises promises are broken, and nobody knows."

# shellcheck disable=SC2034  # for ./lab demo
logs=(--log "$graceful" --title "Graceful: waits for the work that it has promised"
      --log "$log" --title "Naive: waits for its responses only, and loses the work")

printf '\nThe timeline of the first. A line with + is an event of the service, at that time since its start.\n\n'
grep -v 'path=/incr' "$graceful"
