"""The house stands on its floors: imports point downwards, files are short, one file owns the time loop."""

import ast
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "diffsim"
FILES = sorted(ROOT.rglob("*.py"))

FLOORS = {
    0: "_types _nest _checks _tree _compiled _quiet _xla _quantile random counts rates names",
    1: "geometry boundary grid noise white",
    2: "operators",
    3: "calculus equation generator reversal jump jump_checks law",
    4: "steppers stepsize save stop schedule solution",
    5: "choose march run progress solve intake outcome simulation steady downhill resume",
    6: "models particles reference initial analysis io verify ledger growth",
    7: "plot",
    8: "generative tour",
    9: "cli __main__ __init__",
}
FLOOR = {name: floor for floor, names in FLOORS.items() for name in names.split()}

UPWARDS = {  # (file, import): why it may look up; all of them inside functions, on use
    ("run.py", "io"): "records stream to files only where a file is asked for",
    ("resume.py", "io"): "what is resumed lies in a file",
}


def part(path):
    """The name of a file or folder right below the package."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imports(path):
    """Names of parts of diffsim that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            modules = [a.name for a in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            inside = node.module == "diffsim"
            modules = [f"diffsim.{a.name}" for a in node.names] if inside else [node.module]
        else:
            assert not isinstance(node, ast.ImportFrom), f"{path}: a relative import"
            continue
        for module in modules:
            if module.split(".")[0] == "diffsim" and "." in module:
                yield module.split(".")[1]


def of(path):
    """A path as the tables write it."""
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", FILES, ids=of)
def test_imports_point_downwards(path):
    mine = part(path)
    assert mine in FLOOR, f"{mine} has no floor: give it one in FLOORS"
    for other in imports(path):
        if other == mine or other.startswith("__"):
            continue
        if (of(path), other) in UPWARDS:
            continue
        assert other in FLOOR, f"{of(path)} imports {other}, which has no floor"
        same = FLOOR[other] == FLOOR[mine] and mine not in ("__init__",)
        assert FLOOR[other] < FLOOR[mine] or same and "/" not in of(path), f"{of(path)} looks up to {other}"


def test_exceptions_are_used():
    for (file, other), why in UPWARDS.items():
        assert why and other in set(imports(ROOT / file)), f"{file} no longer needs {other}"


def test_floors_have_no_cycles():
    """Between parts of one floor, top-level imports must not lead back."""
    edges = {}
    for path in FILES:
        top = {n for node in ast.parse(path.read_text()).body for n in _top(node)}
        edges.setdefault(part(path), set()).update(top - {part(path)})

    def reach(name, seen):
        for other in edges.get(name, ()):
            if other not in seen:
                seen.add(other)
                reach(other, seen)
        return seen

    assert [name for name in edges if name in reach(name, set()) and name != "__init__"] == []


def _top(node):
    if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("diffsim"):
        rest = node.module.split(".")[1:]
        return rest[:1] or [a.name for a in node.names]
    return []


def test_files_are_short():
    lengths = {of(p): len(p.read_text().splitlines()) for p in FILES}
    assert max(lengths.values()) <= 400, max(lengths, key=lengths.get)
    assert statistics.median(n for n in lengths.values() if n) <= 150


def test_no_rooms_for_odds_and_ends():
    assert [of(p) for p in FILES if p.stem in ("utils", "helpers", "common", "misc")] == []


def called(path):
    """Dotted names of all that a file calls or mentions, like tf.random.normal."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute):
            yield ast.unparse(node)


def test_only_one_file_has_a_time_loop():
    loops = {of(p) for p in FILES if any(name in ("tf.while_loop", "tf.scan") for name in called(p))}
    assert "march.py" in loops
    assert {f for f in loops if not f.startswith(("operators/", "steppers/", "geometry/", "particles/"))} <= {
        "march.py",
        "simulation.py",
        "noise/tree.py",
        "counts.py",
    }


def test_no_generator_but_our_own():
    guilty = {
        of(p): name
        for p in FILES
        for name in called(p)
        if name.startswith(("tf.random.", "np.random.", "random.seed")) and of(p) != "random.py"
    }
    assert guilty == {}


def test_no_state_between_calls():
    """Modules bind constants, functions and classes; nothing that a call could change."""

    def mutable(node):
        return isinstance(node, (ast.List, ast.ListComp, ast.Set)) or (
            isinstance(node, ast.Call) and ast.unparse(node.func) in ("list", "dict", "set", "defaultdict")
        )

    guilty = [
        f"{of(p)}:{node.lineno}"
        for p in FILES
        for node in ast.parse(p.read_text()).body
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None and mutable(node.value)
    ]
    assert guilty == []
    assert [of(p) for p in FILES for node in ast.walk(ast.parse(p.read_text())) if isinstance(node, ast.Global)] == []


HEAVY = ("keras", "matplotlib", "h5py", "scipy", "tqdm", "mpmath")


def test_importing_the_front_door_is_light():
    """TensorFlow itself loads some of these: so no file behind the front door may import one at its top."""
    code = (
        "import sys, tensorflow; before = set(sys.modules); import diffsim; "
        "print(*(m for m in set(sys.modules) - before))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT.parent, check=True)
    new = run.stdout.split()
    assert [m for m in new if m.split(".")[0] in HEAVY] == []
    behind = {m for m in new if m.split(".")[0] == "diffsim"}
    guilty = [
        of(p)
        for p in FILES
        if ".".join(["diffsim", *p.relative_to(ROOT).with_suffix("").parts]).removesuffix(".__init__") in behind
        for node in ast.parse(p.read_text()).body
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name in [getattr(node, "module", None) or node.names[0].name]
        if name.split(".")[0] in HEAVY
    ]
    assert guilty == []
    assert len(behind) > 30


def test_every_name_of_the_front_door_is_there_and_says_what_it_is():
    import diffsim as ds

    tree = ast.parse((ROOT / "__init__.py").read_text())
    names = [
        a.asname or a.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module != "__future__"
        for a in node.names
    ]
    missing = [n for n in names if not (getattr(ds, n).__doc__ or "").strip()]
    assert [n for n in missing if n != "models"] == []
