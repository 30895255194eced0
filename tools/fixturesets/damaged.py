"""Files with a good header and damage after it: truncation, restart markers, wrong bits, wrong script.

Where every coefficient still arrives, the entry keeps its digests; elsewhere what can be recovered is the decoder's
choice, so none are given.
"""

from jpegwriter import Scan, huffman, segments, sequential, write_jpeg

from .common import (S420, bare_frame, fill_random, from_stream, interleaved, make_frame, progressive_script, quant)


def fixtures():
    yield from _truncated()
    yield from _restarts()
    yield from _bits()
    yield from _scripts()


def _damaged(name, stream, data, why, with_truth=False, status="damaged"):
    folder = "damaged" if status == "damaged" else "scans"
    fixture = from_stream(f"{folder}/{name}.jpg", stream, why, status, with_truth)
    fixture.data = data
    return fixture


def _baseline(seed=281, width=70, height=52, scans=None, **options):
    frame = make_frame(width, height, S420, seed=seed)
    return write_jpeg(frame, quant(), scans or interleaved(frame), **options)


def _middle(stream, part, numerator=1, denominator=2):
    start, end = stream.part(part)
    return start + (end - start) * numerator // denominator


def _cut(stream, start, end, insert=b""):
    return stream.data[:start] + insert + stream.data[end:]


def _truncated():
    stream = _baseline()
    data = stream.data
    yield _damaged("cut-baseline-half", stream, data[:_middle(stream, "data0.0")], "ends in the middle of the scan")
    yield _damaged("cut-baseline-start", stream, data[:stream.part("data0.0")[0] + 1], "ends one byte into the scan")
    yield _damaged("cut-baseline-no-data", stream, data[:stream.part("data0.0")[0]], "ends right after SOS")
    yield _damaged("cut-baseline-last-byte", stream, data[:stream.part("data0.0")[1] - 2],
                   "the last two bytes of the scan and EOI are missing")
    yield _damaged("missing-eoi", stream, data[:-2], "only EOI is missing: every coefficient is there", True)
    yield _damaged("half-eoi", stream, data[:-1], "EOI is cut after its 0xFF: every coefficient is there", True)
    yield _damaged("early-eoi", stream, data[:_middle(stream, "data0.0")] + b"\xff\xd9", "EOI in the middle of the scan")
    yield _damaged("zeros-from-half", stream, data[:_middle(stream, "data0.0")] + bytes(200),
                   "the rest of the file is zeros, as after a lost transfer")
    with_restarts = _baseline(restart_interval=3)
    yield _damaged("cut-restart", with_restarts, with_restarts.data[:_middle(with_restarts, "data0.4")],
                   "ends inside the fifth restart interval")
    separate = _baseline(scans=[Scan([0]), Scan([1]), Scan([2])])
    yield _damaged("cut-between-scans", separate, separate.data[:separate.part("data1.0")[1]],
                   "three scans announced by the frame, the third is missing with EOI")
    yield _damaged("scan-missing", separate, _cut(separate, separate.part("dht2")[0], separate.part("eoi")[0]),
                   "the scan of Cr is missing, EOI is there")
    frame = make_frame(70, 52, S420, seed=282, quality=90)
    progressive = write_jpeg(frame, quant(90), progressive_script(), "progressive")
    for part, name, why in [("data0.0", "dc", "the first DC scan"), ("data1.0", "ac", "the first AC scan"),
                            ("data5.0", "refinement", "the first AC refinement scan"),
                            ("data9.0", "last-scan", "the last scan")]:
        yield _damaged(f"cut-progressive-{name}", progressive, progressive.data[:_middle(progressive, part)],
                       f"progressive, ends in the middle of {why}")
    yield _damaged("cut-progressive-between", progressive, progressive.data[:progressive.part("data4.0")[1]],
                   "progressive, ends after the fifth of ten scans, without EOI")
    yield _damaged("cut-progressive-in-header", progressive, progressive.data[:progressive.part("sos3")[0] + 5],
                   "progressive, ends inside the fourth scan header")
    yield _damaged("missing-eoi-progressive", progressive, progressive.data[:-2],
                   "progressive, only EOI is missing: every coefficient is there", True)
    arithmetic = write_jpeg(frame, quant(90), interleaved(frame), "arithmetic")
    yield _damaged("cut-arithmetic", arithmetic, arithmetic.data[:_middle(arithmetic, "data0.0")],
                   "arithmetic coding, ends in the middle of the scan")


