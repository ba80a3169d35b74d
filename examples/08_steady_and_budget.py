"""Steady states, and where everything went: Poisson's equation, and the books of a room that is aired.

−∇²u = 1 with u = 0 on a square gives the mean time u/D after which a wandering particle has left it.
In the room a stove gives off gas that decays, leaks through a wall and leaves by a window; the books close.
"""

import numpy as np
import tensorflow as tf

import diffsim as ds


def main(fast=False, figure=None):
    """Centre and integral of Poisson's u; amounts of gas (g) after an hour; what the books lack."""
    n = 16 if fast else 128
    square = ds.Grid(shape=(n, n), size=1.0)
    poisson = ds.models.Fick(D=1.0, source=1.0).on(square, ds.Dirichlet(0.0))
    u = ds.steady(poisson, tf.zeros(square.shape, tf.float64)).final
    centre = float(tf.reduce_mean(u[n // 2 - 1:n // 2 + 1, n // 2 - 1:n // 2 + 1]))

    room = ds.Grid(shape=(2 * n, n), size=(8.0, 4.0))  # m
    stove = ds.initial.region(room, ds.Ball((2.0, 1.0), 0.5), inside=1e-3, dtype=tf.float64)  # g/m²/s
    y = room.coordinates()[1].ravel()
    window = np.where(np.abs(y - 2.0) < 1.0, 1e-2, 0.0)  # m/s, open from y = 1 to 3 m
    wall = ds.Neumann()
    walls = ds.Boundary(x=(wall, ds.Robin(transfer=window)), y=(wall, ds.Robin(transfer=1e-4)))
    law = ds.models.Fick(D=5e-3, decay=1e-4, source=stove).on(room, walls)  # m²/s, 1/s
    tracked = ds.track(law, tf.zeros(room.shape, tf.float64))
    sol = ds.solve(*tracked, t=(0, 3600.0), dt=20.0)  # s
    (books,) = ds.balance(room, tracked, sol.final)

    end = ds.steady(law, sol.final[0]).final
    leaves = -sum(law.linear.of[0].inflow(0.0, end).values()) + 1e-4 * room.integrate(end)
    if figure:
        print(books)
        draw(square, u, room, sol.final[0], end, figure)
    return {"centre": centre, "integral": float(square.integrate(u)), "stored": float(books.after),
            **{name: float(amount) for name, amount in books.causes.items()},
            "imbalance": float(books.imbalance), "steady": float(leaves / room.integrate(stove) - 1)}


def draw(square, u, room, hour, end, figure):
    """Poisson's u, the room after an hour and for ever."""
    import matplotlib.pyplot as plt

    fig = plt.figure(figsize=(15, 4), layout="constrained")
    left, middle, right = fig.subfigures(1, 3, width_ratios=(3, 5, 5))
    ds.plot.field(square, u, name="u", unit="length²", length_unit="length", figure=left)
    for panel, c, title in [(middle, hour, "after an hour"), (right, end, "for ever")]:
        ds.plot.field(room, c, name="gas", unit="g/m²", length_unit="m", figure=panel)
        panel.suptitle(title)
    fig.savefig(figure, dpi=150)


if __name__ == "__main__":
    for name, value in main(figure="08_steady_and_budget.png").items():
        print(f"{name:24} {value:.8g}")
