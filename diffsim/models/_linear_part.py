"""Where the Laplacians are in an expression: u' = Σ Dⱼ lap(yⱼ) + rest."""

from __future__ import annotations

from diffsim import _checks
from diffsim.models._expression import brief, has_lap, names, show


def split(tree, species, where) -> tuple[dict, tuple | None]:
    """({species: coefficient}, rest), the rest None if there is none.

    Raises:
        ValueError: a Laplacian of something nonlinear, or times something that depends on the state.
    """
    if not has_lap(tree):
        return {}, tree
    match tree:
        case ("call", "lap", inside):
            return _linear(inside, species, where), None
        case ("neg", a):
            return _scaled(lambda x: ("neg", x), split(a, species, where))
        case ("+" | "-", a, b):
            return _sum(tree[0], split(a, species, where), split(b, species, where))
        case ("*", a, b) if has_lap(a) != has_lap(b):
            factor, other = (b, a) if has_lap(a) else (a, b)
            _constant(factor, species, where)
            return _scaled(lambda x: ("*", factor, x), split(other, species, where))
        case ("/", a, b) if not has_lap(b):
            _constant(b, species, where)
            return _scaled(lambda x: ("/", x, b), split(a, species, where))
    return _refuse(where, show(tree), "lap(u) times a constant",
                   "the law has the form D·lap(u) + f(u)")


def _linear(tree, species, where) -> dict:
    """{species: coefficient} of what stands inside lap(…); constants have no Laplacian."""
    if not names(tree) & set(species) and not has_lap(tree):
        return {}
    match tree:
        case ("name", name):
            return {name: ("number", 1.0)}
        case ("neg", a):
            return _scaled(lambda x: ("neg", x), (_linear(a, species, where), None))[0]
        case ("+" | "-", a, b):
            return _sum(tree[0], (_linear(a, species, where), None), (_linear(b, species, where), None))[0]
        case ("*", a, b) if not names(a) & {*species, "t"} or not names(b) & {*species, "t"}:
            factor, other = (a, b) if not names(a) & {*species, "t"} else (b, a)
            return _scaled(lambda x: ("*", factor, x), (_linear(other, species, where), None))[0]
        case ("/", a, b) if not names(b) & {*species, "t"}:
            return _scaled(lambda x: ("/", x, b), (_linear(a, species, where), None))[0]
    return _refuse(where, f"lap({show(tree)})", "lap of a species, or of a sum of species times constants",
                   "diffusion with a constant coefficient is linear; this is not")


def _constant(tree, species, where):
    bound = sorted(names(tree) & {*species, "t"})
    if bound:
        _refuse(where, f"lap times {show(tree)}", f"a coefficient without {', '.join(bound)}",
                "diffusivities are constants of the law")


def _refuse(where, received, expected, why):
    _checks.refuse(where, brief(received), expected, why,
                   "For ∇·(D(u)∇u) use ds.NonlinearDiffusion(grid, boundary, D) as drift of a ds.Equation.")


def _scaled(fn, parts):
    laps, rest = parts
    return {s: fn(c) for s, c in laps.items()}, None if rest is None else fn(rest)


def _sum(sign, left, right):
    laps, (rest, other) = dict(left[0]), (left[1], right[1])
    for s, c in right[0].items():
        laps[s] = (sign, laps[s], c) if s in laps else c if sign == "+" else ("neg", c)
    if rest is None or other is None:
        alone = other if rest is None else rest
        return laps, ("neg", alone) if rest is None and other is not None and sign == "-" else alone
    return laps, (sign, rest, other)
