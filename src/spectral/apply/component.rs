//! One component of one image on its way through the steps.
//!
//! What enters: its block rows, top to bottom. What leaves: finished output rows, to a target or to the colour mixer.

use std::ops::Range;

use super::convert::{Column, Dequantise, column_steps};
use super::direct::{Direct, DirectRows};
use super::double::{Across, DoubledAxis, Down, Unpack, zigzag_steps};
use super::edge::{EdgeBlock, EdgeMaps};
use super::horizontal::{Horizontal, Rearrange, RowShape, apply_bias};
use super::target::{Target, WriteLines};
use super::vertical::{Vertical, apply_row_bias};
use crate::cpu::{Buffer, Cpu, LANES};
use crate::scans::{Tile, TileRow};
use crate::spec::quant::QuantTable;
use crate::spectral::axis::CoefficientMap;
use crate::spectral::colour::{MixPlan, Mixer};
use crate::spectral::maps::Axis;
use crate::spectral::plan::{ComponentPlan, Output, Route};

/// Block rows taken together: their vertical frequencies fill the lanes of a kernel.
const PAIR: usize = 2;

/// Buffers that components and images use one after another.
#[derive(Debug, Default)]
pub(crate) struct Workspace {
    /// What the kernels may use.
    pub cpu: Cpu,
    /// `[v][k][i]` of two block rows.
    rows: Buffer,
    /// An output row that begins and ends with them.
    sums: Buffer,
    /// What waits between block rows, one a component.
    waiting: Vec<Waiting>,
}

/// What a component keeps between its block rows.
#[derive(Debug, Default)]
struct Waiting {
    /// Of two block rows, or of one that waits for its lower neighbour.
    columns: Buffer,
    /// Accumulators of open output rows, a ring.
    ring: Buffer,
    /// Which output rows are complete.
    finished: Vec<bool>,
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
    /// Accumulators in the ring: no two output rows that are open at a time have the same number modulo it.
    slots: usize,
    /// Block rows and columns of the component that are read.
    rows: Range<usize>,
    columns: Range<usize>,
    /// The short cut, where nothing is mixed or mapped, last blocks apart.
    direct: Option<Direct>,
    /// The short cut where an axis is doubled and the other is too or stays as it is.
    doubled: Option<Doubled>,
}

/// Shapes of rows on their way through a doubling.
#[derive(Debug)]
struct Doubled {
    /// Quantisation steps, zigzag order.
    steps: [f32; 64],
    /// Of input rows.
    input: RowShape,
}

impl Component {
    /// Number `index` of the components in use. `table` is `None` where values stay quantised.
    pub fn new(index: usize, plan: ComponentPlan, table: Option<&QuantTable>, work: &mut Workspace) -> Component {
        if work.waiting.len() <= index {
            work.waiting.resize_with(index + 1, Waiting::default);
        }
        let finished = &mut work.waiting[index].finished;
        finished.clear();
        finished.resize(plan.vertical.blocks_out(), false);
        let kept = match &plan.horizontal {
            Axis::Moved { .. } => plan.route.frequencies().map(|f| usize::from(f % 8) + 1).max().unwrap_or(1),
            Axis::Mapped(map) | Axis::Padded(map) | Axis::Doubled { map, .. } => map.k(),
        };
        let direct = match (&plan.vertical, &plan.horizontal, &plan.route) {
            (
                Axis::Moved { .. } | Axis::Padded(_),
                Axis::Moved { .. } | Axis::Padded(_),
                Route::Store { outputs, .. },
            ) => Some(Direct::new(outputs, table)),
            _ => None,
        };
        let blocks = plan.horizontal.blocks_out();
        let (doubled, shape) = match (&plan.vertical, &plan.horizontal) {
            (Axis::Moved { offset: 0, .. } | Axis::Doubled { .. }, Axis::Doubled { map, .. }) => {
                (Some(map.blocks_in()), RowShape::with_lines_of(2 * LANES, blocks, kept))
            }
            (Axis::Doubled { .. }, Axis::Moved { offset: 0, .. }) => {
                (Some(blocks), RowShape::with_lines_of(LANES, blocks, 8))
            }
            _ => (None, RowShape::new(blocks, kept)),
        };
        let doubled = doubled
            .map(|blocks| Doubled { steps: zigzag_steps(table), input: RowShape::with_lines_of(LANES, blocks, 8) });
        let (rows, columns) = (plan.vertical.inputs(), plan.horizontal.inputs());
        let slots = match &plan.vertical {
            Axis::Moved { .. } => 1,
            _ if doubled.is_some() => PAIR,
            Axis::Mapped(map) | Axis::Padded(map) | Axis::Doubled { map, .. } => {
                let pairs = rows.clone().step_by(PAIR).map(|y| y..rows.end.min(y + PAIR));
                pairs.map(|pair| open_rows(map, &pair).len()).max().unwrap_or(0).max(1)
            }
        };
        Component {
            plan,
            index,
            steps: table.map_or([1.0; 64], column_steps),
            shape,
            slots,
            rows,
            columns,
            direct,
            doubled,
        }
    }

