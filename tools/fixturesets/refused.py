"""Files that must be refused with a reason (headers that break T.81, or that ask for what is not built), and files that
are not JPEG at all."""

import struct
import zlib

from jpegwriter import HuffmanTable, Scan, segments, spec, write_jpeg

from .common import WRITER, Fixture, S420, interleaved, make_frame, quant


def fixtures():
    for name, why, data in [*_frames(), *_tables(), *_scans(), *_structure(), *_empty_scans()]:
        yield Fixture(f"refused/{name}.jpg", data, why, "refused")
    for name, why, data in _tolerated():
        yield Fixture(f"tables/{name}.jpg", data, why, "ok")
    five = tuple((i, 1, 1, 0) for i in range(1, 6))
    yield Fixture("damaged/five-components.jpg", _replaced("sof", _sof(components=five)),
                  "a frame of five components, legal in sequential JPEG, and a scan of three", "damaged")
    yield from _not_jpeg()


def _whole():
    frame = make_frame(36, 28, S420, seed=271)
    return write_jpeg(frame, quant(), interleaved(frame, huffman="standard"))


def _patched(position_of, offset, replacement, stream=None):
    """The good file with bytes replaced at an offset into one of its parts."""
    stream = stream or _whole()
    start = stream.part(position_of)[0] + offset
    return stream.data[:start] + replacement + stream.data[start + len(replacement):]


def _replaced(part, content):
    """The good file with one part replaced."""
    stream = _whole()
    start, end = stream.part(part)
    return stream.data[:start] + content + stream.data[end:]


def _sof(marker=0xC0, precision=8, height=28, width=36, components=((1, 2, 2, 0), (2, 1, 1, 1), (3, 1, 1, 1))):
    payload = struct.pack(">BHHB", precision, height, width, len(components))
    return segments.segment(marker, payload + b"".join(bytes([i, h << 4 | v, t]) for i, h, v, t in components))


def _frames():
    yield "gigantic", "65500 x 65500 over a few bytes", _replaced("sof", _sof(height=65500, width=65500))
    yield "gigantic-progressive", "65535 x 65535, progressive, over a few bytes", _replaced(
        "sof", _sof(0xC2, height=65535, width=65535))
    yield "width-0", "width 0", _replaced("sof", _sof(width=0))
    yield "height-0-no-dnl", "height 0 and no DNL", _replaced("sof", _sof(height=0))
    yield "no-components", "a frame of no components", _replaced("sof", _sof(components=()))
    yield "sampling-0", "horizontal factor 0", _replaced("sof", _sof(components=((1, 0, 2, 0), (2, 1, 1, 1), (3, 1, 1, 1))))
    yield "sampling-5", "vertical factor 5", _replaced("sof", _sof(components=((1, 1, 5, 0), (2, 1, 1, 1), (3, 1, 1, 1))))
    yield "mcu-too-large", "an interleaved scan of 18 blocks an MCU (B.2.3 allows 10)", _replaced(
        "sof", _sof(components=((1, 4, 4, 0), (2, 1, 1, 1), (3, 1, 1, 1))))
    yield "duplicate-id", "two components with id 2", _replaced(
        "sof", _sof(components=((1, 2, 2, 0), (2, 1, 1, 1), (2, 1, 1, 1))))
    yield "quant-slot-7", "quantisation slot 7", _replaced("sof", _sof(components=((1, 2, 2, 7), (2, 1, 1, 1), (3, 1, 1, 1))))
    yield "precision-7", "7-bit samples", _replaced("sof", _sof(precision=7))
    yield "precision-16", "16-bit samples in a DCT process", _replaced("sof", _sof(0xC1, precision=16))
    yield "baseline-12-bit", "12-bit samples in a baseline frame", _replaced("sof", _sof(precision=12))
    yield "frame-length-wrong", "SOF length does not fit its component count", _patched("sof", 2, b"\0\x0b")
    yield "frame-cut", "the file ends inside SOF", _whole().data[:_whole().part("sof")[0] + 9]
    yield "two-frames", "a second SOF", _replaced("sof", _sof() + _sof())
    names = {0xC3: "lossless", 0xC5: "differential-sequential", 0xC6: "differential-progressive",
             0xC7: "differential-lossless", 0xCB: "lossless-arithmetic", 0xCD: "differential-arithmetic",
             0xF7: "jpeg-ls"}
    for marker, name in names.items():
        yield name, f"frame marker 0xFF{marker:02X}, {name}: valid, not built", _replaced("sof", _sof(marker))
    yield "reserved-frame", "frame marker 0xFFC8, reserved", _replaced("sof", _sof(0xC8))
    hierarchical = segments.segment(0xDE, _sof()[4:])
    yield "hierarchical", "DHP before the frame", _replaced("sof", hierarchical + _sof())
    yield "expand", "EXP before the frame", _replaced("sof", segments.segment(0xDF, b"\x11") + _sof())
    yield "soi-twice", "a second SOI right after the first", b"\xff\xd8" + _whole().data
    yield "soi-in-header", "a second SOI before the frame", _replaced("sof", b"\xff\xd8" + _sof())


