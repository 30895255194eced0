"""JPEG files to tensors of DCT coefficients, for frequency-domain networks, without ever making a pixel.

>>> import jpegdct
>>> extractor = jpegdct.Extractor("dctnet-24")                  # a preset, a recipe file, or Recipe(...)
>>> tensor = extractor("photo.jpg")                             # float32 array (24, 56, 56)
>>> batch = extractor.batch([first, second, third])             # (3, 24, 56, 56), on all processors
>>> image = jpegdct.read("photo.jpg")                           # the quantised coefficients themselves
>>> image.planes[0].values.shape                                # (block rows, block columns, 8, 8), int16

Scale: a dequantised coefficient is that of an orthonormal 8 x 8 DCT-II of (sample - 128). Arrays are NumPy's, made
without a copy; through DLPack torch, JAX, CuPy and TensorFlow take them without one. ``jpegdct.torch`` has data sets
for PyTorch, ``jpegdct.ray`` functions for Ray Data.
"""

from . import errors
from ._jpegdct import Extractor, Recipe, __version__, inspect, read, stats, verify
from .errors import (
    DamagedError,
    JpegError,
    LimitError,
    MalformedError,
    MismatchError,
    NotJpegError,
    RecipeError,
    ReencodeError,
    UnsupportedError,
)
from .results import Coefficients, Extraction, Plane, Warning

__all__ = [
    "Coefficients",
    "DamagedError",
    "Extraction",
    "Extractor",
    "JpegError",
    "LimitError",
    "MalformedError",
    "MismatchError",
    "NotJpegError",
    "Plane",
    "Recipe",
    "RecipeError",
    "ReencodeError",
    "UnsupportedError",
    "Warning",
    "__version__",
    "errors",
    "inspect",
    "read",
    "stats",
    "verify",
]
