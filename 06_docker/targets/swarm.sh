# shellcheck shell=bash disable=SC2034,SC2154
# verify --on swarm: the stack of stack.yaml, updated by `docker service update`.

stack=lab-verify

needs() {
    docker info >/dev/null 2>&1 || fail 69 "no Docker engine answers"
    docker image inspect lab lab-redis lab-haproxy >/dev/null 2>&1 ||
        fail 69 "the images are missing: 06_docker/build-images"
    ! docker stack ls --format "{{.Name}}" 2>/dev/null | grep -qx $stack || fail 69 "there is a stack $stack already"
}

ownSwarm=no

start() {
    if [ "$(docker info --format '{{.Swarm.LocalNodeState}}')" = inactive ]; then
        docker swarm init --advertise-addr 127.0.0.1 --listen-addr 127.0.0.1:2377 >/dev/null
        ownSwarm=yes
    fi
    port=$(freePort) statePort=$(freePort)
    env "${environment[@]}" "LAB_STOP_GRACE=${grace}s" "LAB_PORT=$port" "LAB_STATE_PORT=$statePort" \
        docker stack deploy --resolve-image never --compose-file "$here/stack.yaml" $stack >"$logs/deploy" 2>&1 ||
        fail 69 "the stack cannot be deployed: $(cat "$logs/deploy")"
    balanced 2
}

rollingUpdate() {
    docker tag lab lab:next
    docker service update --quiet --no-resolve-image --image lab:next ${stack}_app >"$logs/update" 2>&1 ||
        fail 69 "the update failed: $(cat "$logs/update")"
}

counter() {
    local value
    value=$(docker exec "$(docker ps --quiet --filter "name=^${stack}_redis\\.")" redis-cli get counter)
    echo "${value:-0}"
}

# Not by `docker service scale`: a stack removed while the tasks of a smaller scale go makes Docker 20.10 crash.
stop() {
    docker service rm ${stack}_app >/dev/null
    soon 60 allReplicasEnded || fail 69 "replicas do not end"
}

allReplicasEnded() { [ -z "$(docker ps --quiet --filter "name=^${stack}_app\\.")" ]; }

cleanUp() {
    docker stack rm $stack
    soon 60 allContainersGone
    soon 60 networkGone
    docker volume prune --force --filter "label=com.docker.stack.namespace=$stack"
    docker image rm lab:next
    [ $ownSwarm = no ] || docker swarm leave --force
}

allContainersGone() { [ -z "$(docker ps --all --quiet --filter "label=com.docker.stack.namespace=$stack")" ]; }
networkGone() { [ -z "$(docker network ls --quiet --filter "label=com.docker.stack.namespace=$stack")" ]; }
