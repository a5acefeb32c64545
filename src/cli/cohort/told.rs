//! Cohorts, counts and differences in words.

use serde::Serialize;

use crate::cli::output;
use crate::cohort::Store;
use crate::cohort::model::{Cohort, Operation, Query, Selection, Step, Take};
use crate::cohort::summary::Summary;
use crate::cohort::verify::{Differences, Other, Verified};
use crate::error::Result;

/// Ids of a list that are shown on a terminal.
const SHOWN: usize = 20;

/// A cohort without its history.
#[derive(Serialize)]
pub(super) struct Brief<'a> {
    name: &'a str,
    studies: u64,
    revision: u64,
    created: &'a str,
    changed: &'a str,
    digest: &'a str,
    note: Option<&'a str>,
}

pub(super) fn brief<'a>(cohorts: &'a [Cohort]) -> Vec<Brief<'a>> {
    let one = |cohort: &'a Cohort| Brief {
        name: &cohort.name,
        studies: cohort.studies,
        revision: cohort.revision,
        created: &cohort.created,
        changed: &cohort.changed,
        digest: &cohort.digest,
        note: cohort.note.as_deref(),
    };
    cohorts.iter().map(one).collect()
}

pub(super) fn list(cohorts: &[Cohort]) -> Result<()> {
    if cohorts.is_empty() {
        return output::line("no cohort yet: `thorax cohort create --help`");
    }
    for cohort in cohorts {
        let note = cohort.note.as_deref().unwrap_or_default();
        output::line(&format!("{:<24} {:>9} studies  {}  {note}", cohort.name, cohort.studies, cohort.changed))?;
    }
    Ok(())
}

pub(super) fn changed(cohort: &Cohort) -> Result<()> {
    if let Some(step) = cohort.steps.last() {
        output::line(&told(step))?;
    }
    output::line(&format!("{}: {} studies, revision {}", cohort.name, cohort.studies, cohort.revision))
}

pub(super) fn members(store: &Store<'_>, cohort: &Cohort, json: bool) -> Result<()> {
    #[derive(Serialize)]
    struct Line<'a> {
        study: &'a str,
        hash: &'a str,
        score: Option<f32>,
        rank: Option<u32>,
    }
    for member in store.members(cohort) {
        let member = member?;
        match json {
            true => output::json_line(&Line {
                study: &member.id,
                hash: &member.hash,
                score: member.score,
                rank: member.rank,
            })?,
            false => output::line(&member.id)?,
        }
    }
    Ok(())
}

pub(super) fn show_json(cohort: &Cohort, counts: &Summary) -> Result<()> {
    #[derive(Serialize)]
    struct Shown<'a> {
        #[serde(flatten)]
        cohort: &'a Cohort,
        counts: &'a Summary,
    }
    output::json(&Shown { cohort, counts })
}

pub(super) fn show(cohort: &Cohort, counts: &Summary) -> Result<()> {
    output::line(&format!("{}: {} studies, revision {}", cohort.name, cohort.studies, cohort.revision))?;
    if let Some(note) = &cohort.note {
        output::line(note)?;
    }
    output::line(&format!("created {}, changed {}, digest {}", cohort.created, cohort.changed, start(&cohort.digest)))?;
    for step in &cohort.steps {
        output::line(&format!("  {}  {}", step.pinned.time, told(step)))?;
    }
    output::line(&format!("films     {}", counts.films))?;
    output::line(&format!("reports   {}", counts.reports))?;
    let spread: Vec<String> =
        counts.studies_per_patient.iter().map(|(studies, patients)| format!("{patients} with {studies}")).collect();
    output::line(&format!("patients  {} ({})", counts.patients, spread.join(", ")))?;
    if let Some(dates) = &counts.dates {
        output::line(&format!("dates     {} to {} ({} studies)", dates.first, dates.last, dates.studies))?;
    }
    let line = |counts: Vec<(String, u64)>| {
        counts.into_iter().map(|(what, count)| format!("{what} {count}")).collect::<Vec<_>>().join(", ")
    };
    let sorted = |counts: &mut dyn Iterator<Item = (String, u64)>| line(counts.collect());
    output::line(&format!("sex       {}", sorted(&mut counts.sex.iter().map(|(k, v)| ((*k).to_owned(), *v)))))?;
    output::line(&format!("age       {}", sorted(&mut counts.age.iter().map(|(k, v)| (k.clone(), *v)))))?;
    output::line(&format!("source    {}", sorted(&mut counts.source.iter().map(|(k, v)| (k.clone(), *v)))))?;
    output::line(&format!("{:<28} {:>9} {:>9} {:>9}", "finding", "present", "possible", "absent"))?;
    for (name, stated) in &counts.findings {
        output::line(&format!("{name:<28} {:>9} {:>9} {:>9}", stated.present, stated.uncertain, stated.absent))?;
    }
    for (patient, studies) in counts.by_patient.iter().flatten() {
        output::line(&format!("{patient}  {studies}"))?;
    }
    if counts.gone > 0 {
        output::line(&format!("{} studies are gone from the archive: they are not counted above", counts.gone))?;
    }
    if counts.changed > 0 {
        let hint = format!("`thorax cohort verify {}` says which", cohort.name);
        output::line(&format!("{} studies have changed since they became members: {hint}", counts.changed))?;
    }
    Ok(())
}

