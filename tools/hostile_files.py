#!/usr/bin/env python3
"""Makes files that several threads on one image gain least from.

    tools/hostile_files.py LARGE.jpg FOLDER
    JPEGDCT_HOSTILE=FOLDER cargo bench --features mozjpeg-simd -- hostile

LARGE.jpg is a sound baseline photograph of 8 megapixels or more. Needs cjpeg, djpeg and jpegtran (libjpeg-turbo or mozjpeg). The
benchmark prints, for each file, how long two threads take beside one.
"""

import pathlib
import subprocess
import sys

SIDE = (4000, 3000)


def run(command, data):
    return subprocess.run(command, input=data, stdout=subprocess.PIPE, check=True).stdout


def scans(data):
    """Offset of the entropy-coded data of each scan, and where it ends."""
    found, at = [], 2
    while data[at + 1] != 0xD9:
        code, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        at += 2 + length
        if code == 0xDA:
            start = at
            while data[at] != 0xFF or data[at + 1] == 0 or 0xD0 <= data[at + 1] <= 0xD7:
                at += 1
            found.append((start, at))
    return found


def broken(data, place):
    """Bytes that are no codes in most tables, at so large a part of the last scan's data."""
    start, end = scans(data)[-1]
    at = start + int((end - start) * place)
    while 0xFF in data[at - 1 : at + 10]:
        at -= 1
    return data[:at] + b"\xff\x00" * 4 + data[at + 8 :]


def cut(data, place):
    """The last scan's data ends after so large a part of it."""
    start, end = scans(data)[-1]
    return data[: start + int((end - start) * place)] + data[end:]


def renumbered(data, every):
    """Every so many restart markers one has a wrong number."""
    out, count, at = bytearray(data), 0, scans(data)[0][0]
    while at < len(out) - 1:
        if out[at] == 0xFF and 0xD0 <= out[at + 1] <= 0xD7:
            count += 1
            if count % every == 0:
                out[at + 1] ^= 4
            at += 1
        at += 1
    return bytes(out)


def main():
    photograph = pathlib.Path(sys.argv[1]).read_bytes()
    folder = pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    size = b"P6 %d %d 255\n" % SIDE
    flat = size + bytes((90, 140, 60)) * (SIDE[0] * SIDE[1])
    # Blocks of two colours in turns: all MCUs have the same bits, so that who begins elsewhere stays beside.
    squares = [bytes((90, 140, 60)) * 8 + bytes((200, 20, 60)) * 8] * 2
    rows = b"".join((squares[0] * (SIDE[0] // 16)) for _ in range(SIDE[1]))
    files = {
        "photograph": photograph,
        "photograph-last-byte": broken(photograph, 0.999),
        "photograph-half": broken(photograph, 0.5),
        "photograph-cut": cut(photograph, 0.98),
        "photograph-restarts-wrong": renumbered(run(["jpegtran", "-restart", "1"], photograph), 10),
        "photograph-restarts-each-wrong": renumbered(run(["jpegtran", "-restart", "1B"], photograph), 1),
        "photograph-restarts-each": run(["jpegtran", "-restart", "1B"], photograph),
    }
    for name, picture in [("flat", flat), ("stripes", size + rows)]:
        for sampling in ["1x1", "2x2"]:
            for optimize in [[], ["-optimize"]]:
                command = ["cjpeg", "-baseline", "-sample", sampling, "-quality", "90", *optimize]
                files["-".join([name, sampling, *[o[1:] for o in optimize]])] = run(command, picture)
    # One scan a coefficient and component, then one a bit.
    script = ["0,1,2: 0-0, 0, 0;"] + [f"{c}: {k}-{k}, 0, 0;" for k in range(1, 64) for c in [0]]
    script += [f"{c}: 1-63, 0, 3;" for c in [1, 2]]
    script += [f"{c}: 1-63, {bit + 1}, {bit};" for bit in [2, 1, 0] for c in [1, 2]]
    few = ["0,1,2: 0-0, 0, 0;"] + [f"{c}: 1-63, 0, 8;" for c in range(3)]
    few += [f"{c}: 1-63, {bit + 1}, {bit};" for bit in range(7, -1, -1) for c in range(3)]
    for name, lines in [("coefficients", script), ("bits", few)]:
        path = folder / f"{name}.script"
        path.write_text("\n".join(lines))
        files[f"progressive-{name}"] = run(["jpegtran", "-scans", str(path)], photograph)
        path.unlink()
    for name in ["photograph", "flat-2x2-optimize"]:
        progressive = run(["jpegtran", "-progressive"], files[name])
        files[f"progressive-{name}"] = progressive
        files[f"progressive-{name}-last-byte"] = broken(progressive, 0.999)
        files[f"progressive-{name}-half"] = broken(progressive, 0.5)
        files[f"progressive-{name}-restarts-wrong"] = renumbered(
            run(["jpegtran", "-progressive", "-restart", "1"], progressive), 1000)
    for name, data in files.items():
        (folder / f"{name}.jpg").write_bytes(data)


if __name__ == "__main__":
    main()
