#!/usr/bin/env python3
"""Times DCTNet's released pipeline, step by step, beside `jpegdct bench` on the same files.

    bench_dctnet.py --jpegdct COMMAND [--repeat N] INPUT...

The two take turns (A B A B), each on one thread, in CPU time of that thread; figures are medians over the turns of the
mean over the images, in milliseconds. Files are in memory. Coefficients are read with jpeg2dct, as the released pipeline
does; that its tensor is the one of the golden files' reader is checked on every image before. It needs what
tools/golden/install installs.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import cv2
import numpy as np
from jpeg2dct.numpy import loads

sys.path.insert(0, str(Path(__file__).resolve().parent))

from golden import pipeline  # noqa: E402

ROWS = {"dctnet-24-f32": "jpegdct dctnet-24, f32, maps kept",
        "dctnet-24-f32-alone": "jpegdct dctnet-24, f32, maps made for each image"}
STEPS = ["decode", "resize, crop, double", "encode twice", "read coefficients twice", "normalise"]


def jpegdct(command, inputs):
    """The report of one pass of `jpegdct bench`."""
    done = subprocess.run([command, "bench", *inputs, "--json", "--repeat", "1", "--threads", "1", "--sample", "1000000"],
                          stdout=subprocess.PIPE, check=False)
    if done.returncode not in (0, 1) or not done.stdout:
        sys.exit(f"{command} bench failed with exit code {done.returncode}")
    return json.loads(done.stdout)


def files(inputs, left_out):
    """The bytes of the files that jpegdct measures."""
    paths = []
    for entry in map(Path, inputs):
        paths += sorted(p for p in entry.rglob("*") if p.is_file()) if entry.is_dir() else [entry]
    return [path.read_bytes() for path in paths if path.as_posix() not in left_out]


def statistics_of_channels():
    """(mean, standard deviation) of the 24 channels, shaped to broadcast."""
    published = json.loads(pipeline.CONSTANTS.read_text())["classification"]
    index = [64 * component + c for component, wanted in enumerate(pipeline.channels()) for c in wanted]
    return [np.array(published[key], np.float32)[index][:, None, None] for key in ("mean", "std")]


def read(encoded):
    """The tensor of the two files: luma of the first, chroma of the second."""
    luma, _, _ = loads(encoded[0])
    _, blue, red = loads(encoded[1])
    return pipeline.select([luma, blue, red])


def check(images, turbo):
    """The two readers give one tensor."""
    for data in images:
        encoded = pipeline.encode(turbo, pipeline.scaled(pipeline.decode(data)))
        if not np.array_equal(read(encoded), pipeline.read(encoded)):
            sys.exit("jpeg2dct and jpeglib give different tensors")


def one_turn(images, turbo, mean, std):
    """Seconds of each step, summed over the images."""
    spent = dict.fromkeys(STEPS, 0.0)
    for data in images:
        marks = [time.thread_time()]
        picture = pipeline.decode(data)
        marks.append(time.thread_time())
        pictures = pipeline.scaled(picture)
        marks.append(time.thread_time())
        encoded = pipeline.encode(turbo, pictures)
        marks.append(time.thread_time())
        tensor = read(encoded)
        marks.append(time.thread_time())
        tensor = (tensor.astype(np.float32) - mean) / std
        marks.append(time.thread_time())
        assert tensor.shape == (24, 56, 56)
        for step, start, end in zip(STEPS, marks, marks[1:]):
            spent[step] += end - start
    return spent


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jpegdct", required=True, metavar="COMMAND")
    parser.add_argument("--repeat", type=int, default=5, metavar="N")
    parser.add_argument("inputs", nargs="+", metavar="INPUT", help="JPEG files, or folders that hold nothing else")
    chosen = parser.parse_args()
    if chosen.repeat < 1:
        parser.error("--repeat must be 1 or more")

    cv2.setNumThreads(1)
    turbo = pipeline.encoder()
    first = jpegdct(chosen.jpegdct, chosen.inputs)
    images = files(chosen.inputs, {entry["path"] for entry in first["left_out"]})
    if not images or len(images) != first["images"]:
        sys.exit(f"{len(images)} files here, {first['images']} images for jpegdct: name files, or folders of JPEG files alone")
    mean, std = statistics_of_channels()
    check(images, turbo)
    one_turn(images[:20], turbo, mean, std)

    theirs, ours = [], []
    for _ in range(chosen.repeat):
        theirs.append(one_turn(images, turbo, mean, std))
        ours.append({row["id"]: 1 / row["images_per_s"] for row in jpegdct(chosen.jpegdct, chosen.inputs)["rows"]})

    def show(name, turns, base=None):
        milliseconds = 1000 * statistics.median(turns)
        ratio = f"{base / milliseconds:8.1f}" if base else ""
        print(f"{name:52}{milliseconds:10.3f}{ratio}")
        return milliseconds

    print(f"{len(images)} images, medians of {chosen.repeat} turns, CPU time of one thread; "
          f"{pipeline.versions()}, jpeg2dct-numpy {version('jpeg2dct-numpy')}\n")
    print(f"{'':52}{'ms/image':>10}{'times':>8}")
    for step in STEPS:
        show(f"  {step}", [turn[step] / len(images) for turn in theirs])
    total = show("DCTNet's pipeline", [sum(turn.values()) / len(images) for turn in theirs])
    for row, name in ROWS.items():
        show(name, [turn[row] for turn in ours], total)


if __name__ == "__main__":
    main()
