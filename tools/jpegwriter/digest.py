"""What a decoder should find: the blocks a script really transmits, and their fingerprints.

Digest: FNV-1a 64 over the true-size grid, blocks row-major, 64 values each in row-major order, little-endian i16.
"""

import struct

from .spec import ZIGZAG


def fnv1a64(data):
    state = 0xCBF29CE484222325
    for byte in data:
        state = ((state ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return f"{state:016x}"


def transmitted_blocks(frame, scans, index):
    """The component's blocks as the script carries them: untouched coefficients are 0, unrefined ones are rounded."""
    lowest = [None] * 64  # per zigzag position, the lowest Al among the scans that carry it
    for scan in scans:
        if index in scan.components:
            for k in range(scan.ss, scan.se + 1):
                lowest[k] = scan.al if lowest[k] is None else min(lowest[k], scan.al)
    blocks = []
    for block in frame.components[index].blocks:
        out = [0] * 64
        for k, al in enumerate(lowest):
            value = block[ZIGZAG[k]]
            if al is None:
                continue
            if k == 0:
                out[0] = value >> al << al
            else:
                out[ZIGZAG[k]] = (abs(value) >> al << al) * (1 if value > 0 else -1)
        blocks.append(out)
    return blocks


def component_digest(frame, scans, index):
    """The digest of one component, as 16 lower-case hex digits."""
    blocks = transmitted_blocks(frame, scans, index)
    return fnv1a64(b"".join(struct.pack("<64h", *block) for block in blocks))


def table_digest(table):
    """FNV-1a 64 of a quantisation table: 64 values in row-major order, little-endian u16."""
    return fnv1a64(struct.pack("<64H", *table))