pub(super) fn verified(verified: &Verified) -> Result<()> {
    let Differences { gone, changed, newly_matching, no_longer_matching } = &verified.differences;
    let (name, studies, would_be) = (&verified.cohort, verified.studies, verified.would_be);
    output::line(&format!("{name}: {studies} studies; its steps would give {would_be} today"))?;
    ids("gone from the archive", gone)?;
    ids("changed since they became members", changed)?;
    ids("newly matching", newly_matching)?;
    ids("no longer matching", no_longer_matching)?;
    if let Some(Other { pinned, now }) = &verified.other_model {
        let now = now.as_ref().map_or_else(|| "none".to_owned(), |m| format!("{} ({})", m.name, start(&m.fingerprint)));
        output::line(&format!("other model: {} ({}) then, {now} now", pinned.name, start(&pinned.fingerprint)))?;
    }
    if verified.same {
        output::line("the same studies, with the same content")?;
    }
    let note = |text: String| output::line(&format!("note: {text}"));
    if let Some(Other { pinned, now }) = &verified.other_generation {
        let now = now.as_ref().map_or_else(|| "none".to_owned(), |g| g.number.to_string());
        note(format!("another generation of the index: {} then, {now} now", pinned.number))?;
    }
    if verified.other_catalogue.is_some() {
        note("another catalogue: the archive was imported anew or restored".to_owned())?;
    }
    if let Some(Other { pinned, now: Some(now) }) = &verified.other_thorax {
        note(format!("another program: thorax {pinned} then, {now} now"))?;
    }
    if let Some(Other { pinned, now: Some(now) }) = &verified.other_candidates {
        note(format!("search.candidates was {pinned}, is {now}"))?;
    }
    if let Some(n) = verified.index_behind {
        note(format!(
            "{n} studies are new or changed since the index was made, and match as they were then: run `thorax index`"
        ))?;
    }
    if verified.rescored > 0 {
        note(format!("{} studies have another score", verified.rescored))?;
    }
    Ok(())
}

fn ids(what: &str, ids: &[String]) -> Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    output::line(&format!("{what}: {}", ids.len()))?;
    for id in ids.iter().take(SHOWN) {
        output::line(&format!("  {id}"))?;
    }
    if ids.len() > SHOWN {
        output::line("  ... (all with --json)")?;
    }
    Ok(())
}

fn start(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}

fn told(step: &Step) -> String {
    let verb = match step.operation {
        Operation::Create => "create from",
        Operation::Add => "add",
        Operation::Remove => "remove",
        Operation::Union => "union with",
        Operation::Intersect => "intersect with",
        Operation::Minus => "minus",
    };
    let what = match &step.selection {
        Selection::Query(query) => queried(query),
        Selection::Ids { count, .. } => format!("{count} ids"),
        Selection::Cohort { name, revision, .. } => format!("cohort {name}, revision {revision}"),
    };
    format!("{verb} {what}: {} selected, {} in all", step.selected, step.studies)
}

fn queried(query: &Query) -> String {
    let mut words = Vec::new();
    words.extend(query.text.as_ref().map(|text| format!("\"{text}\"")));
    words.extend(query.image.as_ref().map(|film| format!("film {}", start(&film.hash))));
    if !query.understood.is_empty() {
        words.push(format!("(read as: {})", query.understood.join(", ")));
    }
    words.extend(query.filter.as_ref().map(|filter| format!("filter '{filter}'")));
    words.push(match query.take {
        Take::First(k) => format!("first {k}"),
        Take::MinScore(score) => format!("score {score} and more"),
        Take::AllMatching => "all".to_owned(),
    });
    words.join(" ")
}
