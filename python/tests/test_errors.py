"""Errors: a class each, with numbers; none is lost between processes."""

import copy
import errno
import pickle
import types

import pytest
from conftest import FIXTURES

import jpegdct


def caught(source, **options):
    with pytest.raises(jpegdct.JpegError) as caught:
        jpegdct.Extractor("native-24", **options)(source)
    return caught.value


@pytest.mark.parametrize(
    "file, options, kind",
    [
        ("refused/baseline-12-bit.jpg", {}, jpegdct.MalformedError),
        ("refused/differential-lossless.jpg", {}, jpegdct.UnsupportedError),
        ("photos/coffee-420.jpg", {"limits": {"pixels": 1000}}, jpegdct.LimitError),
        ("not_jpeg/html.jpg", {}, jpegdct.NotJpegError),
        ("damaged/bad-code.jpg", {}, jpegdct.DamagedError),
        ("color/cmyk-adobe-0.jpg", {"reencode": False}, jpegdct.MismatchError),
    ],
)
def test_classes(file, options, kind):
    path = FIXTURES / file
    error = caught(path, **options)
    assert type(error) is kind and issubclass(kind, jpegdct.JpegError)
    assert error.path == str(path) and str(error).startswith(str(path))
    if kind in (jpegdct.MalformedError, jpegdct.UnsupportedError, jpegdct.DamagedError):
        assert 0 < error.offset <= path.stat().st_size
    if kind is jpegdct.LimitError:
        assert (error.which, error.found, error.limit) == ("pixels", 240000, 1000)
    if kind is jpegdct.NotJpegError:
        assert error.format == "unknown content"
    without = caught(path.read_bytes(), **options)
    assert without.path is None and f"{path}: {without}" == str(error)
    for again in [pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)]:
        assert type(again) is kind and str(again) == str(error) and vars(again) == vars(error)
    assert jpegdct.Extractor("native-24", **options)(path, on_error="none") is None


def test_a_picture_that_cannot_be_decoded(tmp_path):
    path = tmp_path / "cut.png"
    path.write_bytes(next(FIXTURES.glob("other_formats/*.png")).read_bytes()[:60])
    assert type(caught(path)) is jpegdct.ReencodeError


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        jpegdct.read(tmp_path / "none.jpg")
    assert caught.value.errno == errno.ENOENT and caught.value.filename == str(tmp_path / "none.jpg")
    with pytest.raises(IsADirectoryError):
        jpegdct.Extractor()(tmp_path)
    assert jpegdct.Extractor()(tmp_path, on_error="none") is None


def test_a_wrong_call_is_no_failure_of_an_image():
    extractor = jpegdct.Extractor()
    with pytest.raises(TypeError):
        extractor(3, on_error="none")
    with pytest.raises(ValueError, match="on_error"):
        extractor(b"", on_error="perhaps")
    assert jpegdct.Extractor(limits=types.MappingProxyType({"pixels": 7})).limits["pixels"] == 7
    with pytest.raises(ValueError, match='no limit is named "pixel"; there are pixels, memory, '):
        jpegdct.Extractor(limits={"pixel": 1})
    with pytest.raises(OverflowError):
        jpegdct.Extractor(limits={"pixels": -1})
