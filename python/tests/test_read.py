"""`read` and `inspect`: coefficients of whatever is given."""

import copy
import dataclasses
import io
import json
import mmap
import pathlib
import pickle
import subprocess

import numpy
import pytest
from conftest import FIXTURES, command

import jpegdct


def test_every_kind_of_source(photo, tmp_path):
    path = tmp_path / "photo.jpg"
    path.write_bytes(photo)
    wanted = jpegdct.read(photo).digest
    extractor = jpegdct.Extractor()
    tensor = extractor(photo)
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        sources = [str(path), path, bytearray(photo), memoryview(photo), numpy.frombuffer(photo, numpy.uint8), mapped]
        sources += [io.BytesIO(photo), open(path, "rb")]
        for source in sources:
            assert jpegdct.read(source).digest == wanted
            if hasattr(source, "seek"):
                source.seek(0)
            assert numpy.array_equal(extractor(source), tensor)
        sources[-1].close()
    for bad in [3, None, [photo], io.StringIO("text")]:
        with pytest.raises(TypeError):
            jpegdct.read(bad)


def test_a_file_is_read_to_its_end_but_not_beyond_the_limit(photo):
    class Endless:
        def read(self, size):
            assert 0 < size <= 11
            return b"\xff" * min(size, 4)

    # A read may give less than was asked for.
    class Slow(io.BytesIO):
        def read(self, size):
            return super().read(min(size, 1000))

    assert jpegdct.read(Slow(photo)).digest == jpegdct.read(photo).digest
    with pytest.raises(TypeError, match="binary mode"):
        jpegdct.read(io.StringIO("text"))
    with pytest.raises(jpegdct.LimitError) as caught:
        jpegdct.read(Endless(), limits={"file_bytes": 10})
    error = caught.value
    assert (error.which, error.found, error.limit) == ("file_bytes", 11, 10)


def test_fields(photo):
    image = jpegdct.read(photo)
    assert (image.width, image.height, image.precision, image.color) == (600, 400, 8, "ycbcr")
    assert (image.process, image.scans, image.orientation, image.restart_interval) == ("baseline", 1, 1, 0)
    assert [plane.name for plane in image] == ["y", "cb", "cr"] and len(image) == 3
    assert not image.is_damaged and image.warnings == ()
    luma = image[0]
    assert luma.values.shape == (50, 75, 8, 8) == (luma.blocks_high, luma.blocks_wide, 8, 8)
    assert luma.values.dtype == numpy.int16 and luma.quant_table.dtype == numpy.uint16
    wanted = luma.values.astype(numpy.int32) * luma.quant_table
    assert luma.dequantised().dtype == numpy.int32
    assert numpy.array_equal(luma.dequantised(), wanted) and numpy.array_equal(image.dequantised()[0], wanted)
    assert "600 x 400" in repr(image) and "75 x 50 blocks" in repr(luma)
    # DC is 8 x (mean - 128), and planes are those of the recipe `planes`.
    assert numpy.array_equal(jpegdct.Extractor("planes")(photo)["y"], wanted.astype(numpy.float32))


def test_the_digest_is_of_the_values_as_they_are(photo):
    luma = jpegdct.read(photo)[0]
    before = luma.digest
    luma.values[0, 0, 0, 0] += 1
    assert luma.digest != before
    luma.values[0, 0, 0, 0] -= 1
    assert luma.digest == before


def test_damage_is_refused_or_kept():
    path = FIXTURES / "damaged" / "bad-code.jpg"
    with pytest.raises(jpegdct.DamagedError) as caught:
        jpegdct.read(path)
    kept = jpegdct.read(path, damaged="keep")
    assert kept.is_damaged and "damaged" in repr(kept)
    first = next(warning for warning in kept.warnings if warning.is_damage)
    assert first.offset == caught.value.offset and first.message in str(caught.value)
    with pytest.raises(ValueError, match="damaged is"):
        jpegdct.read(path, damaged="perhaps")


COPIES = [copy.copy, copy.deepcopy] + [
    lambda thing, p=protocol: pickle.loads(pickle.dumps(thing, p)) for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1)
]


@pytest.mark.parametrize("again", COPIES)
def test_results_copy_and_pickle(again, photo):
    """All fields, and what is computed of them."""
    for image in [jpegdct.read(photo), jpegdct.read(FIXTURES / "damaged" / "bad-code.jpg", damaged="keep")]:
        made = again(image)
        assert type(made) is jpegdct.Coefficients and repr(made) == repr(image) and made.digest == image.digest
        assert (made.warnings, made.is_damaged) == (image.warnings, image.is_damaged)
        assert (made.scans, made.process, made.orientation) == (image.scans, image.process, image.orientation)
        for plane, wanted in zip(made, image):
            assert repr(plane) == repr(wanted) and (plane.width, plane.height) == (wanted.width, wanted.height)
            assert numpy.array_equal(plane.values, wanted.values)
            assert numpy.array_equal(plane.dequantised(), wanted.dequantised())
    for recipe in ["dctnet-24", "quantised"]:
        extraction = jpegdct.Extractor(recipe).extract(photo)
        made = again(extraction)
        assert type(made) is jpegdct.Extraction and repr(made) == repr(extraction)
        tensors = [one if isinstance(one, dict) else {"": one} for one in (made.tensor, extraction.tensor)]
        assert all(numpy.array_equal(tensors[0][name], tensor) for name, tensor in tensors[1].items())


def test_results_do_not_change(photo):
    image = jpegdct.read(photo)
    for thing, name in [(image, "width"), (image, "digest"), (image[0], "values")]:
        with pytest.raises(AttributeError):
            setattr(thing, name, None)
    assert image[-1] is image.planes[2] and image[1:] == image.planes[1:] and image == image != jpegdct.read(photo)
    with pytest.raises(ValueError, match="not contiguous"):
        dataclasses.replace(image[0], values=image[0].values[:, ::2]).digest
    with pytest.raises(ValueError, match="no quantisation table"):
        dataclasses.replace(image[0], quant_table=None).dequantised()
    with pytest.raises(TypeError):
        dataclasses.replace(image[0], values=image[0].values.astype(float)).digest


def test_inspect_says_what_the_command_says():
    paths = sorted(path for path in FIXTURES.rglob("*") if path.suffix in (".jpg", ".png"))
    done = subprocess.run([*command(), "inspect", "--json", *map(str, paths)], stdout=subprocess.PIPE, text=True)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(lines) == len(paths) > 250
    for path, line in zip(paths, lines):
        assert jpegdct.inspect(path) == line
        assert jpegdct.inspect(path.read_bytes()) == {**line, "path": ""}
    with pytest.raises(FileNotFoundError):
        jpegdct.inspect(pathlib.Path("there") / "is none")
