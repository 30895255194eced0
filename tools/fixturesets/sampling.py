"""Sampling factors, the usual ones and the legal rest (T.81 A.1.1), interleaved where an MCU holds at most 10 blocks."""

from jpegwriter import Scan, write_jpeg

from .common import from_stream, interleaved, make_frame, progressive_script, quant

ONE = (1, 1)
# name: (factors, what it is)
SHAPES = {
    "444": ([ONE] * 3, "4:4:4"),
    "422": ([(2, 1), ONE, ONE], "4:2:2"),
    "420": ([(2, 2), ONE, ONE], "4:2:0"),
    "440": ([(1, 2), ONE, ONE], "4:4:0"),
    "411": ([(4, 1), ONE, ONE], "4:1:1"),
    "410": ([(4, 2), ONE, ONE], "4:1:0, ten blocks in an MCU"),
    "441": ([(1, 4), ONE, ONE], "one chroma row for four luma rows"),
    "311": ([(3, 1), ONE, ONE], "3:1 across"),
    "1x3": ([(1, 3), ONE, ONE], "3:1 down"),
    "3x2": ([(3, 2), ONE, ONE], "3:1 across, 2:1 down"),
    "3-to-2": ([(3, 1), (2, 1), (2, 1)], "3:2 across: a ratio that is not whole"),
    "3-to-2-down": ([(1, 3), (1, 2), (1, 2)], "3:2 down"),
    "3-to-2-and-1": ([(3, 2), (2, 1), (1, 1)], "Cb at 2/3 across, Cr at 1/3"),
    "4-to-3": ([(4, 1), (3, 1), (3, 1)], "4:3 across"),
    "luma-smaller": ([ONE, (2, 2), (2, 2)], "chroma is larger than luma"),
    "luma-narrower": ([ONE, (2, 1), ONE], "only Cb is larger than luma"),
    "chroma-differ": ([(2, 2), (2, 1), (1, 2)], "Cb halved down, Cr halved across"),
    "crossed": ([(2, 1), (1, 2), ONE], "no component has the full size on both axes"),
    "all-2x1": ([(2, 1)] * 3, "4:4:4 written with factors 2x1"),
    "all-1x2": ([(1, 2)] * 3, "4:4:4 written with factors 1x2"),
    "422-as-2x2": ([(2, 2), (1, 2), (1, 2)], "4:2:2 written with factors 2x2 and 1x2"),
    "all-3x1": ([(3, 1)] * 3, "4:4:4 written with factors 3x1"),
    "two-21-11": ([(2, 1), ONE], "two components, 2:1 across"),
    "two-12-21": ([(1, 2), (2, 1)], "two components, crossed factors"),
    "four-22-11-11-22": ([(2, 2), ONE, ONE, (2, 2)], "four components, the middle two halved"),
    "all-2x2": ([(2, 2)] * 3, "4:4:4 written with factors 2x2: too many blocks to interleave"),
    "4x4": ([(4, 4), ONE, ONE], "4:1 on both axes: too many blocks to interleave"),
    "3x3-2x2-1x1": ([(3, 3), (2, 2), ONE], "ratios 3:2 and 3:1 on both axes, not interleaved"),
}
GREY = {"grey-2x2": (2, 2), "grey-2x1": (2, 1), "grey-1x2": (1, 2), "grey-4x4": (4, 4), "grey-3x1": (3, 1)}


def fixtures():
    for number, (name, (factors, what)) in enumerate(SHAPES.items()):
        for width, height in ((36, 28), (33, 17)):
            yield _file(f"sampling/{name}-{width}x{height}.jpg", what, factors, width, height, 50 + number, "baseline")
        yield _file(f"sampling/{name}-progressive.jpg", what + ", progressive", factors, 35, 37, 90 + number,
                    "progressive")
    for name, factors in GREY.items():
        what = "one component with factors over 1: never interleaved, so block order is plain rows"
        yield _file(f"sampling/{name}.jpg", what, [factors], 36, 28, 131, "baseline")
        yield _file(f"sampling/{name}-progressive.jpg", what, [factors], 33, 17, 132, "progressive")
    for name in ("3-to-2", "luma-smaller", "chroma-differ", "crossed", "422-as-2x2"):
        factors, what = SHAPES[name]
        yield _file(f"sampling/{name}-separate.jpg", what + ", not interleaved", factors, 35, 37, 140, "baseline", False)
        yield _file(f"sampling/{name}-1x1.jpg", what + ", one pixel", factors, 1, 1, 141, "baseline")


def _file(path, why, factors, width, height, seed, process, may_interleave=True):
    tables = quant(85)
    tq = [0, 1, 1, 0][:len(factors)]
    frame = make_frame(width, height, factors, seed, tables=tables, padding="junk", tq=tq)
    indices = range(len(factors))
    whole = may_interleave and sum(h * v for h, v in factors) <= 10
    if process == "progressive":
        scans = progressive_script(len(factors)) if whole else [
            s for i in indices for s in (Scan([i], 0, 0, 0, 1), Scan([i], 1, 63, 0, 1), Scan([i], 0, 0, 1, 0),
                                         Scan([i], 1, 63, 1, 0))]
    else:
        scans = interleaved(frame) if whole else [Scan([i]) for i in indices]
    return from_stream(path, write_jpeg(frame, tables, scans, process), why)
