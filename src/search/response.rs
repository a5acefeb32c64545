//! What a search answers. The shape is the same on the command line and over HTTP.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::explain::Explained;
use super::request::{Group, Target};
use super::snippet::Snippet;
use crate::archive::{Sex, View};
use crate::findings::query::Wanted;
use crate::findings::{Observation, Polarity, Severity, Side};
use crate::indexing::Finding;

/// A search's answer.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = SearchAnswer)]
pub struct Response {
    /// The query as it was understood.
    pub query: Echo,
    /// Milliseconds from request to answer.
    pub took_ms: u64,
    /// Something the caller should know, such as a catalogue that is newer than the index.
    pub warning: Option<String>,
    /// Which part of all results these are.
    pub page: Page,
    /// Studies that rank high and are stated to show what the query excludes: never results. Only where an explanation
    /// was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub withheld: Vec<Withheld>,
    /// The results, best first.
    pub results: Vec<Hit>,
}

/// Which part of all results an answer holds.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Page {
    /// The generation that was searched.
    pub generation: u64,
    /// Results before these.
    pub offset: usize,
    /// Studies that pass the filter and have the quoted words: an exact count.
    pub total: u64,
    /// Those of them that are stated to show what the query excludes: never results.
    pub excluded: u64,
    /// Those of them that belong to what the query means; the rest is a tail that every query has.
    pub relevant: u64,
    /// Patients of the studies that can be results, where results are grouped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patients: Option<u64>,
    /// Cursor of the next page; none at the end.
    pub next: Option<String>,
}

/// A study that is no result, and why.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Withheld {
    /// The study's id.
    pub study: String,
    /// The study's opaque key.
    pub key: String,
    /// Why.
    pub why: String,
}

/// The query as it was understood.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
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
    /// Films that were searched with.
    #[serde(default)]
    pub films: usize,
    /// Studies to be like.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub like: Vec<String>,
    /// Studies to be unlike.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unlike: Vec<String>,
    /// What one result is.
    #[serde(default)]
    pub group: Group,
}

/// A finding that the query asks for.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
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
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
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
    /// The report's sentence that matched best, and the words in it that the query asks for.
    pub snippet: Option<Snippet>,
    /// False for the tail that every query has: it passes the filter, and nothing says that the query means it.
    pub relevant: bool,
    /// The patient's other studies among the results, best first; only where results are grouped by patient.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<Other>,
    /// Where the score comes from; only where it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explain: Option<Explained>,
}

/// Another study of a result's patient.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Other {
    /// Its id.
    pub study: String,
    /// Its opaque key.
    pub key: String,
}

/// A film of a result.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Film {
    /// The film's id.
    pub id: String,
    /// Opaque key, for URLs.
    pub key: String,
    /// The file it was imported from; left out over HTTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(ignore)]
    pub path: Option<PathBuf>,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

/// A result's place in each ranking, and how its findings agree.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct Components {
    /// By the film's embedding; the score is a cosine.
    pub image: Option<Placed>,
    /// By the embedding of the best sentence; the score is a cosine.
    pub sentence: Option<Placed>,
    /// By keywords; the score is BM25.
    pub keyword: Option<Placed>,
    /// Among the studies that are stated to show what is wanted, by embedding.
    #[serde(default)]
    pub stated: Option<Placed>,
    /// By the findings read from the film where nothing is stated; the score is a difference of cosines.
    #[serde(default)]
    pub zero_shot: Option<Placed>,
    /// By the findings of the studies to be like, by embedding.
    #[serde(default)]
    pub feedback: Option<Placed>,
    /// Reciprocal rank fusion of these.
    pub fused: f32,
    /// Agreement of what is stated with what is wanted, in [-1, 1]; less where the film is suspected of what is excluded.
    pub findings: f32,
}

/// A place in one ranking.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
pub struct Placed {
    /// From 1.
    pub rank: usize,
    /// In the ranking's own unit.
    pub score: f32,
}
