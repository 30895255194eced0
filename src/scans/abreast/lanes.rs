//! Who decodes what next.
//!
//! What enters: scans at their first MCU. What leaves: tiles, in order, and how many bands are certain.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use smallvec::SmallVec;

use super::band::{Band, Part, Shape};
use crate::error::Result;
use crate::markers::Log;
use crate::scans::assembly::Assembly;
use crate::scans::crew::lock;
use crate::scans::tile::TileConsumer;
use crate::scans::walk::Walk;
use crate::spec::frame::Frame;

/// A scan on its way.
pub(super) struct Lane<'a> {
    pub walk: Mutex<Walk<'a>>,
    /// The component whose AC coefficients it has; `None` for DC coefficients.
    pub component: Option<usize>,
    /// The scan it builds on.
    pub follows: Option<usize>,
    /// Where its data ends.
    pub end: usize,
}

/// How far everything is.
pub(super) struct State {
    lanes: SmallVec<[Progress; 16]>,
    /// Bands handed on.
    pub handed_on: u32,
    is_handing_on: bool,
    /// Bands before this one have nothing wrong with them so far; those from it on are not begun any more.
    limit: u32,
    /// Threads at work.
    working: usize,
    /// Threads that sleep.
    sleeping: usize,
    is_over: bool,
    pub outcome: Result<()>,
}

/// How far a scan is.
#[derive(Debug, Clone, Copy, Default)]
struct Progress {
    /// Bands done.
    done: u32,
    /// A thread has it.
    is_taken: bool,
}

/// What a thread does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Task {
    /// A scan's part of a band.
    Decode(usize, u32),
    HandOn(u32),
}

impl State {
    pub fn new(lanes: usize, bands: u32) -> State {
        State {
            lanes: SmallVec::from_elem(Progress::default(), lanes),
            handed_on: 0,
            is_handing_on: false,
            limit: bands,
            working: 0,
            sleeping: 0,
            is_over: false,
            outcome: Ok(()),
        }
    }

    /// What can be done, in the uppermost band where there is something, with memory for so many `bands`.
    fn pick(&self, lanes: &[Lane<'_>], bands: usize) -> Option<Task> {
        if self.is_over {
            return None;
        }
        let band = self.handed_on;
        if !self.is_handing_on && band < self.limit && self.lanes.iter().all(|lane| lane.done > band) {
            return Some(Task::HandOn(band));
        }
        let end = self.limit.min(band.saturating_add(bands as u32));
        let is_open = |lane: &Progress, follows: Option<usize>| {
            !lane.is_taken && lane.done < end && follows.is_none_or(|before| self.lanes[before].done > lane.done)
        };
        let open = self.lanes.iter().zip(lanes).enumerate().filter(|(_, (at, lane))| is_open(at, lane.follows));
        open.min_by_key(|(_, (at, _))| at.done).map(|(number, (at, _))| Task::Decode(number, at.done))
    }

    fn begin(&mut self, task: Task) {
        self.working += 1;
        match task {
            Task::Decode(lane, _) => self.lanes[lane].is_taken = true,
            Task::HandOn(_) => self.is_handing_on = true,
        }
    }
}

/// What the threads share.
pub(super) struct Job<'j, 'a, C> {
    pub frame: &'j Frame,
    pub shape: &'j Shape,
    /// MCU rows that are handed on.
    pub wanted: Range<u32>,
    /// In turns the memory of all bands.
    pub bands: &'j [Band],
    pub lanes: Vec<Lane<'a>>,
    pub state: Mutex<State>,
    pub tiles: Mutex<(Assembly<'j>, &'j mut C)>,
    /// Counts the changes of `state`, for those who wait for one.
    pub changes: AtomicUsize,
    pub changed: Condvar,
}

/// Looks for a change before a thread goes to sleep, which would cost about as much as they: some 50 microseconds.
const LOOKS: usize = 4000;

impl<C: TileConsumer> Job<'_, '_, C> {
    /// What each thread does. Whoever waits does so for one that is at work.
    pub fn work(&self) {
        let _alarm = Alarm(self);
        let mut state = lock(&self.state);
        loop {
            let Some(task) = state.pick(&self.lanes, self.bands.len()) else {
                if state.is_over || state.working == 0 {
                    return;
                }
                state = self.wait(state);
                continue;
            };
            state.begin(task);
            drop(state);
            match task {
                Task::Decode(number, band) => {
                    let is_sound = self.decode(number, band);
                    state = lock(&self.state);
                    state.lanes[number].is_taken = false;
                    if is_sound {
                        state.lanes[number].done = band + 1;
                    } else {
                        state.limit = state.limit.min(band);
                    }
                }
                Task::HandOn(band) => {
                    let outcome = self.hand_on(band);
                    state = lock(&self.state);
                    state.is_handing_on = false;
                    match outcome {
                        Ok(()) => state.handed_on = band + 1,
                        Err(error) => (state.outcome, state.is_over) = (Err(error), true),
                    }
                }
            }
            state.working -= 1;
            self.tell(&state);
        }
    }

