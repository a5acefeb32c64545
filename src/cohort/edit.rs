//! Creating and changing cohorts: every change is a step that is pinned.

use super::algebra::{combine, in_order};
use super::ask::Archive;
use super::model::{Cohort, Member, Operation, Pinned, Query, Selection, Step, check_name, ids_digest};
use super::store::{Draft, Store};
use crate::error::{Error, Result};

/// What a change selects, as it is asked for.
pub enum Asked {
    /// A search or a filter.
    Query(Query),
    /// Studies by name.
    Ids(Vec<String>),
    /// The members of another cohort.
    Cohort(String),
}

/// How strict a change is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Strictness {
    /// Take a query's answer although the catalogue has changed since the index was made.
    pub stale: bool,
    /// Leave out ids that the catalogue does not have, instead of refusing them.
    pub skip_unknown: bool,
}

/// A selection that was made.
struct Selected {
    selection: Selection,
    pinned: Pinned,
    members: Vec<Member>,
    list: Option<Vec<String>>,
}

/// Creates a cohort.
///
/// # Errors
/// There is one of this name already, or the selection fails.
pub fn create(
    archive: &Archive,
    name: &str,
    note: Option<String>,
    asked: Asked,
    strictness: Strictness,
) -> Result<Cohort> {
    let store = Store::open(archive.catalogue())?;
    check_new(&store, name)?;
    let selected = select(archive, &store, asked, strictness)?;
    save(&store, None, name, note, vec![(Operation::Create, selected)])
}

/// Adds studies to a cohort or removes them, by [`Operation::Add`] or [`Operation::Remove`]; those of a cohort of another name, a
/// query or a list.
///
/// # Errors
/// There is no such cohort, or the selection fails.
pub fn change(
    archive: &Archive,
    name: &str,
    operation: Operation,
    asked: Asked,
    strictness: Strictness,
) -> Result<Cohort> {
    let store = Store::open(archive.catalogue())?;
    let before = store.load(name)?;
    let selected = match (operation, asked) {
        (Operation::Remove, Asked::Ids(ids)) => removal(archive, &store, &before, ids, strictness)?,
        (_, asked) => select(archive, &store, asked, strictness)?,
    };
    save(&store, Some(&before), name, None, vec![(operation, selected)])
}

/// Makes a new cohort of others: the first one, and each further one by the operation.
///
/// # Errors
/// There is one of this name already, or one of the others is missing.
pub fn combination(
    archive: &Archive,
    name: &str,
    note: Option<String>,
    operation: Operation,
    of: &[String],
) -> Result<Cohort> {
    let store = Store::open(archive.catalogue())?;
    check_new(&store, name)?;
    let mut steps = Vec::with_capacity(of.len());
    for (place, other) in of.iter().enumerate() {
        let selected = select(archive, &store, Asked::Cohort(other.clone()), Strictness::default())?;
        steps.push((if place == 0 { Operation::Create } else { operation }, selected));
    }
    save(&store, None, name, note, steps)
}

fn check_new(store: &Store<'_>, name: &str) -> Result<()> {
    check_name(name)?;
    match store.find(name)? {
        None => Ok(()),
        Some(_) => Err(Error::Caller(format!(
            "there is a cohort '{name}' already: take another name, or `thorax cohort delete {name}` first"
        ))),
    }
}

fn save(
    store: &Store<'_>,
    before: Option<&Cohort>,
    name: &str,
    note: Option<String>,
    changes: Vec<(Operation, Selected)>,
) -> Result<Cohort> {
    let mut members = before.map(|cohort| store.members(cohort).collect::<Result<Vec<_>>>()).transpose()?;
    let mut steps = before.map(|cohort| cohort.steps.clone()).unwrap_or_default();
    let mut id_lists = Vec::new();
    // lists of earlier steps are there already, those of other cohorts as long as these are: all are kept under their digest
    for (operation, selected) in changes {
        let count = selected.members.len() as u64;
        let combined = combine(operation, members.unwrap_or_default(), in_order(selected.members));
        steps.push(Step {
            operation,
            selection: selected.selection,
            pinned: selected.pinned,
            selected: count,
            studies: combined.len() as u64,
        });
        members = Some(combined);
        id_lists.extend(selected.list);
    }
    let members = members.unwrap_or_default();
    store.save(before, Draft { name: name.to_owned(), note, steps, members, id_lists })
}

