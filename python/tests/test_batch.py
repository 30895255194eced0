"""Batches: shapes, `out`, failures."""

import numpy
import pytest
from conftest import FIXTURES

import jpegdct


@pytest.fixture(scope="module")
def extractor():
    return jpegdct.Extractor("dctnet-24")


@pytest.mark.parametrize("threads", [None, 1, 2, 5])
def test_rows_are_single_results(extractor, photos, threads):
    sources = [path if number % 2 else path.read_bytes() for number, path in enumerate(photos * 3)]
    batch = extractor.batch(sources, threads=threads)
    assert batch.shape == (len(sources), 24, 56, 56) and batch.dtype == numpy.float32 and batch.flags.c_contiguous
    for row, source in zip(batch, sources):
        assert numpy.array_equal(row, extractor(source))


@pytest.mark.parametrize("dtype, kind", [("f32", numpy.float32), ("f16", numpy.float16), ("i16", numpy.int16)])
def test_out(photos, dtype, kind):
    extractor = jpegdct.Extractor(jpegdct.Recipe("dctnet-6", dtype=dtype))
    out = numpy.full((len(photos), 6, 56, 56), 7, kind)
    assert extractor.batch(photos, out=out) is out
    assert numpy.array_equal(out, extractor.batch(photos))
    views = [out[:-1], out[:, :, ::-1], numpy.asfortranarray(out), out[:, :5].copy(), out.reshape(len(out), -1)]
    for wrong in [*views, out[:, :0], out[0]]:
        with pytest.raises(ValueError):
            extractor.batch(photos, out=wrong)
    with pytest.raises(TypeError):
        extractor.batch(photos, out=out.astype(numpy.float64))
    out.flags.writeable = False
    with pytest.raises(ValueError):
        extractor.batch(photos, out=out)


def test_out_may_be_part_of_an_array(extractor, photo):
    whole = numpy.zeros((5, 24, 56, 56), numpy.float32)
    extractor.batch([photo, photo], out=whole[1:3])
    assert not whole[0].any() and not whole[3:].any()
    assert numpy.array_equal(whole[1], extractor(photo)) and numpy.array_equal(whole[2], whole[1])


def test_ragged_sizes_are_a_list(photos, photo):
    extractor = jpegdct.Extractor("native-24")
    batch = extractor.batch(photos, threads=2)
    assert isinstance(batch, list) and len({array.shape for array in batch}) > 1
    for array, path in zip(batch, photos):
        assert numpy.array_equal(array, extractor(path))
    same = extractor.batch([photo] * 3, threads=2)
    assert same.shape == (3, 24, 50, 75) and all(numpy.array_equal(row, extractor(photo)) for row in same)
    out = numpy.empty((2, 24, 50, 75), numpy.float32)
    assert extractor.batch([photo] * 2, out=out) is out and numpy.array_equal(out[1], same[0])
    with pytest.raises(ValueError, match="shape"):
        extractor.batch(photos, out=numpy.empty((len(photos), 24, 50, 75), numpy.float32))


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("odd", [0, 1, 7, None])
def test_likely_rows(photos, photo, odd, threads):
    """One image of another size, wherever it comes, or none: the arrays are what single calls give."""
    other = next(path for path in photos if jpegdct.inspect(path)["width"] != jpegdct.inspect(photo)["width"])
    extractor = jpegdct.Extractor("native-6")
    sources = [other if place == odd else photo for place in range(8)]
    batch = extractor.batch(sources, threads=threads)
    assert isinstance(batch, numpy.ndarray if odd is None else list) and len(batch) == 8
    for array, source in zip(batch, sources):
        assert numpy.array_equal(array, extractor(source))
    if odd is not None:
        # One array that is kept does not keep the others.
        assert all(array.base is None or array.base.size <= array.size for array in batch if hasattr(array.base, "size"))


def test_kinds_of_several_tensors(photos):
    extractor = jpegdct.Extractor("quantised")
    batch = extractor.batch(photos)
    assert isinstance(batch, list) and sorted(batch[0]) == ["cb", "cr", "quant_tables", "y"]
    assert batch[0]["quant_tables"].dtype == numpy.uint16
    with pytest.raises(ValueError, match="out"):
        extractor.batch(photos, out=numpy.empty((len(photos), 1), numpy.int16))


def test_the_first_failure_is_raised_whatever_the_threads(extractor, photo):
    bad = [FIXTURES / "damaged" / "bad-code.jpg", b"text", FIXTURES / "none.jpg"]
    sources = [photo] * 20 + [bad[0]] + [photo] * 3 + bad[1:]
    for threads in [1, 2, 4] * 5:
        with pytest.raises(jpegdct.DamagedError) as caught:
            extractor.batch(sources, threads=threads)
        assert caught.value.index == 20 and caught.value.path == str(bad[0])
    with pytest.raises(FileNotFoundError) as caught:
        extractor.batch([photo, bad[2]])
    assert caught.value.index == 1


def test_failures_are_none(extractor, photo):
    sources = [photo, b"text", FIXTURES / "none.jpg", photo]
    for one in [extractor, jpegdct.Extractor("native-24")]:
        batch = one.batch(sources, on_error="none", threads=2)
        assert [array is None for array in batch] == [False, True, True, False]
        assert numpy.array_equal(batch[3], one(photo))
    out = numpy.full((4, 24, 56, 56), 9, numpy.float32)
    batch = extractor.batch(sources, on_error="none", out=out)
    assert numpy.shares_memory(batch[0], out) and batch[1] is None
    # Also where half of it was made before the damage was found.
    sources[1] = FIXTURES / "damaged" / "bad-code.jpg"
    assert extractor.batch(sources, on_error="none", out=out)[1] is None
    assert not out[1:3].any() and numpy.array_equal(out[3], out[0]) and numpy.array_equal(out[0], extractor(photo))
    assert extractor.batch([b"", b""], on_error="none") == [None, None]


def test_empty_and_wrong(extractor, photo):
    assert extractor.batch([]).shape == (0, 24, 56, 56)
    assert jpegdct.Extractor("native-24").batch([]) == []
    with pytest.raises(ValueError, match="2 keys for 1"):
        extractor.batch([photo], keys=["a", "b"])
    with pytest.raises(ValueError, match="threads"):
        extractor.batch([photo], threads=0)
    with pytest.raises(TypeError):
        extractor.batch([photo, 3], on_error="none")


def test_a_batch_too_large_is_a_memory_error(extractor):
    with pytest.raises(MemoryError):
        extractor.batch([b""] * 3_000_000)


def test_dlpack_is_without_a_copy(extractor, photo):
    for array in [extractor(photo), extractor.batch([photo] * 2), jpegdct.read(photo)[0].values]:
        again = numpy.from_dlpack(array)
        assert numpy.shares_memory(array, again) and array.__dlpack_device__()[0] == 1
        # Memory that its owner gave up is kept.
        wanted = array.copy()
        del array
        assert numpy.array_equal(again, wanted)
