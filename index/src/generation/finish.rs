//! Turns a complete build into the generation that serves.
//!
//! Everything is written beside the log, so that a finish that was killed is done again from the log with the same result. The
//! rename of `CURRENT` is the moment of the swap; the log and older generations go after it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{BufWriter, Write};
use std::path::Path;

use fs_err as fs;
use serde::Serialize;

use crate::disk;
use crate::error::{IndexError, Result};
use crate::graph::Graph;
use crate::text::TextWriter;
use crate::tuning::Tuning;
use crate::vectors::{self, Column, ColumnWriter};

use super::builder::Builder;
use super::layout::{
    BUILD, Current, FAILURES, Layout, MANIFEST, SNAPSHOT, STUDIES, TEXT, column_file, graph_file, log_file,
};
use super::lease::remove_unless_read;
use super::manifest::{FORMAT, FileSum, Manifest};
use super::plan::State;
use super::studies::{self, Study};
use super::{Failure, PerSpace, Space};

/// What a finished build holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Number of the generation that serves now.
    pub generation: u64,
    /// Studies.
    pub studies: usize,
    /// Image rows.
    pub images: usize,
    /// Sentence rows.
    pub sentences: usize,
    /// Items without a vector.
    pub failed: usize,
    /// Distinct contents embedded in this build.
    pub embedded: usize,
    /// Distinct contents taken over from before.
    pub carried: usize,
}

/// A column while it is written, and which distinct content each row has.
struct Rows {
    column: Option<ColumnWriter<BufWriter<fs::File>>>,
    contents: HashMap<String, u32>,
    node_of: Vec<u32>,
}

pub(super) fn finish(builder: &mut Builder) -> Result<Summary> {
    let progress = Space::ALL.map(|space| builder.progress(space));
    let missing = progress.iter().map(|p| p.pending).sum();
    if missing > 0 {
        return Err(IndexError::Unfinished { missing });
    }
    let dir = builder.dir.clone();
    remove_derived(&dir)?;
    let mut columns = PerSpace::try_new(|space| Rows::create(&dir, space))?;
    let (studies, failures) = write_studies(builder, &dir, &mut columns)?;
    write_synced(&dir.join(FAILURES), &serde_json::to_vec(&failures)?)?;
    let mut graphs = BTreeMap::new();
    for space in Space::ALL {
        if let Some(source) = write_graph(builder, &dir, space, columns.get_mut(space))? {
            graphs.insert(space.name().to_owned(), source);
        }
    }
    let summary = Summary {
        generation: builder.number,
        studies,
        images: columns.get(Space::Images).node_of.len(),
        sentences: columns.get(Space::Sentences).node_of.len(),
        failed: failures.len(),
        embedded: progress.iter().map(|p| p.done).sum(),
        carried: progress.iter().map(|p| p.carried).sum(),
    };
    let manifest = Manifest {
        format: FORMAT,
        generation: builder.number,
        fingerprint: builder.build.fingerprint.clone(),
        dimension: builder.build.dimension,
        catalogue: builder.build.catalogue.clone(),
        sequence: builder.build.sequence,
        studies,
        images: summary.images,
        sentences: summary.sentences,
        failed: summary.failed,
        graphs,
        files: sync_and_sum(&dir)?,
    };
    swap(builder, &dir, &manifest)?;
    Ok(summary)
}

/// What an earlier, killed finish may have left.
fn remove_derived(dir: &Path) -> Result<()> {
    let build_files = build_files();
    for entry in fs::read_dir(dir)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !build_files.contains(&name) {
            disk::remove(&dir.join(name))?;
        }
    }
    Ok(())
}

/// The files that make a folder a resumable build.
fn build_files() -> BTreeSet<String> {
    let logs = Space::ALL.map(log_file);
    [BUILD.to_owned(), SNAPSHOT.to_owned()].into_iter().chain(logs).collect()
}

/// Writes studies, columns and text index in one walk over the snapshot.
fn write_studies(builder: &mut Builder, dir: &Path, columns: &mut PerSpace<Rows>) -> Result<(usize, Vec<Failure>)> {
    let snapshot = dir.join(SNAPSHOT);
    let mut text = TextWriter::create(&dir.join(TEXT))?;
    let mut out = BufWriter::new(fs::File::create(dir.join(STUDIES))?);
    let (mut rows, mut failures) = (0, Vec::new());
    for study in studies::read(&snapshot)? {
        let study = study?;
        for space in Space::ALL {
            write_vectors(builder, columns.get_mut(space), &study, space, &mut failures)?;
        }
        text.add(rows, &study.text, &study.denied)?;
        studies::write_line(&mut out, &Study { text: String::new(), denied: Vec::new(), ..study })?;
        rows += 1;
    }
    out.flush()?;
    text.finish()?;
    Ok((rows as usize, failures))
}

