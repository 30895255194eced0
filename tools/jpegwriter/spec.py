"""Facts of T.81 the writer needs: zigzag order, the example tables of annex K, marker codes. No logic beyond scaling."""

# ZIGZAG[k] is the row-major position (8*v + u) of the k-th coefficient in zigzag order (figure A.6).
def _zigzag():
    order = []
    for diagonal in range(15):
        cells = [(diagonal - x, x) for x in range(8) if 0 <= diagonal - x < 8]  # (row, column), going up and right
        if diagonal % 2:
            cells.reverse()  # odd diagonals run down and left
        order.extend(8 * row + column for row, column in cells)
    return tuple(order)


ZIGZAG = _zigzag()

# Tables K.1 and K.2, row-major.
LUMA_QUANT = (
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56,
    14, 17, 22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92,
    49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
)
CHROMA_QUANT = (
    17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99,
    47, 66, 99, 99, 99, 99, 99, 99,
) + (99,) * 32

# Tables K.3 to K.6: (BITS, HUFFVAL).
DC_LUMA = ((0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0), tuple(range(12)))
DC_CHROMA = ((0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0), tuple(range(12)))
AC_LUMA = ((0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 125), tuple(bytes.fromhex(
    "01020300041105122131410613516107227114328191a1082342b1c11552d1f02433627282090a161718191a25262728292a3435363738"
    "393a434445464748494a535455565758595a636465666768696a737475767778797a838485868788898a92939495969798999aa2a3a4a5"
    "a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9fa")))
AC_CHROMA = ((0, 2, 1, 2, 4, 4, 3, 4, 7, 5, 4, 4, 0, 1, 2, 119), tuple(bytes.fromhex(
    "0001020311040521310612415107617113223281081442 91a1b1c109233352f0156272d10a162434e125f11718191a262728292a353637"
    "38393a434445464748494a535455565758595a636465666768696a737475767778797a82838485868788898a92939495969798999aa2a3"
    "a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae2e3e4e5e6e7e8e9eaf2f3f4f5f6f7f8f9fa"
    .replace(" ", ""))))

SOI, EOI, SOS, DQT, DNL, DRI, DHT, DAC, COM, APP0, RST0 = (
    0xD8, 0xD9, 0xDA, 0xDB, 0xDC, 0xDD, 0xC4, 0xCC, 0xFE, 0xE0, 0xD0)

# Frame marker of each coding process that has a single DCT frame (table B.1).
SOF = {"baseline": 0xC0, "extended": 0xC1, "progressive": 0xC2, "arithmetic": 0xC9, "arithmetic_progressive": 0xCA}


def scaled_table(base, quality, largest=255):
    """The usual quality scale of 1..100 applied to an annex K table; entries stay in 1..largest."""
    percent = 5000 // quality if quality < 50 else 200 - 2 * quality
    return [min(max((entry * percent + 50) // 100, 1), largest) for entry in base]
