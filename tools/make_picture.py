"""Draws the README's picture: the planes of a native-24 tensor as a mosaic.

Usage: make_picture.py TENSOR.npy OUT.png (needs numpy). Each plane has its own contrast: grey is zero, black and white
are the 1st and 99th percentile of the magnitude. Y's 16 planes first, four to a row (v down, u across), then Cb's 2 x 2
and Cr's 2 x 2 beside them.
"""

import struct
import sys
import zlib

import numpy

GAP = 3


def shade(plane, signed):
    """One plane as bytes: DC spans its range, other frequencies are centred on grey."""
    if not signed:
        low, high = numpy.percentile(plane, [1, 99])
        scaled = (plane - low) / max(high - low, 1e-6)
    else:
        scaled = 0.5 + 0.5 * plane / max(numpy.percentile(numpy.abs(plane), 99), 1e-6)
    return (255 * numpy.clip(scaled, 0, 1)).astype(numpy.uint8)


def write_png(path, grey):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    high, wide = grey.shape
    rows = b"".join(b"\0" + row.tobytes() for row in grey)
    with open(path, "wb") as out:
        out.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", wide, high, 8, 0, 0, 0, 0)))
        out.write(chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b""))


def main():
    tensor = numpy.load(sys.argv[1])
    _, high, wide = tensor.shape
    canvas = numpy.full((4 * (high + GAP) - GAP, 6 * (wide + GAP) - GAP + 2 * GAP), 255, numpy.uint8)

    def put(channel, row, column, shift, signed):
        top, left = row * (high + GAP), column * (wide + GAP) + shift
        canvas[top:top + high, left:left + wide] = shade(tensor[channel], signed)

    for index in range(16):
        put(index, index // 4, index % 4, 0, index > 0)
    for index in range(8):
        component, place = divmod(index, 4)
        put(16 + index, 2 * component + place // 2, 4 + place % 2, 2 * GAP, place > 0)
    write_png(sys.argv[2], canvas)


if __name__ == "__main__":
    main()
