"""Quantisation and Huffman tables: widths, slots, order of segments, redefinition; and the segments around them."""

import struct

from jpegwriter import HuffmanTable, Scan, segments, write_jpeg

from .common import S420, S444, bare_frame, fill_random, from_stream, interleaved, make_frame, quant, simple


def fixtures():
    yield from _quantisation()
    yield from _huffman()
    yield from _segments()


def _quantisation():
    def file(name, why, tables, process="extended", **options):
        return simple(f"tables/{name}.jpg", why, process=process, tables=tables, **options)

    yield file("quant-16-bit", "both tables 16 bits wide (values up to 1200): formally not for 8-bit samples (B.2.4.1), "
               "but encoders at quality 1 write it", quant(1, 1200), seed=191)
    yield file("quant-16-bit-progressive", "the same in a progressive file", quant(1, 1200), "progressive", seed=192)
    yield file("quant-mixed-width", "an 8-bit and a 16-bit table in one DQT", {0: quant(50)[0], 1: quant(2, 3000)[1]},
               seed=193)
    yield file("quant-ones", "every entry 1", {0: [1] * 64, 1: [1] * 64}, "baseline", seed=194)
    yield file("quant-slot-3", "luma uses slot 3, chroma slot 2", {3: quant(80)[0], 2: quant(80)[1]}, "baseline",
               tq=[3, 2, 2], seed=195)
    yield file("quant-shared", "one table for all components", {0: quant(70)[0]}, "baseline", tq=[0, 0, 0], seed=196)
    yield file("quant-unused", "four tables, of which two are used", {i: [9 + i] * 64 for i in range(4)}, "baseline",
               seed=197)
    yield file("quant-three", "a table for each component", {0: quant(80)[0], 1: quant(40)[1], 2: quant(90)[1]},
               "baseline", tq=[0, 1, 2], seed=198)
    frame = make_frame(36, 28, S420, seed=199)
    yield from_stream("tables/quant-after-frame.jpg", write_jpeg(frame, quant(), interleaved(frame),
                                                                 quant_after_frame=True), "DQT after SOF")
    yield from_stream("tables/one-table-a-segment.jpg", write_jpeg(frame, quant(), interleaved(frame),
                                                                   tables_together=False),
                      "each DQT and DHT holds one table")
    yield from_stream("tables/quant-redefined-between-scans.jpg", write_jpeg(
        frame, {0: quant(75)[0]}, [Scan([0]), Scan([1], quant={1: quant(75)[1]}), Scan([2], quant={1: [33] * 64})]),
        "slot 1 holds one table in the scan of Cb and another in that of Cr: each component keeps the one of its scan")
    yield from_stream("tables/quant-redefined-before-scan.jpg", write_jpeg(
        frame, {0: [99] * 64, 1: [98] * 64}, interleaved(frame, quant=quant(75))),
        "both slots are defined twice before the only scan: the last definition counts")
    frame = fill_random(bare_frame(33, 17, S444, padding="junk"), 200, density=20, largest=1000, dc=1000)
    yield from_stream("tables/dequantised-over-i16.jpg", write_jpeg(
        frame, {0: [65535 - i for i in range(64)], 1: [40000 + i for i in range(64)]}, interleaved(frame), "extended"),
        "coefficients up to 1000 times steps up to 65535: dequantised values exceed 16 bits by far")
    frame = fill_random(bare_frame(24, 24, [(1, 1)]), 201, density=20, largest=1000, dc=1000)
    yield from_stream("tables/dequantised-over-i16-8-bit.jpg", write_jpeg(frame, {0: [255] * 64}, interleaved(frame)),
                      "8-bit table of 255 and coefficients up to 1000: dequantised values exceed 16 bits")


