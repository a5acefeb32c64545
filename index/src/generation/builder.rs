//! Builds the next generation beside the one that serves, and resumes where it was killed.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use fs_err as fs;
use serde::{Deserialize, Serialize};

use crate::catalogue::Catalogue;
use crate::disk;
use crate::document::Item;
use crate::error::{IndexError, Result};
use crate::tuning::Tuning;

use super::finish::{self, Summary};
use super::layout::{BUILD, Layout, SNAPSHOT, log_file};
use super::log::{Entry, VectorLog};
use super::manifest::Manifest;
use super::plan::{Pending, Plan, Progress};
use super::{PerSpace, Space, carry, manifest, studies};

/// What `build.json` says: what is being built. It is written once the snapshot and the carried vectors are on disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Build {
    pub format: u32,
    pub fingerprint: String,
    pub dimension: usize,
    pub catalogue: String,
    pub sequence: u64,
    /// Nothing is carried over.
    #[serde(default)]
    pub afresh: bool,
    /// BLAKE3 of the snapshot, which is all that the build knows of the studies.
    #[serde(default)]
    pub snapshot: String,
}

/// A build under way. It works on a snapshot: the catalogue may change meanwhile.
///
/// ```text
/// let mut builder = Builder::start_or_resume(home, &catalogue, fingerprint, 512)?;
/// for space in Space::ALL {
///     for chunk in builder.pending(space, 32) { builder.append(space, &embed(chunk))?; }
/// }
/// let summary = builder.finish()?;
/// ```
pub struct Builder {
    pub(super) layout: Layout,
    pub(super) number: u64,
    pub(super) dir: PathBuf,
    pub(super) build: Build,
    pub(super) plans: PerSpace<Plan>,
    pub(super) tuning: Tuning,
    running: Running,
}

/// One build at a time on a catalogue.
struct Running(Arc<AtomicBool>);

