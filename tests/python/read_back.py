"""Reads what the command writes with the formats' own Python readers, and compares the formats with each other.

Usage: read_back.py JPEGDCT_BINARY FIXTURES_FOLDER
"""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import numpy
import webdataset
from safetensors import safe_open


def extract(binary, inputs, out, *flags):
    subprocess.run([binary, "extract", *inputs, "-o", out, *flags], check=True, stderr=subprocess.DEVNULL)
    lines = (pathlib.Path(out) / "manifest.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def check(binary, photos, folder, flags, dtype):
    """One recipe in all formats: same names, shapes, types and values. Returns the tensors by name."""
    npy, shards, tars = folder / "npy", folder / "safetensors", folder / "webdataset"
    entries = extract(binary, photos, npy, *flags)
    extract(binary, photos, shards, "--format", "safetensors", *flags)
    samples = extract(binary, photos, tars, "--format", "webdataset", "--shard-images", "2", *flags)
    arrays, by_output = {}, {}
    for entry in entries:
        assert entry["status"] == "ok", entry
        for output in entry["outputs"]:
            array = numpy.load(npy / output["path"], mmap_mode="r", allow_pickle=False)
            assert list(array.shape) == output["shape"], output
            if not output["name"].startswith("quant"):
                assert array.dtype == dtype, (array.dtype, dtype)
            arrays[entry["key"] + ("." + output["name"] if output["name"] else "")] = array
            by_output[entry["key"], output["name"]] = array
    seen = 0
    for shard in sorted(shards.glob("*.safetensors")):
        with safe_open(shard, framework="numpy") as tensors:
            assert json.loads(tensors.metadata()["recipe"])["kind"], "the recipe is in the header"
            for name in tensors.keys():
                assert numpy.array_equal(tensors.get_tensor(name), arrays[name]), name
                seen += 1
    assert seen == len(arrays) > 0, (seen, len(arrays))
    check_webdataset(tars, samples, by_output)
    return arrays


def check_webdataset(folder, entries, by_output):
    """Every tensor of the manifest is in the sample WebDataset makes of the shards, in the same order."""
    shards = sorted(str(path) for path in folder.glob("*.tar"))
    dataset = webdataset.WebDataset(shards, shardshuffle=False).decode()
    samples = list(dataset)
    assert len(samples) == len(entries), (len(samples), len(entries))
    for sample, entry in zip(samples, entries):
        assert sample["json"]["jpegdct"]["key"] == entry["key"], sample["__key__"]
        for output in entry["outputs"]:
            assert output["entry"].startswith(sample["__key__"] + ".")
            array = sample[output["entry"][len(sample["__key__"]) + 1:]]
            wanted = by_output[entry["key"], output["name"]]
            assert array.dtype == wanted.dtype and numpy.array_equal(array, wanted), output


def check_labels(binary, photos, folder):
    """Folders are classes; their labels survive two rounds of tar shards."""
    tree = folder / "tree"
    for number, photo in enumerate(photos):
        place = tree / ("dog" if number % 2 else "cat")
        place.mkdir(parents=True, exist_ok=True)
        shutil.copy(photo, place)
    extract(binary, [tree], folder / "first", "--format", "webdataset")
    found = [(s["cls"], s["json"]["jpegdct"]["class"]) for s in read_shards(folder / "first")]
    assert set(found) == {(0, "cat"), (1, "dog")} and len(found) == len(photos), found
    # The same photographs as a WebDataset of JPEGs, labels and captions; by gzip too.
    for ending in ["tar", "tar.gz"]:
        source = folder / f"images.{ending}"
        with webdataset.TarWriter(str(source)) as writer:
            for number, photo in enumerate(photos):
                caption = {"caption": f"photo {number}"}
                sample = {"__key__": f"{number:05d}", "jpg": pathlib.Path(photo).read_bytes(), "json": caption}
                writer.write({**sample, "cls": 10 + number})
        out = folder / f"second-{ending}"
        extract(binary, [source], out, "--format", "webdataset")
        for number, sample in enumerate(read_shards(out)):
            assert sample["cls"] == 10 + number and sample["json"]["caption"] == f"photo {number}", sample["json"]
        assert number + 1 == len(photos)


def read_shards(folder):
    shards = sorted(str(path) for path in folder.glob("*.tar"))
    return list(webdataset.WebDataset(shards, shardshuffle=False).decode())


def check_stack(binary, photos, folder):
    """The rows of a stack are the tensors of single files; parts merged are the stack."""
    flags = ["--recipe", "dctnet-24", "--dtype", "f16"]
    entries = extract(binary, photos, folder / "npy", *flags)
    extract(binary, photos, folder / "stack", "--format", "stack", *flags)
    for part in range(2):
        extract(binary, photos, folder / f"part-{part}", "--format", "stack", "--shard-of", f"{part}/2", *flags)
    merge = [binary, "merge", folder / "part-1", folder / "part-0", "-o", folder / "merged"]
    subprocess.run(merge, check=True, stderr=subprocess.DEVNULL)
    for name in ["stack", "merged"]:
        stack = numpy.load(folder / name / "stack.npy", mmap_mode="r", allow_pickle=False)
        rows = [json.loads(line) for line in (folder / name / "stack.jsonl").read_text().splitlines()]
        assert stack.shape == (len(photos), 24, 56, 56) and stack.dtype == numpy.float16
        assert [row["row"] for row in rows] == list(range(len(photos)))
        for row, entry in zip(rows, entries):
            assert row["key"] == entry["key"]
            assert numpy.array_equal(stack[row["row"]], numpy.load(folder / "npy" / entry["outputs"][0]["path"]))


def check_parquet(binary, photos, folder):
    """Rows come as Arrow's fixed-shape tensors with the values of single files; without the feature that is said."""
    flags = ["--recipe", "dctnet-24"]
    if not is_built(binary, photos, folder, "parquet"):
        return
    extract(binary, photos, folder / "parquet", "--format", "parquet", "--zstd", *flags)
    import pyarrow
    from pyarrow import parquet

    entries = extract(binary, photos, folder / "npy", *flags)
    shards = sorted((folder / "parquet").glob("*.parquet"))
    table = pyarrow.concat_tables([parquet.read_table(shard) for shard in shards])
    column = table.column("tensor")
    assert isinstance(column.type, pyarrow.FixedShapeTensorType) and list(column.type.shape) == [24, 56, 56]
    array = column.combine_chunks().to_numpy_ndarray()
    assert table.column("key").to_pylist() == [entry["key"] for entry in entries]
    for row, entry in zip(array, entries):
        assert numpy.array_equal(row, numpy.load(folder / "npy" / entry["outputs"][0]["path"]))
    print(f"parquet: {len(array)} rows read back")


def check_zarr(binary, photos, folder):
    """Rows are the tensors of single files, compressed or not, in one part or merged of two."""
    if not is_built(binary, photos, folder, "zarr"):
        return
    import zarr

    recipe = ["--recipe", "dctnet-24"]
    for dtype in ["f32", "f16", "i16"]:
        flags = [*recipe, "--dtype", dtype]
        entries = extract(binary, photos, folder / dtype / "npy", *flags)
        zarr_flags = ["--format", "zarr", "--shard-images", "2", *flags]
        extract(binary, photos, folder / dtype / "plain", *zarr_flags)
        extract(binary, photos, folder / dtype / "packed", "--zstd=7", *zarr_flags)
        for part in range(2):
            extract(binary, photos, folder / dtype / f"part-{part}", "--shard-of", f"{part}/2", *zarr_flags)
        parts = [folder / dtype / "part-0", folder / dtype / "part-1"]
        merge = [binary, "merge", *parts, "-o", folder / dtype / "merged"]
        subprocess.run(merge, check=True, stderr=subprocess.DEVNULL)
        for name in ["plain", "packed", "merged"]:
            array = zarr.open_array(folder / dtype / name / "tensors.zarr", mode="r")
            assert array.shape == (len(photos), 24, 56, 56) and array.chunks == (1, 24, 56, 56), array.info
            assert array.shards == (2, 24, 56, 56) and array.attrs["jpegdct"]["recipe"]["name"] == "dctnet-24"
            lines = (folder / dtype / name / "manifest.jsonl").read_text().splitlines()
            for line, entry in zip(lines, entries):
                row = int(json.loads(line)["outputs"][0]["entry"])
                wanted = numpy.load(folder / dtype / "npy" / entry["outputs"][0]["path"])
                assert array.dtype == wanted.dtype and numpy.array_equal(array[row], wanted)
    print(f"zarr: {len(photos)} rows of three types read back, plain, compressed and merged")


def is_built(binary, photos, folder, feature):
    """Whether a format is in this build; if not, that is what the command says."""
    command = [binary, "extract", photos[0], "-o", folder / "probe", "--format", feature, "--recipe", "dctnet-24"]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True)
    if done.returncode == 2 and f"without the feature {feature}" in done.stderr:
        print(f"{feature}: not in this build, not checked")
        return False
    assert done.returncode == 0, done.stderr
    return True


