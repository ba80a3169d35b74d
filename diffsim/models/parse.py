"""A user's own reaction–diffusion model, from equations as text."""

from __future__ import annotations

import difflib
import re
import unicodedata
from dataclasses import dataclass, field, replace

import numpy as np
import tensorflow as tf

from diffsim import _checks, _nest, _tree
from diffsim._tree import static
from diffsim.models import _expression, _linear_part
from diffsim.models._model import checked
from diffsim.models.cross import CrossDiffusion, matrix
from diffsim.models.reaction import Reaction

_LEFT = re.compile(r"\s*(?:d([^\W\d]\w*)\s*/\s*dt|([^\W\d]\w*?)(?:\s*'|_t))\s*")
_ZERO = ("number", 0.0)


@dataclass(frozen=True)
class Parsed(Reaction):
    """What `parse` returns: expressions are structure, parameters are data."""

    species: tuple[str, ...] = static()
    terms: tuple = static()  # a tree for each species
    mobilities: tuple = static()
    parameters: dict = field(default_factory=dict)

    @property
    def diffusivities(self):
        """What stands before lap(…)."""
        return tuple(_expression.value(tree, self.parameters) for tree in self.mobilities)

    @property
    def named(self) -> dict:
        """The parameters."""
        return self.parameters

    def varied(self, **values):
        """With other parameters."""
        return replace(self, parameters=self.parameters | values)

    def rates(self, t, y):
        """All that stands beside lap(…)."""
        leaves = _nest.flatten(y)
        given = {**self.parameters, **dict(zip(self.species, leaves, strict=True)), "t": t}
        values = [_expression.value(tree, given, leaf) for tree, leaf in zip(self.terms, leaves, strict=True)]
        values = [v if getattr(v, "shape", None) == leaf.shape else _nest.to(v, leaf.dtype) + tf.zeros_like(leaf)
                  for v, leaf in zip(values, leaves, strict=True)]
        return values[0] if len(values) == 1 else tuple(values)


@dataclass(frozen=True)
class ParsedCross(CrossDiffusion):
    """Parsed equations with Laplacians of other species."""

    coefficients: tuple = static()  # a tree for each pair

    @property
    def parameters(self) -> dict:
        """All that the equations name."""
        return self.model.parameters

    @property
    def named(self) -> dict:
        """The parameters."""
        return self.parameters

    def varied(self, **values):
        """With other parameters, in the rates and before lap(…)."""
        model = self.model.varied(**values)
        return replace(self, model=model, D=_matrix(self.coefficients, model.parameters))


def parse(*equations: str, **parameters) -> Reaction:
    """∂ₜyₛ = Σⱼ Dₛⱼ∇²yⱼ + fₛ(t, y) from equations as text.

    Example: ``parse("u' = Du*lap(u) + a - u + u**2*v", "v' = Dv*lap(v) + b - u**2*v", Du=1.0, Dv=20.0, a=0.1, b=0.9)``.
    Nothing in the text is executed. Other parameters run through the same compiled program.

    Args:
        *equations: u' = …, u_t = … or du/dt = …, one in each argument or line. On the right numbers, pi, t, species,
            parameters, + - * / **, lap(…), exp, log, sqrt, abs, sign, sin, cos, tan, sinh, cosh, tanh, min, max.
            Lines may end in a comment after #.
        **parameters: numbers, or arrays over the grid, for all other names.

    Returns:
        A `Reaction`; with Laplacians of other species a `CrossDiffusion`.

    Raises:
        ValueError: what is no such equation; a name that is neither species nor parameter; a parameter that is not
            used; lap of something nonlinear; a diffusivity below zero.
    """
    found = _equations(equations)
    species = tuple(found)
    clash = sorted(set(species) & set(parameters))
    if clash:
        _checks.refuse("parameters", _checks.Verbatim(", ".join(clash)), "names that are not species",
                       "their equations make them unknowns", "Rename one of the two.")
    parameters = {name: checked(name, v) for name, v in parameters.items()}
    laps, terms = {}, []
    for name, tree in found.items():
        _check_names(name, tree, species, parameters)
        laps[name], rest = _linear_part.split(tree, species, f"{name}'")
        terms.append(_ZERO if rest is None else rest)
    unused = sorted(set(parameters) - frozenset().union(*map(_expression.names, found.values())))
    if unused:
        _checks.refuse("parameters", _checks.Verbatim(", ".join(unused)), "only names that occur in the equations",
                       "a parameter without effect is mostly a slip", "Remove it, or check its spelling.")
    model = Parsed(species, tuple(terms), tuple(laps[s].get(s, _ZERO) for s in species), parameters)
    _check_values(model)
    if all(set(laps[s]) <= {s} for s in species):
        _check_signs(model)
        return model
    coefficients = tuple(tuple(laps[i].get(j, _ZERO) for j in species) for i in species)
    return ParsedCross(model, _matrix(coefficients, parameters), coefficients)