fn select(archive: &Archive, store: &Store<'_>, asked: Asked, strictness: Strictness) -> Result<Selected> {
    match asked {
        Asked::Query(mut query) => {
            refuse_stale(archive, strictness)?;
            query.understood = Archive::understood(&query);
            query.candidates = query.is_ranked().then(|| archive.candidates());
            let members = archive.select(&query)?;
            let pinned = archive.pinned(Some(&query))?;
            Ok(Selected { selection: Selection::Query(query), pinned, members, list: None })
        }
        Asked::Ids(ids) => by_ids(archive, ids, strictness, |id| archive.catalogue().contains(id).map_err(Error::from)),
        Asked::Cohort(name) => {
            let cohort = store.load(&name)?;
            let members = store.members(&cohort).collect::<Result<Vec<_>>>()?;
            let selection =
                Selection::Cohort { name, revision: cohort.revision, digest: cohort.digest, steps: cohort.steps };
            Ok(Selected { selection, pinned: archive.pinned(None)?, members, list: None })
        }
    }
}

/// A removal by ids: a study that is gone from the catalogue can be taken out of the cohort all the same.
fn removal(
    archive: &Archive,
    store: &Store<'_>,
    before: &Cohort,
    ids: Vec<String>,
    strictness: Strictness,
) -> Result<Selected> {
    let mut own = std::collections::HashMap::new();
    for member in store.members(before) {
        let member = member?;
        own.insert(member.id.clone(), member);
    }
    let mut selected =
        by_ids(archive, ids, strictness, |id| Ok(own.contains_key(id) || archive.catalogue().contains(id)?))?;
    selected.members = selected.list.iter().flatten().filter_map(|id| own.get(id).cloned()).collect();
    Ok(selected)
}

fn by_ids(
    archive: &Archive,
    mut ids: Vec<String>,
    strictness: Strictness,
    is_known: impl Fn(&str) -> Result<bool>,
) -> Result<Selected> {
    // by place in the list: an id may be a patient's number
    let mut unknown = Vec::new();
    let mut known = Vec::with_capacity(ids.len());
    for (place, id) in ids.drain(..).enumerate() {
        match is_known(&id)? {
            true => known.push(id),
            false => unknown.push((place + 1).to_string()),
        }
    }
    if !unknown.is_empty() && !strictness.skip_unknown {
        let shown = unknown.iter().take(10).map(String::as_str).collect::<Vec<_>>().join(", ");
        return Err(Error::Caller(format!(
            "{} of the ids are no studies of this archive (number {shown} of the list{}): mend the list, or leave them out with --skip-unknown",
            unknown.len(),
            if unknown.len() > 10 { ", ..." } else { "" }
        )));
    }
    known.sort_unstable();
    known.dedup();
    let members = archive.members(known.iter().map(|id| (id.as_str(), None, None)))?;
    let selection = Selection::Ids { count: known.len() as u64, digest: ids_digest(&known) };
    Ok(Selected { selection, pinned: archive.pinned(None)?, members, list: Some(known) })
}

fn refuse_stale(archive: &Archive, strictness: Strictness) -> Result<()> {
    let changes = match archive.behind()? {
        Some(0) => return Ok(()),
        Some(n) => format!("{n} studies are new or changed since the index was made"),
        None => "the index belongs to another catalogue".to_owned(),
    };
    if strictness.stale {
        return Ok(());
    }
    Err(Error::Caller(format!("{changes}: run `thorax index` first, or take what is indexed with --stale")))
}
