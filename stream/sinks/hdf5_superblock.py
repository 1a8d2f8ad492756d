"""Keep an HDF5 file that is being written readable by everyone, also after `kill -9`.

Decision: space is reserved before HDF5 writes, and the first 48 bytes of the file (its superblock) are written here.
Context: HDF5 marks a file while it is open for writing, so that after `kill -9` nothing opens it before `h5clear` has
run; it notes the end of the file last; once a disk was full it can neither close the file nor end the process in order.
Consequence: the file opens like a closed one at any time, and a full disk is met before HDF5 writes; an open file ends
in up to 5 MiB of zeros.

Source: HDF5 File Format Specification 3.0, section II.A "Disk Format: Level 0A - Format Signature and Superblock",
version 3 with offsets of 8 bytes.
"""

from __future__ import annotations

import struct
from pathlib import Path

from stream.sinks.storage import append

_MARKS, _END_OF_FILE, _CHECKSUM, _SIZE = 11, 28, 44, 48
_MASK = 0xFFFFFFFF


def reserve(path: Path, size: int) -> None:
    """Make the file at least `size` bytes long, say so in its superblock and take away the marks of an open file.

    To be called by the only writer. HDF5 itself writes the superblock in `File.flush` and `File.close`, not in
    `Dataset.flush`.

    Parameters
    ----------
    path : Path
        An HDF5 file with a superblock of version 3 (`libver=("v110", "v110")`).
    size : int
        In bytes; everything that is written before the next call must end before it.

    Raises
    ------
    OSError
        The file is gone or the disk is full; the file is as it was.
    """
    append(path, bytes(max(0, size - path.stat().st_size)))
    with path.open("r+b", buffering=0) as file:
        block = bytearray(file.read(_SIZE))
        block[_MARKS] = 0
        struct.pack_into("<Q", block, _END_OF_FILE, path.stat().st_size)
        struct.pack_into("<I", block, _CHECKSUM, lookup3(bytes(block[:_CHECKSUM])))
        file.seek(0)
        file.write(block)


def trim(path: Path) -> None:
    """Cut off what was reserved in vain from a file that HDF5 has closed. Raises OSError."""
    with path.open("r+b", buffering=0) as file:
        (end,) = struct.unpack_from("<Q", file.read(_SIZE), _END_OF_FILE)
        file.truncate(end)


def lookup3(data: bytes) -> int:
    """Return the checksum that HDF5 puts behind its metadata.

    Source: B. Jenkins, "lookup3.c, hashlittle" (2006), with 0 as initial value.
    """
    a = b = c = (0xDEADBEEF + len(data)) & _MASK
    words = struct.unpack(f"<{-(-len(data) // 12) * 3}I", data + bytes(-len(data) % 12))
    for start in range(0, len(words), 3):
        a, b, c = (a + words[start]) & _MASK, (b + words[start + 1]) & _MASK, (c + words[start + 2]) & _MASK
        if start + 3 < len(words):
            a, b, c = _mix(a, b, c)
    word, following, last = c, a, b
    for turn in (14, 11, 25, 16, 4, 14, 24):
        word, following, last = following, last, ((word ^ last) - _rotate(last, turn)) & _MASK
    return last


def _mix(a: int, b: int, c: int) -> tuple[int, int, int]:
    for turn in (4, 6, 8, 16, 19, 4):
        a, b, c = b, (c + b) & _MASK, ((a - c) & _MASK) ^ _rotate(c, turn)
    return a, b, c


def _rotate(word: int, turn: int) -> int:
    return ((word << turn) | (word >> (32 - turn))) & _MASK
