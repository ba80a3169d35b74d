"""Images made anew: what noise leaves of an image stays, what it hides is drawn again."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from diffsim import _checks, _nest, random
from diffsim.generative.data import notice
from diffsim.generative.mesh import Mesh
from diffsim.generative.sample import sample
from diffsim.generative.samplers import Sampler
from diffsim.solution import Solution


def noised(image, mesh: Mesh, key, *, first: int = 0) -> tf.Tensor:
    """z = x₀ + e^{−λ} ξ at the first point of a mesh from noise to data: `prior` of which an image is known.

    Args:
        image: x₀, the batch first, real numbers as the denoiser knows them.
        mesh: from noise to data.
        key: `ds.key(seed)`, another than that of `solve`.
        first: number of the first row within the whole of which this is a batch, as in `prior`.

    Raises:
        TypeError, ValueError: an image that is not of finite real numbers, or a mesh that does not lead to data.
    """
    _checks.instance("mesh", mesh, Mesh, why="its first point says how large noise is", way_out="Use gen.karras(…).")
    if mesh.lam[0] > mesh.lam[-1]:
        why = "noise is added where sampling begins"
        _checks.refuse("mesh", _checks.Verbatim("λ that falls"), "λ that rises", why, "Leave out reversed().")
    x0 = tf.convert_to_tensor(_checks.finite("image", image, why="noise is added to it", way_out="Fill gaps."))
    if not x0.dtype.is_floating or not x0.shape.rank:
        way_out = "Map integers there: image / 127.5 − 1, say, and put one image into a batch: image[None]."
        _checks.refuse("image", x0, "real numbers, the batch first", "noise is added to it", way_out, TypeError)
    return x0 + _nest.to(np.exp(-mesh.lam[0]), x0.dtype) * random.normal(key, x0.shape, x0.dtype, first=first)


def edit(sampler: Sampler, image, *, key, span=(-1.0, 1.0), **options) -> Solution:
    """Draws an image again from a noisy copy of itself, z ∼ N(x₀, e^{−2λ}), at the first λ of the sampler's mesh.

    Where the mesh begins is the strength of the edit, and one program serves all meshes of as many steps:
    `gen.karras(steps, sigma_min, s)` hides what is smaller than s, `gen.uniform_time(schedule, steps, first=t)` begins
    at a time t, and `mesh[20:]` takes the last 30 of 50 steps. Of data N(m, V) a sampler of small steps makes

        N(m + c (x₀ − m), V (1 − c²)),    c = (V/(V + s²))^{(1+η)/2},

    x₀ itself as s → 0, and draws that know nothing of it as s → ∞. With a denoiser by `inpaint` only a part changes.

    Args:
        sampler: from `gen.samplers`, with a denoiser that knows what is wanted: by `guide`, `align`, …
        image: x₀, the batch first.
        key: `ds.key(seed)`, of the noise that is added, and of that on the way if there is any.
        span: where images lie, as for `fit`; another range is warned of. None: anywhere, as for codes.
        **options: of `gen.sample`.

    Returns:
        Solution, as from `gen.sample`.

    Raises:
        ValueError, TypeError, SolveError: as `noised` and `ds.solve`.

    References:
        Meng et al. (2022), arXiv:2108.01073.
    """
    way_out = "Use gen.samplers.ddpm(denoiser, mesh), say."
    _checks.instance("sampler", sampler, Sampler, why="it says how to go from noise to data", way_out=way_out)
    k_copy, k_path = random.split(key)
    z = noised(image, sampler.mesh, k_copy)
    notice("image runs", np.asarray(image), span)
    return sample(sampler, z, key=k_path, **options)
