"""Images a second in Python: this package beside the Rust loop and beside what else makes coefficients.

    cargo build --release -p jpegdct-python --example rust_loop
    pip install jpeglib "PyTurboJPEG<2" opencv-python-headless scipy        # those that are missing are left out
    python python/benches/speed.py FOLDER [--rounds 15] [--images 125] [--json FILE]

All take turns, round by round, in one run, images in memory (jpeglib, which reads only files: in /dev/shm). Figures
are medians over the rounds: of CPU time, so that other work on the machine counts little; for threads of wall clock
too, which it needs. The ratio of two is the median of their ratios in each round. cv2 and scipy make the tensor of
``native-24`` from decoded pixels: the same values up to the rounding of the pixels, which is checked before anything
is timed. PyTurboJPEG decodes to pixels, and jpeglib reads quantised coefficients: neither makes a tensor.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy

import jpegdct

ROOT = pathlib.Path(__file__).resolve().parents[2]


class RustLoop:
    """The Rust loop, in a process of its own that waits between its turns."""

    def __init__(self, recipe, files):
        binary = ROOT / "target" / "release" / "examples" / "rust_loop"
        self.process = subprocess.Popen(
            [binary, recipe, *files], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.turn()

    def cpu(self):
        return int(pathlib.Path(f"/proc/{self.process.pid}/schedstat").read_text().split()[0]) / 1e9

    def turn(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "done\n"

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def timed(work):
    """Seconds of CPU and of wall clock."""
    cpu = work.cpu if isinstance(work, RustLoop) else time.process_time
    run = work.turn if isinstance(work, RustLoop) else work
    cpu_before, wall_before = cpu(), time.perf_counter()
    run()
    return cpu() - cpu_before, time.perf_counter() - wall_before


def each(function, items):
    def run():
        for item in items:
            function(item)

    return run


def pixel_path(decode, forward):
    """The tensor of `native-24` from pixels: Y, Cb and Cr of the image, padded to whole blocks, transformed,
    selected."""
    channels = []
    for part in jpegdct.Recipe("native-24").channels.split(";"):
        name, _, places = part.partition(":")
        for place in places.split(","):
            first, _, last = place.partition("-")
            channels += [
                (("y", "cb", "cr").index(name), *divmod(c, 8)) for c in range(int(first), int(last or first) + 1)
            ]

    def tensor(data):
        planes = decode(data)
        high, wide = planes.shape[:2]
        planes = numpy.pad(planes, ((0, -high % 8), (0, -wide % 8), (0, 0)), "edge").astype(numpy.float32) - 128
        rows, columns = planes.shape[0] // 8, planes.shape[1] // 8
        spectra = [forward(planes[:, :, c].reshape(rows, 8, columns, 8).transpose(0, 2, 1, 3)) for c in range(3)]
        return numpy.stack([spectra[c][:, :, v, u] for c, v, u in channels])

    return tensor


def others(images, files):
    """What else is installed: name, work. Its tensors are compared with ours first."""
    found, extractor = [], jpegdct.Extractor(jpegdct.Recipe("native-24", edge="replicate"))

    def check(name, tensor):
        worst = max(numpy.abs(tensor(data) - extractor(data))[:, :-1, :-1].mean() for data in images[:10])
        assert worst < 2, f"{name} makes something else: {worst}"
        found.append((f"{name}, tensor of native-24", each(tensor, images)))

    try:
        import cv2
        import scipy.fft

        def decode(data):
            pixels = cv2.imdecode(numpy.frombuffer(data, numpy.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
            return cv2.cvtColor(pixels, cv2.COLOR_BGR2YCrCb)[:, :, [0, 2, 1]]

        def matrix(blocks):
            return basis @ blocks @ basis.T

        cv2.setNumThreads(1)
        basis = scipy.fft.dct(numpy.eye(8, dtype=numpy.float32), axis=0, norm="ortho")
        check(
            "cv2.imdecode + scipy.fft.dctn", pixel_path(decode, lambda b: scipy.fft.dctn(b, axes=(2, 3), norm="ortho"))
        )
        check("cv2.imdecode + numpy matrices", pixel_path(decode, matrix))

        def by_block(blocks):
            flat = numpy.ascontiguousarray(blocks).reshape(-1, 8, 8)
            return numpy.stack([cv2.dct(block) for block in flat]).reshape(blocks.shape)

        check("cv2.imdecode + cv2.dct", pixel_path(decode, by_block))
    except ImportError as error:
        print(f"left out: {error}", file=sys.stderr)
    try:
        import turbojpeg

        turbo = turbojpeg.TurboJPEG()
        found.append(("PyTurboJPEG decode, pixels only", each(turbo.decode, images)))
    except (ImportError, RuntimeError) as error:
        print(f"left out: {error}", file=sys.stderr)
    try:
        import jpeglib

        found.append(("jpeglib.read_dct, coefficients only", each(jpeglib.read_dct, files)))
    except ImportError as error:
        print(f"left out: {error}", file=sys.stderr)
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--images", type=int, default=125)
    parser.add_argument("--json", type=pathlib.Path)
    args = parser.parse_args()
    paths = sorted(path for path in args.folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg"))
    # Those whose tensor every contender can make.
    paths = [path for path in paths if jpegdct.inspect(path)["color"] == "ycbcr"][: args.images]
    images = [path.read_bytes() for path in paths]
    memory = tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
    files = [os.path.join(memory.name, f"{number}.jpg") for number in range(len(images))]
    for file, data in zip(files, images):
        pathlib.Path(file).write_bytes(data)

    rows, loops = [], []
    for recipe in ("native-24", "dctnet-24"):
        extractor = jpegdct.Extractor(recipe)
        loops.append(RustLoop(recipe, paths))
        rows.append((f"Rust loop, {recipe}", loops[-1]))
        rows.append((f"Extractor loop, {recipe}", each(extractor, images)))
        # What is kept needs new memory, which the system hands out page by page: a price of the list, not of the batch.
        rows.append((f"Extractor list, {recipe}", lambda e=extractor: [e(image) for image in images]))
        # A training loop keeps its array; a recipe without one size gives a list.
        out = numpy.zeros((len(images), *extractor.recipe.shape), numpy.float32) if extractor.recipe.shape else None
        for threads in (1, 2):
            work = lambda e=extractor, o=out, t=threads: e.batch(images, threads=t, out=o)  # noqa: E731
            rows.append((f"batch, {threads} thread{'s' * (threads > 1)}, {recipe}", work))
    rows.append(("read, quantised coefficients", each(jpegdct.read, images)))
    rows += others(images, files)
    took = {name: [] for name, _ in rows}
    for round_number in range(args.rounds + 1):
        for name, work in rows:
            seconds = timed(work)
            # The first round warms up.
            if round_number:
                took[name].append(seconds)
    for loop in loops:
        loop.close()

    def rate(name, clock):
        return len(images) / statistics.median(seconds[clock] for seconds in took[name])

    def ratio(fast, slow, clock):
        return statistics.median(b[clock] / a[clock] for a, b in zip(took[fast], took[slow]))

    size = sum(map(len, images)) / 1e6
    print(f"{len(images)} images, {size:.1f} MB; medians of {args.rounds} rounds, all taking turns\n")
    print(f"| | images a CPU second | images a second | of `{rows[1][0]}` |\n|---|---|---|---|")
    for name, _ in rows:
        print(f"| {name} | {rate(name, 0):.0f} | {rate(name, 1):.0f} | {ratio(name, rows[1][0], 0):.2f} |")
    print()
    result = {name: {"per_cpu_second": rate(name, 0), "per_second": rate(name, 1)} for name, _ in rows}
    for recipe in ("native-24", "dctnet-24"):
        loop = ratio(f"Extractor loop, {recipe}", f"Rust loop, {recipe}", 0)
        # CPU time says what two threads lose to each other; the clock also what the machine had to give.
        names = (f"batch, 2 threads, {recipe}", f"batch, 1 thread, {recipe}")
        wall, cpu = ratio(*names, 1), 2 * ratio(*names, 0)
        print(f"{recipe}: Python loop {loop:.3f} of Rust;", end=" ")
        print(f"2 threads {wall:.2f} times 1 by the clock, {cpu:.2f} by CPU time;", end=" ")
        like = "loop" if jpegdct.Recipe(recipe).shape else "list"
        batch = ratio(names[1], f"Extractor {like}, {recipe}", 0)
        print(f"batch on 1 thread {batch:.2f} of the {like}")
        result[recipe] = {
            "python_of_rust": loop,
            "threads_wall": wall,
            "threads_cpu": cpu,
            f"batch_of_{like}": batch,
        }
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    if args.json:
        args.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
