# shellcheck shell=bash disable=SC2034,SC2154
# verify --on process: two processes behind HAProxy, all on this machine.

needs() {
    local program
    for program in redis-server redis-cli haproxy curl; do
        command -v $program >/dev/null || fail 69 "please install $program"
    done
    [ -x "$programs/06_docker" ] || fail 69 "$programs has no 06_docker; build first, or say --programs"
}

replicas=() ports=() others=()

start() {
    local redisPort
    redisPort=$(freePort)
    redis=(redis-cli -h 127.0.0.1 -p "$redisPort")
    redis-server --bind 127.0.0.1 --port "$redisPort" --dir "$logs" --save '' --appendonly yes --appendfsync always \
        --logfile "$logs/redis" >/dev/null &
    others+=($!)
    environment+=("LAB_REDIS=127.0.0.1:$redisPort")
    soon 20 redisAnswers || fail 69 "Redis does not start: $(cat "$logs/redis")"

    ports=("$(freePort)" "$(freePort)")
    startReplica 0
    startReplica 1
    port=$(freePort) statePort=$(freePort)
    LAB_CHECK_INTERVAL=${LAB_CHECK_INTERVAL:-200ms} \
        LAB_FRONT_PORT=$port LAB_STATE_PORT=$statePort LAB_FIRST_PORT=${ports[0]} LAB_SECOND_PORT=${ports[1]} \
        haproxy -db -q -f "$here/process.cfg" >"$logs/haproxy" 2>&1 &
    others+=($!)
    balanced 2
}

redisAnswers() { "${redis[@]}" ping >/dev/null 2>&1; }

startReplica() {  # startReplica 0|1
    local log=$logs/replica$1
    : >"$log"
    env "${environment[@]}" "LAB_PORT=${ports[$1]}" "$programs/06_docker" 2>"$log" &
    replicas[$1]=$!
    soon 20 grep -q ' ready ' "$log" || fail 69 "a replica does not start: $(cat "$log")"
}

waitForEnd() {  # waitForEnd 0|1: it has been asked to end, and should exit with 0
    local status=0
    wait "${replicas[$1]}" || status=$?
    [ $status = 0 ] || echo "A replica has ended with exit code $status: $(tail -n 2 "$logs/replica$1")"
}

rollingUpdate() {
    local number
    for number in 0 1; do
        kill "${replicas[number]}"
        waitForEnd $number
        startReplica $number
        balanced 2
    done
}

counter() {
    local value
    value=$("${redis[@]}" get counter)
    echo "${value:-0}"
}

stop() {
    kill "${replicas[@]}"
    waitForEnd 0
    waitForEnd 1
    replicas=()
}

cleanUp() {
    local pid
    for pid in "${replicas[@]}" "${others[@]}" ${load:-}; do
        kill "$pid" || true
    done
    wait
}