    /// Takes the block rows of a tile.
    pub fn apply_tile(&self, tile: &Tile<'_>, work: &mut Workspace, outlet: &mut Outlet<'_>) {
        let held = tile.rows(self.plan.component);
        let rows = self.rows.start.max(held.start as usize)..self.rows.end.min(held.end as usize);
        if rows.is_empty() {
            return;
        }
        if let (Some(direct), Route::Store { target, outputs }) = (&self.direct, &self.plan.route) {
            let (first, end) = (rows.start - self.rows.start, rows.end - self.rows.start);
            work.waiting[self.index].finished[first..end].fill(true);
            let target = &mut outlet.targets[*target];
            *outlet.saturated += self.apply_direct(work.cpu, direct, tile, rows, outputs, target);
            return;
        }
        if let Some(doubled) = &self.doubled {
            return rows.for_each(|y| self.apply_doubled(doubled, y, tile, work, outlet));
        }
        for y in rows {
            let half = (y - self.rows.start) % PAIR;
            self.apply_dequantise(half, tile.row(self.plan.component, y as u32), work);
            if half + 1 == PAIR || y + 1 == self.rows.end {
                self.apply_horizontal(work);
                self.apply_vertical(y - half..y + 1, work, outlet);
            }
        }
    }

    /// The short cut: blocks as they are, then the last ones through their maps. Returns how many values saturated.
    fn apply_direct(
        &self,
        cpu: Cpu,
        direct: &Direct,
        tile: &Tile<'_>,
        rows: Range<usize>,
        outputs: &[Output],
        target: &mut Target,
    ) -> u64 {
        let (component, to) = (self.plan.component, rows.start - self.rows.start);
        let vertical = self.plan.vertical.last_block().filter(|_| rows.end == self.rows.end);
        let horizontal = self.plan.horizontal.last_block();
        // The last row and the last column have maps.
        let plain = rows.start..rows.end - usize::from(vertical.is_some());
        let columns = self.columns.start..self.columns.end - usize::from(horizontal.is_some());
        let edge_block = |y: usize, x: usize, target: &mut Target| {
            let maps = EdgeMaps {
                vertical: vertical.filter(|_| y + 1 == self.rows.end),
                horizontal: horizontal.filter(|_| x + 1 == self.columns.end),
            };
            let (block, steps) = (tile.row(component, y as u32).block(x), &self.steps);
            let place = (y - self.rows.start, x - self.columns.start);
            cpu.run(EdgeBlock { block, steps, maps, outputs, place, target })
        };
        let mut saturated = 0;
        if horizontal.is_some() {
            saturated += plain.clone().map(|y| edge_block(y, columns.end, target)).sum::<u64>();
        }
        if vertical.is_some() {
            saturated += self.columns.clone().map(|x| edge_block(plain.end, x, target)).sum::<u64>();
        }
        saturated + cpu.run(DirectRows { direct, tile, component, rows: plain, columns, to, target })
    }

