//! One component of one image on its way through the steps.
//!
//! What enters: its block rows, top to bottom. What leaves: finished output rows, to a target or to the colour mixer.

use std::ops::Range;

use super::convert::{Column, apply_dequantise, column_steps};
use super::direct::Direct;
use super::edge::{EdgeMaps, apply_edge};
use super::horizontal::{RowShape, apply_bias, apply_horizontal, apply_rearrange};
use super::target::{Place, Target};
use super::vertical::{Vertical, apply_row_bias, apply_vertical};
use crate::cpu::Cpu;
use crate::scans::TileRow;
use crate::spec::quant::QuantTable;
use crate::spectral::colour::{MixPlan, Mixer};
use crate::spectral::maps::Axis;
use crate::spectral::plan::{ComponentPlan, Output, Route};

/// Buffers that components and images use one after another.
#[derive(Debug, Default)]
pub(crate) struct Workspace {
    /// What the kernels may use.
    cpu: Cpu,
    columns: Vec<Column>,
    rows: Vec<f32>,
    /// Accumulators, one buffer a component.
    sums: Vec<Vec<f32>>,
}

/// Where finished rows go.
pub(crate) struct Outlet<'a> {
    pub targets: &'a mut [Target],
    pub mixer: &'a mut Mixer,
    pub mix: Option<&'a MixPlan>,
    /// Values that did not fit the element type.
    pub saturated: &'a mut u64,
}

/// A component's plan with what follows from the quantisation table.
#[derive(Debug)]
pub(crate) struct Component {
    plan: ComponentPlan,
    /// Where the component's accumulators are in the workspace.
    index: usize,
    /// Quantisation steps, column-major.
    steps: [f32; 64],
    shape: RowShape,
    /// Block rows and columns of the component that are read.
    rows: Range<usize>,
    columns: Range<usize>,
    /// The short cut, where nothing is mixed or mapped, last blocks apart.
    direct: Option<Direct>,
}

impl Component {
    /// Number `index` of the components in use. `table` is `None` where values stay quantised.
    pub fn new(index: usize, plan: ComponentPlan, table: Option<&QuantTable>) -> Component {
        let kept = match &plan.horizontal {
            Axis::Moved { .. } => plan.route.frequencies().map(|f| usize::from(f % 8) + 1).max().unwrap_or(1),
            Axis::Mapped(map) | Axis::Padded(map) => map.k(),
        };
        let shape = RowShape::new(plan.horizontal.blocks_out(), kept);
        let direct = match (&plan.vertical, &plan.horizontal, &plan.route) {
            (Axis::Mapped(_), ..) | (_, Axis::Mapped(_), _) | (.., Route::Mix { .. }) => None,
            (.., Route::Store { outputs, .. }) => Some(Direct::new(outputs, table)),
        };
        let (rows, columns) = (plan.vertical.inputs(), plan.horizontal.inputs());
        Component { plan, index, steps: table.map_or([1.0; 64], column_steps), shape, rows, columns, direct }
    }

    /// Index in frame order.
    pub fn component(&self) -> usize {
        self.plan.component
    }

    /// Block rows in an MCU row.
    pub fn rows_per_mcu(&self) -> usize {
        self.plan.rows_per_mcu
    }

    /// Takes block row `y` of the component.
    pub fn apply_row(&self, y: usize, row: TileRow<'_>, work: &mut Workspace, outlet: &mut Outlet<'_>) {
        if !self.rows.contains(&y) {
            return;
        }
        if let (Some(direct), Route::Store { target, outputs }) = (&self.direct, &self.plan.route) {
            *outlet.saturated += self.apply_direct(direct, y, row, outputs, &mut outlet.targets[*target]);
            return;
        }
        self.apply_columns(row, work);
        self.apply_rows(y, work, outlet);
    }

