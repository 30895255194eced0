"""Every fixture, under several recipes: the same bytes, and the same errors, as the Rust command's."""

import numpy
import pytest
from conftest import FIXTURES, extract

import jpegdct

RECIPES = {
    "native-24": [],
    "native-192": ["--dtype", "f16", "--chroma", "replicate", "--edge", "replicate"],
    "native-64": ["--dtype", "i16", "--layout", "hwc", "--damaged", "keep"],
    "dctnet-24": [],
    "planes": ["--damaged", "keep"],
    "quantised": [],
    "random": ["--damaged", "keep"],
}

RANDOM = """
channels = "24"
[geometry]
random_resized_crop = { size = 96 }
flip = 0.5
seed = 3
[photometric]
brightness = [0.5, 1.5]
cutout = { blocks = 3 }
"""


def extractor_for(name, flags, tmp_path):
    """What the flags say, in Python; and the flags themselves."""
    words = dict(zip(flags[::2], flags[1::2]))
    damaged = words.pop("--damaged", "refuse")
    fields = {flag[2:]: value for flag, value in words.items()}
    if name == "random":
        file = tmp_path / "random.toml"
        file.write_text(RANDOM)
        name = str(file)
    return name, jpegdct.Extractor(jpegdct.Recipe(name, **fields), damaged=damaged)


@pytest.mark.parametrize("name", RECIPES)
def test_every_fixture(name, tmp_path):
    flags = RECIPES[name]
    recipe, extractor = extractor_for(name, flags, tmp_path)
    entries = extract([FIXTURES], tmp_path / "out", "--recipe", recipe, *flags)
    assert len(entries) > 250
    good, sources, keys = 0, [], []
    for entry in entries:
        path = FIXTURES / entry["key"]
        sources.append(path)
        keys.append(entry["key"])
        try:
            extraction = extractor.extract(path.read_bytes(), key=entry["key"])
        except jpegdct.JpegError as error:
            assert (error.kind, str(error), error.offset) == tuple(
                entry["error"][field] for field in ("kind", "message", "offset")
            ), entry
            continue
        assert entry["error"] is None, entry
        compare(extraction.tensor, entry, tmp_path / "out")
        assert [str(warning) for warning in extraction.warnings] == entry["warnings"]
        assert extraction.saturated == entry["saturated"] and extraction.reencoded == entry["reencoded"]
        assert extraction.is_damaged == (entry["status"] == "damaged")
        good += 1
    assert good > 150
    # The same from paths, all at once.
    made = extractor.batch(sources, keys=keys, threads=3, on_error="none")
    assert len(made) == len(entries) and good == sum(one is not None for one in made)
    for tensor, entry in zip(made, entries):
        if tensor is not None:
            compare(tensor, entry, tmp_path / "out")


def compare(tensor, entry, folder):
    arrays = tensor if isinstance(tensor, dict) else {"": tensor}
    assert sorted(arrays) == sorted(output["name"] for output in entry["outputs"])
    for output in entry["outputs"]:
        wanted, found = numpy.load(folder / output["path"]), arrays[output["name"]]
        assert found.dtype == wanted.dtype and found.shape == wanted.shape, output
        assert found.tobytes() == wanted.tobytes(), output
        assert found.flags.c_contiguous and found.flags.writeable and found.flags.aligned


def manifest():
    """The fixtures' own manifest; the form is simple enough to read without a TOML reader (Python 3.9 has none)."""
    entries, entry = [], None
    for line in (FIXTURES / "manifest.toml").read_text().splitlines():
        if line.startswith("[["):
            entry = {}
            entries.append((line, entry))
        elif " = " in line and not line.startswith("#"):
            name, value = line.split(" = ", 1)
            entry[name] = value
    return [entry for kind, entry in entries if kind == "[[fixture]]"]


def text(value):
    return value.strip('"')


def strings(value):
    return [text(part.strip()) for part in value.strip("[]").split(",")]


def test_digests_are_the_writers_own():
    """The digests of the manifest come from the coefficients that were written, not from a decoder."""
    seen = 0
    for entry in manifest():
        if text(entry["status"]) != "ok" or "digests" not in entry:
            continue
        image = jpegdct.read(FIXTURES / text(entry["path"]))
        assert list(image.digest) == strings(entry["digests"]), entry["path"]
        assert (image.width, image.height) == (int(entry["width"]), int(entry["height"])), entry["path"]
        seen += 1
    assert seen > 150
