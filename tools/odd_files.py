#!/usr/bin/env python3
"""Makes a folder of odd JPEG files, clean and damaged, for a comparison of decoders by hand.

    tools/odd_files.py target/odd-files [--random 2000]
    JPEGDCT_FILES=target/odd-files cargo test --release --test differential a_folder -- --nocapture

Clean files: every coding process, the legal sampling ratios, sizes around whole blocks, restart intervals, fill bytes.
Damaged files: each from a clean one by one or two faults of a kind that is in its name. Random files, where asked for: sound,
of random structure in every process, arithmetic coding included. The same files on every machine.
"""

import argparse
import shutil
import sys
from pathlib import Path

TOOLS = Path(__file__).resolve().parent
sys.path.insert(0, str(TOOLS))

from fixturesets.common import (bare_frame, fill_random, interleaved, make_frame, progressive_script,  # noqa: E402
                                quant)
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


def random_file(seed):
    """(name, bytes) of a sound file: sizes, samplings, coding, splits into scans, intervals and conditioning that change."""
    rng = scenes.Generator(seed)
    process = PROCESSES[rng.below(len(PROCESSES))]
    factors = [(rng.between(1, 4), rng.between(1, 4)) for _ in range(rng.between(1, 4))]
    largest = (20, 60, 200)[rng.below(3)]
    frame = bare_frame(rng.between(1, largest), rng.between(1, largest), factors, padding=("edge", "zero", "junk")[rng.below(3)],
                       tq=[rng.below(2) for _ in factors])
    fill_random(frame, seed, (1, 5, 30)[rng.below(3)], (2, 40, 1000)[rng.below(3)], (10, 1000)[rng.below(2)])
    scans = (random_progressive if "progressive" in process else random_sequential)(frame, rng)
    top = 1 if process == "baseline" else 3
    for scan in scans:
        scan.table_slots = {c: (rng.below(top + 1), rng.below(top + 1)) for c in scan.components}
        if rng.below(3) == 0:
            scan.restart_interval = (0, 1, rng.between(1, 9), rng.between(1, 300))[rng.below(4)]
        if process.startswith("arithmetic") and rng.below(3) == 0:
            lower = rng.below(16)
            scan.conditioning = {("dc", rng.below(4)): rng.between(lower, 15) << 4 | lower,
                                 ("ac", rng.below(4)): rng.between(1, 63)}
        scan.longest_eob_run = (1, 4, 0x7FFF)[rng.below(3)]
    data = write_jpeg(frame, quant(75), scans, process, restart_interval=rng.below(2) * rng.between(1, 20), fill=rng.below(2)).data
    return f"{process}-{len(factors)}-{frame.width}x{frame.height}-{seed}", data


def random_groups(frame, rng):
    """The components split into groups that a scan can interleave."""
    groups = [[]]
    for index, component in enumerate(frame.components):
        size = sum(frame.components[i].h * frame.components[i].v for i in groups[-1])
        if groups[-1] and (rng.below(3) == 0 or size + component.h * component.v > 10):
            groups.append([])
        groups[-1].append(index)
    return groups


def random_sequential(frame, rng):
    scans = []
    for group in random_groups(frame, rng):
        scans.insert(rng.below(len(scans) + 1), Scan(group))
    return scans


def random_progressive(frame, rng):
    """Every band from some bit position down to 0, in an order where AC follows the first DC of its component."""
    def chain(components, ss, se):
        first = rng.below(4)
        return [Scan(components, ss, se, 0 if al == first else al + 1, al) for al in range(first, -1, -1)]

    chains = [chain(group, 0, 0) for group in random_groups(frame, rng)]
    for index in range(len(frame.components)):
        start = 1
        while start < 64:
            end = 63 if rng.below(2) else rng.between(start, 63)
            chains.append(chain([index], start, end))
            start = end + 1
    scans, seen = [], set()
    while chains:
        ready = [one for one in chains if one[0].ss == 0 or one[0].components[0] in seen]
        chosen = ready[rng.below(len(ready))]
        scan = chosen.pop(0)
        seen.update(scan.components if scan.ss == 0 else ())
        scans.append(scan)
        chains = [one for one in chains if one]
    return scans


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--random", type=int, default=0, metavar="N", help="so many random files too")
    arguments = parser.parse_args()
    folder = arguments.folder
    if folder.exists():
        shutil.rmtree(folder)
    made = list(clean())
    randoms = map(random_file, range(arguments.random))
    for kind, files in (("clean", made), ("damaged", damaged(made)), ("random", randoms)):
        (folder / kind).mkdir(parents=True)
        count = 0
        for name, data in files:
            (folder / kind / f"{name}.jpg").write_bytes(data)
            count += 1
        print(f"{count} {kind} files")


if __name__ == "__main__":
    main()