impl Running {
    fn begin(catalogue: &Catalogue) -> Result<Self> {
        if catalogue.building.swap(true, Ordering::AcqRel) {
            return Err(IndexError::BuildRunning);
        }
        Ok(Self(Arc::clone(&catalogue.building)))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl Builder {
    /// Starts the next generation, or resumes an unfinished one of the same model and the same state of the catalogue.
    ///
    /// Vectors that the serving generation or an abandoned build of the same model has for the same content are taken over.
    ///
    /// # Errors
    /// [`IndexError::BuildRunning`] while another build of this catalogue is under way; files that cannot be read or written.
    pub fn start_or_resume(home: &Path, catalogue: &Catalogue, fingerprint: &str, dimension: usize) -> Result<Self> {
        Self::start_with(home, catalogue, fingerprint, dimension, Tuning::default())
    }

    /// As [`Builder::start_or_resume`], with sizes and efforts of the graph.
    ///
    /// # Errors
    /// As [`Builder::start_or_resume`].
    pub fn start_with(
        home: &Path,
        catalogue: &Catalogue,
        fingerprint: &str,
        dimension: usize,
        tuning: Tuning,
    ) -> Result<Self> {
        Self::start(home, catalogue, fingerprint, dimension, tuning, false)
    }

    /// As [`Builder::start_or_resume`], but takes no vector over from the serving generation: everything is embedded anew.
    ///
    /// # Errors
    /// As [`Builder::start_or_resume`].
    pub fn start_afresh(home: &Path, catalogue: &Catalogue, fingerprint: &str, dimension: usize) -> Result<Self> {
        Self::start(home, catalogue, fingerprint, dimension, Tuning::default(), true)
    }

    fn start(
        home: &Path,
        catalogue: &Catalogue,
        fingerprint: &str,
        dimension: usize,
        tuning: Tuning,
        afresh: bool,
    ) -> Result<Self> {
        if dimension == 0 {
            return Err(IndexError::WrongDimension { expected: 1, found: 0 });
        }
        let running = Running::begin(catalogue)?;
        let layout = Layout::new(home);
        fs::create_dir_all(layout.root())?;
        let current = layout.current()?.map_or(0, |current| current.generation);
        finish::clean(&layout, current)?;
        if let Ok(Some(serving)) = Manifest::current(home)
            && serving.catalogue == catalogue.identity()
        {
            catalogue.prune_changes(serving.sequence)?;
        }
        let wanted = Build {
            format: manifest::FORMAT,
            fingerprint: fingerprint.to_owned(),
            dimension,
            catalogue: catalogue.identity().to_owned(),
            sequence: catalogue.sequence()?,
            afresh,
            snapshot: String::new(),
        };
        // later folders are builds, or the remains of a start that was killed
        let later: Vec<u64> = layout.generations()?.into_iter().filter(|number| *number > current).collect();
        let builds: Vec<(u64, Build)> = later.iter().filter_map(|n| Some((*n, read_build(&layout, *n)?))).collect();
        let resumable = |(number, build): &&(u64, Build)| build.is_whole(&layout.generation(*number), &wanted);
        let (number, build) = match builds.iter().find(resumable) {
            Some((number, build)) => (*number, build.clone()),
            None => {
                let number = later.last().copied().unwrap_or(current) + 1;
                let usable: Vec<u64> = builds.iter().filter(|(_, b)| b.same_model(&wanted)).map(|(n, _)| *n).collect();
                (number, prepare(&layout, number, &usable, catalogue, wanted)?)
            }
        };
        for other in later.into_iter().filter(|other| *other != number) {
            disk::remove(&layout.generation(other))?;
        }
        let dir = layout.generation(number);
        let plans = open_plans(&dir, build.dimension)?;
        Ok(Self { layout, number, dir, build, plans, tuning, running })
    }

    /// What still needs a vector, in the order of the catalogue, in chunks of `chunk` items (the last one may be shorter).
    ///
    /// The boundaries do not depend on what is done already, and a chunk of which anything is missing comes as a whole, so that a
    /// resumed build embeds the same batches as one that was never stopped, as long as `chunk` is the same.
    pub fn pending(&self, space: Space, chunk: usize) -> Vec<Vec<Pending>> {
        self.plans.get(space).pending(chunk)
    }

    /// Stores vectors, or the reasons why there are none; on disk when it returns.
    ///
    /// Vectors are brought to length 1. One that is not finite or has length zero counts as failed. Failed items are
    /// not in the generation and are not tried again in this build, unless [`Builder::retry_failed`] says so.
    ///
    /// # Errors
    /// [`IndexError::WrongDimension`], [`IndexError::UnknownItem`]; then nothing is stored.
    pub fn append(&mut self, space: Space, outcomes: &[(Item, Result<Vec<f32>, String>)]) -> Result<()> {
        self.plans.get_mut(space).append(self.build.dimension, outcomes)
    }

    /// Lets failed items be tried again, and tells how many they are.
    pub fn retry_failed(&mut self) -> usize {
        Space::ALL.into_iter().map(|space| self.plans.get_mut(space).retry_failed()).sum()
    }

    /// How far a space is.
    pub fn progress(&self, space: Space) -> Progress {
        self.plans.get(space).progress()
    }

    /// Number of the generation that is being built.
    pub fn generation(&self) -> u64 {
        self.number
    }

    /// Length of the vectors.
    pub fn dimension(&self) -> usize {
        self.build.dimension
    }

    /// Writes columns, graphs and text index, makes this generation the one that serves, and removes older ones.
    ///
    /// # Errors
    /// [`IndexError::Unfinished`] when items still wait for a vector; files that cannot be written. The build stays as it was and can be resumed.
    pub fn finish(mut self) -> Result<Summary> {
        finish::finish(&mut self)
    }

    /// Throws the build away.
    ///
    /// # Errors
    /// When its files cannot be removed.
    pub fn discard(self) -> Result<()> {
        let Self { dir, plans, running, .. } = self;
        drop(plans);
        disk::remove(&dir)?;
        drop(running);
        Ok(())
    }
}

impl Build {
    /// True when this build is the one that is wanted, and its snapshot is what was written.
    fn is_whole(&self, dir: &Path, wanted: &Build) -> bool {
        let same = Build { snapshot: String::new(), ..self.clone() } == *wanted;
        same && disk::checksum(&dir.join(SNAPSHOT)).is_ok_and(|(_, hash)| hash == self.snapshot)
    }

    fn same_model(&self, other: &Build) -> bool {
        self.format == other.format && self.fingerprint == other.fingerprint && self.dimension == other.dimension
    }
}

fn read_build(layout: &Layout, number: u64) -> Option<Build> {
    let bytes = fs::read(layout.generation(number).join(BUILD)).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// Makes the folder of a new build: snapshot, carried vectors, and at last `build.json`.
fn prepare(layout: &Layout, number: u64, usable: &[u64], catalogue: &Catalogue, mut build: Build) -> Result<Build> {
    let dir = layout.generation(number);
    fs::create_dir_all(&dir)?;
    let file = fs::File::create(dir.join(SNAPSHOT))?;
    let mut out = BufWriter::new(file);
    build.sequence = catalogue.snapshot(|document| studies::write_line(&mut out, &document.into()))?;
    out.flush()?;
    out.get_ref().sync_all()?;
    build.snapshot = disk::checksum(&dir.join(SNAPSHOT))?.1;
    let mut plans = open_plans(&dir, build.dimension)?;
    let carrying = if build.afresh { &[][..] } else { &Space::ALL[..] };
    for &space in carrying {
        let plan = plans.get_mut(space);
        carry::from_current(layout, plan, space, &build.fingerprint, build.dimension)?;
        for other in usable {
            carry::from_build(&layout.generation(*other), plan, space, build.dimension)?;
        }
    }
    disk::replace(&dir.join(BUILD), &serde_json::to_vec(&build)?)?;
    disk::sync_dir(layout.root())?;
    Ok(build)
}

/// Contents in the order in which the snapshot has them first, and what the logs hold of them. One study at a time is in memory.
fn open_plans(dir: &Path, dimension: usize) -> Result<PerSpace<Plan>> {
    let mut entries: PerSpace<Vec<Entry>> = PerSpace::default();
    let mut plans = PerSpace::try_new(|space| -> Result<Plan> {
        let (log, found) = VectorLog::open(&dir.join(log_file(space)), dimension)?;
        *entries.get_mut(space) = found;
        Ok(Plan::new(log))
    })?;
    for study in studies::read(&dir.join(SNAPSHOT))? {
        let study = study?;
        for space in Space::ALL {
            study.items(space).iter().for_each(|item| plans.get_mut(space).add(&study.id, item));
        }
    }
    for space in Space::ALL {
        plans.get_mut(space).resume(std::mem::take(entries.get_mut(space)));
    }
    Ok(plans)
}
