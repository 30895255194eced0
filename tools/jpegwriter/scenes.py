"""Procedural pictures: integer arithmetic and an own generator, so they are the same on every machine.

A scene is a function (x, y) -> (R, G, B), 8 bits each, on a canvas of stated size.
"""


class Generator:
    """A 64-bit linear congruential generator (constants of Knuth's MMIX); top bits out."""

    def __init__(self, seed):
        self._state = (seed * 2862933555777941757 + 3037000493) & 0xFFFFFFFFFFFFFFFF
        for _ in range(4):
            self.below(2)

    def below(self, bound):
        """A number in 0..bound-1 (bound up to 2^31)."""
        self._state = (self._state * 6364136223846793005 + 1442695040888963407) & 0xFFFFFFFFFFFFFFFF
        return (self._state >> 33) * bound >> 31

    def between(self, low, high):
        return low + self.below(high - low + 1)


def scene(width, height, seed):
    """Gradients under coloured blobs, a patch of text-like strokes, and a patch of noise."""
    rng = Generator(seed)
    low, high = [rng.below(120) for _ in range(3)], [rng.between(130, 255) for _ in range(3)]
    blobs = [(rng.below(width), rng.below(height), rng.between(3, 4 + min(width, height) // 3),
              [rng.below(256) for _ in range(3)]) for _ in range(5)]
    strokes = {(rng.below(max(width // 2, 1)), rng.below(max(height // 3, 1))) for _ in range(width * height // 24 + 1)}
    noise_left, noise_top = width * 2 // 3, height * 2 // 3

    def pixel(x, y):
        mix = (x * 160 // width + y * 96 // height)
        colour = [a + (b - a) * mix // 256 for a, b in zip(low, high)]
        for cx, cy, radius, paint in blobs:
            inside = radius * radius - (x - cx) ** 2 - (y - cy) ** 2
            if inside > 0:
                weight = min(256, inside * 512 // (radius * radius))
                colour = [c + (p - c) * weight // 256 for c, p in zip(colour, paint)]
        if (x, y) in strokes or (x - 1, y) in strokes:
            colour = [c // 6 for c in colour]
        if x >= noise_left and y >= noise_top:
            state = ((x * 73856093) ^ (y * 19349663) ^ (seed * 83492791)) & 0xFFFFFFFF
            jitter = ((state * 2654435761 >> 13) & 127) - 64
            colour = [min(255, max(0, c + jitter)) for c in colour]
        return tuple(colour)

    return pixel


def to_ycc(rgb):
    """JFIF YCbCr of an RGB triple, rounded, in 0..255."""
    r, g, b = rgb
    luma = (19595 * r + 38470 * g + 7471 * b + 32768) >> 16
    blue = (-11059 * r - 21709 * g + 32768 * b + (128 << 16) + 32767) >> 16
    red = (32768 * r - 27439 * g - 5329 * b + (128 << 16) + 32767) >> 16
    return tuple(min(255, max(0, value)) for value in (luma, blue, red))


def plane(pixel, channel, width, height, full_width, full_height, convert=to_ycc):
    """One channel sampled at the centres of a width x height grid laid over the full picture."""
    return [[convert(pixel((2 * x + 1) * full_width // (2 * width), (2 * y + 1) * full_height // (2 * height)))[channel]
             for x in range(width)] for y in range(height)]


def write_ppm(pixel, width, height, grey=False, deep=False):
    """The scene as PGM or PPM bytes (`deep`: 16 bits, low byte derived from the position)."""
    out = bytearray(f"P{5 if grey else 6}\n{width} {height}\n{65535 if deep else 255}\n".encode())
    for y in range(height):
        for x in range(width):
            rgb = pixel(x, y)
            for value in ((to_ycc(rgb)[0],) if grey else rgb):
                out += bytes([value, (x * 37 + y * 11) & 255]) if deep else bytes([value])
    return bytes(out)
