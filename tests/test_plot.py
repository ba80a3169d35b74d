"""Figures say what they show: names and units on every axis, nothing clipped, bad input refused."""

import ast
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from matplotlib.axes import Axes

import diffsim as ds
from diffsim import plot
from diffsim.names import Named
from diffsim.particles import Molecules, Pool
from diffsim.plot import style

LINE, PLANE = ds.Grid(24, 2.0), ds.Grid((16, 8), (2.0, 1.0), (1.0, -1.0))
BOX = ds.Grid((6, 7, 8), (1.0, 1.0, 2.0))
TIMES = np.array([0.0, 0.1, 0.3, 1.0])


def wave(grid, t=0.0):
    """A smooth field of both signs."""
    return np.exp(-t) * sum(np.sin(3 * x + i) for i, x in enumerate(grid.coordinates()))


def records(grid):
    """The wave at TIMES."""
    return np.stack([wave(grid, t) for t in TIMES])


def pool(d):
    """A law of molecules in d dimensions, and a state of it."""
    law = Molecules.of("A -> B @ 1.0", D={"A": 1.0, "B": 1.0, "big one": 0.1}, region=ds.Box((0.0,) * d, (2.0,) * d))
    return law, law.fill({"A": 7, "big one": 2}, 12, ds.key(1))


def counted(n):
    """A solution with numbers of two species in n boxes."""
    y = np.random.default_rng(0).poisson(5.0, (4, n, 2) if n > 1 else (4, 2))
    named = (Named("n", columns=("A", "B")),)
    return ds.Solution(TIMES, y, y[-1], 1.0, 3, 0, ds.Status.DONE, names=named)


def figures():
    """One figure of each kind."""
    yield plot.field(LINE, wave(LINE), name="C", unit="mol/m³", length_unit="µm")
    yield plot.field(ds.RadialGrid(12, 1.0), np.arange(12.0))
    yield plot.field(PLANE, wave(PLANE))
    yield plot.field(BOX, tf.constant(wave(BOX), tf.float32))
    yield plot.slices(BOX, wave(BOX), at=(0.0, 0.5, 2.0))
    yield plot.isosurface(BOX, wave(BOX), 0.5)
    yield plot.profiles(LINE, TIMES, records(LINE), exact=records(LINE), time_unit="s")
    yield plot.profiles(LINE, np.linspace(0, 1, 9), np.repeat(records(LINE)[:1], 9, 0))
    yield plot.kymograph(LINE, TIMES, records(LINE))
    yield plot.compare(np.arange(5.0), np.arange(5.0) + 1e-6, np.arange(5.0), np.full(5, 1e-6))
    yield plot.molecules(*pool(2), length_unit="nm")
    yield plot.molecules(*pool(3))
    yield plot.curves(counted(1), time_unit="s")
    yield plot.curves(counted(9))
    yield plot.convergence([0.1, 0.05, 0.025], {"Euler": [1.0, 0.5, 0.25]})


def axes_of(figure):
    """All axes, those of colour bars included."""
    return [a for a in figure.findobj(Axes) if a.get_visible()]


def test_every_axis_has_a_name_and_a_unit():
    for figure in figures():
        figure.draw_without_rendering()
        for ax in axes_of(figure):
            shown = [t.get_text() for t in ax.get_xticklabels() if t.get_visible() and t.get_text()]
            assert ax.get_xlabel().endswith("]") or not shown, ax  # bars and shared axes have no ticks there
            assert ax.get_ylabel().endswith("]"), ax


def overhang(figure):
    """How far the drawing reaches beyond the page, at most [inch]."""
    figure.draw_without_rendering()
    x0, y0, x1, y1 = figure.get_tightbbox().extents
    width, height = figure.get_size_inches()
    return max(-x0, -y0, x1 - width, y1 - height)


def test_nothing_is_clipped():
    for figure in figures():
        assert overhang(figure) <= 0.01
    figure.set_layout_engine("none")
    figure.axes[0].set_position((0.01, 0.01, 0.98, 0.98))  # labels now lie outside
    assert overhang(figure) > 0.1


def test_images_lie_in_space_as_the_grid_says():
    u = np.zeros(PLANE.shape)
    u[3, 6] = 1.0
    ax = plot.field(PLANE, u).axes[0]
    image = ax.images[0]
    assert np.allclose(image.get_extent(), (1.0, 3.0, -1.0, 0.0))
    assert image.origin == "lower" and ax.get_aspect() == 1.0
    assert np.asarray(image.get_array())[6, 3] == 1.0  # rows are y, columns are x


