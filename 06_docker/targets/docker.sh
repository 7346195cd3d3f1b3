# shellcheck shell=bash disable=SC2034,SC2154
# verify --on docker: containers behind HAProxy, started and stopped by hand, the new one first.

run=lab-verify-$$

needs() {
    docker info >/dev/null 2>&1 || fail 69 "no Docker engine answers"
    docker image inspect lab lab-redis lab-haproxy >/dev/null 2>&1 ||
        fail 69 "the images are missing: 06_docker/build-images"
}

started=0

start() {
    docker network create "$run" >/dev/null
    docker run --detach --name "$run-redis" --network "$run" --network-alias redis lab-redis >/dev/null
    soon 30 redisAnswers || fail 69 "Redis does not start"
    startReplica
    startReplica
    docker run --detach --name "$run-haproxy" --network "$run" \
        --publish 127.0.0.1::8080 --publish 127.0.0.1::8404 lab-haproxy >/dev/null
    port=$(publishedPort 8080) statePort=$(publishedPort 8404)
    balanced 2
}

redisAnswers() { docker exec "$run-redis" redis-cli ping >/dev/null 2>&1; }

publishedPort() {
    local address
    address=$(docker port "$run-haproxy" "$1" | head -n 1)
    echo "${address##*:}"
}

startReplica() {
    started=$((started + 1))
    docker run --detach --name "$run-app-$started" --network "$run" --network-alias tasks.app \
        --env LAB_REDIS=redis:6379 "${environment[@]/#/--env=}" \
        --read-only --cap-drop ALL --security-opt no-new-privileges lab >/dev/null
    soon 30 healthy "$run-app-$started" ||
        fail 69 "a replica does not become healthy: $(docker logs "$run-app-$started" 2>&1)"
}

healthy() { [ "$(docker inspect --format '{{.State.Health.Status}}' "$1")" = healthy ]; }

stopReplica() {
    local status
    docker stop --time "$grace" "$run-app-$1" >/dev/null
    status=$(docker inspect --format '{{.State.ExitCode}}' "$run-app-$1")
    [ "$status" = 0 ] ||
        echo "A replica has ended with exit code $status: $(docker logs "$run-app-$1" 2>&1 | tail -n 2)"
}

rollingUpdate() {
    local old
    for old in 1 2; do
        startReplica
        balanced 3
        stopReplica $old
        soon 30 atMost 2 || fail 69 "the load balancer still sends requests to a replica that has ended"
    done
}

atMost() { ! balancerHas $(($1 + 1)); }

counter() {
    local value
    value=$(docker exec "$run-redis" redis-cli get counter)
    echo "${value:-0}"
}

stop() {
    stopReplica 3
    stopReplica 4
}

cleanUp() {
    local container
    for container in $(docker ps --all --quiet --filter "name=^$run-"); do
        docker rm --force --volumes "$container"
    done
    docker network rm "$run"
}
