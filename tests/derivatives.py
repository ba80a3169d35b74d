"""Derivatives of smooth functions by differences of fourth order."""


def slope(f, x, h=1e-3):
    """f′ by a central difference of fourth order."""
    return (8 * (f(x + h) - f(x - h)) - (f(x + 2 * h) - f(x - 2 * h))) / (12 * h)


def curvature(f, x, h=2e-3):
    """f″ by a central difference of fourth order."""
    return (16 * (f(x + h) + f(x - h)) - (f(x + 2 * h) + f(x - 2 * h)) - 30 * f(x)) / (12 * h**2)


def heat_defect(u, x, t, D, d=1):
    """u_t − D(u_rr + (d−1)/r u_r), for u(r, t)."""
    laplacian = curvature(lambda s: u(s, t), x)
    if d > 1:
        laplacian = laplacian + (d - 1) / x * slope(lambda s: u(s, t), x)
    return slope(lambda s: u(x, s), t) - D * laplacian