def _tables():
    def huffman(bits, values, key=b"\0"):
        return _replaced("dht0", segments.segment(spec.DHT, key + bytes(bits) + bytes(values)))

    yield "huffman-oversubscribed", "three codes of one bit", huffman([3] + [0] * 15, [0, 1, 2])
    yield "huffman-oversubscribed-16", "one code too many at 16 bits", huffman(
        [1] * 15 + [3], list(range(18)), b"\x10")
    yield "huffman-too-many", "257 values announced", huffman([0] * 14 + [2, 255], [0] * 257, b"\x10")
    yield "huffman-cut", "fewer values than BITS announces", huffman([0, 1, 5] + [0] * 13, [0, 1])
    yield "huffman-slot-4", "Huffman slot 4", huffman([0, 1] + [0] * 14, [0], b"\4")
    yield "huffman-class-2", "table class 2", huffman([0, 1] + [0] * 14, [0], b"\x20")
    yield "huffman-dc-symbol-17", "a DC table with category 17", huffman([0, 2] + [0] * 14, [17, 0])
    yield "huffman-missing", "the scan uses slots 2 and 3, which nothing defines", _patched(
        "sos0", 5, bytes([1, 0x22, 2, 0x33, 3, 0x33]), _standard_extended())
    yield "quant-cut", "DQT shorter than a table", _replaced("dqt", segments.segment(spec.DQT, bytes(33)))
    yield "quant-slot-4", "DQT for slot 4", _replaced("dqt", segments.segment(spec.DQT, b"\4" + b"\1" * 64))
    yield "quant-precision-2", "DQT with element precision 2", _replaced(
        "dqt", segments.segment(spec.DQT, b"\x20" + b"\1" * 64))


def _tolerated():
    yield "quant-missing", "the scan's components use a quantisation table that nothing defines: quantised values exist, dequantised ones do not", _replaced("dqt", b"")
    yield "quant-zero", "a quantisation step of 0 (B.2.4.1 excludes it; libjpeg does not mind)", _replaced(
        "dqt", segments.quant_tables({0: [16] * 63 + [0], 1: [16] * 64}))


def _standard_extended():
    frame = make_frame(36, 28, S420, seed=271)
    return write_jpeg(frame, quant(), interleaved(frame, huffman="standard"), "extended")


def _scans():
    def sos(components, tail=b"\0\x3f\0", count=None):
        body = bytes([len(components) if count is None else count]) + b"".join(bytes(c) for c in components)
        return segments.segment(spec.SOS, body + tail)

    good = ((1, 0), (2, 0x11), (3, 0x11))
    yield "scan-unknown-component", "the scan names component 9", _replaced("sos0", sos(((9, 0), (2, 0x11), (3, 0x11))))
    yield "scan-component-twice", "the scan names component 2 twice", _replaced("sos0", sos(((1, 0), (2, 0x11), (2, 0x11))))
    yield "scan-no-components", "a scan of no components", _replaced("sos0", sos(()))
    yield "scan-length-wrong", "SOS length does not fit its component count", _replaced("sos0", sos(good, count=2))
    yield "scan-table-slot-4", "the scan uses Huffman slot 4", _replaced("sos0", sos(((1, 0x44), (2, 0x11), (3, 0x11))))
    for name, why, change in [
            ("progressive-band-reversed", "Ss 20 over Se 10", {"ss": 20, "se": 10}),
            ("progressive-band-over-63", "Se 64", {"ss": 1, "se": 64}),
            ("progressive-dc-with-ac", "Ss 0 with Se 5", {"ss": 0, "se": 5}),
            ("progressive-ac-interleaved", "an AC scan of three components", {"ss": 1, "se": 63, "all": True}),
            ("progressive-al-14", "Al 14", {"ss": 0, "se": 0, "al": 14}),
            ("progressive-ah-al", "Ah 3 with Al 1", {"ss": 0, "se": 0, "ah": 3, "al": 1})]:
        frame = make_frame(36, 28, S420, seed=272)
        stream = write_jpeg(frame, quant(), [Scan([0, 1, 2], 0, 0, huffman="standard")], "progressive")
        chosen = good if change.get("all") or change["ss"] == 0 else good[:1]
        header = sos(chosen, bytes([change["ss"], change["se"], change.get("ah", 0) << 4 | change.get("al", 0)]))
        start, end = stream.part("sos0")
        yield name, "first scan header: " + why, stream.data[:start] + header + stream.data[end:]


