#!/usr/bin/env python3
"""Makes a folder of odd JPEG files, clean and damaged, for a comparison of decoders by hand.

    tools/odd_files.py target/odd-files
    JPEGDCT_FILES=target/odd-files cargo test --release --test differential a_folder -- --nocapture

Clean files: every coding process, the legal sampling ratios, sizes around whole blocks, restart intervals, fill bytes.
Damaged files: each from a clean one by one or two faults of a kind that is in its name. The same files on every machine.
"""

import argparse
import shutil
import sys
from pathlib import Path

TOOLS = Path(__file__).resolve().parent
sys.path.insert(0, str(TOOLS))

from fixturesets.common import interleaved, make_frame, progressive_script, quant  # noqa: E402
from fixturesets.sampling import GREY, SHAPES  # noqa: E402
from jpegwriter import Scan, scenes, segments, write_jpeg  # noqa: E402

PROCESSES = ("baseline", "extended", "progressive", "arithmetic", "arithmetic_progressive")
SIZES = ((1, 1), (1, 40), (7, 9), (17, 16), (33, 23), (48, 40))
OPTIONS = ({}, {"restart_interval": 1}, {"restart_interval": 3}, {"fill": 2}, {"app": segments.adobe(1)},
           {"prefix": b"\0\n"}, {"suffix": b"\0\0after"}, {"dnl": True})


def clean():
    """(name, bytes): processes x samplings x sizes, the options in turn."""
    shapes = {name: factors for name, (factors, _) in SHAPES.items()} | {name: [one] for name, one in GREY.items()}
    number = 0
    for process in PROCESSES:
        for name, factors in shapes.items():
            for width, height in SIZES:
                number += 1
                yield f"{process}-{name}-{width}x{height}-{number}", file(
                    process, factors, width, height, number, dict(OPTIONS[number % len(OPTIONS)]))


def file(process, factors, width, height, seed, options):
    tables = quant((30, 75, 95)[seed % 3])
    tq = [0, 1, 1, 0][:len(factors)]
    frame = make_frame(width, height, factors, seed, tables=tables, padding=("edge", "junk")[seed % 2], tq=tq)
    one_scan = sum(h * v for h, v in factors) <= 10 and seed % 5 != 0
    indices = range(len(factors))
    if "progressive" in process:
        scans = progressive_script(len(factors)) if one_scan and len(factors) in (1, 3) else [
            s for i in indices for s in (Scan([i], 0, 0, 0, 1), Scan([i], 1, 63, 0, 1), Scan([i], 0, 0, 1, 0),
                                         Scan([i], 1, 63, 1, 0))]
    else:
        scans = interleaved(frame) if one_scan else [Scan([i]) for i in indices]
    return write_jpeg(frame, tables, scans, process, **options).data


def cut(data, rng):
    return data[:rng.between(2, len(data) - 1)]


def flip(data, rng):
    at = rng.below(len(data))
    return data[:at] + bytes([data[at] ^ 1 << rng.below(8)]) + data[at + 1:]


def overwrite(data, rng):
    at = rng.between(len(data) // 3, len(data) - 2)
    return data[:at] + bytes(rng.below(256) for _ in range(rng.between(1, 6))) + data[at + 1:]


def drop(data, rng):
    at = rng.below(len(data))
    return data[:at] + data[at + rng.between(1, 12):]


def repeat(data, rng):
    at, size = rng.below(len(data)), rng.between(2, 24)
    return data[:at] + data[at:at + size] * 2 + data[at + size:]


def marker(data, rng):
    found = [i for i in range(1, len(data)) if data[i - 1] == 0xFF and data[i] >= 0xC0]
    at = found[rng.below(len(found))]
    return data[:at] + bytes([0xC0 + rng.below(64)]) + data[at + 1:]


def restart(data, rng):
    at = rng.between(len(data) // 2, len(data) - 2)
    return data[:at] + bytes([0xFF, 0xD0 + rng.below(8)]) + data[at:]


FAULTS = (cut, flip, overwrite, drop, repeat, marker, restart)


def damaged(made):
    """(name, bytes): every clean file with faults of the kinds in turn, twice over."""
    for turn in range(2):
        for number, (name, data) in enumerate(made):
            rng = scenes.Generator(1000 * turn + number + 7)
            fault = FAULTS[(number + 3 * turn) % len(FAULTS)]
            for _ in range(1 + number % 2):
                data = fault(data, rng) if len(data) > 16 else data
            yield f"{fault.__name__}-{turn}-{name}", data


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    if folder.exists():
        shutil.rmtree(folder)
    made = list(clean())
    for kind, files in (("clean", made), ("damaged", damaged(made))):
        (folder / kind).mkdir(parents=True)
        for count, (name, data) in enumerate(files, 1):
            (folder / kind / f"{name}.jpg").write_bytes(data)
        print(f"{count} {kind} files")


if __name__ == "__main__":
    main()
