"""What the benchmarks share: medians with the first call apart, one process per measurement, JSON out.

A script lists cases (dicts of plain values) and has a function that measures one. `compare` runs each case in
a fresh process, so that threads, flags and caches of one package do not meet those of another, and writes
`results/<script>.json` after each, keeping what an earlier, narrower run has found.
"""

import argparse
import contextlib
import json
import os
import platform
import shlex
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
PACKAGES = ("diffsim", "tensorflow", "tensorflow-cpu", "numpy", "scipy", "devito", "py-pde", "numba", "fipy")
PACKAGES += ("jax", "jaxlib", "exponax", "diffrax", "readdy", "keras", "torch", "diffusers")
PEERS = os.environ.get("PEERS", sys.executable)  # the Python in which those tools are that are not where diffsim is


def timed(run, repeats=5):
    """Seconds of the first call, tracing and compiling, and the median, least and greatest of later ones.

    `others` is the share of the machine that other processes had, `cores` how many this one kept busy.
    """
    began = time.perf_counter()
    run()
    first, seconds = time.perf_counter() - began, []
    others, own = elsewhere(), time.process_time()
    for _ in range(repeats):
        began = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - began)
    others = (elsewhere() - others) / (sum(seconds) * os.cpu_count())
    cores = (time.process_time() - own) / sum(seconds)
    return {
        "first_call_s": first,
        "median_s": float(np.median(seconds)),
        "least_s": min(seconds),
        "most_s": max(seconds),
        "repeats": repeats,
        "others": round(max(others, 0.0), 3),
        "cores": round(cores, 2),
    }


def elsewhere():
    """Core-seconds spent so far by all other processes; their share, `others`, tells a bad sitting."""
    stat = Path("/proc/stat")
    if not stat.exists():
        return 0.0
    spent = [int(n) for n in stat.read_text().split("\n")[0].split()[1:9]]
    own = os.times()
    return (sum(spent) - spent[3] - spent[4]) / os.sysconf("SC_CLK_TCK") - own.user - own.system


def steps_for(run, seconds, least=2):
    """How many steps fill about `seconds`, given run(steps), which is compiled by its first call."""
    steps = least
    run(steps)
    while True:
        began = time.perf_counter()
        run(steps)
        took = time.perf_counter() - began
        if took > seconds / 4:
            return max(least, int(steps * seconds / took))
        steps *= 4


def compare(script, measure, cases, key, peers=()):
    """The main function of a benchmark: measure the cases, print a line for each, return all results so far.

    Args:
        script: its `__file__`; results go to results/<stem>.json.
        measure: (**case) → dict, run in a process of its own.
        cases: (fast: bool) → list of dicts of plain values, among them "tool".
        key: result → what to print.
        peers: tools that run in the Python PEERS, an environment variable, by default in this one.
    """
    parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__)
    parser.add_argument("--fast", action="store_true", help="small cases only; nothing is written")
    parser.add_argument(
        "--only", default="", help="words, all of which must occur in a case: 'diffsim float32'"
    )
    parser.add_argument(
        "--under", default="", help="a command to run each measurement under: 'taskset -c 0,1'"
    )
    parser.add_argument(
        "--disturbed", type=float, help="only cases not measured yet, or whose `others` is above this"
    )
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin no case after this long")
    parser.add_argument("--case", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.case:
        began, spent = time.perf_counter(), elsewhere()
        result = measure(**json.loads(args.case))
        share = (elsewhere() - spent) / (time.perf_counter() - began) / os.cpu_count()
        print("\n" + json.dumps({"others": round(max(share, 0.0), 3), **result}))
        sys.exit()
    path = HERE / "results" / f"{Path(script).stem}.json"
    path.parent.mkdir(exist_ok=True)
    found = json.loads(path.read_text())["results"] if path.exists() and not args.fast else []
    began = time.perf_counter()
    for case in cases(args.fast):
        if time.perf_counter() - began > args.seconds:
            break
        if not all(word in json.dumps(case) for word in args.only.split()):
            continue
        before = next((f for f in found if all(f.get(k) == v for k, v in case.items())), None)
        if before and args.disturbed is not None and before.get("others", 1.0) <= args.disturbed:
            continue
        python = PEERS if case["tool"] in peers else sys.executable
        result = {**case, **in_process(script, case, args.under, python), "when": time.strftime("%Y-%m-%d %H:%M")}
        found = [f for f in found if any(f.get(k) != v for k, v in case.items())] + [result]
        title = sys.modules["__main__"].__doc__.splitlines()[0]
        if not args.fast:
            path.write_text(json.dumps({"title": title, **about(peers), "results": found}, indent=1) + "\n")
        print(*case.values(), "→", result["error"] if "error" in result else key(result), flush=True)
    return found


def in_process(script, case, under="", python=sys.executable):
    """The measurement of one case in a fresh Python; {"error": …} if it fails."""
    cores = str(os.cpu_count())
    env = {
        **os.environ,
        "OMP_NUM_THREADS": cores,
        "NUMBA_NUM_THREADS": cores,
        "TF_CPP_MIN_LOG_LEVEL": "2",
        "PYTHONPATH": os.pathsep.join([str(HERE.parent), os.environ.get("PYTHONPATH", "")]),
    }
    command = [*shlex.split(under), python, str(script), "--case", json.dumps(case)]
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    if done.returncode:
        return {
            "error": done.stderr.strip().splitlines()[-1]
            if done.stderr.strip()
            else f"exit {done.returncode}"
        }
    return json.loads(done.stdout.strip().splitlines()[-1])


def installed():
    """Versions of packages, those that are there."""
    versions = {}
    for name in PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions[name] = metadata.version(name)
    return versions


def about(peers=()):
    """Versions and hardware."""
    versions = {"python": platform.python_version(), **installed()}
    if peers and sys.executable != PEERS:
        code = "import json, harness; print(json.dumps(harness.installed()))"
        done = subprocess.run([PEERS, "-c", code], cwd=HERE, capture_output=True, text=True)
        versions["of peers"] = json.loads(done.stdout) if done.returncode == 0 else {}
    cpu = platform.processor()
    info = Path("/proc/cpuinfo")
    if info.exists():
        cpu = next(
            (line.split(":")[1].strip() for line in info.read_text().splitlines() if "model name" in line),
            cpu,
        )
    git = subprocess.run(
        ["git", "-C", str(HERE), "rev-parse", "--short", "HEAD"], capture_output=True, text=True
    )
    return {
        "versions": versions,
        "commit": git.stdout.strip(),
        "hardware": {"cpu": cpu, "cores": os.cpu_count()},
    }
