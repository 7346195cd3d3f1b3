# shellcheck shell=bash disable=SC2034,SC2154
# verify --on kubernetes: the manifests in kubernetes/, in a namespace of their own, updated by `kubectl set image`. The
# cluster must have the images lab and lab:next. Requests go through the API server, which asks the Service's ready
# pods.

namespace=lab-verify-$$

needs() {
    command -v kubectl >/dev/null || fail 69 "please install kubectl"
    kubectl --request-timeout=5s get --raw /readyz >/dev/null 2>&1 || fail 69 "no Kubernetes cluster answers"
}

start() {
    kubectl create namespace "$namespace" >/dev/null
    kubectl --namespace "$namespace" apply --kustomize "$here/kubernetes" >/dev/null
    kubectl --namespace "$namespace" set env deployment/lab "${environment[@]}" >/dev/null
    # the preStop sleep of the manifest comes on top
    kubectl --namespace "$namespace" patch deployment lab --patch \
        "{\"spec\":{\"template\":{\"spec\":{\"terminationGracePeriodSeconds\":$((grace + 5))}}}}" >/dev/null
    kubectl --namespace "$namespace" rollout status --timeout 120s deployment/redis >/dev/null
    kubectl --namespace "$namespace" rollout status --timeout 120s deployment/lab >/dev/null
    port=$(freePort)
    target=/api/v1/namespaces/$namespace/services/lab:http/proxy/incr
    kubectl proxy --port "$port" >/dev/null &
    proxy=$!
    soon 20 curl --silent --noproxy '*' --fail --output /dev/null "http://127.0.0.1:$port/api" ||
        fail 69 "kubectl proxy does not start"
}

rollingUpdate() {
    kubectl --namespace "$namespace" set image deployment/lab lab=lab:next >/dev/null
    kubectl --namespace "$namespace" rollout status --timeout 300s deployment/lab >/dev/null
}

counter() {
    local value
    value=$(kubectl --namespace "$namespace" exec deployment/redis -- redis-cli get counter)
    echo "${value:-0}"
}

stop() {
    kubectl --namespace "$namespace" scale --replicas 0 deployment/lab >/dev/null
    kubectl --namespace "$namespace" wait --for delete --timeout 120s pod --selector app=lab >/dev/null
}

cleanUp() {
    [ -z "${proxy:-}" ] || kill "$proxy"
    kubectl delete namespace "$namespace" --timeout 120s
}
