"""The first 48 bytes of an HDF5 file: what a killed writer leaves behind there, and how to put it right.

A writer marks the file as open for writing. Killed, it leaves the mark, and an end-of-file address that may
lie before the last allocation; then no program but a SWMR reader opens the file. `seal` removes the mark and
moves the end: one write of 48 bytes, instead of a copy of the file.

Source: HDF5 file format specification 3.0, section II.A (superblock, versions 2 and 3) and appendix
"Checksum" (B. Jenkins' lookup3).
"""

from __future__ import annotations

import struct

SIGNATURE = b"\x89HDF\r\n\x1a\n"
# signature, version, sizes of offsets and lengths, flags, base, extension, end, root, checksum
_LAYOUT = struct.Struct("<8sBBBBQQQQI")
_MIX = ((0, 2, 1, 4), (1, 0, 2, 6), (2, 1, 0, 8), (0, 2, 1, 16), (1, 0, 2, 19), (2, 1, 0, 4))
_LAST = ((2, 1, 14), (0, 2, 11), (1, 0, 25), (2, 1, 16), (0, 2, 4), (1, 0, 14), (2, 1, 24))
_WORD = 0xFFFFFFFF


def marked(file) -> bool:
    """Whether a writer has marked the binary `file` as open, or died before it removed the mark."""
    return _read(file)[4] != 0


def end(file) -> int:
    """The end of the allocated space [bytes]."""
    return _read(file)[7]


def seal(file, stop: int) -> None:
    """Remove the mark of a writer and let the allocated space end at `stop` [bytes]."""
    fields = _read(file)
    fields[4], fields[7] = 0, stop
    head = _LAYOUT.pack(*fields)[:-4]
    file.seek(0)
    file.write(head + struct.pack("<I", checksum(head)))


def _read(file) -> list:
    file.seek(0)
    raw = file.read(_LAYOUT.size)
    fields = list(_LAYOUT.unpack(raw)) if len(raw) == _LAYOUT.size else [b"", 0, 0, 0]
    if fields[0] != SIGNATURE or fields[1] not in (2, 3) or fields[2:4] != [8, 8]:
        raise ValueError("no HDF5 superblock of version 2 or 3 with 8-byte addresses")
    return fields


def checksum(data: bytes) -> int:
    """lookup3 of `data` with initial value 0, a 32-bit hash."""
    state = [(0xDEADBEEF + len(data)) & _WORD] * 3
    padded = data + bytes(-len(data) % 12)
    words = struct.unpack(f"<{len(padded) // 4}I", padded)
    for i in range(0, len(words), 3):
        state = [(s + w) & _WORD for s, w in zip(state, words[i:i + 3], strict=True)]
        if i + 3 < len(words):
            for x, y, z, r in _MIX:
                state[x] = (state[x] - state[y] & _WORD) ^ _turn(state[y], r)
                state[y] = state[y] + state[z] & _WORD
    for x, y, r in _LAST:
        state[x] = (state[x] ^ state[y]) - _turn(state[y], r) & _WORD
    return state[2]


def _turn(word: int, r: int) -> int:
    return (word << r | word >> 32 - r) & _WORD
