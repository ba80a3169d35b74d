"""B1: linear stability over planes of parameters, (set × wavenumber) evaluations per second.

One evaluation is the leading eigenvalue, growth and frequency, of one set of parameters at one wavenumber. "waves" is
the compiled survey of all sets and waves; "map" is all of `stability_map`, with Newton's method for the uniform
states, classes, and arrays handed over. For comparison "numpy" does the same by LAPACK on the host, and
ReactionDiffusion.jl reports 27 thousand sets per second for its screening (README, 7812500 sets in 4:49).
"""

import numpy as np

from harness import compare, timed

WAVES = 128
PLANES = {  # model → other parameters, axes, greatest wavenumber
    "Schnakenberg": ({"a": 0.1}, ("Dv", 5.0, 60.0), ("b", 0.6, 1.4), 3.0),
    "GrayScott": ({"Du": 0.2, "Dv": 0.1}, ("F", 0.02, 0.06), ("k", 0.045, 0.06), 2.0),
}


def cases(fast):
    """Models, tools and sizes: n² sets."""
    sizes = (64,) if fast else (64, 512)
    tools = ("waves", "map", "numpy")
    return [{"tool": t, "model": m, "n": n} for m in PLANES for t in tools for n in sizes if t != "numpy" or n == 64]


def measure(tool, model, n):
    """Rates of one tool."""
    import tensorflow as tf

    from diffsim import analysis, models
    from diffsim.analysis import stability_map as whole

    given, x, y, greatest = PLANES[model]
    k = np.linspace(0, greatest, WAVES)
    axes = {name: (a[0], np.linspace(*a[1:], n)) for name, a in (("x", x), ("y", y))}
    start = {x[0]: (x[1] + x[2]) / 2, y[0]: (y[1] + y[2]) / 2}
    family = getattr(models, model)(**given, **start)

    if tool == "map":
        run = lambda: whole(family, k, **axes, state=rest)  # noqa: E731
    else:
        from diffsim.analysis.stability_map import _survey as survey

        found = whole(family, k, **axes, state=rest)
        many = analysis.vary.vary(family, **{x[0]: axes["x"][1][:, None], y[0]: axes["y"][1][None, :]})
        if tool == "waves":
            run = lambda: survey(many, found.state, k**2)  # noqa: E731
        else:
            J = many.jacobian(found.state).numpy()
            D = np.stack(np.broadcast_arrays(*[tf.ones([n, n], tf.float64) * d for d in many.diffusivities]), -1)

            def run():
                return [np.linalg.eigvals(J - q * D[..., None] * np.eye(2)).real.max(-1) for q in k**2]

    result = timed(run, 3 if tool == "numpy" else 7)
    rate = n * n * WAVES / result["median_s"]
    return {**result, "waves": WAVES, "evaluations_per_s": rate, "sets_per_s": n * n / result["median_s"]}


def rest(model):
    """A uniform state in closed form, or where Newton's method finds it."""
    if type(model).__name__ == "Schnakenberg":
        return model.a + model.b, model.b / (model.a + model.b) ** 2
    F, loss = model.F, model.F + model.k
    root = np.sqrt(np.maximum(1 - 4 * loss**2 / F, 0))
    return (1 - root) / 2, F / loss * (1 + root) / 2


if __name__ == "__main__":
    compare(__file__, measure, cases, lambda r: f"{r['evaluations_per_s']:.3g} evaluations/s")
