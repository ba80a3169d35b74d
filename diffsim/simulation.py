"""A law, a stepper and a step, compiled once and called often; pure, differentiable, batchable over leading axes."""

from __future__ import annotations

import functools
import math

import tensorflow as tf

from diffsim import _checks, _nest, _tree
from diffsim._compiled import Compiled
from diffsim.choose import stepper_for
from diffsim.equation import Equation, Slot
from diffsim.intake import as_state
from diffsim.noise import Interval
from diffsim.steppers.base import Stepper


class Simulation:
    """`advance` moves a state by a number of equal steps, as a pure function of state and law.

    Gradients flow to the initial state, to every tensor inside the law (D, wall values, model parameters) and to
    variables that its functions refer to; variables are read at each call. Gradients are those of the discrete steps,
    exact to rounding. The backward pass keeps 2√n states: it marches through n steps
    again in
    √n segments and differentiates each segment from its start.

    Args:
        law: the law, or one of the same structure; `advance` accepts others.
        stepper: how to take one step; None chooses.
        dt: length of a step [time]; negative runs backwards.
        like: a state of the shape and dtype that `advance` will get.
        jit: compile with XLA.

    Raises:
        ValueError, TypeError: as `solve`.

    References:
        Griewank & Walther (2000), doi:10.1145/347837.347846, for checkpointing.
    """

    def __init__(self, law: Equation, stepper: Stepper | None = None, *, dt: float, like, jit: bool = True):
        _checks.instance(
            "law", law, Equation, why="a simulation moves a state along a law", way_out="Build an Equation(…)."
        )
        dt = _checks.number("dt", dt, why="it is the length of a step")
        if dt == 0.0:
            _checks.refuse(
                "dt", dt, "a number other than zero", "nothing moves in no time", "Pass the length of a step."
            )
        self.law, self.dt, self.jit = law, dt, jit
        bound = law.of_state(as_state(like))
        if stepper is None:
            stepper, self.why = stepper_for(bound, dt)
        else:
            self.why = "it was asked for"
        self._asked = _checks.instance(
            "stepper", stepper, Stepper, why="it takes the steps", way_out="Use e.g. ETDRK2()."
        )
        self.stepper, self._bound = self._asked.bind(bound, dt)
        self.stepper.check_start(self._bound, as_state(like))

    def advance(self, y, steps: int, *, t: float = 0.0, law: Equation | None = None, key=None, first: int = 0):
        """The state after `steps` steps from time t.

        Args:
            y: a state.
            steps: how many steps, a Python integer ≥ 0.
            t: time of y.
            law: a law of the same structure with other numbers; tensors in it receive gradients.
            key: for laws with noise.
            first: index of the first step, so that a path continued elsewhere goes on with its own random numbers.

        Returns:
            The state at t + steps·dt.
        """
        steps = _checks.integer("steps", steps, least=0, why="it counts steps")
        y = as_state(y)
        bound = self._bound
        if law is None and any(isinstance(leaf, tf.Variable) for leaf in _tree.flatten(self.law)[0]):
            law = self.law  # what follows from their values is computed anew
        if law is not None:
            law, calculus = law.of_state(y), self._asked.calculus
            bound = self._asked.bind(law if calculus is None else law.stated_in(calculus, self.dt), None)[1]
        if bound.diffusion is not None and not tf.is_tensor(t):
            bound.noise.covers(t, t + steps * self.dt, self.dt)
        if key is None and Slot.DIFFUSION in bound.slots():
            _checks.refuse(
                "key", None, "a key", "noise is a function of key, step and element", "Pass key=ds.key(0).", TypeError
            )
        leaves, structure = _tree.flatten((bound, self.stepper))
        real = _nest.real_dtype(y)
        leaves = _tree.as_tensors(leaves, real)
        key = tf.zeros([2], tf.uint32) if key is None else tf.convert_to_tensor(key)
        rest = _nest.to(t, tf.float64), tf.constant(self.dt, tf.float64), tf.constant(first, tf.int64), key
        return _program(structure, steps, self.jit)(leaves, y, rest)


@functools.lru_cache(maxsize=64)
def _program(structure, steps: int, jit: bool):
    """The compiled march, with a compiled march backwards as its gradient."""

    def end(leaves, y, rest):
        return _Path(structure, leaves, y, *rest, steps).end()

    def run(leaves, y, rest):
        forth = tf.function(end, jit_compile=jit, autograph=False)
        flat = [*leaves, *_nest.flatten(y)]
        smooth = [i for i, x in enumerate(flat) if x.dtype.is_floating or x.dtype.is_complex]

        @tf.custom_gradient
        def forward(*inputs):
            full = list(flat)
            for i, x in zip(smooth, inputs, strict=True):
                full[i] = x
            given = full[: len(leaves)], _nest.pack(y, full[len(leaves) :]), rest

            def backward(*bars, variables=()):
                def pull(leaves, y, rest, bars):
                    return _Path(structure, leaves, y, *rest, steps, tuple(variables)).gradient(bars)

                gradient = tf.function(pull, jit_compile=jit, autograph=False)(*given, list(bars))
                own = [gradient[i] for i in smooth]
                return (own, gradient[len(flat) :]) if variables else own

            return _nest.flatten(forth(*given)), backward

        return _nest.pack(y, forward(*(flat[i] for i in smooth)))

    return Compiled(structure, lambda: tf.function(run, autograph=False))