    /// Dequantises a block row into its half of the columns. Where there is no second row, the other half is what it was:
    /// numbers that nobody reads the results of.
    fn apply_dequantise(&self, half: usize, row: TileRow<'_>, work: &mut Workspace) {
        let columns = &mut work.waiting[self.index].columns;
        columns.reserve(8 * LANES * row.len());
        let columns = columns.get_mut().as_chunks_mut().0;
        work.cpu.run(Dequantise { row, wanted: self.columns.clone(), steps: &self.steps, half, columns });
    }

    /// Maps two block rows horizontally, into `work.rows`.
    fn apply_horizontal(&self, work: &mut Workspace) {
        let (columns, rows, shape) = (&work.waiting[self.index].columns, &mut work.rows, self.shape);
        rows.reserve(8 * PAIR * shape.pitch);
        let (columns, rows): (&[Column], _) = (columns.get().as_chunks().0, rows.get_mut());
        match &self.plan.horizontal {
            Axis::Moved { offset, .. } => work.cpu.run(Rearrange { columns: &columns[8 * offset..], shape, rows }),
            Axis::Mapped(map) | Axis::Padded(map) | Axis::Doubled { map, .. } => {
                work.cpu.run(Horizontal { columns, map, shape, rows });
                apply_bias(map, shape, rows);
            }
        }
    }

    /// Maps block rows `inputs`, one or two, vertically and hands on the output rows that are complete.
    fn apply_vertical(&self, inputs: Range<usize>, work: &mut Workspace, outlet: &mut Outlet<'_>) {
        let (cpu, shape) = (work.cpu, self.shape);
        let map = match &self.plan.vertical {
            Axis::Moved { offset, .. } => {
                for (y, values) in inputs.zip(work.rows.get().chunks_exact(8 * shape.pitch)) {
                    self.finish_rows(cpu, y - offset, &[values], outlet);
                    work.waiting[self.index].finished[y - offset] = true;
                }
                return;
            }
            Axis::Mapped(map) | Axis::Padded(map) | Axis::Doubled { map, .. } => map,
        };
        let (kept, size) = (map.k(), map.k() * shape.pitch);
        let Waiting { ring, finished, .. } = &mut work.waiting[self.index];
        ring.reserve(self.slots * size);
        work.sums.reserve(size);
        let (ring, passing) = (ring.get_mut(), work.sums.get_mut());
        for o in open_rows(map, &inputs) {
            let (first, weights) = map.taps(o);
            let end = first + map.count()[o] as usize;
            // The rows are a hull: an output inside it may not read these.
            let reads = first.max(inputs.start)..end.min(inputs.end);
            if reads.is_empty() {
                continue;
            }
            let (begins, ends) = (first >= inputs.start, end <= inputs.end);
            let sums = if begins && ends { &mut passing[..size] } else { &mut ring[o % self.slots * size..][..size] };
            let weights = &weights[8 * kept * (reads.start - first)..8 * kept * (reads.end - first)];
            let rows = &work.rows.get()[8 * shape.pitch * (reads.start - inputs.start)..];
            cpu.run(Vertical { rows, shape, weights, kept, sums, first: begins });
            if ends {
                apply_row_bias(map, o, shape, sums);
                self.finish_rows(cpu, o, &[sums], outlet);
                finished[o] = true;
            }
        }
    }

