//! Cohorts in the catalogue.
//!
//! ```text
//! head/<name>                          the cohort without its members
//! members/<name>/<revision>/<block>    256 members each, in order; a revision never changes
//! ids/<digest>/<block>                 the ids of a step that named studies; shared by all cohorts
//! ```
//! The head is written last and names its revision, so that a hard stop leaves the cohort as it was before. What such a stop leaves
//! behind is swept away by the next change.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use thorax_index::{Catalogue, Change, Records};

use super::model::{Cohort, FORMAT, Member, MemberDigest, Step, check_name, id_lists, ids_digest, now};
use crate::error::{Error, Result};

/// Name of the tree.
pub const TREE: &str = "cohorts";
const BLOCK: usize = 256;
/// Blocks written in one transaction.
const BATCH: usize = 64;
/// Provenance is read as a whole, and a cohort of cohorts has all of theirs.
const MAX_HEAD: usize = 4 << 20;

/// One change at a time: a new revision is written in several transactions.
static CHANGING: Mutex<()> = Mutex::new(());

/// The cohorts of a catalogue.
pub struct Store<'a> {
    records: Records<'a>,
}

/// A cohort about to be written.
pub struct Draft {
    /// Its name.
    pub name: String,
    /// What the user notes; `None` leaves the note as it is.
    pub note: Option<String>,
    /// All steps, those of earlier revisions first.
    pub steps: Vec<Step>,
    /// The members, in order.
    pub members: Vec<Member>,
    /// Lists of ids that new steps name.
    pub id_lists: Vec<Vec<String>>,
}

impl<'a> Store<'a> {
    /// Opens the tree.
    ///
    /// # Errors
    /// The catalogue cannot be read.
    pub fn open(catalogue: &'a Catalogue) -> Result<Self> {
        Ok(Self { records: catalogue.records(TREE)? })
    }

    /// All cohorts, by name.
    ///
    /// # Errors
    /// The catalogue cannot be read, or a record is damaged.
    pub fn list(&self) -> Result<Vec<Cohort>> {
        self.records
            .list("head/")
            .map(|entry| {
                let (key, value) = entry?;
                let name = String::from_utf8_lossy(&key).into_owned();
                parse_head(name.strip_prefix("head/").unwrap_or(&name), &value)
            })
            .collect()
    }

    /// The cohort of this name.
    ///
    /// # Errors
    /// The record is damaged, or of a newer format.
    pub fn find(&self, name: &str) -> Result<Option<Cohort>> {
        let value = self.records.get(head(name))?;
        value.map(|value| parse_head(name, &value)).transpose()
    }

    /// As [`Store::find`], of a cohort that must be there.
    ///
    /// # Errors
    /// There is none of this name: the message lists those that there are.
    pub fn load(&self, name: &str) -> Result<Cohort> {
        if let Some(cohort) = self.find(name)? {
            return Ok(cohort);
        }
        let names: Vec<String> = self.list()?.into_iter().map(|cohort| cohort.name).take(20).collect();
        let there = if names.is_empty() { "none yet".to_owned() } else { names.join(", ") };
        Err(Error::Caller(format!("there is no cohort '{name}'; there are: {there}")))
    }

    /// The members in order, a block in memory at a time. An error at the end where they are not what the cohort was saved with.
    pub fn members(&self, cohort: &Cohort) -> impl Iterator<Item = Result<Member>> + use<'_, 'a> {
        let mut blocks = self.records.list(revision_prefix(&cohort.name, cohort.revision));
        let (name, wanted, count) = (cohort.name.clone(), cohort.digest.clone(), cohort.studies);
        let mut block = Vec::new().into_iter();
        let (mut digest, mut seen, mut done) = (MemberDigest::default(), 0, false);
        std::iter::from_fn(move || {
            loop {
                if done {
                    return None;
                }
                if let Some(member) = block.next() {
                    digest.add(&member);
                    seen += 1;
                    return Some(Ok(member));
                }
                let next = match blocks.next() {
                    Some(Ok((_, value))) => parse_block::<Member>(&name, &value),
                    Some(Err(error)) => Err(error.into()),
                    None if seen == count && digest.finish() == wanted => {
                        done = true;
                        continue;
                    }
                    None => Err(damaged(&name, "members are missing")),
                };
                match next {
                    Ok(members) => block = members.into_iter(),
                    Err(error) => {
                        done = true;
                        return Some(Err(error));
                    }
                }
            }
        })
    }

    /// The ids of a step that named studies, in order.
    ///
    /// # Errors
    /// They are not what was saved.
    pub fn ids(&self, cohort: &str, digest: &str) -> Result<Vec<String>> {
        let mut ids = Vec::new();
        for entry in self.records.list(format!("ids/{digest}/")) {
            ids.extend(parse_block::<String>(cohort, &entry?.1)?);
        }
        if ids_digest(&ids) != digest {
            return Err(damaged(cohort, "a list of ids is missing"));
        }
        Ok(ids)
    }

