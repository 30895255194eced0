"""Arithmetic coding (SOF9, SOF10) and 12-bit samples."""

from jpegwriter import Scan, write_jpeg

from .common import (S420, S422, S444, bare_frame, fill_random, from_stream, interleaved, make_frame,
                     progressive_script, quant, simple)

GREY = [(1, 1)]


def fixtures():
    yield from _arithmetic()
    yield from _twelve_bit()


def _arithmetic():
    shapes = [("grey", GREY), ("420", S420), ("444", S444), ("422", S422), ("3-to-2", [(3, 1), (2, 1), (2, 1)])]
    for number, (name, sampling) in enumerate(shapes):
        for process in ("arithmetic", "arithmetic_progressive"):
            yield simple(f"arithmetic/{name}{'-progressive' if 'prog' in process else ''}.jpg",
                         f"arithmetic coding, {process}, {name}", 45, 35, process, quality=88, sampling=sampling,
                         seed=241 + number, padding="junk")

    def coded(name, why, frame, scans, process="arithmetic", **options):
        return from_stream(f"arithmetic/{name}.jpg", write_jpeg(frame, quant(88), scans, process, **options),
                           "arithmetic coding, " + why)

    frame = make_frame(45, 35, S420, seed=251, quality=88, padding="junk")
    dense = fill_random(bare_frame(40, 40, S420, padding="junk"), 252, density=30, largest=1000, dc=1000)
    yield coded("restart", "interval 2", frame, interleaved(frame), restart_interval=2)
    yield coded("restart-progressive", "progressive, interval 3", frame, progressive_script(),
                "arithmetic_progressive", restart_interval=3)
    yield coded("separate", "three scans", frame, [Scan([2]), Scan([0]), Scan([1])])
    yield coded("random-large", "dense random coefficients up to 1000", dense, interleaved(dense))
    yield coded("random-large-progressive", "dense random coefficients up to 1000", dense, progressive_script(),
                "arithmetic_progressive")
    conditioning = {("dc", 0): 0x52, ("dc", 1): 0xF0, ("ac", 0): 1, ("ac", 1): 63}
    yield coded("conditioning", "DAC with other bounds and other Kx", dense, interleaved(
        dense, conditioning=conditioning))
    yield coded("conditioning-progressive", "DAC before the first scan and changed later", dense, [
        Scan([0, 1, 2], 0, 0, 0, 1, conditioning=conditioning), Scan([0, 1, 2], 0, 0, 1, 0),
        Scan([0], 1, 63, 0, 2, conditioning={("ac", 0): 20}), Scan([0], 1, 63, 2, 1), Scan([0], 1, 63, 1, 0),
        Scan([1], 1, 63), Scan([2], 1, 63)], "arithmetic_progressive")
    for width, height in ((1, 1), (17, 9)):
        yield simple(f"arithmetic/420-{width}x{height}.jpg", "arithmetic coding, small", width, height, "arithmetic",
                     seed=253)
    flat = bare_frame(40, 40, GREY)
    flat.components[0].blocks = [[0] * 64 for _ in range(25)]
    yield coded("all-zero", "every coefficient zero: the scan shrinks to a few bytes", flat, interleaved(flat))
    slots = {0: (3, 2), 1: (1, 0), 2: (2, 3)}
    yield coded("four-slots", "statistics areas 0 to 3", frame, interleaved(frame, table_slots=slots))


def _twelve_bit():
    tables = {0: [step * 4 for step in quant(90)[0]], 1: [step * 4 for step in quant(90)[1]]}
    wide = {0: [step * 20 for step in quant(75)[0]], 1: [step * 20 for step in quant(75)[1]]}

    def file(name, why, process, **options):
        options = {"tables": tables, "sampling": S420, **options}
        return simple(f"twelve_bit/{name}.jpg", "12-bit samples, " + why, 36, 28, process, precision=12,
                      padding="junk", **options)

    yield file("420", "SOF1", "extended", seed=261)
    yield file("grey", "SOF1, one component", "extended", sampling=GREY, seed=262)
    yield file("444-restart", "SOF1, restart interval 4", "extended", sampling=S444, seed=263,
               stream_options={"restart_interval": 4})
    yield file("quant-16-bit", "SOF1, 16-bit tables", "extended", tables=wide, seed=264)
    yield file("progressive", "SOF2, ten scans", "progressive", seed=265)
    yield file("arithmetic", "SOF9", "arithmetic", seed=266)
    yield file("arithmetic-progressive", "SOF10", "arithmetic_progressive", seed=267)
    frame = bare_frame(32, 16, GREY, precision=12)
    frame.components[0].blocks = [[16383 if i % 2 else -16384] + [(16383 if (i + k) % 2 else -16383)
                                                                 for k in range(63)] for i in range(8)]
    yield from_stream("twelve_bit/bounds.jpg", write_jpeg(frame, {0: [1] * 64}, interleaved(frame), "extended"),
                      "12-bit samples, every coefficient at its bound: DC differences of category 15, AC of 14")
    dense = fill_random(bare_frame(40, 24, S420, precision=12, padding="junk"), 268, 25, 16000, 16000)
    yield from_stream("twelve_bit/random-large-progressive.jpg", write_jpeg(
        dense, tables, progressive_script(), "progressive"), "12-bit samples, dense random coefficients up to 16000")
