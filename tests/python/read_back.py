"""Reads what the command writes with the formats' own Python readers, and compares the formats with each other.

Usage: read_back.py JPEGDCT_BINARY FIXTURES_FOLDER
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import numpy
from safetensors import safe_open


def extract(binary, inputs, out, *flags):
    subprocess.run([binary, "extract", *inputs, "-o", out, *flags], check=True, stderr=subprocess.DEVNULL)
    lines = (pathlib.Path(out) / "manifest.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def check(binary, photos, folder, flags, dtype):
    """One recipe in both formats: same names, shapes, types and values. Returns the tensors by name."""
    npy, shards = folder / "npy", folder / "safetensors"
    entries = extract(binary, photos, npy, *flags)
    extract(binary, photos, shards, "--format", "safetensors", *flags)
    arrays = {}
    for entry in entries:
        assert entry["status"] == "ok", entry
        for output in entry["outputs"]:
            array = numpy.load(npy / output["path"], mmap_mode="r", allow_pickle=False)
            assert list(array.shape) == output["shape"], output
            if not output["name"].startswith("quant"):
                assert array.dtype == dtype, (array.dtype, dtype)
            arrays[entry["key"] + ("." + output["name"] if output["name"] else "")] = array
    seen = 0
    for shard in sorted(shards.glob("*.safetensors")):
        with safe_open(shard, framework="numpy") as tensors:
            assert json.loads(tensors.metadata()["recipe"])["kind"], "the recipe is in the header"
            for name in tensors.keys():
                assert numpy.array_equal(tensors.get_tensor(name), arrays[name]), name
                seen += 1
    assert seen == len(arrays) > 0, (seen, len(arrays))
    return arrays


def main():
    binary, fixtures = sys.argv[1:]
    photos = sorted(str(path) for path in pathlib.Path(fixtures, "photos").glob("*.jpg"))
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        plain = check(binary, photos, scratch / "f32", [], numpy.float32)
        half = check(binary, photos, scratch / "f16", ["--dtype", "f16"], numpy.float16)
        last = check(binary, photos, scratch / "hwc", ["--layout", "hwc", "--dtype", "i16"], numpy.int16)
        planes = check(binary, photos, scratch / "planes", ["--recipe", "planes"], numpy.float32)
        quantised = check(binary, photos, scratch / "quantised", ["--recipe", "quantised"], numpy.int16)
        for name, array in plain.items():
            assert array.shape[0] == 24
            assert numpy.abs(half[name].astype(numpy.float64) - array).max() <= numpy.abs(array).max() * 2.0**-11
            assert numpy.abs(last[name].transpose(2, 0, 1) - numpy.asarray(array)).max() <= 0.5
            # Channel 1 of native-24 is luma's (v, u) = (0, 1), which no map touches.
            assert numpy.array_equal(array[1], planes[name + ".y"][:, :, 0, 1]), name
            tables = quantised[name + ".quant_tables"]
            steps = quantised[name + ".y"].astype(numpy.float64) * tables[0]
            assert numpy.array_equal(steps, planes[name + ".y"]), name
        print(f"read back {len(plain)} photographs in 5 recipes and 2 formats")


if __name__ == "__main__":
    main()
