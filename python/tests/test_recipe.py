"""Recipes: made in every way, compared, kept."""

import copy
import json
import pickle
import types

import numpy
import pytest

import jpegdct
from jpegdct import Recipe


def test_presets():
    assert {"native-24", "dctnet-24", "planes", "quantised"} <= set(Recipe.presets())
    for name in Recipe.presets():
        recipe = Recipe.preset(name)
        assert recipe == Recipe(name) and recipe.name == name and name in repr(recipe)
        assert Recipe.from_json(recipe.to_json()) == recipe == Recipe(recipe.to_dict()) == Recipe(recipe)
        assert Recipe(types.MappingProxyType(recipe.to_dict())) == recipe
        assert pickle.loads(pickle.dumps(recipe)) == copy.copy(recipe) == copy.deepcopy(recipe) == recipe
        assert hash(recipe) == hash(Recipe.preset(name)) and not recipe.is_random
    assert Recipe("dctnet-24").shape == (24, 56, 56) and Recipe("native-24").shape is None
    assert (Recipe("planes").kind, Recipe("native-6").num_channels) == ("planes", 6)


def test_fields_and_files(tmp_path):
    text = 'channels = "6"\ndtype = "f16"\n[geometry]\nresize = { short = 64 }\ncrop = { center = 48 }\n'
    (tmp_path / "mine.toml").write_text(text)
    recipe = Recipe(channels=6, dtype="f16", geometry={"resize": {"short": 64}, "crop": {"center": 48}})
    assert recipe == Recipe.from_toml(text) == Recipe(tmp_path / "mine.toml") == Recipe(str(tmp_path / "mine.toml"))
    assert recipe.shape == (6, 6, 6) and recipe.replace(layout="hwc").shape == (6, 6, 6)
    other = recipe.replace(name="mine", orient=True, chroma="replicate")
    assert other.name == "mine" and other != recipe and other.to_dict()["geometry"]["orient"] is True
    assert other.replace(orient=False, chroma="triangle").hash == recipe.hash
    assert recipe.replace(geometry={"flip": 0.5}).is_random
    assert recipe.channels.startswith("y:") and recipe.layout == "chw"


def test_what_cannot_be():
    for wrong in [
        {"base": "native-25"},
        {"colour": 1},
        {"dtype": "f64"},
        {"layout": "blocks"},
        {"channels": "y:64"},
        {"geometry": {"rotate": 45}},
        {"normalize": "no such file"},
        {"normalize": {"mean": [1.0], "std": [0.0]}},
    ]:
        with pytest.raises(jpegdct.RecipeError):
            Recipe(**wrong)
    assert issubclass(jpegdct.RecipeError, ValueError)
    with pytest.raises(TypeError):
        Recipe(3)
    with pytest.raises(jpegdct.RecipeError):
        jpegdct.Extractor("native-25")
    with pytest.raises(AttributeError):
        Recipe().name = "x"


def test_statistics_normalise(photos):
    found = jpegdct.stats([str(path) for path in photos], "native-24", threads=2)
    assert found["images"] == len(photos) and found["failed"] == 0
    plain, normal = jpegdct.Extractor("native-24"), jpegdct.Extractor(Recipe("native-24", normalize=found))
    arrays = [plain(path) for path in photos]
    pooled = numpy.concatenate([array.reshape(24, -1) for array in arrays], 1).astype(numpy.float64)
    assert numpy.allclose(found["mean"], pooled.mean(1)) and numpy.allclose(found["std"], pooled.std(1))
    wanted = (arrays[0] - pooled.mean(1)[:, None, None]) / pooled.std(1)[:, None, None]
    assert numpy.allclose(normal(photos[0]), wanted, atol=1e-4)


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda extractor: pickle.loads(pickle.dumps(extractor))])
def test_extractors_copy_and_pickle(again, photo):
    extractor = jpegdct.Extractor(
        Recipe("dctnet-24", dtype="f16"), damaged="keep", reencode=False, limits={"pixels": 10**7}
    )
    again = again(extractor)
    for name in ("recipe", "damaged", "reencode", "limits"):
        assert getattr(again, name) == getattr(extractor, name)
    assert again.limits["pixels"] == 10**7 and "dctnet-24" in repr(again)
    assert numpy.array_equal(again(photo), extractor(photo))


def test_keys_decide_what_is_drawn(photo, tmp_path):
    extractor = jpegdct.Extractor(Recipe("dctnet-24", geometry={"random_resized_crop": {"size": 64}, "seed": 1}))
    first, second = extractor(photo, key="a"), extractor(photo, key="b")
    assert numpy.array_equal(first, extractor(photo, key="a")) and not numpy.array_equal(first, second)
    batch = extractor.batch([photo, photo], keys=["a", "b"])
    assert numpy.array_equal(batch[0], first) and numpy.array_equal(batch[1], second)
    path = tmp_path / "photo.jpg"
    path.write_bytes(photo)
    # A path is its own key, as in the command: without the leading slash.
    assert numpy.array_equal(extractor(path), extractor(photo, key=str(path).lstrip("/")))
    assert json.loads(extractor.recipe.to_json())["geometry"]["seed"] == 1