fn write_vectors(
    builder: &mut Builder,
    rows: &mut Rows,
    study: &Study,
    space: Space,
    failures: &mut Vec<Failure>,
) -> Result<()> {
    for item in study.items(space) {
        let plan = builder.plans.get_mut(space);
        if let Some(vector) = plan.vector(&item.hash)? {
            if !vectors::is_unit(&vector) {
                let path = builder.dir.join(log_file(space));
                return Err(IndexError::Damaged {
                    path,
                    reason: format!("the vector of '{}' has not length 1", item.key),
                });
            }
            rows.push(&item.hash, &vector)?;
        } else {
            let reason = match plan.state(&item.hash) {
                Some(State::Failed(reason)) => reason.clone(),
                _ => "it was never embedded".to_owned(),
            };
            let (key, hash) = (item.key.clone(), item.hash.clone());
            failures.push(Failure { space, key, hash, document: study.id.clone(), reason });
        }
    }
    Ok(())
}

impl Rows {
    fn create(dir: &Path, space: Space) -> Result<Self> {
        let out = BufWriter::with_capacity(1 << 18, fs::File::create(dir.join(column_file(space)))?);
        Ok(Self { column: Some(ColumnWriter::new(out)), contents: HashMap::new(), node_of: Vec::new() })
    }

    fn push(&mut self, hash: &str, vector: &[f32]) -> Result<()> {
        if let Some(column) = &mut self.column {
            column.push(vector)?;
        }
        let next = self.contents.len() as u32;
        self.node_of.push(*self.contents.entry(hash.to_owned()).or_insert(next));
        Ok(())
    }
}

/// Ends the column, and builds the graph over the distinct contents, if they are too many for a scan; tells what it was made of.
/// The graph of the serving generation is taken over where it was made of the same.
fn write_graph(builder: &Builder, dir: &Path, space: Space, rows: &mut Rows) -> Result<Option<String>> {
    if let Some(column) = rows.column.take() {
        column.finish()?;
    }
    if rows.contents.len() <= builder.tuning.exact_below {
        return Ok(None);
    }
    let path = dir.join(column_file(space));
    let source = graph_source(&path, &rows.node_of, &builder.tuning)?;
    let graph = dir.join(graph_file(space));
    if !take_over(builder, space, &source, &graph)? {
        let column = Column::open(&path, builder.build.dimension)?;
        Graph::build(&graph, &column, &rows.node_of, &builder.tuning)?;
    }
    Ok(Some(source))
}

/// Two graphs of the same source are the same, or as good.
fn graph_source(column: &Path, node_of: &[u32], tuning: &Tuning) -> Result<String> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(disk::checksum(column)?.1.as_bytes());
    hasher.update(format!("{tuning:?}").as_bytes());
    node_of.iter().for_each(|node| {
        hasher.update(&node.to_le_bytes());
    });
    Ok(hasher.finalize().to_hex().to_string())
}

/// Links or copies the serving generation's graph; false where there is none of this source, or it is damaged.
fn take_over(builder: &Builder, space: Space, source: &str, graph: &Path) -> Result<bool> {
    let Some(current) = builder.layout.current()? else { return Ok(false) };
    let Ok(serving) = Manifest::read(&builder.layout, &current) else { return Ok(false) };
    if builder.build.afresh || serving.format != FORMAT || serving.graphs.get(space.name()).is_none_or(|s| s != source)
    {
        return Ok(false);
    }
    let dir = builder.layout.generation(current.generation);
    if serving.check_file(&dir, &graph_file(space)).is_err() {
        return Ok(false);
    }
    let old = dir.join(graph_file(space));
    // generations are immutable: two may share a file. Not every file system can
    if fs::hard_link(&old, graph).is_err() {
        fs::copy(&old, graph)?;
    }
    Ok(true)
}

fn write_synced(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = fs::File::create(path)?;
    file.write_all(bytes)?;
    Ok(file.sync_all()?)
}

/// Makes all derived files durable, and gives their checksums.
fn sync_and_sum(dir: &Path) -> Result<BTreeMap<String, FileSum>> {
    let mut files = BTreeMap::new();
    let build_files = build_files();
    for (prefix, folder) in [(String::new(), dir.to_owned()), (format!("{TEXT}/"), dir.join(TEXT))] {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            // locks are empty and come and go
            if !entry.file_type()?.is_file() || name.ends_with(".lock") || build_files.contains(&name) {
                continue;
            }
            fs::File::open(entry.path())?.sync_all()?;
            let (bytes, blake3) = disk::checksum(&entry.path())?;
            files.insert(format!("{prefix}{name}"), FileSum { bytes, blake3 });
        }
        disk::sync_dir(&folder)?;
    }
    Ok(files)
}

fn swap(builder: &Builder, dir: &Path, manifest: &Manifest) -> Result<()> {
    let bytes = serde_json::to_vec_pretty(manifest)?;
    disk::replace(&dir.join(MANIFEST), &bytes)?;
    disk::sync_dir(builder.layout.root())?;
    let manifest_hash = blake3::hash(&bytes).to_hex().to_string();
    builder.layout.set_current(&Current { generation: builder.number, manifest_hash })?;
    // a stop from here on leaves things behind, which the start of the next build removes
    clean(&builder.layout, builder.number)
}

/// Removes what the serving generation no longer needs: its log, and older generations that nobody reads.
pub(super) fn clean(layout: &Layout, current: u64) -> Result<()> {
    for name in build_files() {
        disk::remove(&layout.generation(current).join(name))?;
    }
    for older in layout.generations()?.into_iter().filter(|number| *number < current) {
        remove_unless_read(&layout.generation(older))?;
    }
    Ok(())
}
