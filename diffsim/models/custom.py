"""A user's own reaction–diffusion model, from a plain function of the species."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import tensorflow as tf

from diffsim import _checks, _nest
from diffsim._tree import static
from diffsim.models._model import checked
from diffsim.models.reaction import Reaction


@dataclass(frozen=True)
class Custom(Reaction):
    """What `from_rates` returns: the function is structure, diffusivities and parameters are data."""

    function: Callable
    D: tuple
    species: tuple[str, ...] = static()
    parameters: dict = field(default_factory=dict)
    timed: bool = False

    @property
    def diffusivities(self):
        """As given."""
        return self.D

    @property
    def named(self) -> dict:
        """The parameters, and the diffusivities by the names of the species, Du for u."""
        return self._moves() | self.parameters

    def varied(self, **values):
        """With other parameters, or other diffusivities."""
        D = tuple(values.pop(name, D) if name not in self.parameters else D for name, D in self._moves().items())
        return replace(self, D=D, parameters=self.parameters | values)

    def _moves(self) -> dict:
        return {f"D{s}": D for s, D in zip(self.species, self.D, strict=True)}

    def rates(self, t, y):
        """What the function returns, in the shape and precision of y."""
        leaves = _nest.flatten(y)
        given = {"t": t, **self.parameters} if self.timed else self.parameters
        values = self.function(*leaves, **given)
        values = values if isinstance(values, (tuple, list)) else (values,)
        if len(values) != len(leaves):
            _checks.refuse("rates", _checks.Verbatim(f"{len(values)} values"), f"{len(leaves)}, one for each species",
                           f"the species are {', '.join(self.species)}", "Return a tuple in their order.")
        shape, dtype = leaves[0].shape, leaves[0].dtype
        values = [tf.broadcast_to(v, shape) if v.shape.rank == 0 else v for v in (_nest.to(v, dtype) for v in values)]
        return values[0] if len(values) == 1 else tuple(values)


def from_rates(rates: Callable, diffusivities, *, species=None, parameters=None) -> Custom:
    """∂ₜyₛ = Dₛ∇²yₛ + fₛ(y₁, y₂, …) from a function of the species.

    Example: ``from_rates(lambda u, v, a, b: (a - u + u**2 * v, b - u**2 * v), (1.0, 20.0), parameters={"a": 0.1,
    "b": 0.9})`` is Schnakenberg's model. Other numbers in `parameters` run through the same compiled program, as long
    as the function is the same object.

    Args:
        rates: f(u, v, …, **parameters) of TensorFlow operations, pointwise, returning a tuple with a rate for each
            species (for one species the rate itself) [concentration / time]. An argument named t is the time.
        diffusivities: Dₛ ≥ 0 of each species, numbers or what `Diffusion` takes; 0.0 for one that does not move
            [length² / time].
        species: names, by default those of the first arguments of `rates`.
        parameters: numbers, or arrays over the grid, by name.

    Raises:
        TypeError: `rates` is no function, or does not take species and parameters.
        ValueError: another number of diffusivities or rates than species; negative or not finite numbers.
    """
    if not callable(rates):
        _checks.refuse("rates", rates, "a function of the species", "it says how they react",
                       "For equations as text use ds.models.parse(…).", TypeError)
    D = diffusivities if isinstance(diffusivities, (tuple, list)) else (diffusivities,)
    parameters = {name: checked(f"parameters[{name!r}]", v) for name, v in (parameters or {}).items()}
    names = _arguments(rates)
    if species is None:
        known = [n for n in names if n != "t" and n not in parameters]
        species = known or [f"y{i}" for i in range(len(D))]
    species = (species,) if isinstance(species, str) else tuple(species)
    if len(D) != len(species):
        _checks.refuse("diffusivities", diffusivities, f"{len(species)} of them: one for each of {', '.join(species)}",
                       "each species diffuses by itself",
                       "Write 0.0 for one that does not move; what is no species belongs into parameters={…}.")
    D = tuple(checked(f"D of {s}", d, least=0.0) for s, d in zip(species, D, strict=True))
    model = Custom(rates, D, species, parameters, "t" in names and "t" not in parameters)
    try:
        tf.function(lambda: _probe(model), autograph=False).get_concrete_function()
    except (TypeError, AttributeError, NotImplementedError) as error:
        if _checks.is_message(error):
            raise
        _checks.refuse("rates", rates, f"a function of ({', '.join([*species, *parameters])})",
                       f"it is called with these, as tensors (it failed: {str(error)[:120]})",
                       "Name the species and the parameters as its arguments, and use tf.… in place of NumPy and "
                       "tf.where in place of if.", TypeError)
    except (ValueError, tf.errors.InvalidArgumentError) as error:
        if _checks.is_message(error) or not parameters:
            raise  # arrays over the grid do not fit two cells: `solve` will compare shapes
    return model


def _probe(model):
    """The rates in two cells."""
    one = [tf.ones([2], tf.float64) for _ in model.species]
    return model.rates(tf.zeros([], tf.float64), one[0] if len(one) == 1 else tuple(one))


def _arguments(fn) -> list[str]:
    try:
        kinds = inspect.signature(fn).parameters.values()
    except (TypeError, ValueError):
        return []
    return [p.name for p in kinds if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
