//! `thorax explain`: where a query lies on a film, or how a film stands among the archive's films.

use std::path::PathBuf;

use clap::Args;
use image::GenericImageView;
use serde::Serialize;

use super::{Context, output};
use crate::archive::load_image;
use crate::error::{Error, Result};
use crate::explain::{CAUTION, Explanation, Reference, Standing, explain, overlay::overlay};
use crate::search::Engine;
use crate::{NOTICE, search::engine::first};

/// Show where a query lies on a film; without a query, how the film stands among the archive's films.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Explain {
    /// The film (PNG or JPEG).
    image: PathBuf,
    /// What to look for on it, in words.
    query: Option<String>,
    /// Write the film with the heat map over it, as PNG.
    #[arg(long, value_name = "FILE", requires = "query")]
    out: Option<PathBuf>,
    /// The model, with a query [default: the one trained last]; without one it is that of the index.
    #[arg(long, value_name = "NAME", requires = "query")]
    model: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  thorax explain film.png \"left pleural effusion\" --out map.png
  thorax explain film.png                the findings, ranked among the archive's films
  thorax explain film.png --json

Neither a map nor a rank is a probability or a diagnosis.";

#[derive(Serialize)]
struct Mapped<'a> {
    query: &'a str,
    #[serde(flatten)]
    explanation: &'a Explanation,
    notice: &'a str,
}

#[derive(Serialize)]
struct Ranked<'a> {
    films: usize,
    model: &'a str,
    findings: &'a [Standing],
    notice: &'a str,
}

impl Explain {
    /// Runs the command.
    ///
    /// # Errors
    /// The film cannot be read, there is no model, or (without a query) no index to compare with.
    pub fn run(self, context: &Context) -> Result<()> {
        let film = load_image(&self.image)?;
        let home = context.home()?;
        let Some(query) = &self.query else {
            let engine = Engine::open(&home)?;
            let (name, encoder) = engine.model();
            let vector = first(encoder.embed_images(&[encoder.preprocess(&film)?])?)?;
            let reference = Reference::of(&engine)?;
            let findings = reference.standings(&vector);
            if context.json {
                let films = reference.films();
                return output::json(&Ranked { films, model: name, findings: &findings, notice: NOTICE });
            }
            return ranked(&findings, reference.films());
        };
        let encoder = home.encoder(&home.model_name(self.model.as_deref())?)?;
        let explanation = explain(&encoder, &film, query)?;
        if let Some(out) = &self.out {
            let picture = overlay(&film, &explanation.map);
            picture
                .save_with_format(out, image::ImageFormat::Png)
                .map_err(|e| Error::Caller(format!("--out {}: {e}", out.display())))?;
            eprintln!("map: {}", out.display());
        }
        if context.json {
            return output::json(&Mapped { query, explanation: &explanation, notice: NOTICE });
        }
        let (width, height) = film.dimensions();
        output::line(&format!(
            "peak in {}, at pixel {:.0}, {:.0} of {width} x {height}",
            explanation.peak.words, explanation.peak.x, explanation.peak.y
        ))?;
        output::line(CAUTION)?;
        output::line(NOTICE)
    }
}

fn ranked(findings: &[Standing], films: usize) -> Result<()> {
    output::line(&format!("how the film stands among the {films} films of the index, by the encoder alone:"))?;
    for standing in findings {
        let share = (standing.above * 100.0).round();
        output::line(&format!("  {:<28} higher than {share:>3} of 100 films", standing.finding.name()))?;
    }
    output::line("A rank, not a probability: in an archive without the finding some film still is the highest.")?;
    output::line(NOTICE)
}
