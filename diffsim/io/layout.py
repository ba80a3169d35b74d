"""What is where in a file, shared by writer and reader."""

from __future__ import annotations

import importlib.metadata
import io
import json
import math
import platform
import uuid
from datetime import UTC, datetime
from urllib.parse import quote

import numpy as np
import tensorflow as tf

from diffsim import _checks, _nest
from diffsim.grid import Grid, RadialGrid
from diffsim.io import codec, superblock
from diffsim.names import Named, of

LAYOUT = 1
SMALL, LARGE = 2**16, 2**30  # bytes: smaller records share chunks, larger ones are split (HDF5 stops at 2³²)
STATUS_BYTES = 1024
STORABLE = "fciub"


def placed(nest, named):
    """The nest with each leaf replaced by the path of its data set: by its name, or else by its place."""
    return paths(nest) if named is None else _nest.pack(nest, [f"state/{_link(n.name)}" for n in named])


def label(data, named) -> None:
    """Write beside a data set what it is called, and what its numbers mean."""
    words = {"name": named.name, "columns": named.columns, "kinds": named.kinds}
    data.attrs.update({k: list(v) if k != "name" else v for k, v in words.items() if v})


def names(nest, leaves) -> tuple[Named, ...]:
    """What `label` wrote beside each data set; of a file older than names what it would be called without."""
    found = []
    for data, own in zip(leaves, of(nest), strict=True):
        columns, kinds = (tuple(map(str, data.attrs.get(k, ()))) for k in ("columns", "kinds"))
        found.append(Named(str(data.attrs.get("name", own.name)), columns, kinds))
    return tuple(found)


def paths(nest, prefix: str = "state"):
    """The nest with each leaf replaced by the path of its data set."""
    if isinstance(nest, tuple) and hasattr(nest, "_fields"):
        return type(nest)(*(paths(v, f"{prefix}/{name}") for name, v in zip(nest._fields, nest, strict=True)))
    if isinstance(nest, (tuple, list)):
        return type(nest)(paths(v, f"{prefix}/{i}") for i, v in enumerate(nest))
    if isinstance(nest, dict):
        return {k: paths(v, f"{prefix}/{_link(k)}") for k, v in nest.items()}
    return f"{prefix}/y" if prefix == "state" else prefix


def _link(key) -> str:
    return quote(str(key), safe="").replace(".", "%2E")  # HDF5 gives "/" and "." meanings of its own


def put(group, obj) -> None:
    """Store `obj` in `group` as JSON and arrays."""
    node, arrays = codec.encode(obj)
    group.create_dataset("json", data=np.bytes_(json.dumps(node, ensure_ascii=True)))
    for i, array in enumerate(arrays):
        group.create_dataset(f"arrays/{i}", data=array)


def stored(group) -> tuple[object, list[np.ndarray]]:
    """What `put` stored, as (node, arrays)."""
    count = len(group["arrays"]) if "arrays" in group else 0
    return json.loads(group["json"][()]), [group[f"arrays/{i}"][()] for i in range(count)]


def image(**run) -> bytes:
    """The file of a run without records; made in memory, so that a full disk is met by one write of ours."""
    import h5py  # not needed before a file is

    with h5py.File("image", "w", libver="latest", driver="core", backing_store=False) as file:
        build(file, **run)
        file.flush()
        copy = io.BytesIO(file.id.get_file_image())
    superblock.seal(copy, superblock.end(copy))  # the library unmarks the copy, but leaves the checksum
    return copy.getvalue()


def build(file, *, law, grid, y_like, info: dict, named=None) -> None:
    """Lay out an empty run in an open file."""
    structure, known = placed(y_like, named), of(y_like, named)
    leaves = [(n, tuple(leaf.shape), _dtype(n, leaf.dtype)) for n, leaf in
              zip(_nest.flatten(structure), _nest.flatten(y_like), strict=True)]
    _provenance(file, leaves, info)
    time = _series(file, "time", (), np.dtype(np.float64))
    time.make_scale("time")
    scales = _grid(file.create_group("grid"), grid)
    for (name, shape, dtype), called in zip(leaves, known, strict=True):
        leaf = _series(file, name, shape, dtype)
        label(leaf, called)
        leaf.dims[0].attach_scale(time)
        if on_grid(shape, grid):
            for axis, scale in enumerate(scales, start=len(shape) + 1 - grid.ndim):
                leaf.dims[axis].label = scale.name.rpartition("/")[2]
                leaf.dims[axis].attach_scale(scale)
    for name, obj in (("structure", structure), ("law", law), ("info", info)):
        put(file.create_group(name), obj)
    size = sum(math.prod(shape) * dtype.itemsize for _, shape, dtype in leaves)
    for slot in "ab":
        file.create_dataset(f"checkpoint/{slot}", (0,), np.uint8, maxshape=(None,), fill_time="never",
                            chunks=(min(max(size, 2**12), 2**22),))
    file.create_dataset("records", data=np.int64(0))
    file.create_dataset("status", data=np.array(b"running", f"S{STATUS_BYTES}"))