    /// Waits for a change.
    fn wait<'s>(&'s self, state: MutexGuard<'s, State>) -> MutexGuard<'s, State> {
        let seen = self.changes.load(Ordering::Acquire);
        drop(state);
        for _ in 0..LOOKS {
            if self.changes.load(Ordering::Acquire) != seen {
                return lock(&self.state);
            }
            std::hint::spin_loop();
        }
        let mut state = lock(&self.state);
        state.sleeping += 1;
        while self.changes.load(Ordering::Acquire) == seen {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.sleeping -= 1;
        state
    }

    /// Tells those who wait of a change.
    fn tell(&self, state: &State) {
        self.changes.fetch_add(1, Ordering::Release);
        if state.sleeping > 0 {
            self.changed.notify_all();
        }
    }

    /// Decodes a scan's part of a band. False if anything is not sound.
    fn decode(&self, number: usize, band: u32) -> bool {
        let lane = &self.lanes[number];
        let mut walk = lock(&lane.walk);
        let memory = &self.bands[band as usize % self.bands.len()];
        let until = walk.mcus_in((band + 1).saturating_mul(self.shape.mcu_rows));
        let mut log = Log::new(true);
        let done = match lane.component {
            None => {
                let mut dc = lock(&memory.dc);
                if lane.follows.is_none() {
                    dc.fill(0);
                }
                walk.go_on_dc(until, &self.shape.dc_planes(band), &mut dc, &mut log)
            }
            Some(component) => {
                let mut part = lock(&memory.parts[component]);
                let Part { blocks, history } = &mut *part;
                let count = until - walk.next();
                let (blocks, history) = (&mut blocks[..count], &mut history[..count]);
                if lane.follows.is_none() {
                    blocks.fill([0; 64]);
                    history.fill(0);
                }
                walk.go_on_ac(until, blocks, history, &mut true, &mut log)
            }
        };
        let is_last = band + 1 == self.shape.count;
        done.is_ok() && (!is_last || walk.finish(&mut log).ok() == Some(lane.end)) && log.is_empty()
    }

    /// Hands a band on.
    fn hand_on(&self, band: u32) -> Result<()> {
        let first = band * self.shape.mcu_rows;
        let end = self.frame.mcus_high.min(first + self.shape.mcu_rows).min(self.wanted.end);
        let rows = first.max(self.wanted.start)..end;
        if rows.is_empty() {
            return Ok(());
        }
        let memory = &self.bands[band as usize % self.bands.len()];
        let (assembly, consumer) = &mut *lock(&self.tiles);
        let all_dc = lock(&memory.dc);
        assembly.set_rows(self.frame, rows);
        for (component, plane) in self.shape.dc_planes(band).iter().enumerate() {
            if !self.shape.is_wanted(component) {
                continue;
            }
            let part = lock(&memory.parts[component]);
            let wide = self.frame.components[component].blocks_wide as usize;
            for y in assembly.rows(component) {
                let row = y as usize - plane.first_row;
                let dc = &all_dc[plane.start + row * plane.wide..][..wide];
                let blocks = self.shape.has_ac(component).then(|| &part.blocks[row * wide..][..wide]);
                assembly.put_row(component, y, dc, blocks);
            }
        }
        consumer.tile(&assembly.tile())
    }
}

/// Ends the work of all if a thread panics, so that nobody waits for it.
struct Alarm<'r, 'j, 'a, C>(&'r Job<'j, 'a, C>);

impl<C> Drop for Alarm<'_, '_, '_, C> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let mut state = lock(&self.0.state);
            state.is_over = true;
            self.0.changes.fetch_add(1, Ordering::Release);
            self.0.changed.notify_all();
        }
    }
}
