"""The XDMF beside a run refers to what is there, where it is."""

from xml.etree import ElementTree as Xml

import h5py
import numpy as np
import pytest
import tensorflow as tf

from diffsim.grid import Grid, RadialGrid
from tests.writers import recorder


def check_xdmf(path, grid):
    """Every reference is to an existing data set of the stated size; returns {name: array} by time."""
    frames = {}
    series = Xml.parse(path.with_suffix(".xdmf")).getroot().find("Domain/Grid")
    assert series.get("CollectionType") == "Temporal"
    for frame in series.findall("Grid"):
        fields = {}
        for item in frame.iter("DataItem"):
            if item.get("Format") == "HDF":
                file, _, name = item.text.partition(":")
                with h5py.File(path.parent / file) as h5:
                    data = h5[name]
                    assert data.shape == tuple(map(int, item.get("Dimensions").split()))
                    assert data.dtype.itemsize == int(item.get("Precision"))
        for attribute in frame.findall("Attribute"):
            slab = attribute.find("DataItem")
            assert (attribute.get("Center"), slab.get("ItemType")) == ("Cell", "HyperSlab")
            start, stride, count = np.array(slab[0].text.split(), int).reshape(3, -1)
            file, _, name = slab[1].text.partition(":")
            with h5py.File(path.parent / file) as h5:
                picked = h5[name][tuple(map(slice, start, start + count * stride, stride))]
            shape = tuple(map(int, slab.get("Dimensions").split()))
            assert shape == ((1, *grid.shape) if grid.ndim == 2 else grid.shape)
            fields[attribute.get("Name")] = picked.reshape(grid.shape)
        frames[float(frame.find("Time").get("Value"))] = fields
        numbers = [list(map(float, item.text.split())) for item in frame.findall("Geometry/DataItem")
                   if item.get("Format") == "XML"]
        topology = frame.find("Topology")
        if grid.ndim > 1:
            layer = 3 - grid.ndim
            nodes = tuple(map(int, topology.get("Dimensions").split()))
            assert nodes == (2,) * layer + tuple(n + 1 for n in grid.shape)
            np.testing.assert_array_equal(np.array(numbers)[:, layer:], [grid.origin, grid.dx])
        else:
            assert topology.get("NumberOfElements") == str(grid.shape[0])
    return frames


@pytest.mark.parametrize("grid", [
    Grid(5, 2.0), RadialGrid(5, 2.0, inner=1.0), Grid((3, 4), (1.0, 2.0), (0.1, -1.0)),
    Grid((3, 4, 2), (1.0, 2.0, 3.0)),
], ids=lambda g: f"{type(g).__name__}{g.shape}")
def test_the_xdmf_points_at_what_is_there(tmp_path, grid):
    rng = np.random.default_rng(0)
    y = {"u": rng.normal(size=(3, *grid.shape)), "w": rng.normal(size=(3, 2, *grid.shape)).astype(np.float32),
         "z": rng.normal(size=(3, *grid.shape)) * 1j, "mean": rng.normal(size=3),
         "on": rng.normal(size=(3, *grid.shape)) > 0}
    rec = recorder(tmp_path / "run.h5", y, grid)
    for n, t in enumerate([0.0, 0.1, 1 / 3]):
        rec.append(np.array([t]), tf.nest.map_structure(lambda a, n=n: a[n:n + 1], y))
        check_xdmf(tmp_path / "run.h5", grid)
    rec.close("done")
    frames = check_xdmf(tmp_path / "run.h5", grid)
    assert list(frames) == [0.0, 0.1, 1 / 3]
    for n, fields in enumerate(frames.values()):
        assert set(fields) == {"u", "w[0]", "w[1]", "on"}
        np.testing.assert_array_equal(fields["u"], y["u"][n])
        np.testing.assert_array_equal(fields["w[1]"], y["w"][n, 1])


def test_without_fields_there_is_no_xdmf(tmp_path):
    rec = recorder(tmp_path / "run.h5", np.ones((1, 3)))
    rec.append(np.array([0.0]), np.ones((1, 3)))
    rec.close("done")
    assert not (tmp_path / "run.xdmf").exists()
