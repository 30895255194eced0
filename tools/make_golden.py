#!/usr/bin/env python3
"""Makes and checks fixtures/golden/: the tensors DCTNet's released pipeline gives for a few fixtures.

    make_golden.py --write    make them and list them in the manifest
    make_golden.py --check    make them again in memory and compare with those on disk
    make_golden.py --table    how near exact arithmetic comes, and how near other readings of the pipeline would

All three need what tools/make_golden installs. Exit code 1 if the check fails.
"""

import argparse
import io
import sys
from pathlib import Path

import numpy as np

TOOLS = Path(__file__).resolve().parent
sys.path.insert(0, str(TOOLS))

from fixturesets import golden as sets, manifest  # noqa: E402
from fixturesets.common import Fixture  # noqa: E402
from golden import model, pipeline  # noqa: E402

FIXTURES = TOOLS.parent / "fixtures"
MANIFEST = FIXTURES / "manifest.toml"
# An exact SNR below this would mean that the two do not take the same steps.
LEAST_SNR = 25


def sources():
    """(manifest entry of the fixture, what its tensor is for), in the order of the table."""
    listed = {entry["path"]: entry for entry in manifest.read_manifest(MANIFEST.read_text())}
    return [(listed[path], why) for path, why in sets.SOURCES.items()]


def make(entry, why):
    """The golden Fixture of a fixture."""
    path = FIXTURES / entry["path"]
    tensor = pipeline.tensor(path)
    snr = model.snr(tensor, model.tensor(path, entry.get("orientation", 1)))
    if snr < LEAST_SNR:
        raise ValueError(f"{entry['path']}: exact arithmetic reaches {snr:.2f} dB only")
    file = io.BytesIO()
    np.save(file, tensor)
    return Fixture(
        sets.path_of(entry["path"]), file.getvalue(), why, status=None, licence=entry["licence"],
        origin=f"{entry['path']} through the steps of DCTNet's released transform: {pipeline.versions()}",
        facts={"fixture": entry["path"], "fixture_sha256": entry["sha256"], "recipe": sets.RECIPE,
               "shape": list(tensor.shape), "exact_snr": round(float(snr), 2)})


def write():
    """Makes all, and puts their entries in the place of the old ones."""
    made = [make(entry, why) for entry, why in sources()]
    folder = FIXTURES / sets.FOLDER
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for fixture in made:
        (FIXTURES / fixture.path).write_bytes(fixture.data)
    others = [e for e in manifest.read_manifest(MANIFEST.read_text()) if not e["path"].startswith(sets.FOLDER)]
    MANIFEST.write_text(manifest.write_manifest(others + [manifest.entry_of(fixture) for fixture in made]))
    print(f"{len(made)} golden tensors written")


def check():
    """Names of tensors that a fresh making changes."""
    faults = []
    for entry, why in sources():
        fixture = make(entry, why)
        file = FIXTURES / fixture.path
        if not file.is_file() or file.read_bytes() != fixture.data:
            faults.append(f"differs: {fixture.path}")
    return faults


def table():
    """Prints the SNR of exact arithmetic and of variants, and the RMS difference of each channel."""
    variants = {"chroma repeated": {"upsample": model.nearest},
                "crop rounded down": {"offset": lambda length: (length - pipeline.CROP) // 2},
                "crop rounded up": {"offset": lambda length: (length - pipeline.CROP + 1) // 2}}
    for entry, _ in sources():
        path, orientation = FIXTURES / entry["path"], entry.get("orientation", 1)
        tensor, exact = pipeline.tensor(path), model.tensor(path, orientation)
        luma = len(pipeline.channels()[0])
        print(f"{entry['path']}: exact {model.snr(tensor, exact):.2f} dB (luma "
              f"{model.snr(tensor[:luma], exact[:luma]):.2f}, chroma {model.snr(tensor[luma:], exact[luma:]):.2f})")
        for name, changed in variants.items():
            print(f"  {name}: {model.snr(tensor, model.tensor(path, orientation, **changed)):.2f} dB")
        difference = exact - tensor
        print("  rms:", " ".join(f"{value:.2f}" for value in np.sqrt(np.mean(difference ** 2, axis=(1, 2)))))
        print("  mean:", " ".join(f"{value:.2f}" for value in np.mean(difference, axis=(1, 2))))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    mode = parser.add_mutually_exclusive_group(required=True)
    for name in ("write", "check", "table"):
        mode.add_argument(f"--{name}", action="store_true")
    chosen = parser.parse_args()
    if chosen.write:
        return write()
    if chosen.table:
        return table()
    faults = check()
    for fault in faults:
        print(fault, file=sys.stderr)
    print(f"{len(sets.SOURCES)} golden tensors, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
