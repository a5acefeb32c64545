//! What the cohorts' routes take and answer.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::archive::Sex;
use crate::cohort::edit::Asked;
use crate::cohort::model::{Cohort, Query, Take};
use crate::cohort::summary::Summary;
use crate::error::{Error, Result};
use crate::indexing::Finding;
use crate::search::Target;
use crate::server::serving::Current;

/// Which studies: by key or id, or by a search or a filter.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Select {
    /// Studies by key or id; nothing else with them.
    pub(super) studies: Vec<String>,
    /// What to look for, in words.
    pub(super) text: Option<String>,
    /// A filter expression.
    pub(super) filter: Option<String>,
    /// What a ranked search looks through.
    pub(super) to: Target,
    /// How much of what is found is taken; all that matches, where there is only a filter.
    pub(super) take: Option<Amount>,
}

/// How much of what is found is taken.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Amount {
    /// The best so many.
    First(usize),
    /// All of at least this score.
    MinScore(f32),
    /// All that match the filter, and what the text asks for; nothing is ranked.
    All,
}

/// A cohort to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCohort {
    pub(super) name: String,
    pub(super) note: Option<String>,
    pub(super) select: Select,
}

/// Studies to come in or to go.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Changed {
    pub(super) select: Select,
}

/// A combination with another cohort.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Combined {
    /// `union`, `intersect` or `minus`.
    pub(super) operation: Combination,
    /// The other cohort.
    pub(super) with: String,
    /// Name of a new cohort; without it, this one is changed.
    pub(super) into: Option<String>,
}

/// How two cohorts are combined.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Combination {
    /// What is in either.
    Union,
    /// What is in both.
    Intersect,
    /// What is in this one and not in the other.
    Minus,
}

/// The cohorts, by name.
#[derive(Serialize, ToSchema)]
pub struct CohortList {
    pub(super) cohorts: Vec<CohortHead>,
}

/// A cohort without its steps.
#[derive(Serialize, ToSchema)]
pub struct CohortHead {
    pub(super) name: String,
    pub(super) note: Option<String>,
    pub(super) studies: u64,
    pub(super) revision: u64,
    pub(super) created: String,
    pub(super) changed: String,
    pub(super) digest: String,
}

/// A cohort, how it came about, and what is in it.
#[derive(Serialize, ToSchema)]
pub struct CohortView {
    #[serde(flatten)]
    pub(super) cohort: Cohort,
    pub(super) summary: Summary,
}

/// A page of a cohort's members.
#[derive(Serialize, ToSchema)]
pub struct Members {
    /// Members in all.
    pub(super) total: u64,
    pub(super) studies: Vec<MemberView>,
}

/// A member.
#[derive(Serialize, ToSchema)]
pub struct MemberView {
    pub(super) key: String,
    /// Numbers the patients of this page, from 1: the same number, the same patient.
    pub(super) patient: usize,
    pub(super) date: Option<String>,
    pub(super) age: Option<f32>,
    pub(super) sex: Option<Sex>,
    /// Key of the first film.
    pub(super) image: Option<String>,
    pub(super) findings: Vec<Finding>,
    /// Its place in the search that found it.
    pub(super) rank: Option<u32>,
}

/// Which members.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Range {
    /// Members before the first.
    #[serde(default)]
    pub(super) offset: usize,
    /// At most so many, up to 1000.
    pub(super) limit: Option<usize>,
}

impl Select {
    /// What a cohort is made of.
    ///
    /// # Errors
    /// It says too little, or things that don't go together.
    pub(super) fn asked(self, engine: &Current) -> Result<Asked> {
        let Select { studies, text, filter, to, take } = self;
        let text = text.filter(|text| !text.trim().is_empty());
        let wrong = |text: &str| Err(Error::Caller(text.to_owned()));
        if !studies.is_empty() {
            if text.is_some() || filter.is_some() || take.is_some() {
                return wrong("a selection is either of studies, or of what a text or a filter finds");
            }
            // an id that the index does not have yet is one of the catalogue, or nobody's
            let id = |study: String| match engine.row_of(&study) {
                Ok(row) => engine.index().study(row).map_or(study, |found| found.id.to_owned()),
                Err(_) => study,
            };
            return Ok(Asked::Ids(studies.into_iter().map(id).collect()));
        }
        let take = match take {
            Some(Amount::First(0)) => return wrong("first: at least one study"),
            Some(Amount::First(count)) => Take::First(count),
            Some(Amount::MinScore(score)) => Take::MinScore(score),
            Some(Amount::All) => Take::AllMatching,
            None if text.is_none() && filter.is_some() => Take::AllMatching,
            None => {
                return wrong("say how much of what is found to take: {\"first\": n}, {\"min_score\": x} or \"all\"");
            }
        };
        match (&text, &filter) {
            (None, None) => return wrong("say which studies: studies, a text or a filter"),
            (None, Some(_)) if take != Take::AllMatching => return wrong("a filter ranks nothing: take \"all\""),
            _ => {}
        }
        let query = Query {
            text,
            image: None,
            to,
            filter,
            take,
            encoder_only: false,
            candidates: None,
            understood: Vec::new(),
        };
        Ok(Asked::Query(query))
    }
}
