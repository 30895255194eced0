//! The geometry of a frame (T.81 A.1.1, A.2): from sampling factors to block grids.
//!
//! Worked example, 36 x 28 pixels in 4:2:0 (luma 2 x 2, chroma 1 x 1, so h_max = v_max = 2):
//!
//! | component | samples (A.1.1) | true blocks | MCU grid | padded blocks |
//! |---|---|---|---|---|
//! | luma   | 36 x 28 | 5 x 4 | 3 x 2 MCUs of 16 x 16 | 6 x 4 |
//! | chroma | 18 x 14 | 3 x 2 | 3 x 2                 | 3 x 2 |
//!
//! Blocks beyond the true grid are in the file (interleaved scans hold whole MCUs) and are decoded and dropped.

use std::fmt;

/// The coding process a frame header announces (T.81 table B.1), those with DCT coefficients in one frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Process {
    /// SOF0.
    Baseline,
    /// SOF1.
    Extended,
    /// SOF2.
    Progressive,
    /// SOF9: extended sequential with arithmetic coding.
    Arithmetic,
    /// SOF10: progressive with arithmetic coding.
    ArithmeticProgressive,
}

impl Process {
    /// Whether scans hold parts of the spectrum or of the precision.
    pub fn is_progressive(self) -> bool {
        matches!(self, Process::Progressive | Process::ArithmeticProgressive)
    }

    /// Whether the entropy coder is the arithmetic one.
    pub fn is_arithmetic(self) -> bool {
        matches!(self, Process::Arithmetic | Process::ArithmeticProgressive)
    }

    /// The name used in reports.
    pub fn name(self) -> &'static str {
        match self {
            Process::Baseline => "baseline",
            Process::Extended => "extended",
            Process::Progressive => "progressive",
            Process::Arithmetic => "arithmetic",
            Process::ArithmeticProgressive => "arithmetic_progressive",
        }
    }
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One component as the frame header gives it, before its grid is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sampling {
    /// Component identifier, any byte.
    pub id: u8,
    /// Horizontal sampling factor, 1..=4.
    pub h: u8,
    /// Vertical sampling factor, 1..=4.
    pub v: u8,
    /// Quantisation table destination, 0..=3.
    pub quant_index: u8,
}

/// One component of a frame and its block grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Component {
    /// Component identifier, any byte.
    pub id: u8,
    /// Horizontal sampling factor, 1..=4.
    pub h: u8,
    /// Vertical sampling factor, 1..=4.
    pub v: u8,
    /// Quantisation table destination, 0..=3.
    pub quant_index: u8,
    /// Columns of samples, ceil(width * h / h_max).
    pub width: u32,
    /// Rows of samples, ceil(height * v / v_max).
    pub height: u32,
    /// Columns of blocks that hold samples, ceil(columns of samples / 8).
    pub blocks_wide: u32,
    /// Rows of blocks that hold samples.
    pub blocks_high: u32,
    /// Columns of blocks in whole MCUs of an interleaved scan.
    pub padded_blocks_wide: u32,
    /// Rows of blocks in whole MCUs of an interleaved scan.
    pub padded_blocks_high: u32,
}

impl Component {
    /// Blocks of the true grid.
    pub fn block_count(&self) -> u64 {
        u64::from(self.blocks_wide) * u64::from(self.blocks_high)
    }
}

/// A frame header with its geometry worked out.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Frame {
    /// Coding process.
    pub process: Process,
    /// Bits a sample, 8 or 12.
    pub precision: u8,
    /// Columns of pixels, 1..=65535.
    pub width: u32,
    /// Lines of pixels, 1..=65535.
    pub height: u32,
    /// Largest horizontal sampling factor.
    pub h_max: u8,
    /// Largest vertical sampling factor.
    pub v_max: u8,
    /// MCU columns of an interleaved scan of all components.
    pub mcus_wide: u32,
    /// MCU rows of an interleaved scan of all components.
    pub mcus_high: u32,
    /// The components in frame order, 1..=10 of them.
    pub components: Vec<Component>,
}

impl Frame {
    /// Works out the grids. Dimensions and factors must have been checked: `1..=65535` and `1..=4`.
    pub fn new(process: Process, precision: u8, width: u32, height: u32, sampling: &[Sampling]) -> Frame {
        let h_max = sampling.iter().map(|s| s.h).max().unwrap_or(1);
        let v_max = sampling.iter().map(|s| s.v).max().unwrap_or(1);
        let mcus_wide = width.div_ceil(8 * u32::from(h_max));
        let mcus_high = height.div_ceil(8 * u32::from(v_max));
        let components = sampling
            .iter()
            .map(|s| {
                let (h, v) = (u32::from(s.h), u32::from(s.v));
                let (samples_wide, samples_high) =
                    ((width * h).div_ceil(u32::from(h_max)), (height * v).div_ceil(u32::from(v_max)));
                Component {
                    id: s.id,
                    h: s.h,
                    v: s.v,
                    quant_index: s.quant_index,
                    width: samples_wide,
                    height: samples_high,
                    blocks_wide: samples_wide.div_ceil(8),
                    blocks_high: samples_high.div_ceil(8),
                    padded_blocks_wide: mcus_wide * h,
                    padded_blocks_high: mcus_high * v,
                }
            })
            .collect();
        Frame { process, precision, width, height, h_max, v_max, mcus_wide, mcus_high, components }
    }

    /// Blocks of the true grids of all components.
    pub fn block_count(&self) -> u64 {
        self.components.iter().map(Component::block_count).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worked_example() {
        let s = |id, h, v| Sampling { id, h, v, quant_index: 0 };
        let frame = Frame::new(Process::Baseline, 8, 36, 28, &[s(1, 2, 2), s(2, 1, 1), s(3, 1, 1)]);
        let [y, cb, _] = frame.components[..] else { panic!("three components") };
        assert_eq!((frame.mcus_wide, frame.mcus_high), (3, 2));
        assert_eq!((y.blocks_wide, y.blocks_high, y.padded_blocks_wide, y.padded_blocks_high), (5, 4, 6, 4));
        assert_eq!((cb.width, cb.height, cb.blocks_wide, cb.blocks_high), (18, 14, 3, 2));
    }
}
