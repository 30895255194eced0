"""Progressive files: scripts, bit depths of successive approximation, end-of-band runs, odd orders."""

from jpegwriter import Scan, segments, write_jpeg

from .common import (S420, S422, S444, bare_frame, fill_random, from_stream, make_frame, progressive_script, quant,
                     simple)

GREY = [(1, 1)]


def fixtures():
    yield from _usual()
    yield from _scripts()
    yield from _grey_scripts()
    yield _long_run()


def _usual():
    shapes = [("420", S420), ("444", S444), ("422", S422), ("440", [(1, 2), (1, 1), (1, 1)]), ("grey", GREY)]
    for name, sampling in shapes:
        yield simple(f"progressive/{name}.jpg", f"{name}, ten-scan script (or its grey part)", 36, 28, "progressive",
                     sampling=sampling, seed=41, padding="junk")
    for width, height in [(1, 1), (9, 1), (17, 33), (96, 80)]:
        yield simple(f"progressive/420-{width}x{height}.jpg", f"4:2:0 at {width}x{height}, ten scans", width, height,
                     "progressive", seed=height)
    yield simple("progressive/cmyk.jpg", "four components, Adobe transform 0", 33, 17, "progressive",
                 sampling=[(1, 1)] * 4, tq=[0, 1, 1, 0], seed=42, stream_options={"app": segments.adobe(0)})
    frame = fill_random(bare_frame(40, 40, S420, padding="junk"), 43, density=25, largest=1000, dc=1000)
    yield _coded("progressive/random-large.jpg", frame, progressive_script(), "dense random coefficients up to 1000")
    yield _coded("progressive/random-large-restart.jpg", frame, progressive_script(),
                 "the same with restart interval 3: end-of-band runs end at restarts", restart_interval=3)


def _coded(path, frame, scans, why, **options):
    return from_stream(path, write_jpeg(frame, quant(), scans, "progressive", **options), why)


def _scripts():
    frame = make_frame(36, 28, S420, seed=44, quality=92, padding="junk")
    every = [0, 1, 2]
    bands = [(1, 2), (3, 9), (10, 63)]

    def coded(name, why, scans, **options):
        return _coded(f"progressive/{name}.jpg", frame, scans, why, **options)

    yield coded("spectral-selection", "bands 1-2, 3-9, 10-63, no successive approximation",
                [Scan(every, 0, 0)] + [Scan([c], *band) for band in bands for c in every])
    yield coded("dc-only", "no AC scan at all: AC is zero", [Scan(every, 0, 0)])
    yield coded("high-band-first", "bands arrive 10-63, 3-9, 1-2, chroma before luma",
                [Scan(every, 0, 0)] + [Scan([c], *band) for c in (2, 1, 0) for band in reversed(bands)])
    yield coded("dc-separate", "DC scans not interleaved, Cr first, each followed by its AC",
                [s for c in (2, 1, 0) for s in (Scan([c], 0, 0), Scan([c], 1, 63))])
    yield coded("dc-in-two-groups", "DC of Y and Cr interleaved, DC of Cb alone",
                [Scan([0, 2], 0, 0), Scan([1], 0, 0)] + [Scan([c], 1, 63) for c in every])
    deep = [Scan(every, 0, 0, 0, 4)] + [Scan([c], 1, 63, 0, 5) for c in every]
    deep += [Scan(every, 0, 0, al + 1, al) for al in (3, 2, 1, 0)]
    deep += [Scan([c], 1, 63, al + 1, al) for al in (4, 3, 2, 1, 0) for c in every]
    yield coded("bit-planes", "DC from Al=4 and AC from Al=5, one bit a scan", deep)
    yield coded("refinement-split", "one first scan 1-63, refined in bands",
                [Scan(every, 0, 0, 0, 1), Scan(every, 0, 0, 1, 0)] + [Scan([c], 1, 63, 0, 1) for c in every]
                + [Scan([c], *band, 1, 0) for c in every for band in bands])
    yield coded("never-refined", "stops at Al=1 (DC) and Al=2 (AC): the low bits are never sent",
                [Scan(every, 0, 0, 0, 1)] + [Scan([c], 1, 63, 0, 2) for c in every])
    yield coded("some-bands-missing", "AC 20-63 of luma and all AC of Cr are never sent",
                [Scan(every, 0, 0), Scan([0], 1, 19), Scan([1], 1, 63)])
    yield coded("no-eob-runs", "every end of band is its own symbol",
                [Scan(every, 0, 0)] + [Scan([c], 1, 63, 0, 1, longest_eob_run=1) for c in every]
                + [Scan([c], 1, 63, 1, 0, longest_eob_run=1) for c in every])
    yield coded("restart-changes", "restart interval 2, then 5, then none, then 1",
                [Scan(every, 0, 0, restart_interval=2), Scan([0], 1, 63, 0, 1, restart_interval=5),
                 Scan([1], 1, 63, restart_interval=0), Scan([2], 1, 63, restart_interval=1),
                 Scan([0], 1, 63, 1, 0)])
    yield coded("slots-2-and-3", "Huffman slots 2 and 3",
                [Scan(every, 0, 0, table_slots={0: (2, 0), 1: (3, 0), 2: (3, 0)})]
                + [Scan([c], 1, 63, table_slots={c: (0, 3 - c % 2)}) for c in every])
    yield coded("long-codes", "Huffman codes of 16 bits", [
        Scan(s.components, s.ss, s.se, s.ah, s.al, huffman="long") for s in progressive_script()])


