"""Chunk files of a Zarr array that are shorter than they say, or not there.

Decision: looked at before they are read. Context: numcodecs (0.16) decodes a Blosc chunk that was cut without a word,
into what lies in memory behind it, and a chunk that is missing reads as zeros. Consequence: a cut is an error here.
"""

from __future__ import annotations

import struct
from itertools import product
from pathlib import Path
from typing import Any

import zarr

BLOSC_HEADER_BYTES = 16
BLOSC_SIZE_AT = 12
"""Of the number of bytes of the whole chunk: https://github.com/Blosc/c-blosc, README_CHUNK_FORMAT."""


def fault_in_chunks(folder: Path, array: zarr.Array[Any], axis: int, number: int, complete: bool) -> str:
    """Return what is wrong with the files of the chunks that have this number along an axis; "" if nothing is.

    Parameters
    ----------
    folder : Path
        Of the array.
    array : Array
    axis, number : int
    complete : bool
        True if the writer keeps chunks of zeros too, so that none may be missing.
    """
    if array.shards is not None:
        return ""
    counts = [-(-length // chunk) for length, chunk in zip(array.shape, array.chunks, strict=True)]
    places = [range(number, number + 1) if at == axis else range(count) for at, count in enumerate(counts)]
    faults = (
        _fault(folder / array.metadata.encode_chunk_key(place), _is_blosc(array), complete)
        for place in product(*places)
    )
    return next(filter(None, faults), "")


def _fault(file: Path, blosc: bool, complete: bool) -> str:
    if not file.is_file():
        return f"chunk {file.name} is missing" if complete else ""
    if not blosc:
        return ""
    with file.open("rb") as opened:
        header = opened.read(BLOSC_HEADER_BYTES)
    size = file.stat().st_size
    stated = struct.unpack_from("<I", header, BLOSC_SIZE_AT)[0] if len(header) == BLOSC_HEADER_BYTES else None
    return "" if stated == size else f"chunk {file.name} has {size} bytes and states {stated or 'none'}"


def _is_blosc(array: zarr.Array[Any]) -> bool:
    return bool(array.compressors) and "blosc" in type(array.compressors[-1]).__name__.lower()
