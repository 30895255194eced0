"""EXIF orientation: the eight values in both byte orders, and blocks a reader must survive (orientation then is 1)."""

import struct

from jpegwriter import segments

from .common import S420, simple


def fixtures():
    def file(name, why, app, orientation):
        return simple(f"exif/{name}.jpg", why, 36, 28, sampling=S420, seed=231, stream_options={"app": app},
                      facts={"orientation": orientation})

    for value in range(1, 9):
        for order, word in (("<", "little"), (">", "big")):
            yield file(f"{value}-{word}", f"orientation {value}, {word} endian", segments.exif(value, order), value)
    jfif, six = segments.jfif(), segments.exif(6)
    yield file("jfif-then-exif", "JFIF first, then EXIF with orientation 6", jfif + six, 6)
    yield file("exif-then-jfif", "EXIF with orientation 6 first, then JFIF", six + jfif, 6)
    yield file("many-entries", "the orientation is the fourth entry", segments.exif(6, ">", extra_entries=3), 6)
    xmp = segments.segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta/>")
    yield file("xmp-then-exif", "another APP1 (XMP) before EXIF", xmp + six, 6)
    yield file("no-orientation", "an IFD without the tag", segments.segment(0xE1, _tiff(b"\0\0\0\0\0\0")), 1)
    for name, why, app in _broken():
        yield file("broken-" + name, why, app, 1)


def _tiff(directory, offset=8, order=b"II", version=42):
    return b"Exif\0\0" + order + struct.pack("<HI", version, offset) + directory


def _broken():
    def app(payload):
        return segments.segment(0xE1, payload)

    entry = struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0)
    yield "value-0", "orientation 0", segments.exif(0)
    yield "value-9", "orientation 9", segments.exif(9)
    yield "value-65535", "orientation 65535", segments.exif(65535, ">")
    yield "empty", "Exif identifier and nothing else", app(b"Exif\0\0")
    yield "short-header", "the TIFF header is cut", app(b"Exif\0\0II*")
    yield "order", "byte order mark XX", app(_tiff(b"\1\0" + entry + b"\0" * 4, order=b"XX"))
    yield "version", "TIFF version 43", app(_tiff(b"\1\0" + entry + b"\0" * 4, version=43))
    yield "offset-outside", "the directory lies beyond the segment", app(_tiff(b"\1\0" + entry, offset=0x7FFFFFF0))
    yield "offset-overflow", "the directory offset is 0xFFFFFFFF", app(_tiff(b"\1\0" + entry, offset=0xFFFFFFFF))
    yield "count-too-large", "65535 entries announced, none of them there", app(_tiff(b"\xff\xff"))
    yield "entry-cut", "the only entry is cut in the middle", app(_tiff(b"\1\0" + entry[:7]))