def _grey_scripts():
    frame = make_frame(33, 25, GREY, seed=45, quality=95)
    singles = [Scan([0], 0, 0)] + [Scan([0], k, k) for k in range(63, 0, -1)]
    yield _coded("progressive/one-scan-per-coefficient.jpg", frame, singles, "64 scans, highest frequency first")
    planes = [Scan([0], 0, 0, 0, 13)] + [Scan([0], 0, 0, al + 1, al) for al in range(12, -1, -1)]
    planes += [Scan([0], 1, 63, 0, 13)] + [Scan([0], 1, 63, al + 1, al) for al in range(12, -1, -1)]
    yield _coded("progressive/al-13.jpg", frame, planes, "successive approximation from Al=13, the largest allowed")
    dense = fill_random(bare_frame(24, 24, GREY), 46, density=60, largest=500, dc=1000)
    script = [Scan([0], 0, 0)] + [Scan([0], 1, 63, 0, 3)] + [Scan([0], 1, 63, al + 1, al) for al in (2, 1, 0)]
    yield _coded("progressive/many-corrections.jpg", dense, script, "nearly full blocks: long runs of correction bits")
    sparse = bare_frame(64, 64, GREY)
    sparse.components[0].blocks = [[0] * 64 for _ in range(64)]
    for i, block in enumerate(sparse.components[0].blocks):
        block[63], block[62] = (5 if i % 3 == 0 else 0), (1 if i % 7 == 0 else 0)
    script = [Scan([0], 0, 0), Scan([0], 1, 63, 0, 1), Scan([0], 1, 63, 1, 0)]
    yield _coded("progressive/zrl-in-refinement.jpg", sparse, script, "long zero runs before known and new coefficients")


def _long_run():
    """33124 blocks of which two are not flat: end-of-band runs reach their limit of 32767."""
    frame = bare_frame(1456, 1456, GREY)
    blocks = [[0] * 64 for _ in range(182 * 182)]
    blocks[1][1], blocks[33000][8] = 5, -3
    frame.components[0].blocks = blocks
    script = [Scan([0], 0, 0), Scan([0], 1, 63, 0, 1), Scan([0], 1, 63, 1, 0)]
    return _coded("progressive/eob-run-32767.jpg", frame, script, "end-of-band runs of 32767 blocks, the longest there is")