def test_slices_cut_where_they_are_asked_to():
    u = np.random.default_rng(0).random(BOX.shape)
    xy, xz, yz = (ax.images[0] for ax in plot.slices(BOX, u, at=(0.1, 0.99, 0.26)).axes[:3])
    assert np.array_equal(xy.get_array(), u[:, :, 1].T)
    assert np.array_equal(xz.get_array(), u[:, 6, :].T)
    assert np.array_equal(yz.get_array(), u[0].T)
    assert len({image.get_clim() for image in (xy, xz, yz)}) == 1


def test_the_fitted_order_is_the_slope():
    steps = 2.0 ** -np.arange(3, 8)
    legend = plot.convergence(steps, {"a": 3 * steps**2, "b": steps**4}).axes[0].get_legend()
    assert [t.get_text() for t in legend.get_texts()] == ["a: 2.00", "b: 4.00"]


def test_signed_fields_diverge_about_zero_and_positive_ones_do_not():
    assert style.colours((-1.0, 0.5)) == {"cmap": style.DIVERGING, "vmin": -1.0, "vmax": 1.0}
    assert style.colours((0.0, 2.0))["cmap"] == style.SEQUENTIAL
    assert style.colours((-1e-9, 2.0))["cmap"] == style.SEQUENTIAL  # undershoot is no sign


def test_a_flat_field_is_drawn_flat():
    low, high = style.span(np.full(9, 3.0) + 1e-15)
    assert low < 3.0 < high and high - low > 0.1


def test_figures_are_drawn_into_what_is_given():
    page = style.canvas(None, 6, 3)
    left, right = page.subfigures(1, 2)
    assert plot.field(LINE, wave(LINE), figure=left) is left
    plot.kymograph(LINE, TIMES, records(LINE), figure=right)
    assert len(axes_of(page)) >= 3


