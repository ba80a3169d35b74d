"""Picture files as arrays, states and maps of D."""

import struct
import zlib

import numpy as np
import pytest
import tensorflow as tf

import diffsim as ds

PIXELS = np.array([[0, 51, 102], [153, 204, 255]], np.uint8)  # rows from the top, as in the file


def write(path, pixels):
    """A PNG of 8-bit pixels by TensorFlow."""
    path.write_bytes(tf.io.encode_png(pixels).numpy())
    return path


def test_axes_are_right_and_up(tmp_path):
    a = ds.read_image(write(tmp_path / "a.png", PIXELS[..., None]))
    np.testing.assert_allclose(a, [[0.6, 0.0], [0.8, 0.2], [1.0, 0.4]], atol=1e-7)


def test_colours_become_luminance_and_transparency_is_ignored(tmp_path):
    colours = np.array([[[255, 0, 0, 7], [0, 255, 0, 0]], [[0, 0, 255, 255], [255, 255, 255, 9]]], np.uint8)
    a = ds.read_image(write(tmp_path / "c.png", colours), low=1.0, high=3.0)
    np.testing.assert_allclose(a, [[1.1444, 1.4252], [3.0, 2.4304]], atol=1e-6)


def test_sixteen_bits_are_kept(tmp_path):
    """Steps of one part in 65535 survive; the file is written here byte by byte."""
    rows = np.array([[0, 1, 2], [1000, 65534, 65535]], ">u2")

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    body = b"".join(b"\0" + row.tobytes() for row in rows)
    path = tmp_path / "deep.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 3, 2, 16, 0, 0, 0, 0))
                     + chunk(b"IDAT", zlib.compress(body)) + chunk(b"IEND", b""))
    np.testing.assert_allclose(ds.read_image(path) * 65535, rows[::-1].T, atol=4e-3)


def test_a_picture_is_a_map_of_D(tmp_path):
    """Two stripes, D = 1 and 4 across the flux: conductances add, J = mean D, whatever the resolution of the grid."""
    stripes = np.repeat(np.array([[[255]], [[0]]], np.uint8), 8, axis=1)
    grid = ds.Grid((10, 6), (1.0, 1.0))
    D = ds.initial.from_array(grid, ds.read_image(write(tmp_path / "d.png", stripes), low=4.0, high=1.0), tf.float64)
    assert float(D[0, 0]) == 4.0 and float(D[0, -1]) == 1.0  # the lower half of the picture is black
    walls = ds.Boundary(x=(ds.Dirichlet(1.0), ds.Dirichlet(0.0)), y=ds.Neumann())
    x, _ = grid.coordinates()
    J, _ = ds.analysis.flux(ds.Diffusion(grid, walls, D), 1 - x + np.zeros(grid.shape))
    np.testing.assert_allclose(np.mean(J, axis=1), 2.5, rtol=1e-6)


def test_what_is_no_picture_is_refused(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("no picture")
    with pytest.raises(ValueError, match="expected a PNG.*because"):
        ds.read_image(path)
    with pytest.raises(FileNotFoundError):
        ds.read_image(tmp_path / "missing.png")
    with pytest.raises(ValueError, match="low"):
        ds.read_image(path, low=float("nan"))
