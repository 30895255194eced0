//! MCU order (T.81 A.2): which block of which component comes next in a scan.

use smallvec::{SmallVec, smallvec};

use crate::markers::{ScanComponent, ScanHeader};
use crate::spec::frame::Frame;

/// One block of an MCU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct McuBlock {
    /// Place of its component in the scan.
    pub in_scan: usize,
    /// Column in the MCU.
    pub x: u32,
    /// Row in the MCU.
    pub y: u32,
}

/// The MCU grid of a scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct McuLayout {
    pub mcus_wide: u32,
    pub mcus_high: u32,
    /// The blocks of an MCU in the order of the data.
    pub blocks: SmallVec<[McuBlock; 10]>,
    /// The same, only the places of their components in the scan.
    pub order: SmallVec<[u8; 10]>,
    /// Per component of the scan: block columns and rows in an MCU.
    pub factors: SmallVec<[(u32, u32); 4]>,
}

impl McuLayout {
    /// One component: an MCU is one block of its true grid (A.2.2). More: whole MCUs (A.2.3).
    pub fn new(frame: &Frame, scan: &ScanHeader) -> McuLayout {
        if let [only] = scan.components[..] {
            let component = &frame.components[only.component];
            return McuLayout {
                mcus_wide: component.blocks_wide,
                mcus_high: component.blocks_high,
                blocks: smallvec![McuBlock { in_scan: 0, x: 0, y: 0 }],
                order: smallvec![0],
                factors: smallvec![(1, 1)],
            };
        }
        let factor = |c: &ScanComponent| {
            let component = &frame.components[c.component];
            (u32::from(component.h), u32::from(component.v))
        };
        let factors: SmallVec<_> = scan.components.iter().map(factor).collect();
        let mut blocks = SmallVec::<[McuBlock; 10]>::new();
        for (in_scan, &(h, v)) in factors.iter().enumerate() {
            blocks.extend((0..h * v).map(|i| McuBlock { in_scan, x: i % h, y: i / h }));
        }
        let order = blocks.iter().map(|block| block.in_scan as u8).collect();
        McuLayout { mcus_wide: frame.mcus_wide, mcus_high: frame.mcus_high, blocks, order, factors }
    }
}
