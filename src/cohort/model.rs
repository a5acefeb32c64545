//! A cohort as it is kept: members in the order of their ids, and the steps that made it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::{Error, Result};
use crate::search::Target;

/// Format of the records of a cohort.
pub const FORMAT: u32 = 1;
/// Longest name, in characters.
const MAX_NAME: usize = 64;

/// A named set of studies with its provenance. The members are kept apart from it, see [`Store`](super::Store).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Cohort {
    /// Format of the record.
    pub format: u32,
    /// Letters, digits, '-', '_' and '.'.
    pub name: String,
    /// What the user notes of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// When it was created, UTC, RFC 3339.
    pub created: String,
    /// When it was changed last.
    pub changed: String,
    /// Counts the changes, from 1.
    pub revision: u64,
    /// Number of members.
    pub studies: u64,
    /// BLAKE3 of the members' ids and content hashes, in order: two cohorts of the same digest hold the same.
    pub digest: String,
    /// What made it, in order.
    pub steps: Vec<Step>,
}

/// A study of a cohort.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(into = "MemberRow", from = "MemberRow")]
pub struct Member {
    /// The study.
    pub id: String,
    /// Content hash of the study's document when it became a member.
    pub hash: String,
    /// Its score in the search that found it; orders that search alone.
    pub score: Option<f32>,
    /// Its place in that search, from 1.
    pub rank: Option<u32>,
}

/// A member as it is stored: names would be most of it.
#[derive(Serialize, Deserialize)]
struct MemberRow(String, String, Option<f32>, Option<u32>);

impl From<Member> for MemberRow {
    fn from(member: Member) -> Self {
        MemberRow(member.id, member.hash, member.score, member.rank)
    }
}

impl From<MemberRow> for Member {
    fn from(MemberRow(id, hash, score, rank): MemberRow) -> Self {
        Member { id, hash, score, rank }
    }
}

/// How a selection changes the set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Operation {
    /// The set begins with these.
    Create,
    /// These come in.
    Add,
    /// These go out.
    Remove,
    /// As add: the step of a combination.
    Union,
    /// Only these stay.
    Intersect,
    /// As remove: the step of a combination.
    Minus,
}

/// One change of a cohort.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Step {
    /// How the selection changed the set.
    pub operation: Operation,
    /// What was selected.
    pub selection: Selection,
    /// What it was selected from, and by what.
    pub pinned: Pinned,
    /// Studies selected.
    pub selected: u64,
    /// Members after the step.
    pub studies: u64,
}

/// What a step selects.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Selection {
    /// A search or a filter.
    Query(Query),
    /// Studies by name. The list is kept under its digest.
    Ids {
        /// How many.
        count: u64,
        /// BLAKE3 of the ids in order, one a line.
        digest: String,
    },
    /// Another cohort, as it was then.
    Cohort {
        /// Its name.
        name: String,
        /// Its revision.
        revision: u64,
        /// Its digest.
        digest: String,
        /// Its steps: it may be changed or deleted later.
        #[schema(no_recursion)]
        steps: Vec<Step>,
    },
}

/// A search or a filter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = CohortQuery)]
pub struct Query {
    /// The words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The film.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Film>,
    /// What a ranked search looks through.
    #[serde(default)]
    pub to: Target,
    /// The filter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// How much of what is found is taken.
    pub take: Take,
    /// Ranked by the encoder alone.
    #[serde(default)]
    pub encoder_only: bool,
    /// Candidates that each source gave; part of the configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub candidates: Option<usize>,
    /// How the words were read; for the reader of the record, not for running it again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub understood: Vec<String>,
}

/// A film that was searched with. The pixels are not kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = CohortFilm)]
pub struct Film {
    /// BLAKE3 of the file.
    pub hash: String,
    /// Where it was.
    #[schema(value_type = String)]
    pub path: PathBuf,
}

