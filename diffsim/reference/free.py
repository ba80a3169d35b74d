"""Sources in unbounded space and in the half-space x > 0."""

from __future__ import annotations

import numpy as np

from diffsim._checks import refuse
from diffsim.reference._input import array, diffusivity, dimension, positive, time


def gaussian(r, t, D, M=1.0, d: int = 1):
    """C = M (4πDt)^(−d/2) exp(−r²/4Dt): an amount M released at r = 0 and t = 0 in d dimensions.

    Args:
        r: distance from the source, any shape [length].
        t: time since the release, > 0, broadcast against r [time].
        D: diffusivity, > 0 [length²/time].
        M: amount released.
        d: dimension, 1 to 3.

    Returns:
        Concentration [amount/lengthᵈ].

    Raises:
        ValueError: t ≤ 0, D ≤ 0 or d not 1, 2, 3.

    Source: J. Crank, The Mathematics of Diffusion, 2nd ed., Oxford 1975, §2.1 and §3.2.
    """
    r, spread = array("r", r, "a distance is a number"), 4 * diffusivity(D) * time(t)
    return M * (np.pi * spread) ** (-dimension(d) / 2) * np.exp(-(r**2) / spread)


def gaussian_tensor(x, t, D, M=1.0):
    """C = M exp(−x·D⁻¹x/4t) / √det(4πDt): a point source in an anisotropic medium; the covariance is 2Dt.

    Args:
        x: positions, shape (..., d) [length].
        t: time since the release, > 0, a scalar or of shape (...) [time].
        D: symmetric positive-definite tensor, shape (d, d) [length²/time].
        M: amount released.

    Returns:
        Concentration, shape (...) [amount/lengthᵈ].

    Raises:
        ValueError: D is not square, symmetric and positive-definite, or does not fit x.

    Source: H. S. Carslaw, J. C. Jaeger, Conduction of Heat in Solids, 2nd ed., Oxford 1959, §1.17 and §10.2.
    """
    x, t, D = array("x", x, "a position has numbers"), time(t), array("D", D, "D is a tensor of numbers")
    fits = D.ndim == 2 and x.ndim >= 1 and D.shape == (x.shape[-1],) * 2
    if not (fits and np.allclose(D, D.T) and np.linalg.eigvalsh(D).min() > 0):
        why = "only then do the fluxes −D∇C dissipate in every direction"
        refuse("D", D, "a symmetric positive-definite (d, d) tensor for x of shape (..., d)", why, "Mend D.")
    exponent = np.einsum("...i,ij,...j->...", x, np.linalg.inv(D), x) / (4 * t)
    return M * np.exp(-exponent) * (4 * np.pi * t) ** (-len(D) / 2) / np.sqrt(np.linalg.det(D))


def extended_source(x, t, D, h, C0=1.0):
    """C = ½C₀ [erf((h−x)/√4Dt) + erf((h+x)/√4Dt)]: the layer |x| < h starts at C₀, the rest at 0.

    Args:
        x: position, any shape [length].
        t: time, > 0 [time].
        D: diffusivity, > 0 [length²/time].
        h: half-width of the source, > 0 [length].
        C0: initial concentration inside.

    Returns:
        Concentration [unit of C0].

    Raises:
        ValueError: t, D or h not positive.

    Source: J. Crank, The Mathematics of Diffusion, 2nd ed., Oxford 1975, eq. 2.15.
    """
    from scipy.special import erf  # on use: the import of diffsim stays light

    x, width = array("x", x, "a position is a number"), 2 * np.sqrt(diffusivity(D) * time(t))
    h = positive("h", h, "the source has a width")
    return 0.5 * C0 * (erf((h - x) / width) + erf((h + x) / width))


def ball_source(r, t, D, a, C0=1.0):
    """C = ½C₀ [erf p + erf q] − (C₀/r)√(Dt/π) [e^(−p²) − e^(−q²)], p, q = (a∓r)/√4Dt: r < a starts at C₀.

    Args:
        r: distance from the centre, ≥ 0 [length].
        t: time, > 0 [time].
        D: diffusivity, > 0 [length²/time].
        a: radius of the ball, > 0 [length].
        C0: initial concentration inside.

    Returns:
        Concentration [unit of C0].

    Raises:
        ValueError: r < 0, or t, D or a not positive.

    Source: J. Crank, The Mathematics of Diffusion, 2nd ed., Oxford 1975, eq. 3.8.
    """
    from scipy.special import erfc  # on use: the import of diffsim stays light

    a, width = positive("a", a, "the ball has a radius"), 2 * np.sqrt(diffusivity(D) * time(t))
    r = array("r", r, "a distance is not negative", least=0.0)
    r, a = r / width, a / width
    shell = 2 * a / np.sqrt(np.pi) * np.exp(-((r - a) ** 2)) * _mean_decay(4 * a * r)
    closed = 0.5 * (erfc(r - a) - erfc(r + a)) - shell  # late, when the ball has spread, nothing is left of this
    return C0 * np.where(a < 1, _spread_ball(r, np.minimum(a, 1.0)), closed)


