//! The steps of a cohort run again on the archive of today, and what that would change.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use serde::Serialize;
use utoipa::ToSchema;

use super::algebra::{combine, in_order};
use super::ask::{self, Archive};
use super::model::{Cohort, Generation, Member, Model, Query, Selection, Step, queries};
use super::store::Store;
use crate::error::{Error, Result};

/// What running the steps again would change.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Verified {
    /// The cohort's name.
    pub cohort: String,
    /// Its revision.
    pub revision: u64,
    /// Nothing that matters would change: the same studies, with the same content, by the same models.
    pub same: bool,
    /// Members now.
    pub studies: u64,
    /// Members if its steps were run today.
    pub would_be: u64,
    /// Study by study.
    #[serde(flatten)]
    pub differences: Differences,
    /// The models, where they are others than those of the steps. `None` for one that is the same.
    pub other_model: Option<Other<Model>>,
    /// The generation, where it is another one. No difference by itself.
    pub other_generation: Option<Other<Generation>>,
    /// The catalogue's identity, where it is another one: the archive was imported anew. No difference by itself.
    pub other_catalogue: Option<Other<String>>,
    /// The program, where it has another version. No difference by itself.
    pub other_thorax: Option<Other<String>>,
    /// The number of candidates, where a ranked step had another. No difference by itself.
    pub other_candidates: Option<Other<usize>>,
    /// Studies that are new or changed since the index was made: they match as they were then, or not yet.
    pub index_behind: Option<u64>,
    /// Members whose score is another today; the set of studies does not depend on it.
    pub rescored: u64,
}

/// What was, in the last step where it differs, and what is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = CohortOther)]
pub struct Other<T> {
    /// In the step.
    pub pinned: T,
    /// Now; none where there is nothing to compare with, such as no index.
    pub now: Option<T>,
}

/// Studies that differ, by id, each list in order. A study stands in `gone` or in `no_longer_matching`, never in both; it may stand in
/// `changed` and in `no_longer_matching`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Differences {
    /// Members that are gone from the archive.
    pub gone: Vec<String>,
    /// Members whose record has changed since they became members: labels, report, films or fields.
    pub changed: Vec<String>,
    /// Studies that the steps would select today, and that are no members.
    pub newly_matching: Vec<String>,
    /// Members that are there, and that the steps would not select today.
    pub no_longer_matching: Vec<String>,
}

impl Differences {
    /// True when no study differs.
    pub fn is_empty(&self) -> bool {
        self.gone.is_empty()
            && self.changed.is_empty()
            && self.newly_matching.is_empty()
            && self.no_longer_matching.is_empty()
    }
}

/// Runs the steps again and compares. `image` stands in for films that are neither where they were nor in the archive.
///
/// # Errors
/// There is no such cohort; a step cannot be run any more, for want of a film, an index or a field.
pub fn verify(archive: &Archive, name: &str, image: Option<&Path>) -> Result<Verified> {
    let store = Store::open(archive.catalogue())?;
    let cohort = store.load(name)?;
    let members = store.members(&cohort).collect::<Result<Vec<_>>>()?;
    let again = Again { archive, store: &store, cohort: &cohort, image: image.map(ask::film).transpose()? };
    let today = again.run(&cohort.steps)?;
    let mut hashes = HashMap::new();
    for member in &members {
        hashes.insert(member.id.as_str(), archive.catalogue().version(&member.id)?.map(|version| version.hash));
    }
    let differences = compare(&members, &today, |id| hashes.get(id).cloned().flatten());
    let mut verified = Verified {
        cohort: cohort.name.clone(),
        revision: cohort.revision,
        same: false,
        studies: members.len() as u64,
        would_be: today.len() as u64,
        differences,
        other_model: None,
        other_generation: None,
        other_catalogue: None,
        other_thorax: None,
        other_candidates: None,
        index_behind: None,
        rescored: rescored(&members, &today),
    };
    circumstances(archive, &cohort, &mut verified)?;
    verified.same = verified.differences.is_empty() && verified.other_model.is_none();
    Ok(verified)
}