def _restarts():
    stream = _baseline(283, restart_interval=2)  # 20 MCUs, 10 intervals
    data = stream.data
    first, second, third = (stream.part(f"rst0.{i}") for i in (0, 1, 2))
    yield _damaged("rst-missing", stream, _cut(stream, *second), "the marker RST1 is missing, its data are there")
    yield _damaged("rst-interval-lost", stream, _cut(stream, first[1], second[1]), "RST1 and the data before it are lost")
    yield _damaged("rst-three-intervals-lost", stream, _cut(stream, stream.part("rst0.2")[1], stream.part("rst0.5")[1]),
                   "RST3 to RST5 and the data before them are lost")
    yield _damaged("rst-repeated", stream, data[:second[0]] + data[second[0]:second[1]] * 2 + data[second[1]:],
                   "RST1 appears twice in a row")
    swapped = bytearray(data)
    swapped[first[1] - 1], swapped[second[1] - 1] = data[second[1] - 1], data[first[1] - 1]
    yield _damaged("rst-swapped", stream, bytes(swapped), "RST1 comes before RST0")
    wrong = bytearray(data)
    wrong[third[1] - 1] = 0xD7
    yield _damaged("rst-wrong-number", stream, bytes(wrong), "RST7 in the place of RST2")
    yield _damaged("rst-data-lost", stream, _cut(stream, *stream.part("data0.1")), "the second interval is empty")
    start, end = stream.part("data0.4")
    yield _damaged("rst-data-overwritten", stream, data[:start] + b"\xff\x00" * ((end - start) // 2) + data[end - (end - start) % 2:],
                   "the fifth interval is all ones")
    yield _damaged("rst-extra-bytes", stream, data[:second[0]] + b"\x12\x34\x56" + data[second[0]:],
                   "three bytes too many before RST1: every coefficient is there", True)
    unexpected = _baseline(284)
    middle = _middle(unexpected, "data0.0")
    yield _damaged("rst-unexpected", unexpected, unexpected.data[:middle] + b"\xff\xd0" + unexpected.data[middle:],
                   "RST0 in a scan without restart interval")
    frame = make_frame(70, 52, S420, seed=285, quality=90)
    progressive = write_jpeg(frame, quant(90), progressive_script(), "progressive", restart_interval=5)
    yield _damaged("rst-missing-progressive", progressive, _cut(progressive, *progressive.part("rst1.1")),
                   "progressive, RST1 of the second scan is missing")


def _bits():
    frame = make_frame(70, 52, S420, seed=286)
    stream = write_jpeg(frame, quant(), interleaved(frame, huffman="standard"))
    start, end = stream.part("data0.0")
    for name, place, bit in [("half", (start + end) // 2, 5), ("late", start + (end - start) * 3 // 4 + 1, 5)]:
        data = bytearray(stream.data)
        data[place] ^= 1 << bit  # positions chosen so that the scan then runs out of data; a flip need not show at all
        yield _damaged(f"bit-flipped-{name}", stream, bytes(data), f"one bit flipped in the scan ({name}): data run out")
    middle = (start + end) // 2
    yield _damaged("bad-code", stream, stream.data[:middle] + b"\xff\x00" * 4 + stream.data[middle + 8:],
                   "sixteen ones and more in the middle of the scan: no Huffman code is all ones")
    yield _damaged("bytes-before-eoi", stream, stream.data[:end] + b"\x00\x41\x42\x43" + stream.data[end:],
                   "four bytes too many between the scan and EOI: every coefficient is there", True)
    yield _damaged("garbage-marker", stream, stream.data[:middle] + b"\xff\x51" + stream.data[middle:],
                   "a reserved marker (0xFF51) in the middle of the scan")
    taller = bytearray(stream.data)
    taller[stream.part("sof")[0] + 5:stream.part("sof")[0] + 7] = b"\x00\xa0"
    yield _damaged("frame-taller", stream, bytes(taller), "SOF says 160 lines, the scan holds 52")
    shorter = bytearray(stream.data)
    shorter[stream.part("sof")[0] + 5:stream.part("sof")[0] + 7] = b"\x00\x14"
    yield _damaged("frame-shorter", stream, bytes(shorter), "SOF says 20 lines, the scan holds 52")
    yield from _run_overflows()
    yield _coefficient_overflow()


def _run_overflows():
    """A block whose zero runs pass the 64th coefficient, in the middle of an otherwise good grey scan."""
    frame = make_frame(40, 24, [(1, 1)], seed=287)
    scans = interleaved(frame, huffman="standard")
    stream = write_jpeg(frame, quant(), scans)
    start, end = stream.part("data0.0")
    tokens = sequential.encode_intervals(frame, scans[0], 0)[0]
    ends = [i for i, token in enumerate(tokens) if token[:2] == (("ac", 0), 0)]
    key = ("ac", 0)
    for name, why, extra in [
            ("zero-run-past-63", "run 15 before a coefficient, five times in a block", [(key, 0xF1, 1, 1)] * 5),
            ("zrl-past-63", "six ZRL in a row", [(key, 0xF0, 0, 0)] * 6)]:
        broken = tokens[:ends[6]] + extra + tokens[ends[6]:]
        yield _damaged(name, stream, stream.data[:start] + huffman.write_tokens(broken, huffman.STANDARD)
                       + stream.data[end:], why)


def _coefficient_overflow():
    """Two DC differences of 20000, one after the other: the second value is beyond 16 bits."""
    frame = fill_random(bare_frame(40, 24, [(1, 1)]), 289)
    frame.components[0].blocks[0][0] = 20000
    scans = interleaved(frame)
    stream = write_jpeg(frame, quant(), scans, "extended")
    start, end = stream.part("data0.0")
    tokens = sequential.encode_intervals(frame, scans[0], 0)[0]
    tables = {key: huffman.HuffmanTable.optimal(counts) for key, counts in huffman.count_symbols([tokens]).items()}
    second = [i for i, token in enumerate(tokens) if token[0] == ("dc", 0)][1]
    broken = tokens[:second] + [(("dc", 0), 15, 20000, 15)] + tokens[second + 1:]
    return _damaged("dc-overflow", stream, stream.data[:start] + huffman.write_tokens(broken, tables) + stream.data[end:],
                    "a DC coefficient of 40000: counted modulo 2^16, as libjpeg does")


def _scripts():
    frame = fill_random(bare_frame(36, 28, S420), 288)
    every = [0, 1, 2]

    def script(name, why, scans):
        stream = write_jpeg(frame, quant(), scans, "progressive")
        return _damaged(f"script-{name}", stream, stream.data, why)

    yield script("no-first-scan", "AC of luma is refined but never sent",
                 [Scan(every, 0, 0), Scan([0], 1, 63, 1, 0)])
    yield script("gap-in-refinement", "AC first scan with Al=3, refinement from 1 to 0",
                 [Scan(every, 0, 0), Scan([0], 1, 63, 0, 3), Scan([0], 1, 63, 1, 0)])
    yield script("ac-before-dc", "AC of luma comes before its DC", [Scan([0], 1, 63), Scan(every, 0, 0)])
    stream = write_jpeg(frame, quant(), [Scan(every, 0, 0), Scan([0], 1, 63), Scan([0], 1, 63)], "progressive")
    yield _damaged("script-sent-twice", stream, stream.data, "progressive, AC of luma is sent twice, the same both times",
                   True, "ok")
    stream = write_jpeg(frame, quant(), [Scan([0]), Scan([1]), Scan([0]), Scan([2])])
    yield _damaged("scan-twice", stream, stream.data, "sequential, luma is sent twice, the same both times", True,
                   "ok")
    stream = write_jpeg(frame, quant(), [Scan(every, 0, 0), Scan([0], 1, 63)], "progressive")
    header = segments.huffman_tables({("ac", 1): huffman.STANDARD["ac", 1]}) + segments.scan_header(frame, Scan([1], 1, 63))
    yield _damaged("scan-without-data", stream, stream.data[:-2] + header + b"\xff\xd9",
                   "progressive, the last scan has a header and no data")