class _Path:
    """n steps from a state, forwards or differentiated, also in variables that functions of the law refer to."""

    def __init__(self, structure, leaves, y, t, h64, first, key, steps, variables=()):
        self.structure, self.leaves, self.y, self.t, self.h64 = structure, leaves, y, t, h64
        self.first, self.key, self.steps, self.variables = first, key, steps, variables
        self.h = tf.cast(h64, _nest.real_dtype(y))

    def _start(self, leaves, y):
        law, stepper = _tree.unflatten(self.structure, leaves)
        return y, stepper.init(law.prepare(y), self.t, y)

    def _one(self, k, leaves, pair, prepared=None):
        """(y, memory) after step k."""
        y, memory = pair
        law, stepper = _tree.unflatten(self.structure, leaves)
        if prepared is None:
            law = law.prepare(y)
            prepared = stepper.prepare(law, self.h)
        else:
            law, prepared = prepared
        n = self.first + tf.cast(k, tf.int64)
        t = self.t + tf.cast(k, tf.float64) * self.h64
        noise = None if law.diffusion is None else Interval(law.noise, self.key, n, t, self.h64, y)
        step = stepper.step(law, t, self.h, y, memory, prepared, noise)
        return step.y, step.memory

    def _march(self, start, pair, count):
        law, stepper = _tree.unflatten(self.structure, self.leaves)
        law = law.prepare(self.y)
        ready = law, stepper.prepare(law, self.h)
        return tf.while_loop(
            lambda k, _: k < start + count,
            lambda k, pair: (k + 1, self._one(k, self.leaves, pair, ready)),
            (start, pair),
        )[1]

    def end(self):
        """The last state."""
        return self._march(tf.constant(0), self._start(self.leaves, self.y), self.steps)[0]

    def gradient(self, bars):
        """Cotangents of leaves, first state and variables, given those of the last state."""
        segment = max(1, math.isqrt(self.steps - 1) + 1) if self.steps else 1
        starts = -(-self.steps // segment)
        begin = self._start(self.leaves, self.y)
        pairs = _nest.map(lambda v: tf.zeros([starts, *v.shape], v.dtype), begin)

        def keep(c, pair, pairs):
            pairs = _put(pairs, c, pair)
            return c + 1, self._march(c * segment, pair, tf.minimum(segment, self.steps - c * segment)), pairs

        _, _, pairs = tf.while_loop(lambda c, *_: c < starts, keep, (tf.constant(0), begin, pairs))
        bar = _nest.pack(self.y, bars), _nest.zeros(begin[1])
        sums = [tf.zeros_like(x) for x in (*self.leaves, *self.variables)]

        def back_segment(c, bar, sums):
            pair, count = _get(pairs, c), tf.minimum(segment, self.steps - c * segment)
            inner = _nest.map(lambda v: tf.zeros([segment, *v.shape], v.dtype), pair)

            def fill(j, pair, inner):
                return j + 1, self._one(c * segment + j, self.leaves, pair), _put(inner, j, pair)

            _, _, inner = tf.while_loop(lambda j, *_: j < count, fill, (tf.constant(0), pair, inner))

            def back(j, bar, sums):
                bar, extra = self._pull(c * segment + j, _get(inner, j), bar)
                return j - 1, bar, [a + b for a, b in zip(sums, extra, strict=True)]

            _, bar, sums = tf.while_loop(lambda j, *_: j >= 0, back, (count - 1, bar, sums))
            return c - 1, bar, sums

        _, bar, sums = tf.while_loop(lambda c, *_: c >= 0, back_segment, (tf.constant(starts - 1), bar, sums))
        first, extra = self._pull_start(bar)
        sums = [a + b for a, b in zip(sums, extra, strict=True)]
        return [*sums[: len(self.leaves)], *_nest.flatten(first), *sums[len(self.leaves) :]]

    def _pull(self, k, pair, bar):
        def one(leaves, pair):
            return self._one(k, leaves, pair)

        return _vjp(one, self.leaves, pair, bar, self.variables)

    def _pull_start(self, bar):
        (first,), extra = _vjp(lambda leaves, y: self._start(leaves, y[0]), self.leaves, (self.y,), bar, self.variables)
        return first, extra


def _vjp(fn, leaves, x, bar, variables):
    """Cotangents (of x, of leaves and variables) of fn(leaves, x) for the cotangent `bar`; zeros for what has none."""
    flat = [*leaves, *_nest.flatten(x)]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        moved = [tf.identity(v) for v in flat]
        tape.watch([v for v in (*moved, *variables) if v.dtype.is_floating or v.dtype.is_complex])
        out = _nest.flatten(fn(moved[: len(leaves)], _nest.pack(x, moved[len(leaves) :])))
        kept = [
            (o, b) for o, b in zip(out, _nest.flatten(bar), strict=True) if o.dtype.is_floating or o.dtype.is_complex
        ]
    sources = [*moved, *variables]
    grads = tape.gradient([o for o, _ in kept], sources, [b for _, b in kept], tf.UnconnectedGradients.ZERO)
    grads = [tf.convert_to_tensor(g) for g in grads]
    return _nest.pack(x, grads[len(leaves) : len(moved)]), [*grads[: len(leaves)], *grads[len(moved) :]]


def _put(arrays, i, values):
    return _nest.map(lambda a, v: tf.tensor_scatter_nd_update(a, [[i]], [v]), arrays, values)


def _get(arrays, i):
    return _nest.map(lambda a: a[i], arrays)