def _structure():
    whole = _whole()
    sos = whole.part("sos0")[0]
    yield "soi-only", "SOI and nothing else", b"\xff\xd8"
    yield "soi-eoi", "SOI and EOI", b"\xff\xd8\xff\xd9"
    yield "header-only", "tables and frame, no scan, EOI", whole.data[:sos] + b"\xff\xd9"
    yield "header-only-cut", "tables and frame, then the end of the file", whole.data[:sos]
    yield "no-frame", "a scan without a frame", _replaced("sof", b"")
    yield "segment-length-0", "an APP1 of length 0", _replaced("app", b"\xff\xe1\0\0")
    yield "segment-length-1", "an APP1 of length 1", _replaced("app", b"\xff\xe1\0\1")
    yield "segment-past-end", "an APP1 longer than the file", _replaced("app", b"\xff\xe1\xff\xff")
    yield "tables-only", "an abbreviated format file: tables, no image (B.4)", _replaced("sof", b"")[
        :len(whole.data[:sos]) - len(_sof())] + b"\xff\xd9"


def _empty_scans():
    """Sound files whose time would be out of all proportion: 16 megapixels of grey in 883 scans, 819 of which refine
    coefficients that are all zero."""
    def segments_of(app, data):
        yield app
        yield sos(b"\0\0\0") + data["dc"]
        for k in range(1, 64):
            yield sos(bytes([k, k, 13])) + data["ac"]
            for al in range(12, -1, -1):
                yield sos(bytes([k, k, (al + 1) << 4 | al])) + data["ac"]

    def sos(tail):
        return segments.segment(spec.SOS, b"\1\1\0" + tail)

    def file(sof, tables, data):
        head = segments.quant_tables({0: [16] * 64}) + _sof(sof, height=4096, width=4096, components=((1, 1, 1, 0),))
        return b"\xff\xd8" + head + b"".join(segments_of(tables, data)) + b"\xff\xd9"

    # One code, a zero bit: difference 0, or a run of 2^14 empty blocks (and 14 zero bits).
    one_code = bytes([1] + [0] * 15)
    tables = segments.segment(spec.DHT, b"\0" + one_code + b"\0" + b"\x10" + one_code + b"\xe0")
    blocks = 512 * 512
    yield "empty-scans", "16 megapixels in 883 scans, most of them empty refinements: refused by the limit of passes", file(
        0xC2, tables, {"dc": bytes(blocks // 8), "ac": bytes(15 * (blocks >> 14) // 8)})
    yield "empty-scans-arithmetic", "16 megapixels in 883 arithmetic-coded scans of no bytes: refused by the limit of passes", file(
        0xCA, b"", {"dc": b"", "ac": b""})


def _png():
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    # A stored (uncompressed) deflate block, so that no zlib version changes the bytes.
    raw = b"".join(b"\0" + bytes([40 * y + 5 * x for x in range(4)]) for y in range(4))
    stored = b"\x78\x01\x01" + struct.pack("<HH", len(raw), 0xFFFF - len(raw)) + raw + struct.pack(">I", zlib.adler32(raw))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 4, 8, 0, 0, 0, 0))
            + chunk(b"IDAT", stored) + chunk(b"IEND", b""))


def _not_jpeg():
    jp2 = b"\0\0\0\x0cjP  \r\n\x87\n\0\0\0\x14ftypjp2 \0\0\0\0jp2 "
    for name, why, data in [
            ("empty.jpg", "no bytes", b""),
            ("one-byte.jpg", "the byte 0xFF", b"\xff"),
            ("text.jpg", "a text file named .jpg", b"This is not a photograph.\n"),
            ("png.jpg", "a 4 x 4 PNG named .jpg", _png()),
            ("jpeg2000-codestream.jpg", "a bare JPEG 2000 codestream named .jpg", b"\xff\x4f\xff\x51\0\x29" + bytes(41)),
            ("jpegxl.jpg", "the signature of a JPEG XL container named .jpg", b"\0\0\0\x0cJXL \r\n\x87\n"
             b"\0\0\0\x14ftypjxl \0\0\0\0jxl "),
            ("jpegxl-codestream.jpg", "a bare JPEG XL codestream named .jpg", b"\xff\x0a\0\x90\1\0" + bytes(16)),
            ("jpegxr.jpg", "the signature of JPEG XR named .jpg", b"II\xbc\1\x20\0\0\0" + bytes(40)),
            ("avif.jpg", "the signature of AVIF named .jpg", b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf"),
            ("jpeg2000.jpg", "the signature of JPEG 2000 named .jpg", jp2),
            ("zeros.jpg", "4096 zero bytes", bytes(4096)),
            ("html.jpg", "an error page saved as .jpg", b"<!DOCTYPE html><html><title>404 Not Found</title></html>\n")]:
        yield Fixture(f"not_jpeg/{name}", data, why, "not_jpeg", origin=WRITER.split(" ")[0])
