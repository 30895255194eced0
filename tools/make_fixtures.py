#!/usr/bin/env python3
"""Makes and checks fixtures/: the JPEG files (and a few that are not) that the tests read.

    make_fixtures.py --check      every file is listed with its SHA-256 and nothing else is there (standard library only)
    make_fixtures.py --rebuild    the writer-made files, made again in memory, equal those on disk (standard library only)
    make_fixtures.py --writer     write the writer-made files; keep those of other encoders (standard library only)
    make_fixtures.py --all        write everything; needs the encoders that tools/make_fixtures installs

Golden tensors are kept as they are: tools/make_golden makes them. So are findings, which nothing makes. If their fixtures change, --check says so.
Exit code 1 if a check fails.
"""

import argparse
import hashlib
import sys
from pathlib import Path

TOOLS = Path(__file__).resolve().parent
sys.path.insert(0, str(TOOLS))

from fixturesets import (colour, damaged, encoders, exif, findings, golden, manifest, other_formats,  # noqa: E402
                         photos, progressive, refused, restart, sampling, sequential, special, tables)

FIXTURES = TOOLS.parent / "fixtures"
MANIFEST = FIXTURES / "manifest.toml"
WRITER_SETS = (sequential, progressive, sampling, colour, restart, tables, exif, special, damaged, refused)
OTHER_SETS = (encoders, other_formats, photos)
KEPT_SETS = (golden, findings)  # made by a tool of their own, or by no tool
UNLISTED = {"manifest.toml", "README.md"}


def make(sets):
    """path -> Fixture for every fixture of these sets; a path may appear once."""
    made = {}
    for module in sets:
        for fixture in module.fixtures():
            if fixture.path in made:
                raise ValueError(f"two fixtures named {fixture.path}")
            made[fixture.path] = fixture
    return made


def check():
    """Names of files that are missing, unlisted, or not what the manifest says."""
    entries = manifest.read_manifest(MANIFEST.read_text())
    listed = {entry["path"]: entry["sha256"] for entry in entries}
    present = {p.relative_to(FIXTURES).as_posix() for p in FIXTURES.rglob("*") if p.is_file()} - UNLISTED
    faults = [f"not listed: {path}" for path in sorted(present - set(listed))]
    faults += [f"missing: {path}" for path in sorted(set(listed) - present)]
    for path in sorted(present & set(listed)):
        if hashlib.sha256((FIXTURES / path).read_bytes()).hexdigest() != listed[path]:
            faults.append(f"changed: {path}")
    return faults + golden.faults(entries), len(listed)


def rebuild():
    """Names of writer-made files (or manifest entries) that differ from a fresh making."""
    listed = {entry["path"]: entry for entry in manifest.read_manifest(MANIFEST.read_text())}
    made = make(WRITER_SETS)
    faults = []
    for path, fixture in made.items():
        file = FIXTURES / path
        if not file.is_file() or file.read_bytes() != fixture.data:
            faults.append(f"differs: {path}")
        elif listed.get(path) != manifest.entry_of(fixture):
            faults.append(f"manifest entry differs: {path}")
    return faults, len(made)


def write(with_others):
    """Write the fixtures and the manifest; golden tensors are kept, files of other encoders unless `with_others`."""
    made = make(WRITER_SETS + (OTHER_SETS if with_others else ()))
    kept = []
    if MANIFEST.exists():
        folders = tuple(module.FOLDER for module in KEPT_SETS + (() if with_others else OTHER_SETS))
        kept = [e for e in manifest.read_manifest(MANIFEST.read_text()) if e["path"].startswith(folders)]
    keep = UNLISTED | set(made) | {entry["path"] for entry in kept}
    for old in FIXTURES.rglob("*"):
        if old.is_file() and old.relative_to(FIXTURES).as_posix() not in keep:
            old.unlink()
    for path, fixture in made.items():
        (FIXTURES / path).parent.mkdir(parents=True, exist_ok=True)
        (FIXTURES / path).write_bytes(fixture.data)
    MANIFEST.write_text(manifest.write_manifest([manifest.entry_of(f) for f in made.values()] + kept))
    return len(made) + len(kept)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    mode = parser.add_mutually_exclusive_group(required=True)
    for name in ("check", "rebuild", "writer", "all"):
        mode.add_argument(f"--{name}", action="store_true")
    chosen = parser.parse_args()
    if chosen.writer or chosen.all:
        print(f"{write(chosen.all)} fixtures written")
        return 0
    faults, count = check() if chosen.check else rebuild()
    for fault in faults:
        print(fault, file=sys.stderr)
    print(f"{count} fixtures, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
