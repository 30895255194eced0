//! RGB to YCbCr on coefficients.
//!
//! What enters: finished block rows of R, G and B on one grid. What leaves: rows of Y, Cb and Cr. The transform of JFIF
//! (Rec. ITU-R BT.601 luma, ITU-T T.871 clause 7) is linear, so it acts on coefficients as on samples. The offsets need
//! nothing: coefficients are those of sample - 128; the rows of Y sum to 1, so Y is level-shifted too; those of Cb and Cr
//! sum to 0, and their +128 is what the level shift takes away again.

use std::sync::Arc;

use super::apply::{RowShape, Target, WriteLines};
use super::plan::Output;
use crate::cpu::Cpu;

/// Luma weights of R and B (BT.601); G has the rest.
const KR: f64 = 0.299;
const KB: f64 = 0.114;

/// Rows Y, Cb, Cr; columns R, G, B. Cb = (B - Y) / (2 - 2 KB), Cr = (R - Y) / (2 - 2 KR).
pub(crate) const RGB_TO_YCBCR: [[f64; 3]; 3] = {
    let kg = 1.0 - KR - KB;
    let (cb, cr) = (2.0 - 2.0 * KB, 2.0 - 2.0 * KR);
    [[KR, kg, KB], [-KR / cb, -kg / cb, 0.5], [0.5, -kg / cr, -KB / cr]]
};

/// What is mixed and where it goes.
#[derive(Debug)]
pub(crate) struct MixPlan {
    /// Frequencies wanted of each of R, G and B: what any output needs, ascending.
    frequencies: Vec<u8>,
    /// Index into `frequencies`, weights of R, G, B, destination.
    outputs: Vec<(usize, [f32; 3], Output)>,
}

impl MixPlan {
    /// From the outputs of Y, Cb and Cr.
    pub fn new(outputs: [Arc<[Output]>; 3]) -> MixPlan {
        let mut frequencies: Vec<u8> =
            outputs.iter().flat_map(|list| list.iter()).map(|output| output.frequency).collect();
        frequencies.sort_unstable();
        frequencies.dedup();
        let slot = |f: u8| frequencies.partition_point(|&other| other < f);
        let outputs = outputs
            .iter()
            .zip(RGB_TO_YCBCR.map(|row| row.map(|weight| weight as f32)))
            .flat_map(|(list, weights)| list.iter().map(move |&output| (slot(output.frequency), weights, output)))
            .collect();
        MixPlan { frequencies, outputs }
    }

    /// Row-major indices, ascending.
    pub fn frequencies(&self) -> &[u8] {
        &self.frequencies
    }
}

/// Block rows that wait for their siblings. Components arrive MCU row by MCU row, so few ever wait.
#[derive(Debug, Default)]
pub(crate) struct Mixer {
    waiting: Vec<Waiting>,
    free: Vec<Vec<f32>>,
    line: Vec<f32>,
}

#[derive(Debug)]
struct Waiting {
    row: usize,
    arrived: usize,
    /// `[input][frequency][block]`.
    values: Vec<f32>,
}

impl Mixer {
    /// Forgets an image that was left unfinished.
    pub fn reset(&mut self) {
        self.free.extend(self.waiting.drain(..).map(|waiting| waiting.values));
    }

    /// Takes block row `row` of one input; when it is the last of three, writes the mixed row. Returns how many values
    /// saturated.
    #[allow(clippy::too_many_arguments)] // one call
    pub fn take(
        &mut self,
        cpu: Cpu,
        plan: &MixPlan,
        input: usize,
        row: usize,
        values: &[f32],
        shape: RowShape,
        target: &mut Target,
    ) -> u64 {
        let blocks = shape.blocks;
        let size = plan.frequencies.len() * blocks;
        let index = self.waiting.iter().position(|waiting| waiting.row == row).unwrap_or_else(|| {
            let mut buffer = self.free.pop().unwrap_or_default();
            buffer.resize(3 * size, 0.0);
            self.waiting.push(Waiting { row, arrived: 0, values: buffer });
            self.waiting.len() - 1
        });
        let waiting = &mut self.waiting[index];
        for (to, &f) in waiting.values[input * size..].chunks_exact_mut(blocks.max(1)).zip(&plan.frequencies) {
            to.copy_from_slice(shape.line(values, f));
        }
        waiting.arrived += 1;
        if waiting.arrived < 3 {
            return 0;
        }
        let done = self.waiting.swap_remove(index);
        let saturated = write_mixed(cpu, plan, row, &done.values, blocks, &mut self.line, target);
        self.free.push(done.values);
        saturated
    }
}

fn write_mixed(
    cpu: Cpu,
    plan: &MixPlan,
    row: usize,
    values: &[f32],
    blocks: usize,
    line: &mut Vec<f32>,
    target: &mut Target,
) -> u64 {
    let size = plan.frequencies.len() * blocks;
    let mut saturated = 0;
    for &(slot, weights, output) in &plan.outputs {
        let input = |n: usize| values[n * size + slot * blocks..][..blocks].iter();
        line.clear();
        let rgb = input(0).zip(input(1)).zip(input(2));
        line.extend(rgb.map(|((r, g), b)| weights[0] * r + weights[1] * g + weights[2] * b));
        // The line is that of frequency 0 of a row that has no other.
        let outputs = [Output { frequency: 0, ..output }];
        let shape = RowShape::new(blocks, 1);
        saturated += cpu.run(WriteLines { target, outputs: &outputs, rows: &[line], shape, first: row });
    }
    saturated
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_matrix_is_that_of_jfif() {
        let jfif = [[0.299, 0.587, 0.114], [-0.168_736, -0.331_264, 0.5], [0.5, -0.418_688, -0.081_312]];
        for (row, expected) in RGB_TO_YCBCR.iter().zip(jfif) {
            assert!(row.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6));
        }
        let sums = RGB_TO_YCBCR.map(|row| row.iter().sum::<f64>());
        assert!((sums[0] - 1.0).abs() < 1e-15 && sums[1].abs() < 1e-15 && sums[2].abs() < 1e-15);
    }
}
