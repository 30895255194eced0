"""A JPEG bitstream writer that knows the coefficients it puts in.

Enters: a frame (size, precision, components with their quantised coefficient blocks), quantisation tables and a scan
script. Leaves: the bytes of a JPEG file, and the digest of every component as the file really transmits it, so a test
of a decoder needs no other decoder to say what is right.

Not done here: reading JPEG files, choosing good quantisation tables, speed. The writer can also produce streams that
no sane encoder would write; whether they are legal is for the caller to say.

Clause numbers refer to ITU-T T.81 (ISO/IEC 10918-1).
"""

from .digest import component_digest, table_digest, transmitted_blocks
from .frame import Component, Frame
from .huffman import HuffmanTable
from .stream import Scan, Stream, write_jpeg

__all__ = [
    "Component", "Frame", "HuffmanTable", "Scan", "Stream", "component_digest", "table_digest", "transmitted_blocks",
    "write_jpeg",
]
