//! The Rust side of `speed.py`: an `Extractor` over images in memory.
//!
//! Arguments: a recipe, then files. For every line on stdin one pass over all images; a line on stdout when it is done. Whoever
//! starts it reads the clock.

use std::io::{BufRead, Write};

use jpegdct::{DecodeOptions, ExtractScratch, Extractor, Recipe};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let recipe = Recipe::load(&arguments.next().ok_or("a recipe, then files")?)?;
    let images = arguments.map(std::fs::read).collect::<Result<Vec<_>, _>>()?;
    let extractor = Extractor::new(recipe, DecodeOptions::default())?;
    let mut scratch = ExtractScratch::default();
    for line in std::io::stdin().lock().lines() {
        line?;
        for bytes in &images {
            let extraction = extractor.extract(bytes, "", &mut scratch)?;
            std::hint::black_box(&extraction);
            scratch.recycle(extraction);
        }
        println!("done");
        std::io::stdout().flush()?;
    }
    Ok(())
}
