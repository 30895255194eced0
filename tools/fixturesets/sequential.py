"""Baseline and extended sequential files: sizes, coefficient extremes, and scans that are not one interleaved scan."""

from jpegwriter import Scan, segments, write_jpeg

from .common import (S420, S422, S444, bare_frame, fill_random, from_stream, interleaved, make_frame, quant, simple)

SIZES = [(1, 1), (8, 8), (9, 1), (1, 9), (7, 7), (16, 16), (17, 16), (16, 17), (33, 17), (36, 28), (96, 80)]


def fixtures():
    yield from _sizes()
    yield from _values()
    yield from _scan_orders()
    yield from _extended()


def _sizes():
    for width, height in SIZES:
        yield simple(f"baseline/420-{width}x{height}.jpg", f"4:2:0 at {width}x{height}", width, height, seed=width)
    for width, height in [(1, 1), (8, 8), (33, 17)]:
        yield simple(f"baseline/grey-{width}x{height}.jpg", "one component", width, height, sampling=[(1, 1)], seed=7)
    for quality in (1, 50, 95, 100):
        yield simple(f"baseline/420-q{quality}.jpg", f"annex K tables scaled to quality {quality}", 40, 31,
                     quality=quality, seed=quality)
    for rule, why in [("zero", "zero"), ("junk", "full of junk that must not reach the digest")]:
        yield simple(f"baseline/420-padding-{rule}.jpg", f"MCU padding blocks are {why}", 17, 9, padding=rule, seed=11)


def _values():
    frame = bare_frame(24, 16, S444)
    for component in frame.components:
        component.blocks = [[0] * 64 for _ in range(6)]
    yield _coded("baseline/all-zero.jpg", frame, "every coefficient is zero")
    frame = bare_frame(24, 16, S420)
    fill_random(frame, 3, density=30, largest=1023, dc=900)
    yield _coded("baseline/dense-large.jpg", frame, "about 30 AC coefficients a block, magnitudes up to 1023")
    frame = bare_frame(32, 32, [(1, 1)])
    frame.components[0].blocks = [[1023 if i % 2 else -1024] + [0] * 63 for i in range(16)]
    yield _coded("baseline/dc-bounds.jpg", frame, "DC alternates between its bounds: differences of category 11",
                 tables={0: [1] * 64})
    frame = bare_frame(32, 32, [(1, 1)])
    frame.components[0].blocks = [[0] + [(1023 if (i + k) % 2 else -1023) for k in range(63)] for i in range(16)]
    yield _coded("baseline/ac-bounds.jpg", frame, "every AC coefficient at its bound: category 10, no end of block",
                 tables={0: [1] * 64})
    frame = bare_frame(64, 64, [(1, 1)])
    frame.components[0].blocks = [[0] * i + [(i + 1) * (-1) ** i] + [0] * (63 - i) for i in range(64)]
    yield _coded("baseline/one-coefficient-each.jpg", frame,
                 "block n holds only coefficient n (row-major), with value +-(n+1): shows any wrong zigzag or run")
    frame = bare_frame(32, 16, S422)
    for component in frame.components:
        component.blocks = [[0] * 63 + [1] for _ in range(len(frame.visit([frame.components.index(component)])))]
    yield _coded("baseline/last-coefficient.jpg", frame, "only the 64th coefficient: three ZRL, then run 14")


def _coded(path, frame, why, process="baseline", tables=None, scans=None, **options):
    return from_stream(path, write_jpeg(frame, tables or quant(), scans or interleaved(frame), process, **options), why)


def _scan_orders():
    def orders(name, why, groups, sampling=S420, **scan_options):
        frame = make_frame(36, 28, sampling, seed=21, padding="junk")
        return _coded(f"scans/{name}.jpg", frame, why, scans=[Scan(list(g), **scan_options) for g in groups])

    yield orders("separate", "three non-interleaved scans", [[0], [1], [2]])
    yield orders("separate-reversed", "non-interleaved scans, Cr first", [[2], [1], [0]])
    yield orders("chroma-together", "Y alone, then Cb and Cr interleaved", [[0], [1, 2]])
    yield orders("luma-last", "Cb and Cr interleaved, then Y", [[1, 2], [0]])
    yield orders("luma-with-cb", "Cr alone, then Y and Cb interleaved", [[2], [0, 1]])
    yield orders("separate-422", "non-interleaved 4:2:2", [[1], [0], [2]], S422)
    yield orders("separate-440", "non-interleaved 4:4:0", [[1], [2], [0]], [(1, 2), (1, 1), (1, 1)])
    yield orders("separate-standard-once", "annex K tables sent once for each slot",
                 [[0], [1], [2]], huffman="standard")
    frame = make_frame(36, 28, [(1, 1)] * 4, seed=22, tq=[0, 1, 1, 0])
    yield _coded("scans/four-in-pairs.jpg", frame, "four components: scans (0, 3) and (1, 2)",
                 scans=[Scan([0, 3]), Scan([1, 2])], app=segments.adobe(0))


def _extended():
    yield simple("extended/420.jpg", "SOF1, otherwise as baseline", process="extended", seed=31)
    frame = make_frame(40, 24, [(1, 1)] * 4, seed=32, tq=[0, 1, 2, 3],
                       tables={0: [3] * 64, 1: [5] * 64, 2: [7] * 64, 3: [11] * 64})
    slots = {i: (i, 3 - i) for i in range(4)}
    yield _coded("extended/four-slots.jpg", frame, "four components, all four slots of every kind of table",
                 "extended", {0: [3] * 64, 1: [5] * 64, 2: [7] * 64, 3: [11] * 64},
                 interleaved(frame, table_slots=slots), app=segments.adobe(0))
    frame = fill_random(bare_frame(33, 17, S420, padding="junk"), 33, density=20, largest=200)
    yield _coded("extended/random-restart.jpg", frame, "random coefficients, restart interval 2", "extended",
                 restart_interval=2)