def test_no_module_touches_the_global_state_of_pyplot():
    for path in Path(plot.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf8"))):
            named = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                named += [f"{node.module}.{a.name}" for a in node.names]
            assert not any("pyplot" in n or "rcParams" in n for n in named), path


def test_a_gif_holds_one_frame_per_record(tmp_path):
    from PIL import Image

    for grid in (LINE, PLANE, BOX):
        out = plot.movie(grid, TIMES, records(grid), tmp_path / f"{grid.ndim}.gif", time_unit="s")
        with Image.open(out) as gif:
            assert gif.n_frames == len(TIMES)
    thinned = plot.movie(LINE, TIMES, records(LINE), tmp_path / "thin.gif", frames=2)
    with Image.open(thinned) as gif:
        assert gif.n_frames == 2


def texts(figure):
    """All that is written in a figure."""
    return {t.get_text() for t in figure.findobj(lambda a: hasattr(a, "get_text"))}


def test_molecules_are_named_and_counted(tmp_path):
    from PIL import Image

    for d in (1, 2, 3):
        law, y = pool(d)
        figure = plot.molecules(law, y)
        assert {"A: 7", "B: 0", "big one: 2"} <= texts(figure) and overhang(figure) <= 0.01
        drawn = [line for line in figure.axes[0].lines if line.get_label() == "A"][0]
        shown = np.stack(drawn.get_data_3d() if d == 3 else drawn.get_data())[:d].T
        assert np.allclose(shown, y.x.numpy()[y.kind.numpy() == 0])
    both = Pool(np.stack([y.x, 0.5 * y.x]), np.stack([y.kind, y.kind]))
    with Image.open(plot.movie(law, TIMES[:2], both, tmp_path / "m.gif")) as gif:
        assert gif.n_frames == 2


def test_curves_are_named_and_ensembles_have_bands():
    one, many = plot.curves(counted(1)), plot.curves(counted(9))
    assert {"A", "B", "n [1]"} <= texts(one) and not one.axes[0].collections
    assert {"A", "B", "n, mean ± deviation [1]"} <= texts(many) and len(many.axes[0].collections) == 2
    y = counted(9).y
    assert np.allclose(many.axes[0].lines[1].get_ydata(), y[..., 1].mean(1))
    band = many.axes[0].collections[1].get_paths()[0].vertices[:, 1]
    assert np.isclose(band.max(), (y[..., 1].mean(1) + y[..., 1].std(1, ddof=1)).max())


def test_mp4_is_written_where_ffmpeg_is_and_refused_with_a_way_out_where_not(tmp_path, monkeypatch):
    from matplotlib.animation import FFMpegWriter

    if FFMpegWriter.isAvailable():
        assert plot.movie(PLANE, TIMES, records(PLANE), tmp_path / "a.mp4").stat().st_size > 0
    monkeypatch.setattr(FFMpegWriter, "isAvailable", classmethod(lambda cls: False))
    with pytest.raises(ValueError, match=r"ffmpeg, which is not installed.*a\.gif"):
        plot.movie(PLANE, TIMES, records(PLANE), tmp_path / "a.mp4")


def test_the_front_door_loads_plot_on_use():
    assert ds.plot.field is plot.field
    assert "plot" in dir(ds)
    with pytest.raises(AttributeError, match="no attribute 'plots'"):
        _ = ds.plots


@pytest.mark.parametrize(("call", "kind", "words"), [
    (lambda: plot.field(LINE, np.zeros(23)), ValueError, "trailing axes"),
    (lambda: plot.field(LINE, np.zeros((3, 24))), ValueError, "Choose a member"),
    (lambda: plot.field(LINE, np.zeros(24) + 1j), TypeError, "real numbers"),
    (lambda: plot.field(LINE, np.full(24, np.nan)), ValueError, "nothing to draw"),
    (lambda: plot.field("grid", np.zeros(24)), TypeError, "Grid"),
    (lambda: plot.field(LINE, np.zeros(24), unit=3), TypeError, "text"),
    (lambda: plot.field(LINE, np.zeros(24), limits=(1, 0)), ValueError, "low < high"),
    (lambda: plot.field(LINE, np.zeros(24), figure="page"), TypeError, "Figure"),
    (lambda: plot.field(LINE, np.zeros(24), colour="red"), TypeError, "colour"),
    (lambda: plot.slices(PLANE, wave(PLANE)), ValueError, "three axes"),
    (lambda: plot.slices(BOX, wave(BOX), at=(2.0, 0, 0)), ValueError, "inside the box"),
    (lambda: plot.profiles(LINE, TIMES, records(LINE)[:2]), ValueError, "each time"),
    (lambda: plot.kymograph(LINE, TIMES[:1], records(LINE)[:1]), ValueError, "two records"),
    (lambda: plot.compare([0.0, 1.0], [0.0], [0.0, 1.0]), ValueError, "one length"),
    (lambda: plot.convergence([0.1, 0.2], {"a": [0.0, 1.0]}), ValueError, "logarithms"),
    (lambda: plot.molecules(LINE, pool(2)[1]), TypeError, "species"),
    (lambda: plot.molecules(pool(2)[0], np.zeros(3)), TypeError, "Pool"),
    (lambda: plot.molecules(pool(2)[0], pool(3)[1]), ValueError, r"shape \(n, 2\)"),
    (lambda: plot.curves(LINE), TypeError, "ds.io.load"),
    (lambda: plot.curves(replace(counted(1), t=TIMES[:1])), ValueError, "two or more"),
    (lambda: plot.movie(LINE, TIMES, records(LINE), "a.avi"), ValueError, r"\.mp4 or \.gif"),
    (lambda: plot.movie(LINE, TIMES, records(LINE), "no/such/a.gif"), ValueError, "Create it"),
    (lambda: plot.movie(LINE, TIMES, records(PLANE), "a.gif"), ValueError, "one state on the grid"),
])
def test_bad_input_is_refused_with_a_way_out(call, kind, words):
    with pytest.raises(kind, match=words):
        call()


def test_an_isosurface_is_closed_and_of_second_order():
    """Area and volume of a ball off the lattice's centre; every edge of a triangle is that of one neighbour."""
    from diffsim.plot.surface import triangles

    wrong = []
    for n in (16, 32):
        grid = ds.Grid((n, n, n), 2.0, -1.0)
        x, y, z = grid.coordinates()
        points, faces = triangles(grid, -np.sqrt((x - 0.03) ** 2 + (y + 0.02) ** 2 + z**2), -0.7)
        a, b, c = (points[faces[:, i]] for i in range(3))
        area = np.cross(b - a, c - a) / 2
        edges = {(i, j) for face in faces.tolist() for i, j in zip(face, face[1:] + face[:1], strict=True)}
        assert len(edges) == 3 * len(faces) and edges == {(j, i) for i, j in edges}
        assert np.abs(area.sum(0)).max() < 1e-14
        wrong.append((np.linalg.norm(area, axis=1).sum() / (4 * np.pi * 0.7**2) - 1,
                      (a * area).sum() / 3 / (4 / 3 * np.pi * 0.7**3) - 1))
    assert np.allclose(np.divide(*wrong), 4.0, rtol=0.05) and np.abs(wrong[1]).max() < 0.01


def test_walls_close_an_isosurface():
    """All of the box lies above the level: the surface is that of the box."""
    from diffsim.plot.surface import triangles

    points, faces = triangles(BOX, wave(BOX), -10.0)
    a, b, c = (points[faces[:, i]] for i in range(3))
    area = np.cross(b - a, c - a) / 2
    assert np.linalg.norm(area, axis=1).sum() == pytest.approx(2 * (1 + 2 + 2))
    assert (a * area).sum() / 3 == pytest.approx(2.0)  # its normals point outwards
    with pytest.raises(ValueError, match="below the largest u"):
        triangles(BOX, wave(BOX), 10.0)
    with pytest.raises(ValueError, match="three axes"):
        plot.isosurface(PLANE, wave(PLANE), 0.0)
