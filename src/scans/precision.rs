//! Which bits of which coefficients the scans of an image have brought so far (T.81 G.1.1.1).

use super::tile::Demand;
use crate::error::{Result, WarningKind};
use crate::markers::{Log, ScanHeader};

/// Per component and coefficient: the lowest bit position decoded so far, -1 before its first scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Precision(Vec<[i8; 64]>);

impl Precision {
    /// Before the first scan of an image of so many components.
    pub fn new(components: usize) -> Precision {
        Precision(vec![[-1; 64]; components])
    }

    /// Whether there was a scan of the component.
    pub fn has_scan(&self, component: usize) -> bool {
        self.0[component].iter().any(|&bit| bit >= 0)
    }

    /// Whether all that is wanted has its last bit, or its first ones if those are enough.
    pub fn is_complete(&self, demand: &Demand) -> bool {
        self.0.iter().zip(&demand.highest).all(|(bits, highest)| {
            let bits = highest.map_or(&[][..], |highest| &bits[..=usize::from(highest.min(63))]);
            bits.iter().all(|&bit| bit == 0 || (bit > 0 && demand.first_passes))
        })
    }

    /// Takes note of a sequential scan.
    pub fn follow_sequential(&mut self, scan: &ScanHeader) {
        for chosen in &scan.components {
            self.0[chosen.component] = [0; 64];
        }
    }

    /// Takes note of a progressive scan of a component, whose parameters must have been checked. It must refine from the
    /// bit position that the last one of the same coefficient left (T.81 G.1.1.1.2), and AC scans follow the first DC
    /// scan: what does not is logged. Whether all is as T.81 has it, which leaves no coefficient to two first scans.
    pub fn follow(&mut self, component: usize, scan: &ScanHeader, log: &mut Log) -> Result<bool> {
        let bits = &mut self.0[component];
        let mut wrong = (scan.ss > 0 && bits[0] < 0).then_some((0, 0));
        let mut is_new = true;
        for k in scan.ss..=scan.se {
            let before = bits[usize::from(k)];
            let expected = before.max(0) as u8;
            if scan.ah != expected {
                wrong = wrong.or(Some((k, expected)));
            }
            is_new &= before < 0;
            bits[usize::from(k)] = scan.al as i8;
        }
        if let Some((k, expected)) = wrong {
            log.add(scan.offset, WarningKind::Progression(k, scan.ah, expected))?;
        }
        Ok(wrong.is_none() && (scan.ah > 0 || is_new))
    }
}
