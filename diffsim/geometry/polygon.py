"""A polygon with an exact signed distance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from diffsim._checks import Verbatim, finite, refuse
from diffsim._tree import static
from diffsim.geometry.shape import Shape, length, like


@dataclass(frozen=True)
class Polygon(Shape):
    """d(x) = ±min |x − c| over the edges, c the edge's nearest point: a region with straight sides.

    The sign is that of m·(x − c), m the edge's outward normal, or at a corner the sum of both edges' normals.

    Args:
        vertices: the corners in order around the boundary, either way, (n, 2), n ≥ 3, length.

    Raises:
        ValueError: the edges cross or touch, or an edge has no length.

    Source: J. A. Bærentzen, H. Aanæs, IEEE Trans. Vis. Comput. Graph. 11, 243 (2005),
    doi:10.1109/TVCG.2005.49.
    """

    vertices: tuple = static()

    def __post_init__(self):
        v = np.asarray(self.vertices, np.float64)
        if v.ndim != 2 or len(v) < 3 or v.shape[1] != 2:
            refuse("vertices", v, "an array (n, 2), n ≥ 3",
                   "a polygon lies in the plane and has three corners or more",
                   "Pass one row (x, y) for each corner.")
        finite("vertices", v, why="corners are points of the plane")
        _refuse_crossings(v)
        object.__setattr__(self, "vertices", tuple(map(tuple, v.tolist())))

    @property
    def ndim(self):
        return 2

    def _distance(self, x):
        edges = [like(a, x) for a in self._edges()]
        start, edge = edges[:2]
        t = tf.reduce_sum((x[..., None, :] - start) * edge, axis=-1) / tf.reduce_sum(edge * edge, axis=-1)
        c = start + tf.clip_by_value(t, 0.0, 1.0)[..., None] * edge
        nearest = tf.argmin(tf.reduce_sum((x[..., None, :] - c) ** 2, axis=-1), axis=-1)
        start, edge, normal, before, after = (tf.gather(a, nearest) for a in edges)
        from_start = x - start
        from_end = from_start - edge
        t = tf.reduce_sum(from_start * edge, axis=-1)
        to_start = tf.sign(tf.reduce_sum(from_start * before, axis=-1)) * length(from_start)
        to_end = tf.sign(tf.reduce_sum(from_end * after, axis=-1)) * length(from_end)
        to_line = tf.reduce_sum(from_start * normal, axis=-1)
        past_end = t >= tf.reduce_sum(edge * edge, axis=-1)
        return tf.where(t <= 0, to_start, tf.where(past_end, to_end, to_line))

    def _edges(self):
        """Start, vector and outward normal of each edge; outward directions at its start and at its end."""
        start = np.asarray(self.vertices)
        edge = np.roll(start, -1, axis=0) - start
        turn = np.sign(_cross(start, np.roll(start, -1, axis=0)).sum())
        normal = turn * np.stack([edge[:, 1], -edge[:, 0]], axis=1)
        normal /= np.linalg.norm(edge, axis=1, keepdims=True)
        return start, edge, normal, normal + np.roll(normal, 1, axis=0), normal + np.roll(normal, -1, axis=0)

    def bounds(self):
        return np.min(self.vertices, axis=0), np.max(self.vertices, axis=0)


def _cross(a, b):
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]


def _refuse_crossings(v):
    """Refuse edges without length, spikes, and edges that are not neighbours but meet."""
    way_out = "List the corners in order around the boundary, each once; use | and - for parts and holes."
    n, end = len(v), np.roll(v, -1, axis=0)
    edge, following = end - v, np.roll(end, -1, axis=0) - end
    spike = (_cross(edge, following) == 0) & ((edge * following).sum(axis=1) <= 0)
    for i in np.flatnonzero(spike):
        refuse("vertices", Verbatim(f"{v[i].tolist()} → {end[i].tolist()} → …"),
               "edges with a length that do not fold back", "a spike has no inside", way_out)
    for i in range(n - 2):
        j = np.arange(i + 2, n - (i == 0))
        side_i = np.sign(_cross(edge[i], v[j] - v[i])), np.sign(_cross(edge[i], end[j] - v[i]))
        side_j = np.sign(_cross(edge[j], v[i] - v[j])), np.sign(_cross(edge[j], end[i] - v[j]))
        low, high = np.minimum(v[i], end[i]), np.maximum(v[i], end[i])
        boxes_meet = ((np.minimum(v[j], end[j]) <= high) & (np.maximum(v[j], end[j]) >= low)).all(axis=1)
        for k in j[(side_i[0] * side_i[1] <= 0) & (side_j[0] * side_j[1] <= 0) & boxes_meet]:
            refuse("vertices", Verbatim(f"edges {i} and {k} meet"),
                   "a boundary that does not cross or touch itself",
                   "inside and outside are not defined otherwise", way_out)
