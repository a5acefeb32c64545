//! `thorax search`: text to films or reports, film to films or reports.

use std::path::PathBuf;

use clap::Args;
use serde::{Deserialize, Serialize};

use super::output;
use super::through::Opened;
use crate::archive::load_image;
use crate::error::{Error, Result};
use crate::findings::Polarity;
use crate::search::response::Hit;
use crate::search::{Query, Request, Response, Target};

/// Search by text or by film. A score orders the results of one search; it is not a probability.
#[derive(Args, Serialize, Deserialize)]
#[command(after_help = EXAMPLES)]
pub struct Search {
    /// What to look for, in words.
    text: Option<String>,
    /// A film to look for instead (PNG or JPEG).
    #[arg(long, value_name = "FILE", conflicts_with = "text")]
    pub(super) image: Option<PathBuf>,
    /// What to look through: images or reports.
    #[arg(long, default_value = "images", value_name = "KIND")]
    to: String,
    /// How many results [default: search.k of thorax.toml, 10].
    #[arg(short, value_name = "K")]
    k: Option<usize>,
    /// Only studies that pass, for example 'sex:F age:40..60 -finding:Edema'.
    #[arg(long, value_name = "FILTER")]
    filter: Option<String>,
    /// Rank by the encoder alone, without keywords and labels: to judge the model.
    #[arg(long)]
    encoder_only: bool,
}

const EXAMPLES: &str = "\
Examples:
  thorax search \"enlarged heart\" -k 10 --json
  thorax search \"large right effusion, no pneumothorax\" --filter 'view:PA age:60..'
  thorax search '\"tension pneumothorax\"' --to reports
  thorax search --image film.png --to reports

Filters: field:value, ranges 40..60, 40.., ..60, -field:value, OR, parentheses, field:* (has a value).
Fields: source patient date offset age sex view has finding absent uncertain left right other";

impl Search {
    /// Runs the command.
    ///
    /// # Errors
    /// See [`Engine::open`](crate::search::Engine::open) and [`Engine::search`](crate::search::Engine::search).
    pub fn run_on(self, opened: &Opened) -> Result<()> {
        let to: Target = self.to.parse()?;
        let query = match (self.text, &self.image) {
            (Some(text), None) => Query::Text(text),
            (None, Some(path)) => Query::Image(Box::new(load_image(path)?)),
            _ => return Err(Error::Caller("say what to look for: a text, or --image FILE".to_owned())),
        };
        let k = self.k.unwrap_or(opened.home.config.search.k);
        let request = Request { query, to, k, filter: self.filter, encoder_only: self.encoder_only };
        let answer = opened.with_engine(|engine| engine.search(request))?;
        if opened.json {
            return output::json(&answer);
        }
        table(&answer)
    }
}

fn table(answer: &Response) -> Result<()> {
    if let Some(warning) = &answer.warning {
        output::note(&format!("warning: {warning}"));
    }
    if answer.results.is_empty() {
        return output::line("nothing found: loosen the filter, or say it in other words");
    }
    for hit in &answer.results {
        output::line(&row(hit))?;
        if let Some(sentence) = &hit.sentence {
            output::line(&format!("      \"{sentence}\""))?;
        }
        if let Some(path) = hit.image.as_ref().and_then(|film| film.path.as_ref()) {
            output::line(&format!("      {}", path.display()))?;
        }
    }
    Ok(())
}

fn row(hit: &Hit) -> String {
    let present: Vec<String> = hit
        .findings
        .iter()
        .filter(|f| f.polarity == Polarity::Present)
        .map(|f| match f.side {
            Some(side) => format!("{} ({side:?})", f.observation).to_lowercase(),
            None => f.observation.to_string().to_lowercase(),
        })
        .collect();
    let shown = if present.is_empty() { "nothing stated".to_owned() } else { present.join(", ") };
    format!("{:>4}  {:<28} score {:+.3}  {shown}", hit.rank, hit.study, hit.score)
}
