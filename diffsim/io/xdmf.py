"""An XDMF beside the HDF5 file: a few lines of XML by which ParaView finds grid, times and fields.

XDMF lists axes from the slowest to the fastest, and viewers draw the fastest along X. Arrays here are indexed
[x, y, z], so that a viewer draws our last axis along its X: lengths and positions are right, but axes have
changed names and the picture is a mirror image. Each grid says so in its Information.
"""

from __future__ import annotations

import os
from itertools import product
from pathlib import Path
from xml.etree import ElementTree as Xml

import numpy as np

from diffsim.io.layout import on_grid

MEMBERS = 16  # of an ensemble that are listed one by one
_KINDS = {"f": "Float", "i": "Int", "u": "UInt", "b": "Char"}  # complex numbers have no name in XDMF


def write(path: Path, grid, times: np.ndarray, leaves) -> None:
    """Write run.xdmf beside run.h5, at once: a reader meets the old one or the new one.

    Args:
        path: the HDF5 file.
        grid: Grid or RadialGrid; for anything else there is nothing to draw.
        times: (n,).
        leaves: data sets (n or more, …).
    """
    drawn = [d for d in leaves if on_grid(d.shape[1:], grid) and d.dtype.kind in _KINDS]
    if not drawn:
        return
    root = Xml.Element("Xdmf", Version="3.0")
    series = _add(_add(root, "Domain"), "Grid", Name="run", GridType="Collection", CollectionType="Temporal")
    for n, t in enumerate(times):
        frame = _add(series, "Grid", Name=f"record {n}", GridType="Uniform")
        _add(frame, "Time", Value=repr(float(t)))
        _add(frame, "Information", Name="axes", Value=", ".join(
            f"{theirs} shows {axis.name}" for theirs, axis in zip("XYZ", reversed(grid.axes), strict=False)))
        _mesh(frame, grid, path.name)
        for data in drawn:
            _fields(frame, data, grid, n, path.name)
    target = path.with_suffix(".xdmf")
    draft = target.with_name(target.name + ".part")
    Xml.indent(root)
    Xml.ElementTree(root).write(draft, encoding="utf-8", xml_declaration=True)
    os.replace(draft, target)


def _add(parent, tag, text=None, **attributes):
    child = Xml.SubElement(parent, tag, attributes)
    child.text = text
    return child


def _words(values) -> str:
    return " ".join(repr(float(v)) if isinstance(v, float) else str(int(v)) for v in values)


def _mesh(frame, grid, file):
    if grid.ndim == 1:
        n = grid.shape[0]
        topology = _add(frame, "Topology", TopologyType="Polyline", NodesPerElement="2",
                        NumberOfElements=str(n))
        _add(topology, "DataItem", f"{file}:/grid/segments", Format="HDF", Dimensions=f"{n} 2",
             NumberType="Int", Precision="8")
        geometry = _add(frame, "Geometry", GeometryType="XYZ")
        _add(geometry, "DataItem", f"{file}:/grid/nodes", Format="HDF", Dimensions=f"{n + 1} 3",
             NumberType="Float", Precision="8")
        return
    flat = 3 - grid.ndim  # a plane is one layer of cells: readers disagree where 2DCoRectMesh lies
    nodes = (*(2,) * flat, *(n + 1 for n in grid.shape))
    _add(frame, "Topology", TopologyType="3DCoRectMesh", Dimensions=_words(nodes))
    geometry = _add(frame, "Geometry", GeometryType="ORIGIN_DXDYDZ")
    for values in ((*(0.0,) * flat, *grid.origin), (*(min(grid.dx),) * flat, *grid.dx)):
        _add(geometry, "DataItem", _words(values), Format="XML", Dimensions="3", NumberType="Float",
             Precision="8")


def _fields(frame, data, grid, n, file):
    lead = data.shape[1:data.ndim - grid.ndim]
    label = data.attrs["name"] if "name" in data.attrs else data.name.removeprefix("/state/").replace("/", ".")
    total = int(np.prod(lead, dtype=int))
    for i, member in enumerate(product(*map(range, lead))):
        if i == MEMBERS:
            break
        field = label if total == 1 else f"{label}[{','.join(map(str, member))}]"
        attribute = _add(frame, "Attribute", Name=field, AttributeType="Scalar", Center="Cell")
        slab = _add(attribute, "DataItem", ItemType="HyperSlab",
                    Dimensions=_words(grid.shape if grid.ndim != 2 else (1, *grid.shape)))
        start, count = (n, *member, *(0,) * grid.ndim), (*(1,) * (1 + len(lead)), *grid.shape)
        _add(slab, "DataItem", _words((*start, *(1,) * data.ndim, *count)), Format="XML",
             Dimensions=f"3 {data.ndim}")
        _add(slab, "DataItem", f"{file}:{data.name}", Format="HDF", Dimensions=_words(data.shape),
             NumberType=_KINDS[data.dtype.kind], Precision=str(data.dtype.itemsize))