    /// The short cut: blocks as they are, then the last ones through their maps. Returns how many values saturated.
    fn apply_direct(
        &self,
        direct: &Direct,
        y: usize,
        row: TileRow<'_>,
        outputs: &[Output],
        target: &mut Target,
    ) -> u64 {
        let (rows, columns) = (&self.rows, &self.columns);
        let to = y - rows.start;
        let vertical = self.plan.vertical.last_block().filter(|_| y + 1 == rows.end);
        let last = self.plan.horizontal.last_block();
        // From here on blocks have a map: all of the last row, the last of another.
        let mapped = match (vertical, last) {
            (Some(_), _) => columns.start,
            (None, Some(_)) => columns.end - 1,
            (None, None) => columns.end,
        };
        let mut saturated = direct.apply_row(row, columns.start..mapped, to, target);
        for x in mapped..columns.end {
            let maps = EdgeMaps { vertical, horizontal: last.filter(|_| x + 1 == columns.end) };
            let place = (to, x - columns.start);
            saturated += apply_edge(row.block(x), &self.steps, maps, outputs, place, target);
        }
        saturated
    }

    /// Dequantises and maps horizontally, into `work.rows`.
    fn apply_columns(&self, row: TileRow<'_>, work: &mut Workspace) {
        work.columns.resize(8 * row.len(), Column::default());
        work.rows.resize(8 * self.shape.pitch, 0.0);
        apply_dequantise(row, self.columns.clone(), &self.steps, &mut work.columns);
        match &self.plan.horizontal {
            Axis::Moved { offset, .. } => apply_rearrange(&work.columns[8 * offset..], self.shape, &mut work.rows),
            Axis::Mapped(map) | Axis::Padded(map) => {
                apply_horizontal(&work.columns, map, self.shape, &mut work.rows);
                apply_bias(map, self.shape, &mut work.rows);
            }
        }
    }

    /// Maps vertically and hands on the output rows that are complete.
    fn apply_rows(&self, y: usize, work: &mut Workspace, outlet: &mut Outlet<'_>) {
        let map = match &self.plan.vertical {
            Axis::Moved { offset, .. } => return self.finish_row(y - offset, &work.rows, outlet),
            Axis::Mapped(map) | Axis::Padded(map) => map,
        };
        let (kept, slots) = (map.k(), map.max_open().max(1));
        let size = kept * self.shape.pitch;
        if work.sums.len() <= self.index {
            work.sums.resize_with(self.index + 1, Vec::new);
        }
        let ring = &mut work.sums[self.index];
        ring.resize(slots * size, 0.0);
        for o in map.readers(y) {
            let (first, weights) = map.taps(o);
            // Readers are a hull: an output inside it may not read this row.
            let Some(weights) = y.checked_sub(first).and_then(|tap| weights.chunks_exact(8 * kept).nth(tap)) else {
                continue;
            };
            let sums = &mut ring[o % slots * size..][..size];
            let (rows, shape) = (&work.rows, self.shape);
            apply_vertical(work.cpu, Vertical { rows, shape, weights, kept, sums, first: y == first });
            if y + 1 == first + map.count()[o] as usize {
                apply_row_bias(map, o, self.shape, sums);
                self.finish_row(o, sums, outlet);
            }
        }
    }

    /// Output row `o` is complete: `values` is `[w][k][i]`.
    fn finish_row(&self, o: usize, values: &[f32], outlet: &mut Outlet<'_>) {
        match &self.plan.route {
            Route::Store { target, outputs } => {
                let target = &mut outlet.targets[*target];
                for output in outputs {
                    let line = self.shape.line(values, output.frequency);
                    let place = Place { channel: output.channel, row: o, column: 0 };
                    *outlet.saturated += target.write_row(place, line, output.scale, output.shift);
                }
            }
            Route::Mix { input, .. } => {
                if let Some(mix) = outlet.mix {
                    let target = &mut outlet.targets[0];
                    *outlet.saturated += outlet.mixer.take(mix, *input, o, values, self.shape, target);
                }
            }
        }
    }
}