def _equations(texts) -> dict:
    """{species: tree}, in the order of the text."""
    found: dict = {}
    for text in texts:
        _checks.instance("equation", text, str, why="it is read as text", way_out="Write \"u' = lap(u) + u*(1 - u)\".")
    lines = [line.split("#")[0] for text in texts for line in text.splitlines()]
    for line in filter(str.strip, lines):
        left, sign, right = line.partition("=")
        match = _LEFT.fullmatch(left)
        if not (sign and match):
            _checks.refuse("equation", _expression.brief(line), "u' = …, u_t = … or du/dt = …",
                           "the left side says whose rate it is", "Write one equation in each line.")
        name = unicodedata.normalize("NFKC", match[1] or match[2])  # as Python reads names on the right
        if name in found or name in ("t", "pi", "lap", *_expression.FUNCTIONS):
            _checks.refuse("equation", _expression.brief(line), "one equation for each species",
                           f"{name} {'has one already' if name in found else 'has a meaning of its own'}",
                           "Rename the species.")
        found[name] = _expression.read(right, f"{name}'")
    if not found:
        _checks.refuse("equations", texts, "at least one", "a law has unknowns", "Write \"u' = lap(u) + u*(1 - u)\".")
    return found


def _check_names(name, tree, species, parameters):
    for unknown in sorted(_expression.names(tree) - {*species, *parameters, "t"}):
        if _under_lap(tree, unknown):
            _checks.refuse(f"{name}'", _checks.Verbatim(f"lap({unknown})"), f"an equation for {unknown}",
                           "what diffuses is an unknown", f"Add \"{unknown}' = …\".")
        near = difflib.get_close_matches(unknown, [*species, *parameters, "t", "pi"], 1)
        known = f"a species ({', '.join(species)}), a parameter ({', '.join(parameters) or 'none given'}) or t"
        way_out = f"Did you mean {near[0]}?" if near else f"Pass {unknown}=…, or add an equation \"{unknown}' = …\"."
        _checks.refuse(f"{name}'", _checks.Verbatim(f"unknown symbol {unknown}"), known, "every symbol needs a value",
                       way_out)


def _under_lap(tree, name) -> bool:
    if tree[:2] == ("call", "lap"):
        return tree[2] == ("name", name)
    return any(_under_lap(part, name) for part in tree[1:] if isinstance(part, tuple))


def _check_signs(model):
    for name, D in zip(model.species, model.diffusivities, strict=True):
        _checks.finite(f"coefficient of lap({name})", D, least=0.0, why="diffusion backwards in time is ill-posed",
                       way_out=f"Check the sign before lap({name}).")


def _check_values(model):
    """Refuse constants that cannot be computed, like 1/0 or 9**9**9."""
    if any(np.ndim(a) for a in _tree.flatten(model)[0]):
        return
    ones = [tf.ones([], tf.float64) for _ in model.species]
    try:
        model.rates(tf.zeros([], tf.float64), ones[0] if len(ones) == 1 else tuple(ones))
        _ = model.diffusivities
    except (OverflowError, ZeroDivisionError) as error:
        _checks.refuse("equations", _checks.Verbatim(str(error)), "constants that have a value",
                       "they are computed once", "Check divisions and powers of numbers.")


def _matrix(coefficients, parameters):
    return matrix([[_expression.value(tree, parameters) for tree in row] for row in coefficients])
