//! Where warnings go: kept in order, bounded in number, and fatal where damage is refused.

use crate::error::{Error, Result, Warning, WarningKind};

/// More warnings than this are only counted: a hostile file could make one a byte.
const KEPT: usize = 64;

/// The warnings of one image.
#[derive(Debug, Default)]
pub(crate) struct Log {
    warnings: Vec<Warning>,
    suppressed: u32,
    /// Damage ends decoding with an error.
    refuse_damage: bool,
}

impl Log {
    /// An empty log.
    pub fn new(refuse_damage: bool) -> Log {
        Log { refuse_damage, ..Log::default() }
    }

    /// Adds a warning. What was said last is not said again: a scan and the search for the next marker both find where a
    /// file ends.
    ///
    /// # Errors
    /// [`Error::Damaged`] if it is damage and damage is refused.
    pub fn add(&mut self, offset: usize, kind: WarningKind) -> Result<()> {
        let warning = Warning { offset: offset as u64, kind };
        if self.refuse_damage && warning.is_damage() {
            return Err(Error::Damaged(warning));
        }
        if self.warnings.last() == Some(&warning) {
            return Ok(());
        }
        if self.warnings.len() < KEPT {
            self.warnings.push(warning);
        } else if warning.is_damage() {
            self.suppressed += 1;
        }
        Ok(())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.warnings.is_empty()
    }

    /// How many of the warnings are damage.
    pub fn damage(&self) -> usize {
        self.warnings.iter().filter(|warning| warning.is_damage()).count() + self.suppressed as usize
    }

    /// All warnings; the last one says how many more there were.
    pub fn into_warnings(mut self, end: usize) -> Vec<Warning> {
        if self.suppressed > 0 {
            self.warnings.push(Warning { offset: end as u64, kind: WarningKind::Suppressed(self.suppressed) });
        }
        self.warnings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_said_twice_in_a_row() {
        let mut log = Log::new(false);
        for (offset, kind) in
            [(7, WarningKind::PrematureEnd), (7, WarningKind::PrematureEnd), (8, WarningKind::PrematureEnd)]
        {
            log.add(offset, kind).unwrap();
        }
        let offsets: Vec<u64> = log.into_warnings(9).iter().map(|warning| warning.offset).collect();
        assert_eq!(offsets, [7, 8]);
    }
}
