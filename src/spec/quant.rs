//! Quantisation tables (T.81 B.2.4.1).

use super::zigzag;

/// One quantisation table: 64 steps of 1..=65535 in zigzag order.
///
/// A zero step is illegal (T.81 table B.4) but found in files; it is kept as it stands and dequantises to zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuantTable(pub [u16; 64]);

impl QuantTable {
    /// The steps in row-major order, index `8 * v + u`.
    pub fn row_major(&self) -> [u16; 64] {
        zigzag::to_row_major(&self.0)
    }
}
