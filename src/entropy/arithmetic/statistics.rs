//! Statistics areas and conditioning: which bin a decision about a coefficient has (T.81 F.1.4.4).

use super::{ArithmeticReader, Bin};
use crate::markers::DcBounds;

/// Magnitude category bins X2 to X15 come one behind the other, and the bins M2 to M15 of the bits below lie 14 further on
/// (tables F.4 and F.5).
const MAGNITUDE_BITS: usize = 14;

/// Statistics area of DC differences (table F.4): S0, SS, SP, SN for each of the five classes of the previous difference,
/// from 20 on X1 to X15, from 35 on M2 to M15.
#[derive(Debug, Clone)]
pub(crate) struct DcStatistics {
    bins: [Bin; 49],
    bounds: DcBounds,
}

/// DC state of a component.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct DcPrediction {
    /// The DC value of the block before.
    pub value: i32,
    /// First bin of the class of the difference before: 0 zero, 4 small, 8 small negative, 12 large, 16 large negative.
    class: usize,
}

impl DcStatistics {
    /// A fresh area.
    pub fn new(bounds: DcBounds) -> DcStatistics {
        DcStatistics { bins: [0; 49], bounds }
    }

    /// Forgets what was learnt.
    pub fn reset(&mut self) {
        self.bins = [0; 49];
    }

    /// Decodes a difference (figure F.19) and moves the prediction by it. `None` if the magnitude has more than 15 bits.
    #[inline]
    pub(super) fn decode_difference(
        &mut self,
        reader: &mut ArithmeticReader<'_>,
        prediction: &mut DcPrediction,
    ) -> Option<()> {
        let place = prediction.class;
        if !reader.decode(&mut self.bins[place]) {
            prediction.class = 0;
            return Some(());
        }
        let is_negative = reader.decode(&mut self.bins[place + 1]);
        // SP or SN, then from X1 on.
        let mut magnitude = 1;
        if reader.decode(&mut self.bins[place + 2 + usize::from(is_negative)]) {
            magnitude = decode_magnitude(reader, &mut self.bins, 20, 1)?;
        }
        let sign = if is_negative { 4 } else { 0 };
        // F.1.4.4.1.2, with the bounds 0 and 2^(L-1), and 2^U.
        prediction.class = if magnitude <= 1 << self.bounds.lower >> 1 {
            0
        } else if magnitude <= 1 << self.bounds.upper {
            4 + sign
        } else {
            12 + sign
        };
        prediction.value = prediction.value.wrapping_add(if is_negative { -magnitude } else { magnitude });
        Some(())
    }
}

/// Statistics area of AC coefficients (table F.5): SE, S0 and SN/SP/X1 for each K, from 189 on X2 to X15 and M2 to M15 for low
/// K, from 217 on for high K.
#[derive(Debug, Clone)]
pub(crate) struct AcStatistics {
    bins: [Bin; 245],
    /// Kx: the last K that counts as low.
    low: usize,
}

impl AcStatistics {
    /// A fresh area; `low` is Kx, 1..=63.
    pub fn new(low: u8) -> AcStatistics {
        AcStatistics { bins: [0; 245], low: low.into() }
    }

    /// Forgets what was learnt.
    pub fn reset(&mut self) {
        self.bins = [0; 245];
    }

    /// Whether there are no coefficients from `k` (1..=63) on.
    #[inline]
    pub(super) fn decode_end(&mut self, reader: &mut ArithmeticReader<'_>, k: usize) -> bool {
        reader.decode(&mut self.bins[3 * k - 3])
    }

    /// Whether coefficient `k`, zero until now, is not.
    #[inline]
    pub(super) fn decode_is_new(&mut self, reader: &mut ArithmeticReader<'_>, k: usize) -> bool {
        reader.decode(&mut self.bins[3 * k - 2])
    }

    /// The bit that a refinement scan adds to coefficient `k` (G.1.3.3).
    #[inline]
    pub(super) fn decode_correction(&mut self, reader: &mut ArithmeticReader<'_>, k: usize) -> bool {
        reader.decode(&mut self.bins[3 * k - 1])
    }

    /// The value of coefficient `k`, which is not zero (figure F.21). `None` if the magnitude has more than 15 bits.
    #[inline]
    pub(super) fn decode_value(&mut self, reader: &mut ArithmeticReader<'_>, k: usize) -> Option<i32> {
        let is_negative = reader.decode_even();
        // SP, SN and X1 share a bin.
        let first = 3 * k - 1;
        let mut magnitude = 1;
        if reader.decode(&mut self.bins[first]) {
            magnitude = 2;
            if reader.decode(&mut self.bins[first]) {
                let x2 = if k <= self.low { 189 } else { 217 };
                magnitude = decode_magnitude(reader, &mut self.bins, x2, 2)?;
            }
        }
        Some(if is_negative { -magnitude } else { magnitude })
    }
}

/// Decodes a magnitude of more than `top` (figures F.23, F.24). `place` is the bin that says whether the magnitude less 1
/// has a higher top bit than `top`. `None` if it would have more than 15 bits.
fn decode_magnitude(
    reader: &mut ArithmeticReader<'_>,
    bins: &mut [Bin],
    mut place: usize,
    mut top: i32,
) -> Option<i32> {
    while reader.decode(&mut bins[place]) {
        top <<= 1;
        if top == 0x8000 {
            return None;
        }
        place += 1;
    }
    let (mut less_one, mut bit) = (top, top >> 1);
    while bit > 0 {
        if reader.decode(&mut bins[place + MAGNITUDE_BITS]) {
            less_one |= bit;
        }
        bit >>= 1;
    }
    Some(less_one + 1)
}