def _huffman():
    frame = make_frame(36, 28, S420, seed=211, quality=90, padding="junk")

    def coded(name, why, scans, process="baseline", **options):
        return from_stream(f"tables/{name}.jpg", write_jpeg(frame, quant(90), scans, process, **options), why)

    yield coded("huffman-standard", "annex K tables", interleaved(frame, huffman="standard"))
    yield coded("huffman-implied", "annex K tables without any DHT, as Motion JPEG", interleaved(frame, huffman="implied"))
    yield coded("huffman-16-bit-codes", "most symbols have 16-bit codes, the table is not full",
                interleaved(frame, huffman="long"))
    yield coded("huffman-before-frame", "DHT before SOF", interleaved(frame), huffman_before_frame=True)
    yield coded("huffman-shared", "one DC and one AC table for all components",
                interleaved(frame, table_slots={i: (0, 0) for i in range(3)}))
    yield coded("huffman-crossed", "DC slot 0 with AC slot 1 and the reverse",
                interleaved(frame, table_slots={0: (0, 1), 1: (1, 0), 2: (1, 0)}))
    yield coded("huffman-redefined-between-scans", "every scan redefines slot 0",
                [Scan([i], table_slots={i: (0, 0)}) for i in range(3)])
    yield coded("huffman-kept-between-scans", "tables sent before the first scan serve all three",
                [Scan([0], huffman="standard", table_slots={0: (0, 0)}),
                 Scan([1], huffman="installed", table_slots={1: (0, 0)}),
                 Scan([2], huffman="installed", table_slots={2: (0, 0)})])
    twice = segments.huffman_tables({("dc", 0): HuffmanTable([0, 2] + [0] * 14, [3, 4]),
                                     ("ac", 0): HuffmanTable([0, 2] + [0] * 14, [1, 0])})
    yield coded("huffman-defined-twice", "slot 0 is defined, then defined anew before the scan: the last one counts",
                interleaved(frame, before=twice))
    unused = segments.huffman_tables({("ac", 1): HuffmanTable([1] + [0] * 15, [0])})
    grey = make_frame(24, 24, [(1, 1)], seed=212)
    yield from_stream("tables/huffman-one-symbol-unused.jpg", write_jpeg(grey, quant(), interleaved(
        grey, before=unused)), "an unused table with a single code of one bit")
    flat = bare_frame(24, 24, [(1, 1)])
    flat.components[0].blocks = [[0] * 64 for _ in range(9)]
    yield from_stream("tables/huffman-one-symbol.jpg", write_jpeg(flat, quant(), interleaved(flat)),
                      "every table has one code of one bit: a block is two bits")


def _segments():
    def file(name, why, process="baseline", scans=None, **stream_options):
        return simple(f"segments/{name}.jpg", why, process=process, seed=221, scans=scans,
                      stream_options=stream_options)

    yield file("fill-bytes", "three 0xFF fill bytes before every marker (B.1.1.2)", fill=3)
    yield file("fill-bytes-progressive", "one fill byte before every marker, ten scans", fill=1, process="progressive")
    yield file("comment", "COM segments: text, and one that is empty",
               app=segments.jfif() + segments.comment(b"a comment with \xff\xd9 inside") + segments.comment(b""))
    every_app = b"".join(segments.segment(0xE0 + n, b"application %d\0\xff\xd8\xff\xda" % n) for n in range(1, 16))
    yield file("all-app", "APP1 to APP15 with marker-like bytes inside", app=segments.jfif() + every_app)
    yield file("no-app", "no APPn at all", app=b"")
    icc = segments.segment(0xE2, b"ICC_PROFILE\0\1\1" + bytes(range(256)))
    yield file("icc", "an APP2 that calls itself an ICC profile (not a valid one)", app=segments.jfif() + icc)
    yield file("segment-between-scans", "COM, APP9 and a redefined table between scans", scans=[
        Scan([0]), Scan([1], before=segments.comment(b"between") + segments.segment(0xE9, b"\xff\xff\xff")), Scan([2])])
    yield file("bytes-before-soi", "seven bytes before SOI", prefix=b"\0\0\r\nabc")
    yield file("bytes-after-eoi", "zeros and text after EOI", suffix=b"\0" * 16 + b"trailing \xff\xd9\xff\xd8 text")
    thumbnail = simple("", "", 16, 16, seed=5).data
    yield file("two-images", "a second whole JPEG after EOI (as MPO files hold)", suffix=thumbnail)
    entries = struct.pack(">HHI4s", 0xB000, 7, 4, b"0100") + struct.pack(">HHII", 0xB001, 4, 1, 3)
    index = segments.segment(0xE2, b"MPF\0MM\0*" + struct.pack(">IH", 8, 2) + entries + bytes(4))
    yield file("mpo", "a multi-picture file: an index (APP2, MPF) of three images, and two more after EOI",
               app=segments.jfif() + index, suffix=thumbnail + bytes(5) + thumbnail)
    yield file("mpo-alone", "an index of three images, of which only the first is there", app=segments.jfif() + index)
    yield file("thumbnail-in-app", "a whole JPEG inside APP1", app=segments.jfif() + segments.segment(
        0xE1, b"thumbnail\0" + thumbnail))
    yield file("dnl", "height 0 in SOF, told by DNL after the first scan (B.2.5)", dnl=True)
    yield file("dnl-three-scans", "DNL after the first of three scans", dnl=True, scans=[Scan([i]) for i in range(3)])
    yield file("dnl-progressive", "DNL after the first of ten scans", dnl=True, process="progressive")
