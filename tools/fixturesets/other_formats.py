"""Pictures that are not JPEG, for the re-encode wing: each says its size and what is special about it."""

from jpegwriter import scenes

from .common import Fixture
from .external import imagemagick, run, through_file, version_of

FOLDER = "other_formats/"
WIDTH, HEIGHT = 45, 31


def fixtures():
    yield from _netpbm()
    yield from _pillow()
    yield from _deep()


def _file(name, data, why, origin, width=WIDTH, height=HEIGHT):
    return Fixture(FOLDER + name, data, why, "not_jpeg", origin, facts={"width": width, "height": height})


def _scene(seed=321):
    return scenes.scene(WIDTH, HEIGHT, seed)


def _netpbm():
    origin = "tools/jpegwriter/scenes.py"
    yield _file("rgb.ppm", scenes.write_ppm(_scene(), WIDTH, HEIGHT), "8-bit PPM", origin)
    yield _file("grey.pgm", scenes.write_ppm(_scene(), WIDTH, HEIGHT, grey=True), "8-bit PGM", origin)
    yield _file("rgb-16.ppm", scenes.write_ppm(_scene(), WIDTH, HEIGHT, deep=True), "16-bit PPM", origin)


def _pillow():
    from PIL import Image, __version__
    origin = f"Pillow {__version__}"
    rgb = Image.frombytes("RGB", (WIDTH, HEIGHT), scenes.write_ppm(_scene(), WIDTH, HEIGHT).split(b"\n", 3)[3])
    second = Image.frombytes("RGB", (WIDTH, HEIGHT), scenes.write_ppm(_scene(322), WIDTH, HEIGHT).split(b"\n", 3)[3])
    grey = rgb.convert("L")
    rgba = rgb.copy()
    rgba.putalpha(grey.point(lambda value: 255 - value))
    grey_alpha = Image.merge("LA", (grey, grey.point(lambda value: value // 2 + 60)))
    palette = rgb.convert("P", palette=Image.Palette.ADAPTIVE, colors=64)
    see_through = palette.copy()
    see_through.info["transparency"] = 3
    turned = Image.Exif()
    turned[0x0112] = 6
    cases = [("rgb.png", rgb, "8-bit RGB", {}), ("rgba.png", rgba, "8-bit RGB with alpha", {}),
             ("grey.png", grey, "8-bit grey", {}), ("grey-alpha.png", grey_alpha, "8-bit grey with alpha", {}),
             ("palette.png", palette, "64 colours", {}), ("palette-alpha.png", see_through, "a transparent colour", {}),
             ("bilevel.png", grey.convert("1"), "1 bit", {}),
             ("exif-6.png", rgb, "PNG with EXIF orientation 6 (eXIf chunk)", {"exif": turned.tobytes()}),
             ("lossy.webp", rgb, "lossy WebP", {"quality": 80}),
             ("lossless.webp", rgb, "lossless WebP", {"lossless": True}),
             ("alpha.webp", rgba, "lossy WebP with alpha", {"quality": 80}),
             ("rgb.bmp", rgb, "24-bit BMP", {}), ("palette.bmp", palette, "8-bit BMP with palette", {}),
             ("rgb.tiff", rgb, "uncompressed TIFF", {}), ("lzw.tiff", rgb, "TIFF, LZW", {"compression": "tiff_lzw"}),
             ("grey.tiff", grey, "grey TIFF", {}), ("cmyk.tiff", rgb.convert("CMYK"), "CMYK TIFF", {}),
             ("still.gif", palette, "one frame", {}),
             ("two-frames.gif", rgb, "two frames: the first is the picture",
              {"save_all": True, "append_images": [second], "duration": 100, "loop": 0})]
    for name, image, why, options in cases:
        suffix = name[name.rindex("."):]
        yield _file(name, through_file(suffix, lambda path: image.save(path, **options)), why, origin)
    yield _file("one-pixel.png", through_file(".png", rgb.crop((3, 3, 4, 4)).save), "1 x 1", origin, 1, 1)
    whole = through_file(".png", rgb.save)
    yield _file("cut.png", whole[:len(whole) // 2], "a PNG cut in the middle: no picture can be made of it", origin)


def _deep():
    convert = imagemagick()
    origin = " ".join(version_of(convert, "-version").split()[1:4])
    deep = scenes.write_ppm(_scene(), WIDTH, HEIGHT, deep=True)
    common = ["-strip", "-define", "png:exclude-chunks=date,time"]
    yield _file("rgb-16.png", run(convert, "ppm:-", *common, "png48:-", stdin=deep), "16-bit RGB", origin)
    yield _file("grey-16.png", run(convert, "ppm:-", *common, "-colorspace", "Gray", "-depth", "16", "png:-", stdin=deep),
                "16-bit grey", origin)
    yield _file("rgba-16.png", run(convert, "ppm:-", *common, "-alpha", "set", "png64:-", stdin=deep),
                "16-bit RGB with (opaque) alpha", origin)
    yield _file("interlaced.png", run(convert, "ppm:-", *common, "-depth", "8", "-interlace", "PNG", "png24:-", stdin=deep),
                "Adam7 interlacing", origin)
