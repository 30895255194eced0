"""Restart intervals (T.81 B.2.4.4) in sequential files; progressive ones are in the progressive set."""

from jpegwriter import Scan, segments

from .common import S420, S422, S444, simple

GREY = [(1, 1)]


def fixtures():
    def file(name, why, interval, **options):
        stream_options = {"restart_interval": interval, **options.pop("stream_options", {})}
        return simple(f"restart/{name}.jpg", why, options.pop("width", 70), options.pop("height", 52),
                      stream_options=stream_options, padding="junk", facts={"restart_interval": interval}, **options)

    yield file("420-every-mcu", "interval 1: the counter wraps past RST7 twice", 1, sampling=S420, seed=171)
    yield file("420-every-row", "interval of one MCU row (5)", 5, sampling=S420, seed=172)
    yield file("420-two-rows", "interval of two MCU rows", 10, sampling=S420, seed=173)
    yield file("420-not-a-divisor", "interval 3: neither a row nor a divisor of the scan", 3, sampling=S420, seed=174)
    yield file("420-longer-than-row", "interval 7, a row is 5", 7, sampling=S420, seed=175)
    yield file("420-exact-scan", "interval equal to the whole scan: no RST appears", 20, sampling=S420, seed=176)
    yield file("420-longer-than-scan", "interval 65535", 65535, sampling=S420, seed=177)
    yield file("422-every-2", "4:2:2, interval 2", 2, sampling=S422, seed=178)
    yield file("444-every-4", "4:4:4, interval 4", 4, sampling=S444, seed=179)
    yield file("grey-every-block", "grey, interval 1", 1, sampling=GREY, seed=180)
    yield file("grey-2x2-every-3", "grey with factors 2x2: the interval counts single blocks", 3, sampling=[(2, 2)],
               seed=181)
    yield file("filled", "every RST has two fill bytes before it", 2, sampling=S420, seed=182,
               stream_options={"fill": 2})
    yield file("separate-scans", "non-interleaved: the interval counts blocks of each component", 4, sampling=S420,
               seed=183, scans=[Scan([0]), Scan([1]), Scan([2])])
    yield file("changed-between-scans", "interval 4, then 9, then 0 (none)", 4, sampling=S420, seed=184,
               scans=[Scan([0]), Scan([1], restart_interval=9), Scan([2], restart_interval=0)])
    yield file("only-last-scan", "no restarts until the last scan", 0, sampling=S420, seed=185,
               scans=[Scan([0]), Scan([1, 2], restart_interval=2)])
    yield file("dri-twice", "two DRI before the scan: the last one counts", 6, sampling=S420, seed=186,
               scans=[Scan([0, 1, 2], before=segments.restart_interval(1) + segments.restart_interval(6))])
    yield file("standard-tables", "interval 2, annex K tables", 2, sampling=S420, seed=187,
               scans=[Scan([0, 1, 2], huffman="standard")])
