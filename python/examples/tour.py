"""A tour: a folder of photographs -> statistics -> tensors -> a picture of the planes; then the same from a
WebDataset shard.

    python python/examples/tour.py FOLDER OUT

The cells (`# %%`) run one by one in editors that know them.
"""

# %% Photographs
import io
import pathlib
import subprocess
import sys
import tarfile

import numpy

import jpegdct

folder, out = (pathlib.Path(argument) for argument in sys.argv[1:3])
out.mkdir(parents=True, exist_ok=True)
paths = sorted(path for path in folder.iterdir() if path.suffix == ".jpg")
print(f"{len(paths)} photographs")

# %% What a file holds: the quantised coefficients, as they are stored
image = jpegdct.read(paths[0])
print(image)
for plane in image:
    assert plane.quant_table is not None, "the file defines no table"
    print(f"  {plane}, DC step {plane.quant_table[0, 0]}, {(plane.values == 0).mean():.0%} zeros")
# The DC coefficient is 8 x (mean of the block - 128).
print(f"  mean of the first block: {image[0].dequantised()[0, 0, 0, 0] / 8 + 128:.1f}")

# %% Statistics of all channels, and the 24 that tell most
found = jpegdct.stats(list(paths), budget=24)
ranking = found["ranking"]
print(
    f"{found['images']} images; the best 24 channels: {ranking['channels']}, {ranking['energy_share']:.1%} of the energy"
)

# %% Tensors: those channels, resized and cropped on the coefficients, normalised by these figures
statistics = jpegdct.stats(list(paths), "native-24")
recipe = jpegdct.Recipe(
    "native-24",
    name="tour",
    geometry={"orient": True, "resize": {"short": 256}, "crop": {"center": 224}},
    normalize=statistics,
)
extractor = jpegdct.Extractor(recipe)
batch = extractor.batch(paths)
print(f"{recipe}: {batch.shape} {batch.dtype}, mean {batch.mean():.3f}, standard deviation {batch.std():.3f}")
assert batch.shape == (len(paths), 24, 28, 28)

# %% They are right: compared with the pixel path in 64-bit floating point
checked = jpegdct.verify(list(paths), recipe)
print(f"farthest from the exact tensor: {checked['summary']['max']:.1e} in units of coefficients")
assert checked["passed"]

# %% The planes as a picture, by the command that came with the package
picture = out / "planes.png"
subprocess.run([sys.executable, "-m", "jpegdct", "show", paths[0], "-o", picture], check=True)
print(f"the 24 planes of {paths[0].name}: {picture}")

# %% The same from a WebDataset shard: written here, read with nothing but tarfile
shard = out / "shard.tar"
with tarfile.open(shard, "w") as archive:
    for number, path in enumerate(paths):
        for extension, content in (("jpg", path.read_bytes()), ("cls", str(number % 2).encode())):
            entry = tarfile.TarInfo(f"{number:05}.{extension}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))

with tarfile.open(shard) as archive:
    files = {member.name: file.read() for member in archive if (file := archive.extractfile(member))}
images = [content for name, content in files.items() if name.endswith(".jpg")]
targets = numpy.array([int(content) for name, content in files.items() if name.endswith(".cls")])
again = extractor.batch(images)
assert numpy.array_equal(again, batch)
print(f"from {shard.name}: {again.shape}, targets {targets.tolist()}, the same numbers")
