"""Laws run back in time.

Of dY = f dt + g dW, Itô, with density p, all processes with noise √η g have p as well, run from T to 0 by

    dY = [f − (1 + η)(∇·D + D ∇ln p)] dt + √η g dW̄,  D = g C gᵀ/2,

with C the covariance of the noise, dt < 0, and g taken where a step begins, at its later time. η = 1 is the time
reversal, η = 0 the flow of probability. In another calculus f stands for f + α Σₖ(gₖ·∇)gₖ.

References:
    Anderson (1982), doi:10.1016/0304-4149(82)90051-5; Haussmann & Pardoux (1986), doi:10.1214/aop/1176992362.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import tensorflow as tf

from diffsim import _checks, _nest, _tree
from diffsim._checks import Verbatim
from diffsim._tree import static
from diffsim.calculus import Amplitude, Isothermal, Ito, NoiseMap, Reach
from diffsim.calculus import amplitude as amplitude_of
from diffsim.noise import Correlated


@dataclass(frozen=True)
class Backwards:
    """f + α Σₖ(gₖ·∇)gₖ − (1 + η)(∇·D + D s).

    Args:
        drift: f, or None.
        diffusion: g, as of an Equation.
        score: s(t, y).
        eta: η.
        matrix: C, None for independent noise.
        point: α.
    """

    drift: Any
    diffusion: Any
    score: Callable
    eta: Any
    matrix: Any
    point: float = static()

    def of_state(self, y) -> Backwards:
        """The same, with what g depends on."""
        g = self.diffusion
        if not _varies(g):
            return self
        g = amplitude_of(g, y)
        if g.reach is Reach.ALL:
            way_out = "State the law of one particle, along the last axis."
            why = "the divergence of D is taken vector by vector"
            _checks.refuse("diffusion", g.fn, "g at a vector that depends on that vector", why, way_out, TypeError)
        return replace(self, diffusion=g)

    def __call__(self, t, y):
        """The drift."""
        here = self.of_state(y)
        s, g = self.score(t, y), here.diffusion
        part = here._spread(t, y, s)
        if isinstance(g, Amplitude) and g.reach is not Reach.NOTHING:
            slope = g.slope(t, y)
            if not (self.matrix is None and not isinstance(g.fn, NoiseMap)):
                part = _nest.add(part, _nest.scale(0.5, _nest.add(slope, _turning(g, t, y))))
            else:
                part = _nest.add(part, slope)
        total = _nest.map(lambda a: -(1 + _nest.to(self.eta, a.dtype)) * a, part)
        if isinstance(g, Amplitude) and g.reach is not Reach.NOTHING and self.point:
            total = _nest.add(total, _nest.scale(self.point, slope))
        return total if self.drift is None else _nest.add(total, self.drift(t, y))

    def _spread(self, t, y, s):
        """D s = g C gᵀ s / 2."""
        g = self.diffusion
        if isinstance(g, Amplitude) and isinstance(g.fn, NoiseMap):
            with tf.GradientTape() as tape:  # gᵀs is the gradient of s·(g w)
                w = _nest.map(tf.zeros_like, y)
                tape.watch(w)
                pulled = _nest.dot(s, g.times(t, y, w))
            s = tape.gradient(pulled, w)
            return _nest.scale(0.5, g.times(t, y, self._mixed(s)))
        if isinstance(g, Amplitude):
            a = g(t, y)
        elif isinstance(g, (tuple, list, dict)):
            a = _nest.map(lambda v, leaf: _nest.to(v, leaf.dtype), g, y)
        else:
            a = _nest.map(lambda leaf: _nest.to(g, leaf.dtype), y)
        return _nest.map(lambda a, b: 0.5 * a * b, a, self._mixed(_nest.map(tf.multiply, a, s)))

    def _mixed(self, s):
        if self.matrix is None:
            return s
        return _nest.map(lambda v: tf.linalg.matvec(_nest.to(self.matrix, v.dtype), v), s)


def _turning(g, t, y):
    """Σₖ gₖ (∇·gₖ), gₖ the columns of a map that mixes the entries of each vector."""
    width, total = y.shape[-1], 0.0
    for k in range(width):
        unit = tf.broadcast_to(tf.one_hot(k, width, dtype=y.dtype), y.shape)
        column, spread = g.times(t, y, unit), 0.0
        for j in range(width):
            along = tf.broadcast_to(tf.one_hot(j, width, dtype=y.dtype), y.shape)
            with tf.autodiff.ForwardAccumulator(y, along) as forward:
                value = g.times(t, y, unit)
            slope = forward.jvp(value)
            spread += 0.0 if slope is None else slope[..., j : j + 1]
        total += spread * column
    return total


def reverse(law, score: Callable, eta):
    """The law of `Equation.reversed`."""
    if not callable(score):
        why, way_out = "it is the gradient of ln p along the path", "Pass s(t, y), from a formula or a grid."
        _checks.refuse("score", score, "a function s(t, y)", why, way_out, TypeError)
    if not isinstance(eta, (tf.Tensor, tf.Variable)):
        eta = _checks.number("eta", eta, least=0.0, why="it is a share of noise")
    if law.order != 1.0:
        why, way_out = "paths with memory are no Markov process", "Use order=1."
        _checks.refuse("order", law.order, "1", why, way_out, TypeError)
    if law.diffusion is None:
        return law
    correlated = isinstance(law.noise, Correlated)
    if not (law.noise.white or correlated):
        why = "Anderson's reversal is that of Brownian motion"
        _checks.refuse("noise", law.noise, "Brownian noise", why, "Use Brownian().", TypeError)
    g, varies = law.diffusion, _varies(law.diffusion)
    if correlated and varies:
        why = "the divergence of g C gᵀ is known for independent noise"
        _checks.refuse("noise", law.noise, "Brownian() where g depends on the state", why,
                       "Put a root of C into g: NoiseMap(…).", TypeError)
    if isinstance(g, NoiseMap) and isinstance(law.calculus, Isothermal):
        why, way_out = "the isothermal form is that of a mobility", "State the law with calculus=Ito()."
        _checks.refuse("calculus", Verbatim("Isothermal()"), "Ito() or Stratonovich()", why, way_out, TypeError)
    drift = Backwards(law.drift, g, score, eta, law.noise.matrix if correlated else None, law.calculus.point)
    still = isinstance(eta, float) and eta == 0.0
    root = tf.sqrt(eta) if tf.is_tensor(eta) else eta**0.5
    if varies:
        kicked = NoiseMap(Fainter(g.fn, root)) if isinstance(g, NoiseMap) else Fainter(g, root)
    else:
        kicked = tf.nest.map_structure(lambda a: root * a, g)
    return replace(law, drift=drift, diffusion=None if still else kicked, calculus=Ito())


def _varies(g) -> bool:
    return isinstance(g, NoiseMap) or callable(g) and not _tree.is_number(g)


@dataclass(frozen=True)
class Fainter:
    """√η times an amplitude."""

    fn: Callable
    root: Any

    def __call__(self, t, y, *dN):
        """√η g(t, y), or √η g(t, y)·dN."""
        return _nest.map(lambda a: _nest.to(self.root, a.dtype) * a, self.fn(t, y, *dN))
