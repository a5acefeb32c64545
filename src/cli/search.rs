//! `thorax search`: text, films and studies to films or reports.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::{Deserialize, Serialize};

use super::output;
use super::through::Opened;
use crate::archive::{MAX_PIXELS, read_file};
use crate::error::{Error, Result};
use crate::findings::Polarity;
use crate::search::explain::Explained;
use crate::search::request::Weights;
use crate::search::response::{Hit, Page};
use crate::search::{Exclude, Group, Query, QueryFilm, Request, Response, Target};

/// Search by text, by films, by studies, or by all together. A score orders the results of one search; it is not a probability.
#[derive(Args, Serialize, Deserialize)]
#[command(after_help = EXAMPLES)]
pub struct Search {
    /// What to look for, in words.
    text: Option<String>,
    /// A film to be like (PNG or JPEG); again for several.
    #[arg(long, value_name = "FILE")]
    pub(super) image: Vec<PathBuf>,
    /// A study to be like, by its id; again for several.
    #[arg(long, value_name = "STUDY")]
    like: Vec<String>,
    /// A study to be unlike, by its id; again for several.
    #[arg(long, value_name = "STUDY")]
    unlike: Vec<String>,
    /// How much a part counts: text, image, like or unlike; again for several [default: text=1 image=1 like=0.75 unlike=0.25].
    #[arg(long, value_name = "PART=WEIGHT", value_parser = weight)]
    weight: Vec<(String, f32)>,
    /// What to look through: images or reports.
    #[arg(long, default_value = "images", value_name = "KIND")]
    to: String,
    /// How many results [default: search.k of thorax.toml, 10].
    #[arg(short, value_name = "K")]
    k: Option<usize>,
    /// Leave out the first N results: the next page.
    #[arg(long, default_value_t = 0, value_name = "N")]
    offset: usize,
    /// The page behind another one, by the cursor that it ended with.
    #[arg(long, value_name = "CURSOR", conflicts_with = "offset")]
    after: Option<String>,
    /// Only studies that pass, for example 'sex:F age:40..60 -finding:Edema'.
    #[arg(long, value_name = "FILTER")]
    filter: Option<String>,
    /// One result for each study, or for each patient by the best of the studies.
    #[arg(long, value_enum, default_value_t = Group::Study)]
    group: Group,
    /// Leave out the studies that the query's films are of, or all studies of their patients.
    #[arg(long, value_enum, default_value_t = Exclude::None)]
    exclude: Exclude,
    /// Leave out the tail: what passes the filter, and nothing says that the query means it.
    #[arg(long)]
    cut: bool,
    /// Say for each result where its score comes from, and why it stands behind others.
    #[arg(long)]
    explain: bool,
    /// Rank by the encoder alone, without keywords and labels: to judge the model.
    #[arg(long)]
    encoder_only: bool,
}

const EXAMPLES: &str = "\
Examples:
  thorax search \"enlarged heart\" -k 10 --json
  thorax search \"large right effusion, no pneumothorax\" --filter 'view:PA age:60..' --explain
  thorax search '\"tension pneumothorax\"' --to reports
  thorax search --image film.png --exclude patient
  thorax search \"with edema\" --image film.png --weight text=2
  thorax search --like nih/00000013_005 --unlike nih/00000032_001 --group patient
  thorax search \"left effusion\" --offset 10           the second page

Filters: field:value, ranges 40..60, 40.., ..60, -field:value, OR, parentheses, field:* (has a value).
Fields: source patient date offset age sex view has finding absent uncertain left right other";

impl Search {
    /// Runs the command.
    ///
    /// # Errors
    /// See [`Engine::open`](crate::search::Engine::open) and [`Engine::search`](crate::search::Engine::search).
    pub fn run_on(self, opened: &Opened) -> Result<()> {
        let to: Target = self.to.parse()?;
        let films = self.image.iter().map(|path| film(path)).collect::<Result<Vec<_>>>()?;
        let weights = weights(&self.weight)?;
        let query = Query { text: self.text, films, like: self.like, unlike: self.unlike, weights };
        let request = Request {
            to,
            offset: self.offset,
            after: self.after,
            filter: self.filter,
            group: self.group,
            exclude: self.exclude,
            cut: self.cut,
            explain: self.explain,
            encoder_only: self.encoder_only,
            ..Request::new(query, self.k.unwrap_or(opened.home.config.search.k))
        };
        let answer = opened.with_engine(|engine| engine.search(request))?;
        if opened.json {
            return output::json(&answer);
        }
        table(&answer)
    }
}

