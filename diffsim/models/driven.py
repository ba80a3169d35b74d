"""Models of elementary reactions whose parameters depend on time: light, temperature or feed that is switched."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import tensorflow as tf

from diffsim import _checks, _nest
from diffsim.models.mass_action import Channel, MassAction
from diffsim.rates import Varying


@dataclass(frozen=True)
class Driven(MassAction):
    """What `driven` returns: ∂ₜyₛ = Dₛ∇²yₛ + fₛ(y; p(t)), as an equation and as reactions of single molecules.

    Steady states, `jacobian` and `symbol` are those at t = 0.
    """

    model: MassAction
    drives: dict

    @property
    def species(self):
        """As the model."""
        return self.model.species

    @property
    def units(self):
        """As the model."""
        return self.model.units

    @property
    def diffusivities(self):
        """As the model."""
        return self.model.diffusivities

    @property
    def named(self) -> dict:
        """As the model, what is driven by its function of time."""
        return self.model.named | self.drives

    def varied(self, **values) -> Driven:
        """With other values, by name; a `Varying` drives, and only a `Varying` replaces one."""
        drives = {name: v for name, v in values.items() if name in self.drives or isinstance(v, Varying)}
        rest = {name: v for name, v in values.items() if name not in drives}
        return driven(self.model.varied(**rest), **(self.drives | drives))

    def at(self, t, dtype) -> MassAction:
        """The model with the parameters of a time, or of a time for each trajectory or cell."""
        return self.model.varied(**{name: p.at(t, dtype) for name, p in self.drives.items()})

    def rates(self, t, y):
        """Those of the model at time t."""
        return self.at(t, _nest.flatten(y)[0].dtype).rates(t, y)

    def on(self, grid, boundary):
        """The model's operators, and the rates of each time."""
        law = self.model.on(grid, boundary)
        alike = all(p.at(tf.zeros([]), tf.float64).shape.rank == 0 for p in self.drives.values())
        return replace(law, drift=self.rates, local=law.local and alike)

    def check_state(self, y):
        """As the model."""
        self.model.check_state(y)

    @property
    def reactions(self):
        """Those of the model, with constants that depend on time where what drives them occurs in them."""
        largest = self.model.varied(**{name: tf.constant(p.most, tf.float64) for name, p in self.drives.items()})
        pairs = zip(self.model.reactions, largest.reactions, strict=True)
        return tuple(
            Channel(Varying(Constant(self, r), np.asarray(c.k)), c.orders, c.change) if tf.is_tensor(c.k) else own
            for r, (own, c) in enumerate(pairs)
        )


@dataclass(frozen=True)
class Constant:
    """kᵣ(t) of a driven model."""

    of: Driven
    r: int

    def __call__(self, t):
        """The constant at each time."""
        return self.of.at(t, t.dtype).reactions[self.r].k


def driven(model: MassAction, **drives: Varying) -> Driven:
    """A model of elementary reactions with parameters p(t): `on` is its equation, `master_equation` its molecules.

    Example: ``driven(Schnakenberg(), b=ds.Varying(lambda t: 0.9 + 0.4 * tf.sin(t), most=1.3))``. Both read the same
    functions; molecules react at exactly the rates of each moment, by thinning.

    Args:
        model: Brusselator, GrayScott, Schnakenberg, LotkaVolterra, SIR, Oregonator or one of your own.
        **drives: parameters by name; `most` bounds a parameter, and with it the constants of reactions that grow with
            it. Where one falls as a parameter grows, a bound that is too low ends the run with a message.

    Raises:
        TypeError, ValueError: a model without elementary reactions; names that are no parameters; a diffusivity, or
            what sets the number of molecules for which y = 1 stands, driven.
    """
    why, way_out = "only elementary reactions have a law for single molecules", "For equations write t into parse(…)."
    _checks.instance("model", model, MassAction, why=why, way_out=way_out)
    for name, p in drives.items():
        if name not in model.named:
            expected = f"one of {', '.join(model.named)}"
            _checks.refuse("drives", _checks.Verbatim(name), expected, "it is no parameter", "Check its spelling.")
        why = "it says how the parameter depends on time, and what it never exceeds"
        _checks.instance(name, p, Varying, why=why, way_out="Write ds.Varying(lambda t: …, most=…).")
        there = model.varied(**{name: tf.constant(p.most, tf.float64)})
        for what, values in (("diffusivities", there.diffusivities), ("units", there.units)):
            if any(tf.is_tensor(v) for v in values) and not any(tf.is_tensor(v) for v in getattr(model, what)):
                why = "operators are computed once" if what == "diffusivities" else "a state says how many there are"
                _checks.refuse(name, p, f"a constant, as part of the {what}", why, "Drive a rate instead.")
    return Driven(model, drives)
