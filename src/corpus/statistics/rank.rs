//! Channels in order of what they tell, and the best set for a budget.
//!
//! What enters: statistics. What leaves: an order. A channel tells something if it carries energy beyond its mean (pooled
//! variance) and if that differs from image to image (variance over images of their root mean square); its score is the
//! geometric mean of its shares in the sums of both. It is a proposal: what a network needs, only training says.

use serde::{Deserialize, Serialize};

use super::Statistics;
use crate::recipe::ChannelSet;

/// One channel in the order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ranked {
    /// Its place among all 192.
    pub channel: usize,
    /// `y`, `cb` or `cr`.
    pub component: String,
    /// Vertical and horizontal frequency, 0..=7 each.
    pub frequency: (usize, usize),
    /// Pooled variance as a share of that of all channels, 0..=1.
    pub energy_share: f64,
    /// Variance over images of the image's root mean square, as a share of that of all channels, 0..=1.
    pub between_share: f64,
    /// Geometric mean of both.
    pub score: f64,
}

/// The order, and the set for a budget.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Proposal {
    /// Channels asked for.
    pub budget: usize,
    /// The best of them, as `--channels` takes it.
    pub channels: ChannelSet,
    /// Share of the pooled variance these channels have, 0..=1.
    pub energy_share: f64,
    /// All channels, best first.
    pub order: Vec<Ranked>,
}

/// Ranks the channels. `None` if there is no channel, or the budget is 0.
pub fn rank(statistics: &Statistics, budget: usize) -> Option<Proposal> {
    let channels = &statistics.per_channel;
    let total = |of: fn(&super::Channel) -> f64| channels.iter().map(of).sum::<f64>().max(f64::MIN_POSITIVE);
    let energies = total(|channel| channel.pooled.variance());
    let betweens = total(|channel| channel.of_rms.variance());
    let mut order: Vec<Ranked> = channels
        .iter()
        .map(|channel| {
            let energy_share = channel.pooled.variance() / energies;
            let between_share = channel.of_rms.variance() / betweens;
            let c = channel.channel % 64;
            Ranked {
                channel: channel.channel,
                component: ["y", "cb", "cr"][(channel.channel / 64).min(2)].into(),
                frequency: (c / 8, c % 8),
                energy_share,
                between_share,
                score: (energy_share * between_share).sqrt(),
            }
        })
        .collect();
    order.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.channel.cmp(&b.channel)));
    let chosen = &order[..budget.min(order.len())];
    let mut sets: [Vec<u8>; 3] = Default::default();
    for ranked in chosen {
        sets[(ranked.channel / 64).min(2)].push((ranked.channel % 64) as u8);
    }
    sets.iter_mut().for_each(|set| set.sort_unstable());
    let [y, cb, cr] = sets;
    let channels = ChannelSet::new(y, cb, cr).ok()?;
    Some(Proposal { budget, channels, energy_share: chosen.iter().map(|ranked| ranked.energy_share).sum(), order })
}

#[cfg(test)]
mod tests {
    use super::super::Definition;
    use super::*;
    use crate::corpus::ImageMoments;
    use crate::recipe::Recipe;
    use crate::tensor::{Tensor, Values};

    #[test]
    fn what_varies_within_and_between_images_comes_first() {
        let mut recipe = Recipe::default();
        recipe.set("channels", "y:0,9;cb:1").unwrap();
        let mut statistics = Statistics::new(&recipe, Definition::Pooled, 2, String::new());
        for scale in [1.0f32, 3.0] {
            // A constant; a wave that differs between images; a smaller one that differs less.
            let planes = [[50.0, 50.0], [scale, -scale], [0.4 * scale.sqrt(), -0.4 * scale.sqrt()]];
            let values = Values::F32(planes.concat());
            let tensor = Tensor { name: String::new(), shape: vec![3, 1, 2], values };
            statistics.add(&ImageMoments::of(&tensor).unwrap());
        }
        statistics.finish();
        let proposal = rank(&statistics, 2).unwrap();
        assert_eq!(proposal.order.iter().map(|ranked| ranked.channel).collect::<Vec<_>>(), [9, 65, 0]);
        assert_eq!(proposal.order[0].frequency, (1, 1));
        assert_eq!(proposal.channels.to_string(), "y:9;cb:1");
        assert!((proposal.energy_share - 1.0).abs() < 1e-12);
        assert!(rank(&statistics, 0).is_none());
    }
}
