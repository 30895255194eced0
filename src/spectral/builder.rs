//! The tensor builder: takes the tiles of one image and fills its tensors.
//!
//! What enters: tiles, top to bottom. What leaves: tensors. Memory is the tensors and a few block rows. All sums are made
//! component by component and row by row, so their order is the same however the image was cut into tiles.

use smallvec::SmallVec;

use super::apply::{Component, Outlet, Spare, Target, Workspace};
use super::colour::{MixPlan, Mixer};
use super::maps::Maps;
use super::plan::{Compiled, Plan};
use super::planes;
use crate::error::{Error, Malformed, Mismatch, Result};
use crate::limits::Limits;
use crate::markers::ImageInfo;
use crate::recipe::{Kind, Recipe, RecipeError};
use crate::scans::{Demand, Tile, TileConsumer};
use crate::tensor::{Tensor, TensorMut};

/// A recipe made ready, with the maps it has needed so far. Shared by all threads.
#[derive(Debug)]
pub(crate) struct Spectral {
    compiled: Compiled,
    maps: Maps,
}

impl Spectral {
    /// Checks the recipe.
    pub fn new(recipe: Recipe) -> Result<Spectral, RecipeError> {
        Ok(Spectral { compiled: Compiled::new(recipe)?, maps: Maps::default() })
    }

    /// The recipe.
    pub fn recipe(&self) -> &Recipe {
        &self.compiled.recipe
    }
}

/// Buffers of the builder, for one image after another.
#[derive(Debug, Default)]
pub(crate) struct BuilderScratch {
    work: Workspace,
    mixer: Mixer,
    spare: Spare,
    components: Vec<Component>,
}

impl BuilderScratch {
    /// Keeps the memory of tensors for the next ones.
    pub fn recycle(&mut self, tensors: Vec<Tensor>) {
        tensors.into_iter().for_each(|tensor| self.spare.give(tensor.values));
    }
}

#[cfg(test)]
impl BuilderScratch {
    /// Kernels of that level.
    pub fn with_cpu(cpu: crate::cpu::Cpu) -> BuilderScratch {
        let mut scratch = BuilderScratch::default();
        scratch.work.cpu = cpu;
        scratch
    }
}

/// The tile consumer that fills tensors.
pub(crate) struct Builder<'a> {
    spectral: &'a Spectral,
    limits: &'a Limits,
    key: &'a str,
    scratch: &'a mut BuilderScratch,
    plan: Plan,
    mix: Option<MixPlan>,
    targets: SmallVec<[Target<'a>; 3]>,
    /// Where the tensor goes, if not into memory of its own.
    memory: Option<TensorMut<'a>>,
    saturated: u64,
}

impl<'a> Builder<'a> {
    /// A builder for one image, which `key` names. With `memory` the one tensor is made there.
    pub fn new(
        spectral: &'a Spectral,
        limits: &'a Limits,
        key: &'a str,
        scratch: &'a mut BuilderScratch,
        memory: Option<TensorMut<'a>>,
    ) -> Builder<'a> {
        scratch.components.clear();
        Builder {
            spectral,
            limits,
            key,
            scratch,
            plan: Plan::default(),
            mix: None,
            targets: SmallVec::new(),
            memory,
            saturated: 0,
        }
    }

    /// The tensors that are not in the caller's memory, and how many of their values did not fit the element type and were saturated.
    pub fn finish(mut self, info: &ImageInfo) -> (Vec<Tensor>, u64) {
        self.for_each_component(|component, work, outlet| component.finish_missing(work, outlet));
        if let (Some(hole), Some(target)) = (&self.plan.hole, self.targets.first_mut()) {
            for (channel, &value) in self.plan.hole_values.iter().enumerate() {
                self.saturated += target.write_zeros(channel, hole, value);
            }
        }
        let mut tensors: Vec<Tensor> = self.targets.into_iter().filter_map(Target::into_tensor).collect();
        if self.plan.quant_tables {
            tensors.push(planes::quant_tables(info));
        }
        (tensors, self.saturated)
    }

    fn for_each_component(&mut self, mut work: impl FnMut(&Component, &mut Workspace, &mut Outlet<'_, '_>)) {
        let mut outlet = Outlet {
            targets: &mut self.targets,
            mixer: &mut self.scratch.mixer,
            mix: self.mix.as_ref(),
            saturated: &mut self.saturated,
        };
        for component in &self.scratch.components {
            work(component, &mut self.scratch.work, &mut outlet);
        }
    }
}

/// Whether the caller's memory is what the tensor needs.
fn check_memory(memory: &TensorMut<'_>, plan: &Plan, kind: Kind) -> Result<()> {
    let (values, shape) = (&memory.values, memory.shape);
    let (Kind::Channels, [target]) = (kind, &plan.targets[..]) else { return Err(Error::Mismatch(Mismatch::Several)) };
    let &[a, b, c] = &target.shape[..] else { return Err(Error::Mismatch(Mismatch::Several)) };
    let len = shape.iter().fold(1, |product: usize, &n| product.saturating_mul(n));
    let wrong = if target.dtype != values.dtype() {
        Mismatch::Dtype { tensor: target.dtype.name(), memory: values.dtype().name() }
    } else if [a, b, c] != shape {
        Mismatch::Shape { tensor: [a, b, c], memory: shape }
    } else if len != values.len() {
        Mismatch::Length { tensor: len, memory: values.len() }
    } else {
        return Ok(());
    };
    Err(Error::Mismatch(wrong))
}

impl TileConsumer for Builder<'_> {
    fn demand(&mut self, info: &ImageInfo) -> Result<Demand> {
        self.plan = Plan::new(&self.spectral.compiled, info, &self.spectral.maps, self.limits, self.key)?;
        if let Some(memory) = &self.memory {
            check_memory(memory, &self.plan, self.spectral.recipe().kind)?;
        }
        Ok(self.plan.demand(info))
    }

    fn begin(&mut self, info: &ImageInfo) -> Result<()> {
        self.scratch.mixer.reset();
        for (index, plan) in self.plan.components.drain(..).enumerate() {
            let table = info.quant_tables.get(plan.component).and_then(Option::as_ref);
            let table = match (plan.quantised, table) {
                (true, _) => None,
                (false, Some(table)) => Some(table),
                (false, None) => {
                    let missing = info.frame.components[plan.component].quant_index;
                    return Err(Error::malformed(0, Malformed::MissingQuantTable(missing)));
                }
            };
            let component = Component::new(index, plan, table, &mut self.scratch.work);
            self.scratch.components.push(component);
        }
        self.mix = self.plan.mix.take();
        let spare = &mut self.scratch.spare;
        let memory = &mut self.memory;
        let target = |plan| match memory.take() {
            Some(memory) => Ok(Target::within(plan, memory.values)),
            None => Target::new(plan, spare),
        };
        self.targets = self.plan.targets.drain(..).map(target).collect::<Result<_>>()?;
        if let Some(target) = self.targets.first_mut() {
            let all = target.whole();
            self.saturated =
                self.plan.zeros.iter().map(|zero| target.write_zeros(zero.channel, &all, zero.shift)).sum();
        }
        Ok(())
    }

    fn tile(&mut self, tile: &Tile<'_>) -> Result<()> {
        self.for_each_component(|component, work, outlet| component.apply_tile(tile, work, outlet));
        Ok(())
    }
}
