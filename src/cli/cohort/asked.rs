//! What create, add and remove select.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::{Deserialize, Serialize};

use crate::cli::through::make_absolute;
use crate::cohort::ask;
use crate::cohort::edit::{Asked, Strictness};
use crate::cohort::model::{Query, Take};
use crate::error::{Error, Result};

/// A selection as flags.
#[derive(Args, Serialize, Deserialize)]
pub(super) struct Selected {
    /// What to look for, in words.
    text: Option<String>,
    /// A film to look for instead (PNG or JPEG).
    #[arg(long, value_name = "FILE", conflicts_with = "text")]
    image: Option<PathBuf>,
    /// Only studies that pass, for example 'sex:F age:40..60 -finding:Edema'; alone, all of them.
    #[arg(long, value_name = "FILTER")]
    filter: Option<String>,
    /// What a ranked search looks through: images or reports.
    #[arg(long, default_value = "images", value_name = "KIND")]
    to: String,
    /// Take the best K.
    #[arg(short, value_name = "K", group = "take")]
    k: Option<usize>,
    /// Take all of at least this score, as `thorax search` shows it.
    #[arg(long, value_name = "SCORE", group = "take", allow_negative_numbers = true)]
    min_score: Option<f32>,
    /// Take all that pass the filter and state what the text asks for, or have its words; unranked, exact.
    #[arg(long, group = "take")]
    all_matching: bool,
    /// Rank by the encoder alone, without keywords and labels.
    #[arg(long)]
    encoder_only: bool,
    /// File with one study id a line; - for standard input.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["text", "image", "filter", "take", "cohort"])]
    ids: Option<PathBuf>,
    /// The ids, once they are read.
    #[arg(skip)]
    read: Option<Vec<String>>,
    /// The studies of another cohort.
    #[arg(long, value_name = "COHORT", conflicts_with_all = ["text", "image", "filter", "take"])]
    cohort: Option<String>,
    /// Leave out ids that the archive does not have.
    #[arg(long, requires = "ids")]
    skip_unknown: bool,
    /// Take what is indexed although the catalogue has changed since.
    #[arg(long)]
    stale: bool,
}

impl Selected {
    /// How strict to be.
    pub(super) fn strictness(&self) -> Strictness {
        Strictness { stale: self.stale, skip_unknown: self.skip_unknown }
    }

    /// Makes it a selection that another process can make.
    pub(super) fn elsewhere(&mut self) -> Result<()> {
        self.read = self.ids.take().as_deref().map(ids).transpose()?;
        self.image.iter_mut().try_for_each(make_absolute)
    }

    /// The selection.
    pub(super) fn asked(self) -> Result<Asked> {
        if let Some(ids) = self.read {
            return Ok(Asked::Ids(ids));
        }
        if let Some(file) = &self.ids {
            return Ok(Asked::Ids(ids(file)?));
        }
        if let Some(name) = self.cohort {
            return Ok(Asked::Cohort(name));
        }
        let wrong = |text: &str| Err(Error::Caller(text.to_owned()));
        let text = self.text.filter(|text| !text.trim().is_empty());
        let take = match (self.k, self.min_score, self.all_matching) {
            (Some(k), _, _) => Take::First(k),
            (_, Some(score), _) if !score.is_finite() => return wrong("--min-score takes a number"),
            (_, Some(score), _) => Take::MinScore(score),
            (_, _, true) => Take::AllMatching,
            _ if text.is_some() || self.image.is_some() => {
                return wrong("say how much of what is found to take: -k K, --min-score SCORE or --all-matching");
            }
            _ if self.filter.is_some() => Take::AllMatching,
            _ => return wrong("say which studies: a text, --image, --filter, --ids or --cohort"),
        };
        if text.is_none() && self.image.is_none() {
            if take != Take::AllMatching {
                return wrong("-k and --min-score need a text or --image: a filter ranks nothing");
            }
            if self.filter.is_none() {
                return wrong("say which studies: a text or --filter");
            }
        }
        if self.image.is_some() && take == Take::AllMatching {
            return wrong("every study resembles a film more or less: take the best with -k K or --min-score SCORE");
        }
        Ok(Asked::Query(Query {
            text,
            image: self.image.as_deref().map(ask::film).transpose()?,
            to: self.to.parse()?,
            filter: self.filter,
            take,
            encoder_only: self.encoder_only,
            candidates: None,
            understood: Vec::new(),
        }))
    }
}

fn ids(file: &Path) -> Result<Vec<String>> {
    let mut text = String::new();
    let read = match file == Path::new("-") {
        true => std::io::stdin().lock().read_to_string(&mut text),
        false => fs_err::File::open(file).and_then(|mut file| file.read_to_string(&mut text)),
    };
    read.map_err(|e| Error::Caller(format!("--ids {}: {e}", file.display())))?;
    let ids: Vec<String> = text.lines().map(str::trim).filter(|id| !id.is_empty()).map(str::to_owned).collect();
    match ids.is_empty() {
        true => Err(Error::Caller(format!("--ids {}: there is no id", file.display()))),
        false => Ok(ids),
    }
}
