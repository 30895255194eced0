#!/usr/bin/env python3
"""Extract many files, kill a worker at a random moment, resume it, and compare with a run that nothing interrupted.

    tools/killed_run.py FOLDER [--files 100000] [--workers 2] [--kills 1] [--work DIR] [-- FLAGS OF extract]

The images of FOLDER become as many files as asked for, under other names (hard links where the disk can). Workers share
them by --shard-of and write WebDataset shards. Then: every file of both runs has the same bytes, the manifests name every
input once and in order, every output they name is in its shard, and `merge` takes the parts together. Prints the peak memory
of each process, on Linux. Needs Python 3.9 and a jpegdct (--binary, default target/release/jpegdct); exit code 1 if anything differs.
"""
import argparse
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from pathlib import Path


def make_inputs(source: Path, target: Path, count: int) -> None:
    images = sorted(path for path in source.rglob("*") if path.is_file() and path.suffix.lower() in (".jpg", ".jpeg"))
    if not images:
        sys.exit(f"no JPEGs below {source}")
    target.mkdir(parents=True)
    # A link needs the same disk, and a file takes 65,000 of them at most.
    own = target.parent / "photos"
    own.mkdir()
    for number in range(count):
        place = number % len(images)
        copy = own / f"{place:06}-{number // len(images) // 60_000}.jpg"
        if not copy.exists():
            shutil.copyfile(images[place], copy)
        name = target / f"photo-{number:07}.jpg"
        try:
            os.link(copy, name)
        except OSError:
            shutil.copyfile(copy, name)


class Worker:
    """One process: its part of the work, killed when it has run so long, if it is to be killed."""

    def __init__(self, command: list, out: Path, inputs: Path, part: int, parts: int, flags: list):
        split = ["--shard-of", f"{part}/{parts}"] if parts > 1 else []
        fixed = ["--format", "webdataset", "--resume"]
        self.command = [*command, "extract", str(inputs), "-o", str(out / str(part)), *fixed, *split, *flags]
        self.peak = 0

    def run(self, kill_after=None) -> bool:
        """Whether it ended by itself."""
        process = subprocess.Popen(self.command, stderr=subprocess.PIPE, text=True)
        said = []
        reader = threading.Thread(target=lambda: said.extend(process.stderr))
        reader.start()
        timer = threading.Timer(kill_after, process.kill) if kill_after is not None else None
        if timer:
            timer.start()
        while process.poll() is None:
            self.look(process.pid)
            time.sleep(0.02)
        if timer:
            timer.cancel()
        reader.join()
        if process.returncode not in (0, -9):
            sys.exit(f"{' '.join(self.command)}\n{''.join(said)}exit code {process.returncode}")
        return process.returncode == 0

    def look(self, pid: int) -> None:
        """Of a process that has ended the system tells a peak that counts this one's, which it was forked from."""
        try:
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        except OSError:
            return
        peak = [int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")]
        self.peak = max([self.peak, *peak])


def run_all(workers: list, kills: dict) -> float:
    """Runs all at once; `kills` says after how many seconds a worker is killed, once or more often."""

    def one(number: int) -> None:
        for moment in kills.get(number, []):
            if workers[number].run(kill_after=moment):
                print(f"  worker {number} was done before it was to be killed")
                return
            print(f"  worker {number} killed after {moment:.1f} s")
        workers[number].run()

    begun = time.monotonic()
    threads = [threading.Thread(target=one, args=(number,)) for number in range(len(workers))]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    return time.monotonic() - begun


def digests(folder: Path) -> dict:
    found = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest = hashlib.sha256()
        with open(path, "rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
        found[str(path.relative_to(folder))] = digest.hexdigest()
    return found


def check_manifest(folder: Path, names: list) -> None:
    """Every input has its line, in order, and every output of it is there."""
    members = {}
    with open(folder / "manifest.jsonl") as lines:
        entries = [json.loads(line) for line in lines]
    assert [Path(entry["path"]).name for entry in entries] == names, f"{folder}: the manifest does not name every input once"
    for entry in entries:
        assert entry["outputs"], f"{entry['path']} has no output: {entry['error']}"
        for output in entry["outputs"]:
            shard = output["path"]
            if shard not in members:
                with tarfile.open(folder / shard) as tar:
                    members[shard] = set(tar.getnames())
            assert output["entry"] in members[shard], f"{output['entry']} is not in {shard}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--kills", type=int, default=1)
    parser.add_argument("--seed", type=int, help="makes the moments of the kills the same again")
    parser.add_argument("--work", type=Path, help="a folder for inputs and outputs; by default a temporary one")
    parser.add_argument("--binary", default="target/release/jpegdct")
    own, flags = sys.argv[1:], []
    if "--" in own:
        own, flags = own[: own.index("--")], own[own.index("--") + 1 :]
    args = parser.parse_args(own)
    dice = random.Random(args.seed)
    with tempfile.TemporaryDirectory(dir=args.work) as work:
        work = Path(work)
        inputs = work / "in"
        make_inputs(args.folder, inputs, args.files)
        workers = {
            out: [Worker([args.binary], work / out, inputs, part, args.workers, flags) for part in range(args.workers)]
            for out in ("whole", "killed")
        }
        print(f"{args.files} files, {args.workers} workers: without interruption")
        took = run_all(workers["whole"], {})
        print(f"  {took:.1f} s, {args.files / took:.0f} images/s")
        victim = dice.randrange(args.workers)
        moments = [took * dice.uniform(0.05, 0.9) / args.kills for _ in range(args.kills)]
        print(f"again, worker {victim} to be killed")
        took = run_all(workers["killed"], {victim: moments})
        print(f"  {took:.1f} s")
        for out, of in workers.items():
            print(f"  peak memory, {out}: " + ", ".join(f"{worker.peak / 1e6:.1f} MB" for worker in of))
        whole, killed = digests(work / "whole"), digests(work / "killed")
        differ = sorted(name for name in whole.keys() | killed.keys() if whole.get(name) != killed.get(name))
        if differ:
            sys.exit(f"{len(differ)} files differ: {', '.join(differ[:10])}")
        print(f"all {len(whole)} files are the same")
        parts = [str(work / "killed" / str(part)) for part in range(args.workers)]
        subprocess.run([args.binary, "merge", *parts, "-o", str(work / "merged")], check=True)
        check_manifest(work / "merged", sorted(path.name for path in inputs.iterdir()))
        counts = json.loads((work / "merged" / "dataset.json").read_text())["counts"]
        assert counts["ok"] == args.files, counts
        print(f"merged: {counts['inputs']} inputs, {counts['ok']} ok; every one is in the manifest once, and in its shard")


if __name__ == "__main__":
    main()