/// Compares the members with what the steps select today; `hash` tells the content hash that a member's study has today.
pub fn compare(members: &[Member], today: &[Member], hash: impl Fn(&str) -> Option<String>) -> Differences {
    let own: BTreeSet<&str> = members.iter().map(|m| m.id.as_str()).collect();
    let selected: BTreeSet<&str> = today.iter().map(|m| m.id.as_str()).collect();
    let mut differences = Differences::default();
    for member in members {
        match hash(&member.id) {
            None => {
                differences.gone.push(member.id.clone());
                continue;
            }
            Some(hash) if hash != member.hash => differences.changed.push(member.id.clone()),
            Some(_) => {}
        }
        if !selected.contains(member.id.as_str()) {
            differences.no_longer_matching.push(member.id.clone());
        }
    }
    differences.newly_matching = selected.difference(&own).map(|id| (*id).to_owned()).collect();
    differences
}

fn rescored(members: &[Member], today: &[Member]) -> u64 {
    let scores: HashMap<&str, Option<f32>> = today.iter().map(|m| (m.id.as_str(), m.score)).collect();
    let other = |m: &&Member| scores.get(m.id.as_str()).is_some_and(|score| *score != m.score);
    members.iter().filter(other).count() as u64
}

struct Again<'a> {
    archive: &'a Archive,
    store: &'a Store<'a>,
    cohort: &'a Cohort,
    image: Option<super::model::Film>,
}

impl Again<'_> {
    fn run(&self, steps: &[Step]) -> Result<Vec<Member>> {
        let mut members = Vec::new();
        for step in steps {
            let selected = match &step.selection {
                Selection::Query(query) => self.archive.select(&self.with_film(query))?,
                Selection::Ids { digest, .. } => {
                    let ids = self.store.ids(&self.cohort.name, digest)?;
                    self.archive.members(ids.iter().map(|id| (id.as_str(), None, None)))?
                }
                Selection::Cohort { steps, .. } => self.run(steps)?,
            };
            members = combine(step.operation, members, in_order(selected));
        }
        Ok(members)
    }

    fn with_film(&self, query: &Query) -> Query {
        let mut query = query.clone();
        if let (Some(film), Some(given)) = (&mut query.image, &self.image)
            && film.hash == given.hash
        {
            film.path.clone_from(&given.path);
        }
        query
    }
}

/// Models, generation, catalogue and program of the steps, beside those of today.
fn circumstances(archive: &Archive, cohort: &Cohort, verified: &mut Verified) -> Result<()> {
    let asked = queries(&cohort.steps);
    if !asked.is_empty() {
        let generation = archive.generation()?;
        let now = archive.fingerprint()?;
        for (query, pinned) in asked {
            if let Some(model) = pinned.model.as_ref().filter(|model| model.fingerprint != now) {
                let model_now = archive.pinned(Some(query))?.model;
                verified.other_model = Some(Other { pinned: model.clone(), now: model_now });
            }
            if let Some(other) = pinned.generation.as_ref().filter(|other| **other != generation) {
                verified.other_generation = Some(Other { pinned: other.clone(), now: Some(generation.clone()) });
            }
            let candidates = archive.candidates();
            if let Some(other) = query.candidates.filter(|other| *other != candidates) {
                verified.other_candidates = Some(Other { pinned: other, now: Some(candidates) });
            }
        }
        verified.index_behind = match archive.behind()? {
            Some(0) => None,
            Some(n) => Some(n),
            None => return Err(Error::Caller("the index belongs to another catalogue: run `thorax index`".to_owned())),
        };
    }
    let identity = archive.catalogue().identity();
    let version = env!("CARGO_PKG_VERSION");
    for step in &cohort.steps {
        if step.pinned.catalogue != identity {
            verified.other_catalogue =
                Some(Other { pinned: step.pinned.catalogue.clone(), now: Some(identity.to_owned()) });
        }
        if step.pinned.thorax != version {
            verified.other_thorax = Some(Other { pinned: step.pinned.thorax.clone(), now: Some(version.to_owned()) });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