    /// Writes the next revision of a cohort, `before` being the one that it follows; when it returns, it is on disk.
    ///
    /// # Errors
    /// The cohort was changed meanwhile, its provenance is too long, or the catalogue cannot be written.
    pub fn save(&self, before: Option<&Cohort>, draft: Draft) -> Result<Cohort> {
        check_name(&draft.name)?;
        let _one = CHANGING.lock().unwrap_or_else(PoisonError::into_inner);
        let name = draft.name.as_str();
        let found = self.records.get(head(name))?;
        if found.as_deref().map(|value| parse_head(name, value)).transpose()?.as_ref() != before {
            return Err(Error::Caller(format!("the cohort '{name}' was changed meanwhile: run the command again")));
        }
        let mut digest = MemberDigest::default();
        draft.members.iter().for_each(|member| digest.add(member));
        let time = now();
        let cohort = Cohort {
            format: FORMAT,
            name: name.to_owned(),
            note: draft.note.or_else(|| before.and_then(|cohort| cohort.note.clone())),
            created: before.map_or_else(|| time.clone(), |cohort| cohort.created.clone()),
            changed: time,
            revision: before.map_or(1, |cohort| cohort.revision + 1),
            studies: draft.members.len() as u64,
            digest: digest.finish(),
            steps: draft.steps,
        };
        let value = serde_json::to_vec(&cohort)?;
        if value.len() > MAX_HEAD {
            return Err(Error::Caller(format!(
                "the history of '{name}' is too long to go on with: start again from its studies, \
                 `thorax cohort export {name} --columns study`, `thorax cohort create ... --ids`"
            )));
        }
        // a stop in the middle of an earlier attempt may have left blocks of this revision
        self.sweep()?;
        self.write_blocks(&revision_prefix(name, cohort.revision), &draft.members)?;
        for ids in &draft.id_lists {
            self.write_blocks(&format!("ids/{}/", ids_digest(ids)), ids)?;
        }
        if !self.records.apply_if(head(name).as_bytes(), found.as_deref(), &[Change::put(head(name), value)])? {
            return Err(Error::Caller(format!("the cohort '{name}' was changed meanwhile: run the command again")));
        }
        self.sweep()?;
        Ok(cohort)
    }

    /// Deletes a cohort for good.
    ///
    /// # Errors
    /// There is none of this name, or the catalogue cannot be written.
    pub fn delete(&self, name: &str) -> Result<Cohort> {
        let cohort = self.load(name)?;
        let _one = CHANGING.lock().unwrap_or_else(PoisonError::into_inner);
        self.records.apply(&[Change::delete(head(name))])?;
        self.sweep()?;
        Ok(cohort)
    }

    fn write_blocks<T: serde::Serialize>(&self, prefix: &str, rows: &[T]) -> Result<()> {
        let mut batch = Vec::new();
        for (number, block) in rows.chunks(BLOCK).enumerate() {
            batch.push(Change::put(format!("{prefix}{number:08x}"), serde_json::to_vec(block)?));
            if batch.len() == BATCH {
                self.records.apply(&std::mem::take(&mut batch))?;
            }
        }
        Ok(self.records.apply(&batch)?)
    }

    /// Removes the blocks that no head names.
    fn sweep(&self) -> Result<()> {
        let cohorts = self.list()?;
        let revisions: HashSet<String> = cohorts.iter().map(|c| revision_prefix(&c.name, c.revision)).collect();
        let lists: HashSet<String> =
            cohorts.iter().flat_map(|c| id_lists(&c.steps)).map(|digest| format!("ids/{digest}/")).collect();
        let mut stale = Vec::new();
        for prefix in ["members/", "ids/"] {
            for entry in self.records.list(prefix) {
                let key = entry?.0;
                let group = key.iter().rposition(|byte| *byte == b'/').and_then(|at| key.get(..=at));
                let group = group.map(String::from_utf8_lossy).unwrap_or_default();
                if !revisions.contains(group.as_ref()) && !lists.contains(group.as_ref()) {
                    stale.push(Change::delete(key));
                }
            }
        }
        for batch in stale.chunks(16 * BATCH) {
            self.records.apply(batch)?;
        }
        Ok(())
    }
}

fn head(name: &str) -> String {
    format!("head/{name}")
}

fn revision_prefix(name: &str, revision: u64) -> String {
    format!("members/{name}/{revision:016x}/")
}

fn parse_head(name: &str, value: &[u8]) -> Result<Cohort> {
    #[derive(serde::Deserialize)]
    struct Format {
        format: u32,
    }
    let format =
        serde_json::from_slice::<Format>(value).map_err(|_| damaged(name, "its record does not parse"))?.format;
    if format > FORMAT {
        return Err(damaged(name, &format!("it has format {format}, this program knows formats up to {FORMAT}")));
    }
    serde_json::from_slice(value).map_err(|_| damaged(name, "its record does not parse"))
}

fn parse_block<T: serde::de::DeserializeOwned>(name: &str, value: &[u8]) -> Result<Vec<T>> {
    serde_json::from_slice(value).map_err(|_| damaged(name, "a block of its members does not parse"))
}

fn damaged(name: &str, reason: &str) -> Error {
    Error::Cohort { name: name.to_owned(), reason: reason.to_owned() }
}

#[cfg(test)]
mod tests;