def check_stats(binary, photos, folder, plain):
    """Means and deviations are NumPy's, and extract takes the file."""
    folder.mkdir()
    for definition in ["pooled", "dctnet"]:
        path = folder / f"{definition}.json"
        command = [binary, "stats", *photos, "-o", path, "--recipe", "native-24", "--definition", definition]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
        found = json.loads(path.read_text())
        flat = [array.reshape(24, -1).astype(numpy.float64) for array in plain.values()]
        values = numpy.concatenate(flat, 1) if definition == "pooled" else numpy.stack([a.mean(1) for a in flat], 1)
        assert numpy.allclose(found["mean"], values.mean(1), rtol=1e-9, atol=1e-9)
        assert numpy.allclose(found["std"], values.std(1), rtol=1e-9, atol=1e-9)
        channel = found["per_channel"][1]
        all_values = numpy.concatenate([a[1] for a in flat])
        # On both sides of zero a value on an edge is in the outer bin.
        edges = [edge for edge in found["histogram_edges"] if edge > 0] + [numpy.inf]
        above, below = (numpy.histogram(sign * all_values, edges)[0].tolist() for sign in [1, -1])
        assert channel["histogram"] == below[::-1] + [len(all_values) - sum(above) - sum(below)] + above
        assert (channel["min"], channel["max"]) == (all_values.min(), all_values.max())
    out = folder / "normalised"
    for entry in extract(binary, photos, out, "--normalize", folder / "pooled.json"):
        statistics = json.loads((folder / "pooled.json").read_text())
        mean, std = (numpy.array(statistics[k])[:, None, None] for k in ["mean", "std"])
        array = numpy.load(out / entry["outputs"][0]["path"])
        assert numpy.allclose(array, (plain[entry["key"]] - mean) / std, rtol=1e-4, atol=1e-4)


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
        check_labels(binary, photos, scratch / "labels")
        check_stack(binary, photos, scratch / "stack")
        check_stats(binary, photos, scratch / "stats", plain)
        check_parquet(binary, photos, scratch / "parquet")
        check_zarr(binary, photos, scratch / "zarr")
        print(f"read back {len(plain)} photographs in 5 recipes and 4 formats; labels, parts and statistics")


if __name__ == "__main__":
    main()
