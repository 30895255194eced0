"""Photographs that the scikit-image package ships, free of copyright restrictions: one as it is, others encoded here."""

from .common import Fixture
from .encoders import frame_facts, run, version_of
from .external import wheels

FOLDER = "photos/"
ROCKET = ("Public domain: SpaceX, launch of DSCOVR on Falcon 9",
          "https://www.flickr.com/photos/spacexphotos/16511594820/")
COFFEE = ("CC0: photograph by Rachel Michetti, courtesy of Pikolo Espresso Bar", "skimage.data.coffee")
CHELSEA = ("CC0: photograph by Stefan van der Walt", "skimage.data.chelsea")


def fixtures():
    from PIL import Image
    package = next(wheels().glob("scikit_image-*.dist-info")).name.replace(".dist-info", "").replace("_", "-")
    data = wheels() / "skimage" / "data"
    cjpeg = version_of("cjpeg", "-version").split(" (build")[0]

    def encoded(name, source, box, options, rights):
        image = Image.open(data / source).convert("RGB")
        image = image.crop(box) if box else image
        ppm = f"P6\n{image.width} {image.height}\n255\n".encode() + image.tobytes()
        content = run("cjpeg", *options.split(), stdin=ppm)
        return Fixture(f"{FOLDER}{name}.jpg", content, f"photograph, {options}" + (f", crop {box}" if box else ""),
                       origin=f"{package}, {source} ({rights[1]}); {cjpeg}, cjpeg {options}", licence=rights[0],
                       facts=frame_facts(content))

    rocket = (data / "rocket.jpg").read_bytes()
    yield Fixture(f"{FOLDER}rocket.jpg", rocket, "photograph as the package ships it, 4:4:4", licence=ROCKET[0],
                  origin=f"{package}, rocket.jpg ({ROCKET[1]})", facts=frame_facts(rocket))
    yield encoded("rocket-420", "rocket.jpg", None, "-quality 95 -optimize", ROCKET)
    yield encoded("coffee-420", "coffee.png", None, "-quality 85 -optimize", COFFEE)
    yield encoded("chelsea-444", "chelsea.png", None, "-quality 90 -sample 1x1", CHELSEA)
    yield encoded("chelsea-422-restart", "chelsea.png", (97, 40, 330, 219), "-quality 80 -sample 2x1 -restart 1", CHELSEA)
    yield encoded("coffee-progressive", "coffee.png", (140, 60, 397, 255), "-quality 85 -progressive", COFFEE)
    yield encoded("chelsea-grey", "chelsea.png", (97, 40, 330, 219), "-quality 85 -grayscale", CHELSEA)
