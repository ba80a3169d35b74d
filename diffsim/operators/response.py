"""How F(A) answers to a change of A, also where eigenvalues coincide.

To first order F(A + dA) = V (F(Λ) + F[λᵢ, λⱼ] ∘ V⁻¹dA V) V⁻¹ with the divided differences F[λᵢ, λⱼ] =
(F(λᵢ) − F(λⱼ))/(λᵢ − λⱼ), F′(λᵢ) where they are equal (Daleckii & Krein). Eigenvectors have no derivative there, F(A)
has. So modes are held fixed, and V⁻¹AV carries the gradient: its diagonal as eigenvalues, the rest here.

References:
    Higham (2008), Functions of Matrices, theorem 3.11, doi:10.1137/1.9780898717778.
"""

from __future__ import annotations

import tensorflow as tf

from diffsim import _nest

NODES = (0.5 - 12**-0.5, 0.5 + 12**-0.5)  # Gauss–Legendre on [0, 1]


def multiplier(F, lam, mixing):
    """c ↦ F(Λ)c on coefficients, differentiable in Λ and in the operator's matrix along each axis.

    Args:
        F: a function of eigenvalues, elementwise.
        lam: eigenvalues over the coefficients of the grid.
        mixing: for each grid axis the operator's matrix in the basis, [n, n, 1] or [n, n, R] for each of the R
            modes along the other axes: diagonal in value; or None.
    """
    values = F(lam)
    if all(m is None for m in mixing):
        return lambda c: _nest.to(values, c.dtype) * c
    return lambda c: _times(F, lam, mixing, _nest.to(values, c.dtype), c)


def _times(F, lam, mixing, values, c):
    axes = [a for a, m in enumerate(mixing) if m is not None]

    @tf.custom_gradient
    def times(c, values, *matrices):
        def back(bar):
            turned = [None] * len(mixing)
            for a, m in zip(axes, matrices, strict=True):
                turned[a] = tf.math.conj(tf.transpose(m, [1, 0, 2]))

            def adjoint(x):
                return tf.math.conj(F(tf.math.conj(x)))

            to_c = _times(adjoint, tf.math.conj(lam), turned, tf.math.conj(values), bar)
            product = bar * tf.math.conj(c)
            to_values = tf.reduce_sum(product, list(range(c.shape.rank - values.shape.rank)))
            reason = "second derivatives in the coefficients of an operator in a numerical eigenbasis are not known"
            to_matrices = [
                tf.raw_ops.PreventGradient(input=_coupling(F, lam, a, bar, c, m.shape[-1] > 1), message=reason)
                for a, m in zip(axes, matrices, strict=True)
            ]
            return to_c, to_values, *to_matrices

        return values * c, back

    return times(c, values, *(_nest.to(mixing[a], c.dtype) for a in axes))


def _coupling(F, lam, axis, bar, c, each):
    """The cotangent of the matrix along `axis` beside its diagonal; `each`: for each mode along the other axes."""
    d = lam.shape.rank
    lam = rows_first(lam, axis, d)
    n, R = lam.shape
    bar, c = (tf.reshape(rows_first(v, axis, d), [-1, n, R]) for v in (bar, c))
    off = 1 - tf.eye(n, dtype=c.dtype)[:, :, None]
    if R == 1:
        outer = tf.matmul(bar[..., 0], tf.math.conj(c[..., 0]), transpose_a=True)[:, :, None]
        return off * outer * tf.math.conj(_nest.to(quotient(F, lam[:, None], lam[None]), c.dtype))

    def row(i):
        weight = tf.math.conj(_nest.to(quotient(F, lam[i][None], lam), c.dtype))
        product = weight * tf.reduce_sum(bar[:, i, None] * tf.math.conj(c), 0)
        return product if each else tf.reduce_sum(product, 1, keepdims=True)

    return off * tf.map_fn(row, tf.range(n), fn_output_signature=c.dtype)


def rows_first(v, axis, d):
    """(…, *grid) → (…, n along the axis, all others)."""
    lead = v.shape.rank - d
    order = [*range(lead), lead + axis, *(lead + i for i in range(d) if i != axis)]
    v = tf.transpose(v, order)
    return tf.reshape(v, [*v.shape[: lead + 1], -1])


def quotient(F, a, b):
    """F[a, b], elementwise: by the difference, or as the mean of F′ between a and b where F hardly differs there."""
    Fa, Fb = F(a), F(b)
    a, b = a + tf.zeros_like(b), b + tf.zeros_like(a)
    near, mean = tf.ones(a.shape, tf.bool), 0.0
    tolerance = _nest.to(2.0**-10.4 if a.dtype.real_dtype == tf.float64 else 2.0**-4.6, Fa.dtype.real_dtype)
    for s in NODES:
        x = a + _nest.to(s, a.dtype) * (b - a)
        value, slope = _slope(F, x)
        near &= tf.abs(value - Fa) <= tolerance * tf.abs(Fa)
        mean = mean + slope / 2
    near |= a == b
    gap = tf.where(near, tf.ones_like(a), a - b)
    return tf.where(near, mean, (Fa - Fb) / _nest.to(gap, Fa.dtype))


def _slope(F, x):
    """(F(x), F′(x)), elementwise, for F real or analytic."""
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        value = F(x)
        parts = (tf.math.real(value), tf.math.imag(value)) if value.dtype.is_complex and not x.dtype.is_complex else ()
    if parts:
        return value, tf.complex(*(tape.gradient(p, x) for p in parts))
    slope = tape.gradient(value, x, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    return value, tf.math.conj(slope)
