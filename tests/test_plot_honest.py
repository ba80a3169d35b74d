"""Figures say what they do not show: colours that are cut, boxes not to scale, units of a file."""

import numpy as np
import pytest

import diffsim as ds
from diffsim.plot import style

PLANE = ds.Grid((6, 4), (2.0, 1.0))
U = np.linspace(0.0, 1.0, 24).reshape(6, 4)


@pytest.mark.parametrize(
    ("limits", "ends"), [(None, "neither"), ((0.2, 2.0), "min"), ((-0.01, 0.5), "max"), ((0.2, 0.5), "both")]
)
def test_colours_that_are_cut_have_arrows(limits, ends):
    assert style.beyond(style.chosen(limits, U), U) == ends
    figure = ds.plot.field(PLANE, U, limits=limits)
    bars = [a.child_axes[0]._colorbar.extend for a in figure.axes if a.child_axes]
    assert bars == [ends]


@pytest.mark.parametrize(("size", "note"), [((2.0, 1.0), ""), ((20.0, 1.0), ""), ((1.0, 12.0), ""),
                                            ((100.0, 1.0), "100 : 1"), ((1.0, 50.0), "1 : 50")])
def test_a_box_not_to_scale_says_so(size, note):
    figure = ds.plot.field(ds.Grid((6, 4), size), U)
    figure.draw_without_rendering()
    ax = figure.axes[0]
    assert ax.get_title().endswith(note) and bool(ax.get_title()) == bool(note)
    box = ax.get_window_extent()
    assert note or box.width / box.height == pytest.approx(size[0] / size[1], rel=1e-3)
    assert box.width > 25 and box.height > 25  # pixels: never a thread


def test_short_logarithmic_axes_have_labels():
    figure = ds.plot.convergence([0.04, 0.02, 0.01], {"a": [4e-2, 2e-2, 1e-2]})
    figure.draw_without_rendering()
    assert sum(bool(t.get_text()) for t in figure.axes[0].get_xticklabels(which="both")) >= 2


def test_units_of_a_run_reach_its_figure(tmp_path):
    path, units = str(tmp_path / "run.h5"), {"length": "µm", "time": "s", "value": "mM"}
    law = ds.Equation(linear=ds.Diffusion(PLANE, ds.Neumann()))
    ds.solve(law, U, (0.0, 1.0), save=ds.SaveAt(ts=[1.0], to=path, units=units))
    with ds.io.load(path) as run:
        figure = ds.plot.record(run)
    texts = " ".join(t.get_text() for t in figure.findobj(lambda a: hasattr(a, "get_text")))
    assert all(u in texts for u in ("x [µm]", "t = 1 s", "u [mM]"))
    for wrong in ({"mass": "kg"}, "mM", {"time": 1}):
        with pytest.raises(ValueError, match="units="):
            ds.SaveAt(units=wrong)


@pytest.mark.parametrize("size", [(1.0, 1.0, 5.0), (5.0, 1.0, 1.0), (1.0, 1.0, 1.0)])
def test_slices_of_slender_boxes_have_a_bar_that_can_be_seen_and_room_for_their_words(size):
    figure = ds.plot.field(ds.Grid((4, 4, 4), size), np.arange(64.0).reshape(4, 4, 4))
    figure.draw_without_rendering()
    bar = next(a.child_axes[0] for a in figure.axes if a.child_axes).get_window_extent()
    assert bar.width > 4 and bar.height > 60  # pixels
    titles = [a.title.get_window_extent() for a in figure.axes]
    assert not any(a.overlaps(b) for i, a in enumerate(titles) for b in titles[:i])
    ticks = [t.label1.get_window_extent() for t in figure.axes[-1].xaxis.get_major_ticks()]
    assert not any(a.overlaps(b) for a, b in zip(ticks, ticks[1:], strict=False))
