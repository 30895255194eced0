"""Files of real encoders, from procedural scenes: libjpeg-turbo, libjpeg 6b and 9e, mozjpeg, jpegli, Pillow, ImageMagick,
ffmpeg and jpeg-js. Their coefficients are not known beforehand; lossless transcodes name the file they must equal.
"""

import json

from jpegwriter import scenes

from .common import Fixture
from .external import imagemagick, node_modules, run, through_file, version_of
from .sniff import frame_facts

FOLDER = "encoders/"


def fixtures():
    yield from _cjpeg()
    yield from _jpegtran()
    yield from _imagemagick()
    yield from _pillow()
    yield from _jpeglib()
    yield from _jpegli()
    yield from _ffmpeg()
    yield from _jpeg_js()


def _ppm(width=61, height=47, seed=301, grey=False):
    return scenes.write_ppm(scenes.scene(width, height, seed), width, height, grey)


def _pixels(width=61, height=47, seed=301, grey=False):
    """Raw interleaved samples."""
    return _ppm(width, height, seed, grey).split(b"\n", 3)[3]


def _file(name, data, why, origin, **facts):
    return Fixture(f"{FOLDER}{name}.jpg", data, why, origin=origin, facts={**frame_facts(data), **facts})


def _cjpeg():
    version = version_of("cjpeg", "-version").split(" (build")[0]

    def file(name, options, **picture):
        data = run("cjpeg", *options.split(), stdin=_ppm(**picture))
        return _file(f"cjpeg-{name}", data, "options: " + (options or "none"), f"{version}, cjpeg {options}")

    for sample in ("1x1", "2x1", "2x2", "1x2", "4x1", "4x2", "3x1"):
        yield file(f"sample-{sample}", f"-quality 75 -sample {sample}", seed=302)
    for quality in (1, 50, 75, 95, 100):
        yield file(f"q{quality}", f"-quality {quality}", width=96, height=80, seed=303)
    yield file("q1-baseline", "-quality 1 -baseline")
    for sample in ("1x1", "2x2"):
        yield file(f"progressive-{sample}", f"-quality 85 -progressive -sample {sample}", width=96, height=80, seed=304)
    yield file("optimize", "-optimize")
    yield file("restart-rows", "-restart 1")
    yield file("restart-blocks", "-restart 3B -progressive")
    yield file("grey", "-grayscale")
    yield file("grey-source", "-quality 90", grey=True)
    yield file("rgb", "-rgb -quality 90")
    yield file("rgb-progressive", "-rgb -progressive")
    yield file("arithmetic", "-arithmetic")
    yield file("arithmetic-progressive", "-arithmetic -progressive -quality 90")
    yield file("smooth", "-smooth 30 -quality 60")
    yield file("luma-smaller", "-sample 1x1,2x2,2x2")
    yield file("chroma-differ", "-sample 2x2,2x1,1x2")
    yield file("shared-table", "-qslots 0 -quality 90")


def _jpegtran():
    version = version_of("jpegtran", "-version").split(" (build")[0]
    options = {"420": "-quality 80", "444": "-quality 92 -sample 1x1", "grey": "-grayscale -quality 80"}
    for name, encode in options.items():
        source = run("cjpeg", *encode.split(), stdin=_ppm(96, 80, seed=305))
        yield _file(f"transcode-{name}", source, "the source of the lossless transcodes", f"{version}, cjpeg {encode}")
        same = f"{FOLDER}transcode-{name}.jpg"
        for how in ("-optimize", "-progressive", "-arithmetic", "-arithmetic -progressive", "-restart 2B",
                    "-progressive -restart 1"):
            data = run("jpegtran", "-copy", "none", *how.split(), stdin=source)
            yield _file(f"transcode-{name}{how.replace(' -', '-').replace(' ', '-').lower()}", data,
                        "lossless transcode", f"{version}, jpegtran {how}", same_coefficients_as=same)
        import mozjpeg_lossless_optimization
        data = mozjpeg_lossless_optimization.optimize(source, copy=mozjpeg_lossless_optimization.COPY_MARKERS.NONE)
        origin = f"mozjpeg in mozjpeg-lossless-optimization {_version('mozjpeg-lossless-optimization')}"
        yield _file(f"transcode-{name}-mozjpeg", data, "lossless transcode with mozjpeg's scan search", origin,
                    same_coefficients_as=same)


def _version(package):
    from importlib.metadata import version
    return version(package)


def _imagemagick():
    convert = imagemagick()
    version = " ".join(version_of(convert, "-version").split()[1:4])
    for name, options in [("420", "-quality 85"), ("444", "-quality 92 -sampling-factor 1x1"),
                          ("422", "-quality 80 -sampling-factor 2x1"), ("plane", "-quality 85 -interlace Plane"),
                          ("cmyk", "-colorspace CMYK -quality 85"), ("cmyk-420", "-colorspace CMYK -sampling-factor 2x2"),
                          ("cmyk-progressive", "-colorspace CMYK -interlace Plane -quality 60"),
                          ("grey", "-colorspace Gray -quality 90"), ("rgb", "-colorspace RGB -set colorspace RGB"),
                          ("standard-tables", "-quality 85 -define jpeg:optimize-coding=false")]:
        data = run(convert, "ppm:-", "-strip", *options.split(), "jpeg:-", stdin=_ppm(seed=306))
        yield _file(f"imagemagick-{name}", data, "options: " + options, f"{version}, {options}")