def on_grid(shape, grid) -> bool:
    """Whether trailing axes of `shape` are those of `grid`, a box or radial one."""
    return isinstance(grid, Grid) and len(shape) >= grid.ndim and tuple(shape)[-grid.ndim:] == grid.shape


def _dtype(name, dtype) -> np.dtype:
    dtype = np.dtype(tf.as_dtype(dtype).as_numpy_dtype)
    if dtype.kind not in STORABLE:
        _checks.refuse(f"dtype of {name}", _checks.Verbatim(dtype.name), "real, complex, integer or bool",
                       "HDF5 has no such numbers",
                       "Cast it, e.g. SaveAt(fn=lambda t, y: tf.cast(y, tf.float32)).", TypeError)
    return dtype


def _series(file, name, shape, dtype):
    size = max(math.prod(shape) * dtype.itemsize, 1)
    chunk = [max(1, SMALL // size), *(max(n, 1) for n in shape)]
    while math.prod(chunk) * dtype.itemsize > LARGE:
        axis = next(i for i, n in enumerate(chunk) if n > 1)
        chunk[axis] = (chunk[axis] + 1) // 2
    most = (None, *(n or None for n in shape))  # an axis of length zero has no chunks unless it may grow
    return file.create_dataset(name, (0, *shape), dtype, maxshape=most, chunks=tuple(chunk),
                               fill_time="never")


def _grid(group, grid) -> list:
    put(group, grid)
    if not isinstance(grid, Grid):
        return []
    group.attrs.update(kind=type(grid).__name__, shape=grid.shape, size=grid.size, origin=grid.origin)
    if isinstance(grid, RadialGrid):
        group.attrs["dimension"] = grid.dimension
    scales = []
    for axis in grid.axes:
        scales.append(group.create_dataset(axis.name, data=axis.centers))
        scales[-1].make_scale(axis.name)
    if grid.ndim == 1:  # XDMF has no uniform mesh in one dimension: a chain of segments
        ends = grid.axes[0].faces
        group["nodes"] = np.stack([ends, 0 * ends, 0 * ends], axis=-1)
        group["segments"] = np.stack([np.arange(len(ends) - 1), np.arange(1, len(ends))], axis=-1)
    return scales


def _provenance(file, leaves, info):
    import h5py  # not needed before a file is

    try:
        own = importlib.metadata.version("diffsim")
    except importlib.metadata.PackageNotFoundError:
        own = "unknown"
    devices = [d.device_type for d in tf.config.list_physical_devices()]
    file.attrs.update({
        "format": "diffsim", "layout": LAYOUT, "diffsim": own, "tensorflow": tf.__version__,
        "numpy": np.__version__, "h5py": h5py.__version__, "python": platform.python_version(),
        "run": uuid.uuid4().hex, "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "dtype": ", ".join(d.name for _, _, d in leaves),
        "device": f"{' '.join(devices)} on {platform.machine()} {platform.system()}",
    })
    for name, value in info.items():  # plain values once more, where other programs look for them
        if name not in file.attrs and (plain := _plain(value)) is not None:
            file.attrs[name] = plain


def _plain(value):
    """The value as an attribute can hold it, dictionaries as JSON; None for what is no plain data."""
    if isinstance(value, dict):
        entries = {str(k): _plain(v) for k, v in value.items()}
        simple = all(isinstance(v, (str, bool, int, float)) for v in entries.values())
        return json.dumps(entries, ensure_ascii=False) if simple else None
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 2**63:
        return str(value)
    if isinstance(value, (str, bool, int, float)):
        return value
    if isinstance(value, (np.ndarray, np.generic, tf.Tensor)) and not tf.is_symbolic_tensor(value):
        array = np.asarray(value)
        return array if array.dtype.kind in STORABLE and array.nbytes <= 1024 else None
    return None
