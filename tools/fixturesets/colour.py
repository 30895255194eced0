"""What tells the colour space: component ids, JFIF, Adobe, and the number of components."""

from jpegwriter import segments

from .common import S420, S444, simple

FOUR = [(1, 1)] * 4


def _rgb(colour):
    return colour


def fixtures():
    def file(name, why, colour, app, **options):
        return simple(f"color/{name}.jpg", why, options.pop("width", 36), options.pop("height", 28),
                      stream_options={"app": app}, facts={"colour": colour}, **options)

    jfif, none = segments.jfif(), b""
    yield file("grey-jfif", "one component", "grey", jfif, sampling=[(1, 1)], seed=151)
    yield file("grey-adobe-0", "one component with Adobe transform 0", "grey", segments.adobe(0), sampling=[(1, 1)],
               seed=152)
    yield file("ycbcr-jfif", "JFIF", "ycbcr", jfif, sampling=S420, seed=153)
    yield file("ycbcr-no-marker", "ids 1, 2, 3 without JFIF or Adobe", "ycbcr", none, sampling=S420, seed=154)
    yield file("ycbcr-adobe-1", "Adobe transform 1, no JFIF", "ycbcr", segments.adobe(1), sampling=S420, seed=155)
    yield file("ycbcr-jfif-and-adobe-1", "JFIF and Adobe transform 1", "ycbcr", jfif + segments.adobe(1),
               sampling=S444, seed=156)
    yield file("ids-0-1-2", "ids from zero, with JFIF", "ycbcr", jfif, sampling=S420, seed=157, ids=[0, 1, 2])
    yield file("ids-0-1-2-no-marker", "ids from zero, no marker: libjpeg takes it for YCbCr", "ycbcr", none,
               sampling=S420, seed=158, ids=[0, 1, 2])
    yield file("ids-1-34-35", "ids 1, 34, 35 (as some cameras write), with JFIF", "ycbcr", jfif, sampling=S420,
               seed=159, ids=[1, 34, 35])
    yield file("ids-descending", "ids 3, 2, 1, with JFIF", "ycbcr", jfif, sampling=S420, seed=160, ids=[3, 2, 1])
    yield file("rgb-adobe-0", "Adobe transform 0", "rgb", segments.adobe(0), sampling=S444, seed=161, convert=_rgb,
               tq=[0, 0, 0])
    yield file("rgb-ids", "ids R, G, B without any marker", "rgb", none, sampling=S444, seed=162, convert=_rgb,
               ids=[82, 71, 66], tq=[0, 0, 0])
    yield file("rgb-subsampled", "RGB with red and blue halved", "rgb", segments.adobe(0),
               sampling=[(1, 1), (2, 2), (1, 1)], seed=163, convert=_rgb, tq=[0, 0, 0])
    yield file("rgb-progressive", "RGB, progressive", "rgb", segments.adobe(0), sampling=S444, seed=164, convert=_rgb,
               tq=[0, 0, 0], process="progressive")
    yield file("two-components", "two components: no colour space is defined for them", "unknown", none,
               sampling=[(1, 1)] * 2, seed=165)
    yield file("cmyk-adobe-0", "four components, Adobe transform 0", "cmyk", segments.adobe(0), sampling=FOUR, seed=166,
               tq=[0, 0, 0, 0])
    yield file("cmyk-no-marker", "four components without Adobe", "cmyk", none, sampling=FOUR, seed=167,
               tq=[0, 0, 0, 0])
    yield file("ycck-adobe-2", "four components, Adobe transform 2", "ycck", segments.adobe(2), sampling=FOUR, seed=168,
               tq=[0, 1, 1, 0])
    yield file("ycck-420", "YCCK with halved chroma", "ycck", segments.adobe(2),
               sampling=[(2, 2), (1, 1), (1, 1), (2, 2)], seed=169, tq=[0, 1, 1, 0])
    yield file("adobe-unknown-transform", "Adobe transform 7, which nothing defines: YCbCr is assumed", "ycbcr",
               segments.adobe(7), sampling=S420, seed=170)
    yield file("adobe-short", "an APP14 too short to be Adobe's", "ycbcr", segments.segment(0xEE, b"Adobe\0\0"),
               sampling=S420, seed=171)
