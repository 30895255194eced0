"""`jpegdct.torch`: data sets, workers, chance, and memory shared with NumPy."""

import io
import tarfile

import numpy
import pytest
from conftest import FIXTURES

import jpegdct

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from torch.utils.data import DataLoader  # noqa: E402

from jpegdct.torch import DctDataset, DctImageFolder, DctWebDataset, collate, training  # noqa: E402


def test_memory_is_shared(photo):
    extractor = jpegdct.Extractor("dctnet-24")
    for array in [extractor(photo), extractor.batch([photo] * 2), jpegdct.read(photo)[0].values]:
        for tensor in [torch.from_numpy(array), torch.from_dlpack(array)]:
            assert tensor.data_ptr() == array.__array_interface__["data"][0] and tensor.shape == array.shape
            assert numpy.shares_memory(tensor.numpy(), array)
        back = numpy.from_dlpack(tensor)
        assert numpy.shares_memory(back, array) and back.dtype == array.dtype
        wanted = array.copy()
        del array, back
        assert numpy.array_equal(tensor.numpy(), wanted)


def test_the_folder_is_torchvisions(tree):
    made = DctImageFolder(tree, "dctnet-24")
    assert made.classes == ["cat", "dog"] and made.class_to_idx == {"cat": 0, "dog": 1}
    extractor = jpegdct.Extractor("dctnet-24")
    assert len(made) == len(made.samples) == len(made.targets) > 4
    for (tensor, target), (path, wanted) in zip(made, made.samples):
        assert target == wanted and tensor.dtype == torch.float32
        assert numpy.array_equal(tensor.numpy(), extractor(path))
    torchvision = pytest.importorskip("torchvision", reason="torchvision is not installed")
    theirs = torchvision.datasets.ImageFolder(tree)
    assert (theirs.classes, theirs.class_to_idx, theirs.samples) == (made.classes, made.class_to_idx, made.samples)
    (tree / "empty").mkdir()
    for folder in [lambda: DctImageFolder(tree), lambda: torchvision.datasets.ImageFolder(tree)]:
        with pytest.raises(FileNotFoundError):
            folder()
    assert DctImageFolder(tree, allow_empty=True).classes == ["cat", "dog", "empty"]


@pytest.mark.parametrize("context", ["fork", "spawn"])
def test_workers(tree, context):
    made = DctImageFolder(tree, "dctnet-24")
    wanted = [tensor for tensor, _ in made]
    loader = DataLoader(made, batch_size=4, num_workers=2, collate_fn=collate, multiprocessing_context=context)
    found = list(loader)
    assert torch.equal(torch.cat([tensors for tensors, _ in found]), torch.stack(wanted))
    assert torch.cat([targets for _, targets in found]).tolist() == made.targets


def test_chance_follows_torch(tree):
    recipe = training("dctnet-24", photometric={"brightness": [0.5, 1.5]})
    assert recipe.shape == (24, 56, 56) and recipe.is_random
    made = DctImageFolder(tree, recipe)

    def epoch(workers=0):
        loader = DataLoader(made, batch_size=4, num_workers=workers, collate_fn=collate)
        return torch.cat([tensors for tensors, _ in loader])

    for workers in [0, 2]:
        torch.manual_seed(5)
        first, second = epoch(workers), epoch(workers)
        torch.manual_seed(5)
        again = epoch(workers)
        assert torch.equal(first, again) and not torch.equal(first, second)
    # Without chance the generator is left alone.
    torch.manual_seed(5)
    DctImageFolder(tree)[0]
    after = torch.randint(2**62, ())
    torch.manual_seed(5)
    assert torch.equal(after, torch.randint(2**62, ()))


def test_failures(photo):
    bad = FIXTURES / "damaged" / "bad-code.jpg"
    sources = [photo, bad, photo]
    with pytest.raises(jpegdct.DamagedError) as caught:
        list(DataLoader(DctDataset(sources, targets=[0, 1, 2]), num_workers=1))
    assert "bad-code" in str(caught.value)
    made = DctDataset(sources, targets=[0, 1, 2], on_error="none")
    ((tensors, targets),) = DataLoader(made, batch_size=3, collate_fn=collate)
    assert tensors.shape == (2, 24, 56, 56) and targets.tolist() == [0, 2]
    with pytest.raises(jpegdct.JpegError):
        collate([(None, 1)])
    for kept in [DctDataset([bad], damaged="keep"), DctDataset([bad], jpegdct.Extractor("dctnet-24", damaged="keep"))]:
        assert kept[0].shape == (24, 56, 56)
    with pytest.raises(TypeError, match="damaged"):
        DctDataset([bad], jpegdct.Extractor("dctnet-24"), damaged="keep")


def test_ragged_sizes(photos):
    made = DctDataset(photos, "native-24", targets=range(len(photos)), transform=lambda tensor: tensor[:6])
    ((tensors, targets),) = DataLoader(made, batch_size=len(photos), collate_fn=collate)
    assert isinstance(tensors, list) and targets.tolist() == list(range(len(photos)))
    assert [tensor.shape[0] for tensor in tensors] == [6] * len(photos)


@pytest.fixture
def shards(tmp_path, photos):
    paths = []
    for shard in range(4):
        path = tmp_path / f"{shard}.tar"
        with tarfile.open(path, "w") as archive:
            for number, photo in enumerate(photos):
                files = {"cls": str(10 * shard + number).encode(), "jpg": photo.read_bytes(), "json": b'{"a": 1}'}
                files = {} if number == 2 else files
                for extension, content in {**files, "txt": b"words"}.items():
                    entry = tarfile.TarInfo(f"./{shard}{number:03}.{extension}")
                    entry.size = len(content)
                    archive.addfile(entry, io.BytesIO(content))
        paths.append(str(path))
    return paths


def test_webdataset(shards, photos):
    kept = [number for number in range(len(photos)) if number != 2]
    wanted = [10 * shard + number for shard in range(4) for number in kept]
    plain = list(DctWebDataset(shards))
    assert [target for _, target in plain] == wanted
    assert numpy.array_equal(plain[0][0].numpy(), jpegdct.Extractor("dctnet-24")(photos[0]))
    sample = next(iter(DctWebDataset(shards[0], decode=False)))
    assert sample["cls"] == 0 and sample["json"] == {"a": 1} and sample["txt"] == b"words"
    assert sample["__key__"].endswith("0000") and sample["tensor"].shape == (24, 56, 56)
    for workers in [0, 2]:
        loader = DataLoader(DctWebDataset(shards), batch_size=3, num_workers=workers, collate_fn=collate)
        assert sorted(torch.cat([targets for _, targets in loader]).tolist()) == wanted
    shuffled = [target for _, target in DctWebDataset(shards, shuffle=5)]
    assert shuffled != wanted and sorted(shuffled) == wanted


def test_webdatasets_own_reader_takes_the_same_function(shards):
    webdataset = pytest.importorskip("webdataset", reason="webdataset is not installed")
    extractor = jpegdct.Extractor("dctnet-24")
    theirs = webdataset.WebDataset(shards, shardshuffle=False).select(lambda sample: "jpg" in sample)
    theirs = theirs.to_tuple("jpg", "cls").map_tuple(extractor, int)
    for (array, target), (tensor, wanted) in zip(theirs, DctWebDataset(shards)):
        assert target == wanted and numpy.array_equal(array, tensor.numpy())
