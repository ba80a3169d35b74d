"""A law, a stepper and a step, compiled once and called often; pure, differentiable, batchable over leading axes."""

from __future__ import annotations

import functools
import math

import tensorflow as tf

from diffsim import _checks, _nest, _tree, random
from diffsim._checks import SolveError
from diffsim._compiled import Compiled
from diffsim.choose import stepper_for
from diffsim.equation import Equation, Slot
from diffsim.intake import as_state
from diffsim.jump import Jump
from diffsim.law import Law
from diffsim.solution import Status
from diffsim.steppers.base import Stepper
from diffsim.steppers.wrap import loses


class Simulation:
    """`advance` moves a state by a number of equal steps, as a pure function of state and law.

    Gradients flow to the initial state, to every tensor inside the law (D, wall values, model parameters) and to
    variables that its functions refer to; variables are read at each call. Gradients are those of the discrete steps,
    exact to rounding. The backward pass keeps 2√n states: it marches through n steps again in √n segments and
    differentiates each segment from its start. Counted molecules change by jumps and have no such gradient.

    What a stepper remembers of its steps begins anew with each call.

    Args:
        law: an Equation, a Jump or particles.Molecules, or one of the same structure; `advance` accepts others.
        stepper: how to take one step; None chooses.
        dt: length of a step [time]; negative runs backwards.
        like: a state of the shape and dtype that `advance` will get.
        jit: compile with XLA.

    Raises:
        ValueError, TypeError: as `solve`.

    References:
        Griewank & Walther (2000), doi:10.1145/347837.347846, for checkpointing.
    """

    def __init__(
        self, law: Equation | Jump | Law, stepper: Stepper | None = None, *, dt: float, like, jit: bool = True
    ):
        why, way_out = "a simulation moves a state along a law", "Build an Equation(…)."
        _checks.instance("law", law, (Equation, Jump, Law), why=why, way_out=way_out)
        dt = _checks.number("dt", dt, why="it is the length of a step")
        if dt == 0.0:
            _checks.refuse(
                "dt", dt, "a number other than zero", "nothing moves in no time", "Pass the length of a step."
            )
        self.law, self.dt, self.jit = law, dt, jit
        like = as_state(like)
        bound = law.of_state(like)
        if stepper is None:
            stepper, self.why = stepper_for(bound, dt)
        else:
            self.why = "it was asked for"
        self._asked = _checks.instance(
            "stepper", stepper, Stepper, why="it takes the steps", way_out="Use e.g. ETDRK2()."
        )
        self.stepper, self._bound = self._asked.bind(bound, dt)
        self.stepper.check_start(self._bound, like)
        if loses(self.stepper, self._bound, like):
            why = "the state alone is handed on, and which particles are lost is no part of it"
            way_out = "Use solve(…), whose solution.fate knows, or Reflected(…)."
            _checks.refuse("stepper", _checks.Verbatim("walls that react"), "walls that lose no particle", why, way_out)

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

        Raises:
            SolveError: molecules could not go on: their pool was full, a rate was negative; y is as it was.
        """
        steps = _checks.integer("steps", steps, least=0, why="it counts steps")
        y = as_state(y)
        stepper, bound = self.stepper, self._bound
        if law is None and any(isinstance(leaf, tf.Variable) for leaf in _tree.flatten(self.law)[0]):
            law = self.law  # what follows from their values is computed anew
        if law is not None:
            stepper, bound = self._bind(law.of_state(y))
        slots = bound.slots()
        if Slot.DIFFUSION in slots and not tf.is_tensor(t):
            bound.noise.covers(t, t + steps * self.dt, self.dt)
        if key is None and slots & {Slot.DIFFUSION, Slot.JUMPS}:
            _checks.refuse(
                "key", None, "a key", "noise is a function of key, step and element", "Pass key=ds.key(0).", TypeError
            )
        leaves, structure = _tree.flatten((bound, stepper))
        real = _nest.real_dtype(y)
        leaves = _tree.as_tensors(leaves, real)
        key = tf.zeros([2], tf.uint32) if key is None else random.as_key(key)
        rest = _nest.to(t, tf.float64), tf.constant(self.dt, tf.float64), tf.constant(first, tf.int64), key
        end = _program(structure, steps, self.jit)(leaves, y, rest)
        if Slot.JUMPS in slots and not tf.is_symbolic_tensor(_nest.flatten(end)[0]) and not _nest.all_finite(end):
            def remembered(*given):
                return _Path(structure, *given, steps).end()[1]

            memory = tf.function(remembered, jit_compile=self.jit, autograph=False)(leaves, y, *rest)
            raise SolveError(stepper.complaint(bound, memory) or Status.NON_FINITE.value)
        return end

    def _bind(self, law):
        """(stepper, law) for another law, in the form in which they run."""
        if not isinstance(law, Equation):
            return self._asked.bind(law, self.dt)  # steppers of molecules plan by the law
        calculus = self._asked.calculus
        return self.stepper, self._asked.bind(law if calculus is None else law.stated_in(calculus, self.dt), None)[1]


@functools.lru_cache(maxsize=64)
def _program(structure, steps: int, jit: bool):
    """The compiled march, with a compiled march backwards as its gradient."""

    def end(leaves, y, rest):
        return _Path(structure, leaves, y, *rest, steps).end()[0]

    def run(leaves, y, rest):
        forth = tf.function(end, jit_compile=jit, autograph=False)
        flat = [*leaves, *_nest.flatten(y)]
        jumps = Slot.JUMPS in _tree.unflatten(structure, leaves)[0].slots()
        smooth = [i for i, x in enumerate(flat) if x.dtype.is_floating or x.dtype.is_complex]

        @tf.custom_gradient
        def forward(*inputs):
            full = list(flat)
            for i, x in zip(smooth, inputs, strict=True):
                full[i] = x
            given = full[: len(leaves)], _nest.pack(y, full[len(leaves) :]), rest

            def backward(*bars, variables=()):
                if jumps:
                    why = "numbers of molecules change by jumps, whose odds a gradient along one path does not see"
                    way_out = "Differentiate rate_equation() or langevin(), or take differences of runs with one key."
                    _checks.refuse("gradient", _checks.Verbatim("asked for"), "none", why, way_out)

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
        step = stepper.step(law, t, self.h, y, memory, prepared, law.over(self.key, n, t, self.h64, y))
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
        """(last state, what the stepper remembers)."""
        return self._march(tf.constant(0), self._start(self.leaves, self.y), self.steps)

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
