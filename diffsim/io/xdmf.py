"""An XDMF beside the HDF5 file: a few lines of XML by which ParaView finds grid, times and fields.

XDMF names axes from the slowest to the fastest, and viewers draw the fastest along X. Arrays here are indexed
[x, y, z], so that a viewer draws our z along its X: lengths and positions are right, axes change names.
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
        leaves: pairs of data set (n or more, …) and its path.
    """
    drawn = [(d, name) for d, name in leaves if on_grid(d.shape[1:], grid) and d.dtype.kind in _KINDS]
    if not drawn:
        return
    root = Xml.Element("Xdmf", Version="3.0")
    series = _add(_add(root, "Domain"), "Grid", Name="run", GridType="Collection", CollectionType="Temporal")
    for n, t in enumerate(times):
        frame = _add(series, "Grid", Name=f"record {n}", GridType="Uniform")
        _add(frame, "Time", Value=repr(float(t)))
        _mesh(frame, grid, path.name)
        for data, name in drawn:
            _fields(frame, data, name, grid, n, path.name)
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
        topology = _add(frame, "Topology", TopologyType="Polyline", NodesPerElement="2", NumberOfElements=str(n))
        _add(topology, "DataItem", f"{file}:/grid/segments", Format="HDF", Dimensions=f"{n} 2", NumberType="Int",
             Precision="8")
        geometry = _add(frame, "Geometry", GeometryType="XYZ")
        _add(geometry, "DataItem", f"{file}:/grid/nodes", Format="HDF", Dimensions=f"{n + 1} 3", NumberType="Float",
             Precision="8")
        return
    letters = "DXDYDZ" if grid.ndim == 3 else "DXDY"
    _add(frame, "Topology", TopologyType=f"{grid.ndim}DCoRectMesh", Dimensions=_words(n + 1 for n in grid.shape))
    geometry = _add(frame, "Geometry", GeometryType=f"ORIGIN_{letters}")
    for values in (grid.origin, grid.dx):
        _add(geometry, "DataItem", _words(values), Format="XML", Dimensions=str(grid.ndim), NumberType="Float",
             Precision="8")


def _fields(frame, data, name, grid, n, file):
    lead = data.shape[1:data.ndim - grid.ndim]
    label = name.partition("/")[2].replace("/", ".")
    total = int(np.prod(lead, dtype=int))
    for i, member in enumerate(product(*map(range, lead))):
        if i == MEMBERS:
            break
        field = label if total == 1 else f"{label}[{','.join(map(str, member))}]"
        attribute = _add(frame, "Attribute", Name=field, AttributeType="Scalar", Center="Cell")
        slab = _add(attribute, "DataItem", ItemType="HyperSlab", Dimensions=_words(grid.shape))
        start, count = (n, *member, *(0,) * grid.ndim), (*(1,) * (1 + len(lead)), *grid.shape)
        _add(slab, "DataItem", _words((*start, *(1,) * data.ndim, *count)), Format="XML",
             Dimensions=f"3 {data.ndim}")
        _add(slab, "DataItem", f"{file}:/{name}", Format="HDF", Dimensions=_words(data.shape),
             NumberType=_KINDS[data.dtype.kind], Precision=str(data.dtype.itemsize))
