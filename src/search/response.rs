//! What a search answers. The shape is the same on the command line and over HTTP.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::request::Target;
use crate::archive::{Sex, View};
use crate::findings::query::Wanted;
use crate::findings::{Observation, Polarity, Severity, Side};
use crate::indexing::Finding;

/// A search's answer.
#[derive(Clone, Debug, Serialize)]
pub struct Response {
    /// The query as it was understood.
    pub query: Echo,
    /// Milliseconds from request to answer.
    pub took_ms: u64,
    /// Something the caller should know, such as a catalogue that is newer than the index.
    pub warning: Option<String>,
    /// The results, best first.
    pub results: Vec<Hit>,
}

/// The query as it was understood.
#[derive(Clone, Debug, Serialize)]
pub struct Echo {
    /// The text, where there was one.
    pub text: Option<String>,
    /// What was looked through.
    pub to: Target,
    /// Results asked for.
    pub k: usize,
    /// The filter.
    pub filter: Option<String>,
    /// Findings read out of the text.
    pub understood: Vec<Asked>,
}

/// A finding that the query asks for.
#[derive(Clone, Debug, Serialize)]
pub struct Asked {
    /// Of what.
    pub observation: Observation,
    /// Wanted present or absent.
    pub polarity: Polarity,
    /// On which side.
    pub side: Option<Side>,
    /// How severe.
    pub severity: Option<Severity>,
    /// The words of the query that say so.
    pub phrase: String,
}

impl Asked {
    /// From what was understood in `query`.
    pub fn new(wanted: &Wanted, query: &str) -> Self {
        Self {
            observation: wanted.observation,
            polarity: wanted.polarity,
            side: wanted.side,
            severity: wanted.severity,
            phrase: query.get(wanted.phrase.clone()).unwrap_or_default().to_owned(),
        }
    }
}

/// One study that was found.
#[derive(Clone, Debug, Serialize)]
pub struct Hit {
    /// Place, from 1.
    pub rank: usize,
    /// The study's id.
    pub study: String,
    /// The study's opaque key, for URLs.
    pub key: String,
    /// Where it was imported from.
    pub source: String,
    /// The patient.
    pub patient: String,
    /// Date, where known.
    pub date: Option<String>,
    /// Place on the patient's time line.
    pub offset: Option<i32>,
    /// Age in years.
    pub age: Option<f32>,
    /// Sex.
    pub sex: Option<Sex>,
    /// Projection of the film.
    pub view: Option<View>,
    /// The film that matched best; none where the study has no film.
    pub image: Option<Film>,
    /// Orders the results of this search. Not a probability, and not comparable between searches.
    pub score: f32,
    /// Where the score comes from.
    pub components: Components,
    /// What the study is stated to show.
    pub findings: Vec<Finding>,
    /// The report's sentence that matched best.
    pub sentence: Option<String>,
}

/// A film of a result.
#[derive(Clone, Debug, Serialize)]
pub struct Film {
    /// The film's id.
    pub id: String,
    /// Opaque key, for URLs.
    pub key: String,
    /// The file it was imported from; left out over HTTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

/// A result's place in each ranking, and how its findings agree.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Components {
    /// By the film's embedding; the score is a cosine.
    pub image: Option<Placed>,
    /// By the embedding of the best sentence; the score is a cosine.
    pub sentence: Option<Placed>,
    /// By keywords; the score is BM25.
    pub keyword: Option<Placed>,
    /// Reciprocal rank fusion of these.
    pub fused: f32,
    /// Agreement of what is stated with what is wanted, in [-1, 1].
    pub findings: f32,
}

/// A place in one ranking.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Placed {
    /// From 1.
    pub rank: usize,
    /// In the ranking's own unit.
    pub score: f32,
}
