"""Universal equations near onset: amplitudes of oscillation, and phases that become turbulent."""

from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf

from diffsim import _nest
from diffsim.equation import Equation
from diffsim.models import _higher, _sweep, _uniform
from diffsim.models._model import parameter
from diffsim.models.reaction import Reaction
from diffsim.operators.base import Identity, Scaled, Sum
from diffsim.operators.stencil import Diffusion, Laplacian


@dataclass(frozen=True)
class GinzburgLandau(Reaction):
    """A_t = A + (1 + iα)∇²A − (1 + iβ)|A|²A: the complex amplitude of any medium near an oscillation; A is complex.

    Args:
        alpha: dispersion α [1].
        beta: how the frequency depends on the amplitude, β [1].

    Scaled by the growth rate, the diffusion length and the saturated amplitude.

    Known answers: plane waves A = √(1 − q²) e^{i(qx − ωt)}, `frequency`; uniform oscillation is unstable to long waves
    (Benjamin–Feir) where 1 + αβ < 0.

    Source: Y. Kuramoto, Chemical Oscillations, Waves, and Turbulence, Springer 1984, doi:10.1007/978-3-642-69689-3;
        I. S. Aranson, L. Kramer, Rev. Mod. Phys. 74 (2002) 99, doi:10.1103/RevModPhys.74.99.
    """

    alpha: float = parameter(0.0)
    beta: float = parameter(0.0)

    species = ("A",)

    @property
    def diffusivities(self):
        """(1 + iα,)."""
        return (_one_plus_i(self.alpha),)

    def rates(self, t, A):
        """A − (1 + iβ)|A|²A."""
        return A + self._saturation(t, A)

    def _saturation(self, t, A):
        square = tf.math.real(A) ** 2 + tf.math.imag(A) ** 2
        return -tf.complex(square, _nest.to(self.beta, square.dtype) * square) * A

    def frequency(self, q=0.0):
        """ω = β + (α − β)q² of the plane wave e^{i(qx − ωt)}; q = 0 is the uniform oscillation."""
        return self.beta + (self.alpha - self.beta) * q**2

    def steady_states(self):
        """0, and the uniform oscillation |A| = 1, steady in the frame that turns with it."""
        return (0.0,), (1.0,)

    def jacobian(self, state):
        """The derivative by (Re A, Im A) in the frame turning with β|A|², [..., 2, 2].

        Args:
            state: real amplitude |A|, a number or array.
        """
        (R,) = _uniform.leaves_of(self.species, state)
        beta, square = _nest.to(self.beta, tf.float64), R**2

        def fn(y):
            x, v = y
            now = x**2 + v**2
            return [x - now * (x - beta * v) - beta * square * v, v - now * (v + beta * x) + beta * square * x]

        return _uniform.jacobian(fn, [R, tf.zeros_like(R)])

    def symbol(self, k2, state):
        """J − k²[[1, −α], [α, 1]], on (Re A, Im A).

        Args:
            k2: |k|² ≥ 0 [1].
            state: real amplitude |A|.
        """
        k2, alpha = _uniform.wavenumber(k2), _nest.to(self.alpha, tf.float64)
        one = tf.ones_like(alpha)
        turn = tf.stack([tf.stack([one, -alpha], -1), tf.stack([alpha, one], -1)], -2)
        return self.jacobian(state) - k2[..., None, None] * turn

    def on(self, grid, boundary) -> Equation:
        """A = 1 + (1 + iα)∇², f = −(1 + iβ)|A|²A; the state must be complex.

        Raises:
            ValueError: faces without condition.
        """
        _sweep.check_grid(self, grid)
        linear = Sum((Scaled(Laplacian(grid, boundary), _one_plus_i(self.alpha)), Identity(1.0)))
        return Equation(linear=linear, drift=self._saturation, local=self.local, names=self.species)


def _one_plus_i(a):
    if isinstance(a, (tf.Tensor, tf.Variable)):
        return tf.complex(tf.ones_like(a), tf.convert_to_tensor(a))
    return 1.0 + 1j * a


@dataclass(frozen=True)
class KuramotoSivashinsky(Reaction):
    """h_t = −∇²h − ν∇⁴h − ½|∇h|²: flame fronts and phases that are turbulent by themselves.

    |∇h|² is ½∇²(h²) − h∇²h with the discrete Laplacian: the mean of the squared slopes to both sides.

    Args:
        nu: ν, short waves are damped by it [length² · time].

    Known answers: waves grow at k² − νk⁴, fastest 1/4ν at k = 1/√(2ν); chaotic in boxes longer than about 22 (ν = 1).
    The slope u = h_x obeys u_t = −u_xx − νu_xxxx − uu_x.

    Source: Y. Kuramoto, T. Tsuzuki, Prog. Theor. Phys. 55 (1976) 356, doi:10.1143/PTP.55.356;
        G. I. Sivashinsky, Acta Astronaut. 4 (1977) 1177, doi:10.1016/0094-5765(77)90096-0.
    """

    nu: float = parameter(1.0, above=0.0)

    species = ("h",)

    @property
    def diffusivities(self):
        """(−1,); −ν∇⁴h comes on top."""
        return (-1.0,)

    def rates(self, t, h):
        """0: nothing depends on h itself."""
        return tf.zeros_like(h)

    def steady_states(self):
        """Every height is alike: 0."""
        return ((0.0,),)

    def symbol(self, k2, state):
        """k² − νk⁴."""
        k2, nu = _uniform.wavenumber(k2), _nest.to(self.nu, tf.float64)
        return super().symbol(k2, state) - (nu * k2**2)[..., None, None]

    def on(self, grid, boundary) -> Equation:
        """A = −∇² − ν∇⁴, f = −½|∇h|².

        Raises:
            ValueError: faces that are neither periodic nor closed.
        """
        laplacian = _higher.mirrored(self, grid, boundary)
        linear = _higher.polynomial(laplacian, None, -1.0, self.nu)
        return Equation(linear=linear, drift=_Slope(laplacian), names=self.species)


@dataclass(frozen=True)
class _Slope:
    """−½|∇h|², with the mean height taken off so that no digits are lost."""

    laplacian: Diffusion

    def __call__(self, t, h):
        axes = list(range(-self.laplacian.grid.ndim, 0))
        h = h - tf.reduce_mean(h, axes, keepdims=True)
        L = self.laplacian.prepare(h)
        return -(L.apply(h * h) / 2 - h * L.apply(h)) / 2
