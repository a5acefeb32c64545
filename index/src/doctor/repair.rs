//! Mends what is derived, and sets damaged records aside. Nothing that could still be of use is removed.

use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use fs_err as fs;
use serde::Serialize;

use crate::catalogue::Catalogue;
use crate::disk;
use crate::error::Result;
use crate::generation::layout::{Current, Layout, MANIFEST};
use crate::generation::{Builder, Manifest, Space};
use crate::index::Index;

/// What was done about the generation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "did")]
pub enum Mended {
    /// It was made anew from its own vectors.
    Rebuilt {
        /// Number of the new one.
        generation: u64,
    },
    /// An older or newer one is sound and serves now.
    PointedAt {
        /// Its number.
        generation: u64,
    },
    /// The vectors that are sound are kept in a build; these contents are to be embedded, by `thorax index`.
    Begun {
        /// How many.
        missing: usize,
    },
    /// Nothing of it can be used, and it was removed: `thorax index` makes the next one.
    Dropped,
}

/// Writes damaged records to `HOME/quarantine/records-<sequence>.jsonl`, readable by its owner only, and takes them out of the catalogue.
/// `None` when there are none. The digest of the records is made anew: what is missing is not missed any more.
///
/// A line is `{"id":HEX,"record":HEX}`: the bytes as they were found.
///
/// # Errors
/// When the file or the catalogue cannot be written; then nothing is taken out.
pub fn set_records_aside(home: &Path, catalogue: &Catalogue) -> Result<Option<(PathBuf, usize)>> {
    let dir = home.join("quarantine");
    let path = dir.join(format!("records-{}.jsonl", catalogue.sequence()?));
    let mut out: Option<BufWriter<fs::File>> = None;
    let mut keep = |id: &[u8], record: &[u8]| {
        if out.is_none() {
            fs::create_dir_all(&dir)?;
            let options =
                std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path)?;
            out = Some(BufWriter::new(fs::File::from_parts(options, path.clone())));
        }
        if let Some(out) = &mut out {
            writeln!(out, "{{\"id\":\"{}\",\"record\":\"{}\"}}", hex(id), hex(record))?;
            out.flush()?;
            out.get_ref().sync_all()?;
        }
        Ok(())
    };
    let count = catalogue.set_aside(&mut keep)?;
    Ok((count > 0).then_some((path, count)))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Mends the serving generation, which is known to be damaged or not to fit the catalogue.
///
/// # Errors
/// When files cannot be read or written.
pub fn mend_generation(home: &Path, catalogue: &Catalogue) -> Result<Mended> {
    let layout = Layout::new(home);
    let current = layout.current().ok().flatten();
    let manifest = current.as_ref().and_then(|current| Manifest::read(&layout, current).ok());
    if let Some(manifest) = manifest {
        // vectors whose files are sound are carried over; the rest of the generation is made anew
        let builder = Builder::start_or_resume(home, catalogue, &manifest.fingerprint, manifest.dimension)?;
        let progress = Space::ALL.map(|space| builder.progress(space));
        let missing: usize = progress.iter().map(|progress| progress.pending).sum();
        if missing == 0 {
            return Ok(Mended::Rebuilt { generation: builder.finish()?.generation });
        }
        if progress.iter().any(|progress| progress.carried + progress.done > 0) {
            return Ok(Mended::Begun { missing });
        }
        builder.discard()?;
    }
    let serving = current.as_ref().map(|current| current.generation);
    // a generation whose manifest agrees with its files and whose index opens is sound
    for number in layout.generations()?.into_iter().rev() {
        let Ok(bytes) = fs::read(layout.generation(number).join(MANIFEST)) else { continue };
        let candidate = Current { generation: number, manifest_hash: blake3::hash(&bytes).to_hex().to_string() };
        layout.set_current(&candidate)?;
        if matches!(Index::open(home), Ok(Some(_))) {
            return Ok(Mended::PointedAt { generation: number });
        }
    }
    disk::remove(&layout.root().join("CURRENT"))?;
    if let Some(number) = serving {
        disk::remove(&layout.generation(number))?;
    }
    disk::sync_dir(layout.root())?;
    Ok(Mended::Dropped)
}
