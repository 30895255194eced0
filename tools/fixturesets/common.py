"""What the fixture sets share: the Fixture record, and short ways to make frames from scenes or random coefficients."""

from dataclasses import dataclass, field

from jpegwriter import Component, Frame, Scan, dct, scenes, spec, write_jpeg

LICENCE = "MIT OR Apache-2.0"
WRITER = "tools/jpegwriter (coefficients known by construction)"


@dataclass
class Fixture:
    """One file: its path below fixtures/, content, and the facts its manifest entry states."""

    path: str
    data: bytes
    why: str
    status: str = "ok"
    origin: str = WRITER
    licence: str = LICENCE
    facts: dict = field(default_factory=dict)


def from_stream(path, stream, why, status="ok", with_truth=True, **facts):
    """A fixture from a writer stream; `with_truth` adds digests and table digests (leave out where data is lost)."""
    frame = stream.frame
    known = {"process": stream.process, "precision": frame.precision, "width": frame.width, "height": frame.height,
             "components": [[c.id, c.h, c.v] for c in frame.components]}
    if with_truth:
        known["digests"] = stream.digests
        known["quant_digests"] = stream.quant_digests
    return Fixture(path, stream.data, why, status, facts={**known, **facts})


def quant(quality=75, largest=255):
    """Slots 0 and 1: the annex K luma and chroma tables at a quality."""
    return {0: spec.scaled_table(spec.LUMA_QUANT, quality, largest),
            1: spec.scaled_table(spec.CHROMA_QUANT, quality, largest)}


# Sampling (h, v) of luma and of both chromas, for three-component frames.
S444, S422, S420 = ((1, 1),) * 3, ((2, 1), (1, 1), (1, 1)), ((2, 2), (1, 1), (1, 1))


def make_frame(width, height, sampling=S420, seed=1, quality=75, tables=None, ids=None, precision=8, padding="edge",
               convert=scenes.to_ycc, tq=None):
    """A frame whose components come from a scene. `sampling`: (h, v) per component; channels repeat if over three."""
    tables = tables or quant(quality)
    ids = ids or range(1, len(sampling) + 1)
    tq = tq or [min(i, 1) for i in range(len(sampling))]
    frame = Frame(width, height, [Component(i, h, v, t) for i, (h, v), t in zip(ids, sampling, tq)], precision, padding)
    pixel = scenes.scene(width, height, seed)
    for index, component in enumerate(frame.components):
        wide, high = frame.samples(index)
        samples = scenes.plane(pixel, index % 3, wide, high, width, height, convert)
        if precision > 8:
            samples = [[(s << (precision - 8)) + (s * 7 + x * 3) % (1 << (precision - 8)) for x, s in enumerate(row)]
                       for row in samples]
        component.blocks = dct.quantised_blocks(samples, tables[component.tq], precision)
    return frame


def fill_random(frame, seed, density=12, largest=40, dc=300):
    """Give every component random blocks: about `density` non-zero AC coefficients each, of magnitude up to `largest`."""
    rng = scenes.Generator(seed)
    for index, component in enumerate(frame.components):
        wide, high = frame.grid(index)
        component.blocks = []
        for _ in range(wide * high):
            block = [0] * 64
            block[0] = rng.between(-dc, dc)
            for _ in range(rng.below(2 * density + 1)):
                reach = rng.between(1, largest) if rng.below(4) == 0 else rng.between(1, 3)
                block[rng.between(1, 63)] = reach if rng.below(2) else -reach
            component.blocks.append(block)
    return frame


def bare_frame(width, height, sampling, ids=None, tq=None, precision=8, padding="edge"):
    """A frame without blocks yet."""
    ids = ids or range(1, len(sampling) + 1)
    tq = tq or [min(i, 1) for i in range(len(sampling))]
    return Frame(width, height, [Component(i, h, v, t) for i, (h, v), t in zip(ids, sampling, tq)], precision, padding)


def interleaved(frame, **options):
    """The one-scan script: every component, interleaved."""
    return [Scan(list(range(len(frame.components))), **options)]


def progressive_script(count=3):
    """A ten-scan script in the manner of the usual encoders: spectral selection and successive approximation."""
    chroma = list(range(1, count))
    script = [Scan(list(range(count)), 0, 0, 0, 1), Scan([0], 1, 5, 0, 2)]
    script += [Scan([c], 1, 63, 0, 1) for c in reversed(chroma)]
    script += [Scan([0], 6, 63, 0, 2), Scan([0], 1, 63, 2, 1), Scan(list(range(count)), 0, 0, 1, 0)]
    script += [Scan([c], 1, 63, 1, 0) for c in reversed(chroma)]
    return script + [Scan([0], 1, 63, 1, 0)]


def simple(path, why, width=36, height=28, process="baseline", scans=None, quality=75, stream_options=None, facts=None,
           **frame_options):
    """The common case: one scene, one call."""
    tables = frame_options.pop("tables", None) or quant(quality)
    frame = make_frame(width, height, tables=tables, **frame_options)
    if scans is None:
        scans = progressive_script(len(frame.components)) if "progressive" in process else interleaved(frame)
    stream = write_jpeg(frame, tables, scans(frame) if callable(scans) else scans, process, **(stream_options or {}))
    return from_stream(path, stream, why, **(facts or {}))
