//! A catalogue into any `Write`.

use std::io::Write;

use thorax_index::{Catalogue, Exported};

use super::format::{End, FORMAT, FileLine, Header, Kind, RecordLine, line};
use crate::error::Result;

/// Writes the whole catalogue as one consistent state, and `files`, which lie beside it. Works while the home is served: searches go
/// on, imports and deletions wait. So `out` should be quick; a route of a server writes into a temporary file first.
///
/// # Errors
/// A record is damaged, or `out` cannot be written.
pub fn write(catalogue: &Catalogue, files: &[FileLine], out: &mut impl Write) -> Result<End> {
    let mut out = Hashing { out, hasher: blake3::Hasher::new() };
    let mut end = End::default();
    catalogue.export(|part| match part {
        Exported::Begin(totals) => {
            end.identity.clone_from(&totals.identity);
            end.sequence = totals.sequence;
            end.record_changes = totals.record_changes;
            let header = Header {
                format: FORMAT,
                version: env!("CARGO_PKG_VERSION").to_owned(),
                identity: totals.identity.clone(),
                sequence: totals.sequence,
                record_changes: totals.record_changes,
            };
            out.line(Kind::Header, &serde_json::to_vec(&header)?)
        }
        Exported::Study(stored) => {
            end.studies += 1;
            out.line(Kind::Study, stored)
        }
        Exported::Record { tree, key, value } => {
            end.records += 1;
            out.line(Kind::Record, &serde_json::to_vec(&RecordLine::new(tree, key, value))?)
        }
    })?;
    for file in files {
        end.files += 1;
        out.line(Kind::File, &serde_json::to_vec(file)?)?;
    }
    end.blake3 = out.hasher.finalize().to_hex().to_string();
    out.line(Kind::End, &serde_json::to_vec(&end)?)?;
    out.out.flush()?;
    Ok(end)
}

struct Hashing<'a, W> {
    out: &'a mut W,
    hasher: blake3::Hasher,
}

impl<W: Write> Hashing<'_, W> {
    fn line(&mut self, kind: Kind, body: &[u8]) -> Result<()> {
        let line = line(kind, body);
        self.hasher.update(&line);
        Ok(self.out.write_all(&line)?)
    }
}