    /// Takes one block row where an axis is doubled. A row of a doubled vertical axis waits for the next.
    fn apply_doubled(
        &self,
        doubled: &Doubled,
        y: usize,
        tile: &Tile<'_>,
        work: &mut Workspace,
        outlet: &mut Outlet<'_>,
    ) {
        let (cpu, shape, input) = (work.cpu, self.shape, doubled.input);
        let row = tile.row(self.plan.component, y as u32);
        let (lines, samples) = (8 * input.pitch, 2 * (input.stride + LANES));
        work.rows.reserve(lines + samples);
        let (lines, samples) = work.rows.get_mut().split_at_mut(lines);
        let Waiting { columns: above, ring, finished } = &mut work.waiting[self.index];
        let size = 8 * shape.pitch;
        ring.reserve(PAIR * size);
        let (even, odd) = ring.get_mut()[..PAIR * size].split_at_mut(size);
        let (own, other) = if y % PAIR == 0 { (even, &*odd) } else { (odd, &*even) };
        match &self.plan.horizontal {
            Axis::Doubled { map, doubling, regular } => {
                cpu.run(Unpack { row, steps: &doubled.steps, shape: input, rows: lines });
                let axis = DoubledAxis { doubling, map, regular: *regular };
                cpu.run(Across { axis, from: lines, from_shape: input, rows: own, shape, samples });
            }
            _ => cpu.run(Unpack { row, steps: &doubled.steps, shape, rows: own }),
        }
        let Axis::Doubled { map, doubling, regular } = &self.plan.vertical else {
            finished[y] = true;
            return self.finish_rows(cpu, y, &[own], outlet);
        };
        above.reserve(shape.k * shape.stride);
        let (kept, size) = (map.k(), map.k() * shape.pitch);
        work.sums.reserve(PAIR * size);
        let (upper, lower) = work.sums.get_mut()[..PAIR * size].split_at_mut(size);
        let last = y + 1 == self.rows.end;
        let ready = [y.checked_sub(1).map(|y| (y, other, Some(&*own))), last.then_some((y, &*own, None))];
        for (y, row, below) in ready.into_iter().flatten() {
            let (above, sums) = (above.get_mut(), [&mut *upper, &mut *lower]);
            cpu.run(Down { doubling, kept, shape, row, below, above, top: y == 0, sums });
            let rows = [&*upper, &*lower];
            let rows = &rows[..regular.saturating_sub(2 * y).min(rows.len())];
            finished[2 * y..2 * y + rows.len()].fill(true);
            self.finish_rows(cpu, 2 * y, rows, outlet);
        }
        if !last {
            return;
        }
        // Rows whose samples repeat inside a block.
        for o in *regular..map.blocks_out() {
            let (first, weights) = map.taps(o);
            for (n, weights) in weights.chunks_exact(8 * kept).enumerate() {
                let rows = if first + n == y { &*own } else { other };
                cpu.run(Vertical { rows, shape, weights, kept, sums: upper, first: n == 0 });
            }
            finished[o] = true;
            self.finish_rows(cpu, o, &[upper], outlet);
        }
    }

    /// Makes output rows that nothing was delivered for: their coefficients are zero. A decoder delivers all it is asked
    /// for, so there are none; but memory that had another image must not show it.
    pub fn finish_missing(&self, work: &mut Workspace, outlet: &mut Outlet<'_>) {
        let finished = std::mem::take(&mut work.waiting[self.index].finished);
        if finished.contains(&false) {
            let zeros = vec![0.0; 8 * self.shape.pitch];
            for (o, _) in finished.iter().enumerate().filter(|(_, finished)| !**finished) {
                self.finish_rows(work.cpu, o, &[&zeros], outlet);
            }
        }
        work.waiting[self.index].finished = finished;
    }

    /// Output rows from `o` on are complete: `rows` are `[w][k][i]`.
    fn finish_rows(&self, cpu: Cpu, o: usize, rows: &[&[f32]], outlet: &mut Outlet<'_>) {
        let shape = self.shape;
        *outlet.saturated += match (&self.plan.route, outlet.mix) {
            (Route::Store { target, outputs }, _) => {
                let target = &mut outlet.targets[*target];
                cpu.run(WriteLines { target, outputs, rows, shape, first: o })
            }
            (Route::Mix { input, .. }, Some(mix)) => {
                let mut take = |(o, row)| outlet.mixer.take(cpu, mix, *input, o, row, shape, &mut outlet.targets[0]);
                (o..).zip(rows.iter().copied()).map(&mut take).sum()
            }
            (Route::Mix { .. }, None) => 0,
        };
    }
}

/// Hull of the output rows that read any of these block rows.
fn open_rows(map: &CoefficientMap, inputs: &Range<usize>) -> Range<usize> {
    let readers = || inputs.clone().map(|y| map.readers(y)).filter(|readers| !readers.is_empty());
    let start = readers().map(|readers| readers.start).min().unwrap_or(0);
    start..readers().map(|readers| readers.end).max().unwrap_or(start)
}
