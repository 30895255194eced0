//! The named recipes.

use super::{ChannelSet, Kind, Layout, Recipe};
use crate::tensor::Dtype;

/// Channel counts that have a set of their own.
const COUNTS: [usize; 6] = [6, 24, 32, 48, 64, 192];

/// A preset by name.
pub(super) fn preset(name: &str) -> Option<Recipe> {
    let recipe = match name {
        "planes" => Recipe { kind: Kind::Planes, layout: Layout::Blocks, ..Recipe::default() },
        "quantised" => Recipe { kind: Kind::Quantised, layout: Layout::Blocks, dtype: Dtype::I16, ..Recipe::default() },
        _ => {
            let count = name.strip_prefix("native-")?;
            let count = COUNTS.into_iter().find(|c| c.to_string() == count)?;
            Recipe { channels: ChannelSet::dctnet(count)?, ..Recipe::default() }
        }
    };
    Some(Recipe { name: Some(name.into()), ..recipe })
}

/// All names, in the order of the documentation.
pub(super) fn names() -> Vec<String> {
    let native = COUNTS.iter().map(|count| format!("native-{count}"));
    native.chain(["planes".into(), "quantised".into()]).collect()
}
