"""Regions of space known by their signed distance, negative inside.

A cell with a nucleus cut out is `Ball(0.0, 5.0) - Ball((1.0, 0.0, 0.0), 2.0)`; an annulus is
`Ball(0.0, 2.0) - Ball(0.0, 1.0)`. Shapes are values: they combine with `|` (union), `&` (intersection),
`-` (difference), `~` (complement) and move with `.moved`, `.rotated`, `.scaled`.
"""

from diffsim.geometry.image import ImageShape as ImageShape
from diffsim.geometry.image import from_image as from_image
from diffsim.geometry.picture import read_image as read_image
from diffsim.geometry.polygon import Polygon as Polygon
from diffsim.geometry.shape import Shape as Shape
from diffsim.geometry.solids import Ball as Ball
from diffsim.geometry.solids import Box as Box
from diffsim.geometry.solids import Cylinder as Cylinder
from diffsim.geometry.solids import Ellipsoid as Ellipsoid
from diffsim.geometry.solids import HalfSpace as HalfSpace
