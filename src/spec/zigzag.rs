//! The zigzag order of coefficients (T.81 figure A.6).

/// Zigzag position -> row-major index `8 * v + u` (u horizontal frequency, v vertical).
pub const ROW_MAJOR: [u8; 64] = build();

/// Row-major index `8 * v + u` -> zigzag position.
pub const ZIGZAG: [u8; 64] = invert(&ROW_MAJOR);

/// Walks the diagonals as figure A.6 does: up on even ones, down on odd ones.
const fn build() -> [u8; 64] {
    let mut order = [0u8; 64];
    let (mut k, mut diagonal) = (0, 0);
    while diagonal < 15 {
        let mut step = 0;
        while step <= diagonal {
            let (u, v) = if diagonal % 2 == 0 { (step, diagonal - step) } else { (diagonal - step, step) };
            if u < 8 && v < 8 {
                order[k] = (8 * v + u) as u8;
                k += 1;
            }
            step += 1;
        }
        diagonal += 1;
    }
    order
}

const fn invert(order: &[u8; 64]) -> [u8; 64] {
    let mut inverse = [0u8; 64];
    let mut k = 0;
    while k < 64 {
        inverse[order[k] as usize] = k as u8;
        k += 1;
    }
    inverse
}

/// Rearranges 64 values from zigzag to row-major order.
pub fn to_row_major<T: Copy + Default>(zigzag: &[T; 64]) -> [T; 64] {
    std::array::from_fn(|i| zigzag[ZIGZAG[i] as usize])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_and_ends_as_figure_a6() {
        assert_eq!(ROW_MAJOR[..10], [0, 1, 8, 16, 9, 2, 3, 10, 17, 24]);
        assert_eq!(ROW_MAJOR[58..], [61, 54, 47, 55, 62, 63]);
        assert!((0..64).all(|i| ROW_MAJOR[ZIGZAG[i] as usize] as usize == i));
    }
}