/// How much of what is found is taken.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Take {
    /// The best so many.
    First(usize),
    /// All of at least this score.
    MinScore(f32),
    /// All that match the filter, and the keywords or stated findings of the text; nothing is ranked.
    AllMatching,
}

impl Query {
    /// True when a model ranks what is found.
    pub fn is_ranked(&self) -> bool {
        self.take != Take::AllMatching
    }
}

/// The state of the archive at a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Pinned {
    /// UTC, RFC 3339.
    pub time: String,
    /// Version of the program.
    pub thorax: String,
    /// Identity of the catalogue.
    pub catalogue: String,
    /// Its sequence number.
    pub sequence: u64,
    /// The generation that answered; none where no index was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<Generation>,
    /// The model that ranked; none where nothing was ranked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<Model>,
}

/// A generation of the index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Generation {
    /// Its number.
    pub number: u64,
    /// BLAKE3 of its manifest, which has the checksums of its files.
    pub manifest: String,
    /// Sequence number of the catalogue that it holds.
    pub sequence: u64,
}

/// A model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Model {
    /// Its name in the home.
    pub name: String,
    /// Hash of its configuration, weights and preprocessing.
    pub fingerprint: String,
}

/// Checks the name of a cohort.
///
/// # Errors
/// Says which characters are allowed.
pub fn check_name(name: &str) -> Result<()> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || name.len() > MAX_NAME || name.starts_with(['.', '-']) || !name.chars().all(plain) {
        return Err(Error::Caller(format!(
            "'{name}' is no name for a cohort: use up to {MAX_NAME} letters, digits, '-', '_' and '.', beginning with a letter or digit"
        )));
    }
    Ok(())
}

/// All queries of these steps and of the steps of the cohorts in them, each with what was pinned.
pub fn queries(steps: &[Step]) -> Vec<(&Query, &Pinned)> {
    let mut found = Vec::new();
    for step in steps {
        match &step.selection {
            Selection::Query(query) => found.push((query, &step.pinned)),
            Selection::Cohort { steps, .. } => found.extend(queries(steps)),
            Selection::Ids { .. } => {}
        }
    }
    found
}

/// Digests of all lists of ids in these steps.
pub fn id_lists(steps: &[Step]) -> Vec<&str> {
    let mut found = Vec::new();
    for step in steps {
        match &step.selection {
            Selection::Ids { digest, .. } => found.push(digest.as_str()),
            Selection::Cohort { steps, .. } => found.extend(id_lists(steps)),
            Selection::Query(_) => {}
        }
    }
    found
}

/// BLAKE3 over members, fed in order.
#[derive(Default)]
pub struct MemberDigest(blake3::Hasher);

impl MemberDigest {
    /// Takes the next member.
    pub fn add(&mut self, member: &Member) {
        self.0.update(member.id.as_bytes()).update(&[0]).update(member.hash.as_bytes()).update(b"\n");
    }

    /// The digest, in hex.
    pub fn finish(&self) -> String {
        self.0.finalize().to_hex().to_string()
    }
}

/// BLAKE3 of ids, one a line.
pub fn ids_digest(ids: &[String]) -> String {
    let mut hasher = blake3::Hasher::new();
    for id in ids {
        hasher.update(id.as_bytes()).update(b"\n");
    }
    hasher.finalize().to_hex().to_string()
}

/// Now, as it is noted in a step.
pub fn now() -> String {
    chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_are_plain_words() {
        for good in ["a", "effusions-2026", "Trial_1.b", "7"] {
            check_name(good).unwrap();
        }
        for bad in ["", ".hidden", "-k", "a/b", "a b", "ä", &"x".repeat(65)] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_member_is_stored_as_a_row() {
        let member = Member { id: "a/1".to_owned(), hash: "00".to_owned(), score: Some(0.5), rank: Some(1) };
        let json = serde_json::to_string(&member).unwrap();
        assert_eq!(json, r#"["a/1","00",0.5,1]"#);
        assert_eq!(serde_json::from_str::<Member>(&json).unwrap(), member);
    }
}
