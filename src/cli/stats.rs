//! `jpegdct stats`: the statistics of channels.

use std::io::{self, Write};
use std::path::Path;

use crate::corpus::{self, Convert, Definition, Maker, Proposal, Statistics};
use crate::{Damage, Extractor, picture};
use anyhow::{Context, anyhow};
use serde::Serialize;

use super::args::{DefinitionArg, LogArg, StatsArgs};
use super::extract;
use super::failure::{Failure, SOME_FAILED, SUCCESS};
use super::progress::Progress;

/// The file that is written.
#[derive(Serialize)]
struct Written<'a> {
    #[serde(flatten)]
    statistics: &'a Statistics,
    #[serde(skip_serializing_if = "Option::is_none")]
    ranking: Option<&'a Proposal>,
}

/// Runs the command.
pub fn run(args: &StatsArgs) -> Result<u8, Failure> {
    let recipe = extract::recipe(&args.recipe, &args.changes)?;
    let recipe = corpus::recipe_for(recipe).map_err(Failure::usage)?;
    let extractor = Extractor::new(recipe, args.limits.decode_options(Damage::Refuse)).map_err(Failure::usage)?;
    let reencoder = extract::reencoder(&args.reencode, args.limits.limits());
    let maker = Maker {
        extractor: &extractor,
        convert: reencoder.as_ref().map(|reencoder| reencoder as &dyn Convert),
        limits: args.limits.limits(),
    };
    let definition = match args.definition {
        DefinitionArg::Pooled => Definition::Pooled,
        DefinitionArg::Dctnet => Definition::Dctnet,
    };
    let listing = corpus::list(&args.input.inputs);
    let progress = Progress::new(args.log == LogArg::Json);
    let gathered = corpus::gather(&listing, &maker, definition, args.shard_of, args.input.threads(), &progress)?;
    let statistics = &gathered.statistics;
    progress.finish_statistics(statistics.images, statistics.failed);

    let proposal = args.rank.then(|| corpus::rank(statistics, args.budget.into())).flatten();
    write(&args.output, &Written { statistics, ranking: proposal.as_ref() })?;
    if let Some(plot) = &args.plot {
        let mut energies = [None; 192];
        for channel in &statistics.per_channel {
            // The mean of DC says how bright the images are, not what differs in them.
            energies[channel.channel] = Some(channel.pooled.variance());
        }
        let png = picture::energy_maps(&energies).to_png().map_err(|error| anyhow!(error))?;
        std::fs::write(plot, png).with_context(|| format!("cannot write {}", plot.display()))?;
    }
    if let Some(proposal) = &proposal
        && args.output != Path::new("-")
    {
        print(proposal, &mut io::stdout().lock())?;
    }
    let all_good = statistics.failed == 0 && statistics.images > 0;
    Ok(if all_good { SUCCESS } else { SOME_FAILED })
}

/// Writes JSON to a file, which appears whole or not at all, or to standard output.
pub fn write(path: &Path, value: &impl Serialize) -> Result<(), Failure> {
    let mut text = serde_json::to_vec_pretty(value)?;
    text.push(b'\n');
    if path == Path::new("-") {
        return Ok(io::stdout().lock().write_all(&text)?);
    }
    let write = || {
        let mut hidden = path.as_os_str().to_os_string();
        hidden.push(".part");
        std::fs::write(&hidden, text)?;
        std::fs::rename(&hidden, path)
    };
    Ok(write().with_context(|| format!("cannot write {}", path.display()))?)
}

/// The order as a table, and the set.
fn print(proposal: &Proposal, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{:>4}  {:9}  {:>9}  {:>9}  {:>9}", "rank", "channel", "energy", "between", "score")?;
    for (place, ranked) in proposal.order.iter().take(proposal.budget).enumerate() {
        let (v, u) = ranked.frequency;
        writeln!(
            out,
            "{:>4}  {:9}  {:>8.3} %  {:>7.3} %  {:>9.6}",
            place + 1,
            format!("{} {v},{u}", ranked.component),
            100.0 * ranked.energy_share,
            100.0 * ranked.between_share,
            ranked.score
        )?;
    }
    writeln!(out, "--channels '{}'  ({:.2} % of the energy)", proposal.channels, 100.0 * proposal.energy_share)
}
