"""The generator of a stochastic law on a grid: its Fokker–Planck operator and, as its adjoint, the backward one.

Between neighbouring cell centres a distance ℓ apart the flux J = F p − D ∂p, F = f − (1 − α)∂D, α = 0, ½, 1 for Itô,
Stratonovich, isothermal, is that of the exact solution with constant J and D:

    J = (D/ℓ) [B(−z) p₋ − B(z) p₊],  B(z) = z/(e^z − 1),  z = ∫F/D dx = ∫f/D dx − (1 − α) ln(D₊/D₋),

with the integral and D, the harmonic mean, by Gauss's rule. Rates are positive at any strength of the drift, errors
are of second order in ℓ, of first where D = 0, and the law at rest is right at all centres where J = 0: e^{−V/kT}
for a force −∇V.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from diffsim import _checks, _nest, boundary
from diffsim._checks import Verbatim, refuse
from diffsim.boundary import Flux, Neumann, Periodic, Robin
from diffsim.calculus import Amplitude, NoiseMap, Reach
from diffsim.grid import Grid, on_axis
from diffsim.noise import Correlated
from diffsim.operators.base import Identity
from diffsim.operators.hopping import Hopping

NODES = 5  # of Gauss's rule on each way between two centres: exact for polynomials of degree 9
LATER = 0.7310585786300049  # when a law is asked again whether it depends on time


def generator(law, grid: Grid, walls, t: float | None = None) -> Hopping:
    """The Fokker–Planck operator of a law, p ↦ −∂ᵢJᵢ; see `Equation.generator`."""
    _checks.instance("grid", grid, Grid, why="a density lives on a grid", way_out="Pass ds.Grid(…).")
    if type(grid) is not Grid:
        refuse("grid", grid, "a box", "the coordinates of a law are Cartesian", "Pass ds.Grid(…).", TypeError)
    pairs = boundary.resolve(walls, grid)
    for condition in (c for pair in pairs for c in pair):
        if isinstance(condition, Neumann) and not condition.homogeneous:
            why = "a wall that lets nothing through reflects, drift and all"
            refuse("boundary", condition, "Neumann(), Flux(…), Dirichlet(…), Robin(…) or Periodic()", why,
                   "Use Flux(inflow).")
    field = _Field(law, grid, t)
    up, down = zip(*(_rates(field, grid, axis, pair) for axis, pair in enumerate(pairs)), strict=True)
    return Hopping(grid, pairs, up, down)


class _Field:
    """Drift and diffusivity at points, in float64."""

    def __init__(self, law, grid, t):
        self.ndim = ndim = grid.ndim
        self.pair = next((len(part) for part in (law.linear, law.diffusion) if isinstance(part, (tuple, list))), None)
        if self.pair not in (None, ndim):
            refuse("grid", Verbatim(f"a grid of {ndim} axes"), f"{self.pair} axes", "each part of the state has one",
                   "Give each part of the state one coordinate, and the grid one axis for each.")
        self._check(law)
        apart = np.arange(1, 5 * ndim + 1).reshape(5, ndim) * 0.6180339887498949 % 1  # no two coordinates alike
        probe = self.state(tf.constant(grid.origin + apart * grid.size))
        self.law = law.of_state(probe).prepare(probe)
        self.weight = 1.0 - law.calculus.point
        if self.law.reach is Reach.ALL and self.pair is None:
            refuse("diffusion", law.diffusion, "an amplitude that depends on the particle's own coordinates",
                   "the density of one particle is sought", "Let g(t, x) act along the last axis.", TypeError)
        self.t = 0.0 if t is None else _checks.number("t", t, why="it is the time at which the law is taken")
        if t is None and any(self._differs(a, b) for a, b in zip(self.at(probe), self.at(probe, LATER), strict=True)):
            refuse("t", None, "a time", "drift or diffusion depend on it, and an operator has constant rates",
                   "Pass t=…, at which they are taken.", TypeError)

    @staticmethod
    def _differs(a, b):
        return bool(tf.reduce_any(tf.abs(a - b) > 1e-9 * (tf.abs(a) + tf.abs(b))))

    @staticmethod
    def _check(law):
        parts = law.linear if isinstance(law.linear, (tuple, list)) else (law.linear,)
        if any(hasattr(a, "apply") and not isinstance(a, Identity) for a in parts):
            refuse("linear", law.linear, "a number", "the law of a particle has no operator on a grid",
                   "Pass the law of a particle, e.g. ds.models.Overdamped(…).law.", TypeError)
        if law.order != 1.0:
            refuse("order", law.order, "1", "a particle with memory has no generator", "Use order=1.", TypeError)
        if law.diffusion is not None and not (law.noise.white or isinstance(law.noise, Correlated)):
            refuse("noise", law.noise, "Brownian noise", "∇∇:(Dp) is the law of Brownian motion", "Use Brownian().",
                   TypeError)

    def state(self, x):
        """The state of particles at points (P, d)."""
        return x if self.pair is None else tuple(x[:, i : i + 1] for i in range(self.ndim))

    def at(self, y, t=None):
        """(f, D), each (P, d)."""
        t = self.t if t is None else t
        f = self._flat(self.law.rate(t, y))
        return f, tf.zeros_like(f) if self.law.diffusion is None else self._diffusivity(t, y)

    def _diffusivity(self, t, y):
        """Diagonal of D = g C gᵀ/2, refusing what is beside it."""
        g, noise = self.law.diffusion, self.law.noise
        mixed = isinstance(g, Amplitude) and isinstance(g.fn, NoiseMap)
        if not mixed and not isinstance(noise, Correlated):
            return self._flat(self.law.amplitude(t, y)) ** 2 / 2
        C = noise.matrix if isinstance(noise, Correlated) else np.eye(self.ndim)
        units = [self.state(tf.broadcast_to(tf.one_hot(k, self.ndim, dtype=tf.float64), self._flat(y).shape))
                 for k in range(self.ndim)]
        columns = tf.stack([self._flat(self.law.kick(t, y, u)) for u in units], -1)
        D = columns @ _nest.to(C, tf.float64) @ tf.linalg.matrix_transpose(columns) / 2
        own = tf.linalg.diag_part(D)
        if float(tf.reduce_max(tf.abs(D - tf.linalg.diag(own)))) > 1e-12 * float(tf.reduce_max(tf.abs(D))):
            refuse("diffusion", Verbatim("noise that ties coordinates"), "independent noise in each coordinate",
                   "fluxes along an axis would depend on gradients across it, and rates could be negative",
                   "Rotate the coordinates to the axes of the noise.", TypeError)
        return own

    def _flat(self, y):
        return y if self.pair is None else tf.concat(_nest.flatten(y), -1)


class _Ways(NamedTuple):
    """Ways that cross the faces of an axis: where they start, and how long they are."""

    start: np.ndarray
    length: np.ndarray


def _ways(grid, axis, periodic) -> _Ways:
    line, w = grid.axes[axis], grid.dx[axis]
    inner = line.centers[:-1]
    first, last = (line.centers[-1] - grid.size[axis], w) if periodic else (line.faces[0], w / 2)
    start = np.concatenate([[first], inner, line.centers[-1:]])
    return _Ways(start, np.concatenate([[last], np.full(inner.size, w), [last]]))


def _rates(field, grid, axis, pair):
    """Rates at which the faces of an axis are crossed upwards and downwards, each (…, n + 1, …)."""
    periodic = isinstance(pair[0], Periodic)
    ways, d = _ways(grid, axis, periodic), grid.ndim
    x, w = np.polynomial.legendre.leggauss(NODES)
    nodes, weights = np.concatenate([[0.0], (x + 1) / 2, [1.0]]), tf.constant(w / 2)
    along = ways.start[:, None] + ways.length[:, None] * nodes
    if periodic:
        along = grid.origin[axis] + (along - grid.origin[axis]) % grid.size[axis]
    shape = [along.shape[0] if i == axis else n for i, n in enumerate(grid.shape)]
    points = [c[..., None] for c in grid.coordinates()]
    points[axis] = np.reshape(along, [*(-1 if i == axis else 1 for i in range(d)), nodes.size])
    points = [np.broadcast_to(c, [*shape, nodes.size]).ravel() for c in points]
    f, D = field.at(field.state(tf.constant(np.stack(points, -1))))
    f, D = (tf.reshape(a[:, axis], [*shape, nodes.size]) for a in (f, D))
    length = tf.constant(on_axis(ways.length, axis, d))
    forward, back = _crossing(f, D, weights, length, field.weight)
    scale = 1 / grid.dx[axis]
    if not periodic:
        forward, back = _through(forward, back, pair, axis, d)
    return forward * scale, back * scale


def _crossing(f, D, weights, length, weight):
    """Velocities with which p behind and p ahead cross a face."""
    inner = slice(1, 1 + NODES)
    still = D[..., inner] <= 0
    safe = tf.where(still, tf.ones_like(D[..., inner]), D[..., inner])
    mean = 1 / tf.linalg.matvec(1 / safe, weights)
    z = length * tf.linalg.matvec(f[..., inner] / safe, weights)
    if weight:
        ends = tf.math.log(tf.maximum(D, 1e-300))
        z -= weight * (ends[..., -1] - ends[..., 0])
    forward, back = (mean / length * _bernoulli(s * z) for s in (-1.0, 1.0))
    wind, blown = tf.linalg.matvec(f[..., inner], weights), tf.reduce_any(still, -1)  # without noise: from upwind
    return tf.where(blown, tf.nn.relu(wind), forward), tf.where(blown, tf.nn.relu(-wind), back)


def _bernoulli(z):
    """B(z) = z/(e^z − 1)."""
    small = tf.abs(z) < 1e-8
    safe = tf.where(small, tf.ones_like(z), z)
    return tf.where(small, 1 - z / 2, safe / tf.math.expm1(tf.minimum(safe, 700.0)))


def _through(forward, back, pair, axis, d):
    """The same with walls at both ends: forward is into the box at the lower one, out of it at the upper one."""
    (into, inner, out), (out_low, inner_back, into_high) = (
        tf.split(a, [1, a.shape[axis] - 2, 1], axis) for a in (forward, back)
    )
    into, out_low = _wall(pair[0], into, out_low)
    into_high, out = _wall(pair[1], into_high, out)
    return tf.concat([into, inner, out], axis), tf.concat([out_low, inner_back, into_high], axis)


def _wall(condition, into, out):
    """What passes a wall per value behind it and per p before it; a reaction and half a cell are in series."""
    if isinstance(condition, Neumann):
        return tf.zeros_like(into), tf.zeros_like(out)
    if isinstance(condition, Flux):
        return tf.ones_like(into), tf.zeros_like(out)
    if isinstance(condition, Robin):
        kappa = _nest.to(condition.transfer, into.dtype)
        return tuple(tf.math.divide_no_nan(kappa * a, kappa + into) for a in (into, out))
    return into, out