def half_space(x, t, D, C0=1.0):
    """C = C₀ erfc(x/√4Dt): an empty half-space x > 0 whose surface is held at C₀.

    The uptake per unit area is 2C₀√(Dt/π).

    Args:
        x: depth, ≥ 0 [length].
        t: time, > 0 [time].
        D: diffusivity, > 0 [length²/time].
        C0: concentration at the surface.

    Returns:
        Concentration [unit of C0].

    Raises:
        ValueError: x < 0, or t or D not positive.

    Source: J. Crank, The Mathematics of Diffusion, 2nd ed., Oxford 1975, eq. 2.45.
    """
    from scipy.special import erfc  # on use: the import of diffsim stays light

    x = array("x", x, "a depth is not negative", least=0.0)
    return C0 * erfc(x / (2 * np.sqrt(diffusivity(D) * time(t))))


def half_space_robin(x, t, D, kappa, C0=1.0):
    """C = C₀ [erfc(z) − e^(−z²) erfcx(z + h√Dt)], z = x/√4Dt, h = κ/D: −D C_x = κ(C₀ − C) at x = 0.

    The complement C₀ − C is a half-space that starts full and loses matter at the rate κC at its surface.

    Args:
        x: depth, ≥ 0 [length].
        t: time, > 0 [time].
        D: diffusivity, > 0 [length²/time].
        kappa: surface reactivity or transfer coefficient κ, > 0 [length/time].
        C0: concentration outside.

    Returns:
        Concentration [unit of C0].

    Raises:
        ValueError: x < 0, or t, D or kappa not positive.

    Source: J. Crank, The Mathematics of Diffusion, 2nd ed., Oxford 1975, eq. 3.35.
    """
    from scipy.special import erfcx  # on use: the import of diffsim stays light

    x, t, D = array("x", x, "a depth is not negative", least=0.0), time(t), diffusivity(D)
    h = positive("kappa", kappa, "a wall that lets nothing through keeps the half-space empty") / D
    z, s = x / (2 * np.sqrt(D * t)), h * np.sqrt(D * t)
    small = np.minimum(s, 0.5 * (1 + z))
    through = sum(0.5 * w * _slope(z + 0.5 * (1 + node) * small) for node, w in zip(*_gauss(12), strict=True))
    return C0 * np.exp(-(z**2)) * np.where(s > small, erfcx(z) - erfcx(z + s), small * through)


def half_space_robin_uptake(t, D, kappa, C0=1.0):
    """M = (C₀/h) [erfcx(h√Dt) − 1] + 2C₀√(Dt/π), h = κ/D: what has crossed the surface per unit area.

    Args:
        t: time, > 0 [time].
        D: diffusivity, > 0 [length²/time].
        kappa: surface reactivity or transfer coefficient κ, > 0 [length/time].
        C0: concentration outside.

    Returns:
        Amount per unit area [unit of C0 × length].

    Raises:
        ValueError: t, D or kappa not positive.

    Source: J. Crank, The Mathematics of Diffusion, 2nd ed., Oxford 1975, eq. 3.38.
    """
    from scipy.special import erfcx, rgamma  # on use: the import of diffsim stays light

    t, D = time(t), diffusivity(D)
    h = positive("kappa", kappa, "a wall that lets nothing through takes nothing up") / D
    s = h * np.sqrt(D * t)
    early = np.minimum(s, 1.0)
    series = early**2 * sum((-early) ** (n - 2) * rgamma(n / 2 + 1) for n in range(2, 40))
    return C0 / h * np.where(s > 1, erfcx(s) - 1 + 2 * s / np.sqrt(np.pi), series)


def _gauss(n):
    return np.polynomial.legendre.leggauss(n)


def _slope(y):
    """−d erfcx/dy = (2/√π) (1 − √π y erfcx y), beyond y = 3 by a continued fraction, which does not cancel."""
    from scipy.special import erfcx  # on use: the import of diffsim stays light

    far, rest = np.maximum(y, 3.0), 0.0
    for n in range(60, 0, -1):
        rest = n / 2 / (far + rest)
    return 2 / np.sqrt(np.pi) * np.where(y > 3, rest / (far + rest), 1 - np.sqrt(np.pi) * y * erfcx(y))


def _mean_decay(y):
    """(1 − e^(−y))/y."""
    safe = np.where(y > 0, y, 1.0)
    return np.where(y > 0, -np.expm1(-safe) / safe, 1.0)


def _spread_ball(r, a):
    """4/√π ∫₀ᵃ s² e^(−(r−s)²) (1 − e^(−4rs))/4rs ds: shells of a ball, each spread out, lengths in √4Dt."""
    nodes = ((0.5 * (1 + node) * a, 0.5 * w * a) for node, w in zip(*_gauss(60), strict=True))
    return 4 / np.sqrt(np.pi) * sum(w * s**2 * np.exp(-((r - s) ** 2)) * _mean_decay(4 * r * s) for s, w in nodes)
