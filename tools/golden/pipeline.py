"""DCTNet's validation transform for ResNet-50, step by step in 8-bit pixels: JPEG file -> (24, 56, 56) coefficients.

What enters: the path of a JPEG. What leaves: int16, not normalised. The steps and their parameters are those of the
released transforms (Xu et al., "Learning in the Frequency Domain", CVPR 2020); coefficients are read with jpeglib.
"""

import json
import tempfile
from pathlib import Path

import cv2
import jpeglib
import numpy as np
from turbojpeg import TJSAMP_420, TurboJPEG

SHORT_SIDE, CROP = 512, 448
CONSTANTS = Path(__file__).resolve().parents[2] / "src" / "recipe" / "dctnet.json"


def channels():
    """The 24 channels: frequencies c = 8 * v + u of Y, of Cb and of Cr."""
    chosen = json.loads(CONSTANTS.read_text())["channel_sets"]["24"]
    return chosen["y"], chosen["cb"], chosen["cr"]


def resized(height, width):
    """The size after Resize(512): the short side is 512, the long one keeps the ratio, rounded down."""
    if min(height, width) == SHORT_SIDE:
        return height, width
    if width < height:
        return int(SHORT_SIDE * height / width), SHORT_SIDE
    return SHORT_SIDE, int(SHORT_SIDE * width / height)


def crop_offset(length):
    """Where CenterCrop(448) starts. Python's round: halves go to the even neighbour."""
    return int(round((length - CROP) * 0.5))


def dequantised(source):
    """(block rows, block columns, 8, 8) of each of the three components of a JPEG: a path, or bytes."""
    if isinstance(source, bytes):
        with tempfile.NamedTemporaryFile(suffix=".jpg") as file:
            file.write(source)
            file.flush()
            return dequantised(file.name)
    image = jpeglib.read_dct(str(source))
    if image.num_components != 3:
        raise ValueError(f"{source}: {image.num_components} components")
    return [plane.astype(np.int32) * image.qt[image.quant_tbl_no[index]].astype(np.int32)
            for index, plane in enumerate((image.Y, image.Cb, image.Cr))]


def select(planes):
    """The tensor of three (56, 56, 8, 8) planes."""
    return np.stack([plane.reshape(*plane.shape[:2], 64)[:, :, c]
                     for plane, wanted in zip(planes, channels()) for c in wanted])


def decode(data):
    """8-bit BGR of the bytes of a JPEG, turned upright by the EXIF orientation."""
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)


def scaled(picture):
    """The crop, and the same at twice the size, so that 4:2:0 leaves chroma on the block grid of the luma of the crop."""
    height, width = resized(*picture.shape[:2])
    if picture.shape[:2] != (height, width):
        picture = cv2.resize(picture, dsize=(width, height), interpolation=cv2.INTER_LINEAR)
    top, left = crop_offset(height), crop_offset(width)
    picture = picture[top:top + CROP, left:left + CROP].copy()
    return picture, cv2.resize(picture, dsize=(2 * CROP, 2 * CROP), interpolation=cv2.INTER_LINEAR)


def encoder():
    """The encoder, to be made once."""
    return TurboJPEG("libturbojpeg.so.0")


def encode(turbo, pictures):
    """The two JPEG files the coefficients are read from."""
    return [turbo.encode(picture, quality=100, jpeg_subsample=TJSAMP_420) for picture in pictures]


def read(files):
    """The tensor, of the luma of the first file and the chroma of the second."""
    luma, _, _ = dequantised(files[0])
    _, blue, red = dequantised(files[1])
    return select([luma, blue, red])


def tensor(path):
    """The golden tensor of a JPEG file."""
    made = read(encode(encoder(), scaled(decode(Path(path).read_bytes()))))
    if np.abs(made).max() > np.iinfo(np.int16).max:
        raise OverflowError(f"{path}: a coefficient beyond int16")
    return made.astype("<i2")


def versions():
    """The libraries the tensor went through."""
    from importlib.metadata import version
    decoder = next(line.split("ver ")[1].split(")")[0] for line in cv2.getBuildInformation().splitlines()
                   if line.strip().startswith("JPEG:"))
    return (f"OpenCV {cv2.__version__} (libjpeg-turbo {decoder}), PyTurboJPEG {version('PyTurboJPEG')} "
            f"(libjpeg-turbo {turbo_version()}), jpeglib {version('jpeglib')}")


def turbo_version():
    """The version of libturbojpeg, as the package manager states it; the library itself does not tell."""
    import subprocess
    found = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", "libturbojpeg0"], stdout=subprocess.PIPE, text=True)
    return found.stdout.strip() or "unknown"