fn film(path: &Path) -> Result<QueryFilm> {
    Ok(QueryFilm::decode(&read_file(path)?, path, MAX_PIXELS)?)
}

fn weight(text: &str) -> Result<(String, f32), String> {
    let (part, weight) = text.split_once('=').ok_or("write PART=WEIGHT, for example text=2")?;
    Ok((part.to_owned(), weight.parse().map_err(|_| format!("'{weight}' is no number"))?))
}

fn weights(given: &[(String, f32)]) -> Result<Weights> {
    let mut weights = Weights::default();
    for (part, weight) in given {
        let of = match part.as_str() {
            "text" => &mut weights.text,
            "image" => &mut weights.image,
            "like" => &mut weights.like,
            "unlike" => &mut weights.unlike,
            _ => return Err(Error::Caller(format!("--weight {part}: the parts are text, image, like and unlike"))),
        };
        *of = *weight;
    }
    Ok(weights)
}

fn table(answer: &Response) -> Result<()> {
    if let Some(warning) = &answer.warning {
        output::note(&format!("warning: {warning}"));
    }
    if answer.results.is_empty() {
        return output::line("nothing found: loosen the filter, or say it in other words");
    }
    let mut tail = false;
    for hit in &answer.results {
        if !hit.relevant && !tail {
            output::line("      -- the tail: nothing says that the query means these (--cut leaves them out)")?;
        }
        tail |= !hit.relevant;
        output::line(&row(hit))?;
        if let Some(snippet) = &hit.snippet {
            output::line(&format!("      \"{}\"", snippet.marked()))?;
        }
        if let Some(path) = hit.image.as_ref().and_then(|film| film.path.as_ref()) {
            output::line(&format!("      {}", path.display()))?;
        }
        if !hit.others.is_empty() {
            let others: Vec<&str> = hit.others.iter().map(|other| other.study.as_str()).collect();
            output::line(&format!("      {} more of this patient: {}", others.len(), others.join(", ")))?;
        }
        if let Some(explained) = &hit.explain {
            explanation(explained)?;
        }
    }
    for withheld in &answer.withheld {
        output::line(&format!("   no result: {}: {}", withheld.study, withheld.why))?;
    }
    footer(&answer.page, answer.results.len())
}

fn explanation(of: &Explained) -> Result<()> {
    for ranking in &of.rankings {
        output::line(&format!(
            "      {:<10} rank {:>4}  value {:+.3}  gives {:.5}  \"{}\"",
            ranking.source.name(),
            ranking.rank,
            ranking.score,
            ranking.gives,
            ranking.part
        ))?;
    }
    for judged in &of.findings {
        output::line(&format!(
            "      findings   {:+.2}  {}  \"{}\"",
            judged.agreement, judged.words, judged.asked.phrase
        ))?;
    }
    of.notes.iter().try_for_each(|note| output::line(&format!("      {note}")))
}

fn footer(page: &Page, results: usize) -> Result<()> {
    let excluded = match page.excluded {
        0 => String::new(),
        n => format!(", {n} of them left out: stated to show what is not wanted"),
    };
    let patients = page.patients.map(|n| format!(", of {n} patients")).unwrap_or_default();
    output::line(&format!(
        "results {} to {}; {} studies pass{excluded}{patients}; the query means {}",
        page.offset + 1,
        page.offset + results,
        page.total,
        page.relevant
    ))?;
    match &page.next {
        Some(next) => output::line(&format!("next page: --after {next}")),
        None => Ok(()),
    }
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
    format!("{:>4}  {:<28} score {:+.4}  {shown}", hit.rank, hit.study, hit.score)
}