def _pillow():
    from PIL import Image, features
    version = f"Pillow {_version('pillow')} (libjpeg-turbo {features.version('libjpeg_turbo')})"
    rgb = Image.frombytes("RGB", (61, 47), _pixels(seed=307))
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "jpegdct fixture"
    cases = [("444", rgb, {"quality": 90, "subsampling": 0}), ("422", rgb, {"quality": 70, "subsampling": 1}),
             ("420-progressive", rgb, {"progressive": True, "optimize": True}),
             ("restart", rgb, {"restart_marker_blocks": 3}), ("keep-rgb", rgb, {"keep_rgb": True, "quality": 90}),
             ("grey", rgb.convert("L"), {"quality": 80}), ("cmyk", rgb.convert("CMYK"), {"quality": 80}),
             ("exif-6", rgb, {"exif": exif.tobytes()}), ("stream-tables", rgb, {"quality": 30, "subsampling": 2})]
    for name, image, options in cases:
        data = through_file(".jpg", lambda path: image.save(path, **options))
        shown = {k: v for k, v in options.items() if k != "exif"}
        facts = {"orientation": 6} if "exif" in options else {}
        yield _file(f"pillow-{name}", data, "options: " + json.dumps(shown), version, **facts)


def _jpeglib():
    import jpeglib
    import numpy
    origin = f"jpeglib {_version('jpeglib')} (PyPI), "
    pixels = numpy.frombuffer(_pixels(96, 80, seed=308), dtype=numpy.uint8).reshape(80, 96, 3)
    libraries = {"mozjpeg403": ("mozjpeg", "mozjpeg 4.0.3"), "6b": ("libjpeg-6b", "libjpeg 6b"),
                 "9e": ("libjpeg-9e", "libjpeg 9e")}
    for key, (name, what) in libraries.items():
        jpeglib.version.set(key)
        for sampling in ("4:4:4", "4:2:2", "4:2:0"):
            for quality in ((50, 75, 92) if key == "mozjpeg403" else (75,)):
                image = jpeglib.from_spatial(pixels.copy())
                image.samp_factor = sampling
                data = through_file(".jpg", lambda path: image.write_spatial(path, qt=quality))
                yield _file(f"{name}-{sampling.replace(':', '')}-q{quality}", data,
                            f"{what}, {sampling}, quality {quality}", origin + what)


def _jpegli():
    import pyjpegli
    for quality in (30, 75, 95):
        data = pyjpegli.encode(_pixels(96, 80, seed=309), 96, 80, quality)
        yield _file(f"jpegli-q{quality}", data, f"jpegli (adaptive quantisation), quality {quality}",
                    f"jpegli in pyjpegli {_version('pyjpegli')}")


def _ffmpeg():
    import imageio_ffmpeg
    program = imageio_ffmpeg.get_ffmpeg_exe()
    origin = f"ffmpeg {imageio_ffmpeg.get_ffmpeg_version()} (imageio-ffmpeg {_version('imageio-ffmpeg')}), mjpeg encoder"
    for layout in ("yuvj420p", "yuvj422p", "yuvj444p"):
        for tables in ("default", "optimal"):
            data = run(program, "-v", "error", "-f", "image2pipe", "-c:v", "ppm", "-i", "-", "-frames:v", "1",
                       "-fflags", "+bitexact", "-flags", "+bitexact", "-pix_fmt", layout, "-c:v", "mjpeg", "-q:v", "4",
                       "-huffman", tables, "-f", "image2pipe", "-", stdin=_ppm(seed=310))
            yield _file(f"ffmpeg-{layout}-{tables}", data, f"{layout}, {tables} Huffman tables", origin)


def _jpeg_js():
    script = ("const jpeg = require(process.argv[1] + '/jpeg-js'); const [w, h, q] = process.argv.slice(2).map(Number);"
              "const data = require('fs').readFileSync(0);"
              "process.stdout.write(jpeg.encode({width: w, height: h, data}, q).data);")
    with open(f"{node_modules()}/jpeg-js/package.json", encoding="utf-8") as file:
        version = json.load(file)["version"]
    rgb = _pixels(seed=311)
    rgba = b"".join(rgb[i:i + 3] + b"\xff" for i in range(0, len(rgb), 3))
    for quality in (50, 90):
        data = run("node", "-e", script, node_modules(), 61, 47, quality, stdin=rgba)
        yield _file(f"jpeg-js-q{quality}", data, f"quality {quality}", f"jpeg-js {version} (npm)")
