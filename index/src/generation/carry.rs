//! Vectors of the serving generation and of abandoned builds of the same model: what has not changed is not embedded again.

use std::collections::HashSet;
use std::path::Path;

use crate::error::{IndexError, Result};
use crate::vectors;

use super::layout::{FAILURES, Layout, STUDIES, column_file, log_file};
use super::log::{Outcome, VectorLog};
use super::manifest::Manifest;
use super::plan::{Plan, State};
use super::{Failure, Space, studies};

/// Vectors written at a time.
const CHUNK: usize = 1024;

/// Collects vectors that the plan waits for, and writes them in chunks.
struct Carrier<'a> {
    plan: &'a mut Plan,
    chunk: Vec<(String, Vec<f32>)>,
    taken: HashSet<String>,
}

impl<'a> Carrier<'a> {
    fn new(plan: &'a mut Plan) -> Self {
        Self { plan, chunk: Vec::new(), taken: HashSet::new() }
    }

    fn wants(&self, hash: &str) -> bool {
        self.plan.state(hash) == Some(&State::Waiting) && !self.taken.contains(hash)
    }

    fn take(&mut self, hash: &str, vector: Vec<f32>) -> Result<()> {
        self.taken.insert(hash.to_owned());
        self.chunk.push((hash.to_owned(), vector));
        if self.chunk.len() < CHUNK { Ok(()) } else { self.flush() }
    }

    fn flush(&mut self) -> Result<()> {
        self.plan.carry(std::mem::take(&mut self.chunk))
    }
}

/// Takes over what the serving generation has, if it was made by this model. A damaged generation gives nothing.
pub(crate) fn from_current(
    layout: &Layout,
    plan: &mut Plan,
    space: Space,
    fingerprint: &str,
    dimension: usize,
) -> Result<()> {
    match try_from_current(layout, plan, space, fingerprint, dimension) {
        Err(IndexError::Damaged { .. } | IndexError::NewerFormat { .. }) => Ok(()),
        other => other,
    }
}

fn try_from_current(layout: &Layout, plan: &mut Plan, space: Space, fingerprint: &str, dimension: usize) -> Result<()> {
    let Some(current) = layout.current()? else {
        return Ok(());
    };
    let manifest = Manifest::read(layout, &current)?;
    if manifest.fingerprint != fingerprint || manifest.dimension != dimension {
        return Ok(());
    }
    let dir = layout.generation(current.generation);
    manifest.check_file(&dir, STUDIES)?;
    let failures: Vec<Failure> = serde_json::from_slice(&manifest.read_file(&dir, FAILURES)?)?;
    let failed: HashSet<&str> = failures.iter().filter(|f| f.space == space).map(|f| f.hash.as_str()).collect();
    let column = manifest.read_file(&dir, &column_file(space))?;
    let mut rows = column.chunks_exact(dimension.max(1) * 4);
    let mut carrier = Carrier::new(plan);
    for study in studies::read(&dir.join(STUDIES))? {
        for item in study?.items(space).iter().filter(|item| !failed.contains(item.hash.as_str())) {
            let Some(bytes) = rows.next() else { break };
            if carrier.wants(&item.hash) {
                carrier.take(&item.hash, vectors::decode(bytes))?;
            }
        }
    }
    carrier.flush()
}

/// Takes over what an abandoned build of this model has embedded.
pub(crate) fn from_build(dir: &Path, plan: &mut Plan, space: Space, dimension: usize) -> Result<()> {
    let (mut log, entries) = VectorLog::open(&dir.join(log_file(space)), dimension)?;
    let mut carrier = Carrier::new(plan);
    for entry in entries {
        if let Outcome::At(at) = entry.outcome
            && carrier.wants(&entry.hash)
        {
            carrier.take(&entry.hash, log.vector(at)?)?;
        }
    }
    carrier.flush()
}
