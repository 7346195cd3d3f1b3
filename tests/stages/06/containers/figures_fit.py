"""Do the durations in the files that deploy stage 06 fit each other? Reads them as an orchestrator does, and lets the
program itself check the settings that they give to it.

    figures_fit.py 06_DOCKER PROGRAM
"""

import os
import re
import signal
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

folder, program = Path(sys.argv[1]), sys.argv[2]
MARGIN = 1
failures = 0


def check(holds, claim):
    global failures
    print(("ok    " if holds else "FAIL  ") + claim)
    failures += not holds


def seconds(text):
    """Of a duration in the syntax of Go and Docker: 1m30s."""
    units = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}
    parts = re.findall(r"([0-9.]+)(ms|s|m|h)", str(text))
    assert parts and "".join(a + b for a, b in parts) == str(text), f"{text} is no duration"
    return sum(float(number) * units[unit] for number, unit in parts)


def with_defaults(text):
    """What ${NAME:-default} stands for where NAME is not set."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)


def without_warning(environment, where):
    """The check that the program makes at its start."""
    settings = {name: str(value) for name, value in environment.items() if name != "LAB_REDIS"}
    process = subprocess.Popen([program], env={**os.environ, **settings, "LAB_PORT": "0"}, stderr=subprocess.PIPE,
                               text=True)
    told = []
    for line in process.stderr:
        told.append(line)
        if " ready " in line:
            process.send_signal(signal.SIGTERM)
    check(process.wait() == 0 and " plan.total " in "".join(told) and "warning=" not in "".join(told),
          f"{where}: the service starts with these settings and does not warn")


def settings_fit(environment, killed_after, where):
    lame_duck, timeout = seconds(environment.get("LAB_LAME_DUCK", "0s")), seconds(environment["LAB_TIMEOUT"])
    check(seconds(environment["LAB_WORK"]) <= timeout, f"{where}: the work fits the timeout")
    check(lame_duck + timeout + MARGIN <= killed_after,
          f"{where}: lame duck {lame_duck:g} s + timeout {timeout:g} s + margin {MARGIN} s <= {killed_after:g} s")
    check(seconds(environment["LAB_GRACE"]) == killed_after, f"{where}: the service is told these {killed_after:g} s")
    without_warning(environment, where)


def healthcheck_seconds():
    text = (folder / "Dockerfile").read_text()
    interval, retries = re.search(r"HEALTHCHECK --interval=(\S+) .*--retries=(\d+)", text).groups()
    return seconds(interval) * int(retries)


def compose():
    file = yaml.safe_load(with_defaults((folder / "compose.yaml").read_text()))
    app = file["services"]["app"]
    settings_fit(app["environment"], seconds(app["stop_grace_period"]), "compose")
    check(app["read_only"] and app["cap_drop"] == ["ALL"], "compose: nothing to write to, no capabilities")
    check("entrypoint" not in app and "command" not in app,
          "compose: the entry point is the image's, which is process 1")
    for command in (["docker-compose"], ["docker", "compose"]):
        version = shutil.which(command[0]) and subprocess.run([*command, "version"], capture_output=True)
        if not version or version.returncode != 0:
            print(f"skip  compose: {' '.join(command)} is not there to read the file")
            continue
        result = subprocess.run([*command, "--file", folder / "compose.yaml", "config"], capture_output=True, text=True)
        check(result.returncode == 0,
              f"compose: {' '.join(command)} reads it {result.stderr if result.returncode else ''}")


def stack():
    file = yaml.safe_load(with_defaults((folder / "stack.yaml").read_text()))
    app = file["services"]["app"]
    settings_fit(app["environment"], seconds(app["stop_grace_period"]), "stack")
    deploy = app["deploy"]
    check(deploy["replicas"] >= 2, "stack: there are two replicas or more")
    check(deploy["update_config"]["order"] == "start-first", "stack: the new one starts first")
    check(deploy["update_config"]["parallelism"] < deploy["replicas"], "stack: never all at once")
    # How long HAProxy takes to notice, from its own file.
    haproxy = (folder / "haproxy.cfg").read_text()
    interval, fall = re.search(r"check inter (\S+) fall (\d+)", haproxy).groups()
    notices = seconds(interval) * int(fall)
    check(notices < seconds(app["environment"]["LAB_LAME_DUCK"]),
          f"stack: HAProxy turns away in {notices:g} s, within the lame duck")
    slots = int(re.search(r"server-template app (\d+) ", haproxy).group(1))
    check(slots >= deploy["replicas"] + deploy["update_config"]["parallelism"],
          "stack: HAProxy has a place for each replica and the new one")
    check(healthcheck_seconds() < seconds(app["stop_grace_period"]), "stack: the health check notices before the end")


def rendered_by_kubectl():
    kubectl = shutil.which("kubectl")
    if not kubectl:
        print("skip  kubernetes: kubectl is not there to render the manifests")
        return None
    result = subprocess.run([kubectl, "kustomize", folder / "kubernetes"], capture_output=True, text=True)
    check(result.returncode == 0, "kubernetes: kubectl kustomize renders them")
    return [document for document in yaml.safe_load_all(result.stdout)]


def listed():
    kustomization = yaml.safe_load((folder / "kubernetes/kustomization.yaml").read_text())
    files = {file.name for file in (folder / "kubernetes").glob("*.yaml")} - {"kustomization.yaml"}
    check(set(kustomization["resources"]) == files, "kubernetes: every manifest is listed in kustomization.yaml")
    return [document for name in kustomization["resources"]
            for document in yaml.safe_load_all((folder / "kubernetes" / name).read_text())]


def restricted(pod, where):
    """The pod security standard "restricted"."""
    context = pod["securityContext"]
    check(context["runAsNonRoot"] and context["runAsUser"] > 0
          and context["seccompProfile"]["type"] == "RuntimeDefault",
          f"{where}: not root, and the runtime's seccomp profile")
    for container in pod["containers"]:
        own = container["securityContext"]
        check(own["allowPrivilegeEscalation"] is False and own["readOnlyRootFilesystem"] is True
              and own["capabilities"]["drop"] == ["ALL"],
              f"{where}: no privileges, no capabilities, nothing to write to")


def kubernetes(documents, how):
    where = f"kubernetes, {how}"
    def of(kind, name):
        return next(d for d in documents if d["kind"] == kind and d["metadata"]["name"] == name)
    deployment = of("Deployment", "lab")["spec"]
    pod = deployment["template"]["spec"]
    container = pod["containers"][0]
    environment = {variable["name"]: variable["value"] for variable in container["env"]}
    grace = pod["terminationGracePeriodSeconds"]
    before, period = container["lifecycle"]["preStop"]["exec"]["command"]
    check(before == "sleep", f"{where}: preStop sleeps")
    settings_fit(environment, grace - int(period), f"{where}, {grace} s - preStop {period} s")
    readiness = container["readinessProbe"]
    check(readiness["httpGet"]["path"] == "/readyz" and container["livenessProbe"]["httpGet"]["path"] == "/healthz",
          f"{where}: readiness asks /readyz and liveness /healthz")
    unready = readiness["periodSeconds"] * readiness["failureThreshold"]
    check(unready <= int(period) + seconds(environment["LAB_LAME_DUCK"]),
          f"{where}: unready in {unready} s, before the door closes")
    update = deployment["strategy"]["rollingUpdate"]
    check(update["maxUnavailable"] == 0 and update["maxSurge"] >= 1, f"{where}: the new one first")
    budget = of("PodDisruptionBudget", "lab")["spec"]
    check(0 < budget["minAvailable"] < deployment["replicas"], f"{where}: the budget keeps one and lets one go")
    labels = deployment["template"]["metadata"]["labels"]
    service = of("Service", "lab")["spec"]
    check(service["selector"] == labels == budget["selector"]["matchLabels"] == deployment["selector"]["matchLabels"],
          f"{where}: service, budget and deployment mean the same pods")
    check(service["ports"][0]["targetPort"] == container["ports"][0]["name"],
          f"{where}: the service's port is the container's")
    check(pod["enableServiceLinks"] is False, f"{where}: no LAB_PORT=tcp://… from the service of that name")
    redis = of("Service", "redis")["spec"]["ports"][0]["port"]
    check(environment["LAB_REDIS"] == f"redis:{redis}", f"{where}: Redis is where the service looks for it")
    restricted(pod, where)
    restricted(of("Deployment", "redis")["spec"]["template"]["spec"], f"{where}, redis")


compose()
stack()
kubernetes(listed(), "as written")
rendered = rendered_by_kubectl()
if rendered is not None:
    kubernetes(rendered, "as rendered")
sys.exit(1 if failures else 0)
