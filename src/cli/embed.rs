//! `thorax embed`: vectors of films or texts, as JSONL or safetensors.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use thorax_models::Encoder;

use super::{Context, output};
use crate::archive::load_image;
use crate::error::{Error, Result};
use crate::progress::Progress;

/// Embed films or texts: unit vectors, one line of {"id","embedding"} each, or a safetensors file.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Embed {
    /// Films to embed (PNG or JPEG); the id is the path.
    #[arg(long, num_args = 1.., value_name = "PATH", required_unless_present = "texts", conflicts_with = "texts")]
    images: Vec<PathBuf>,
    /// File with one text a line; the id is the line's number, from 1.
    #[arg(long, value_name = "FILE")]
    texts: Option<PathBuf>,
    /// The model [default: the one trained last].
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// Write a safetensors file: `embeddings` [n, dimension] in f32, ids in the metadata.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  thorax embed --images a.png b.jpg
  thorax embed --texts queries.txt --out queries.safetensors";

const BATCH: usize = 32;

#[derive(Serialize)]
struct Line<'a> {
    id: &'a str,
    embedding: &'a [f32],
}

struct Embedded {
    id: String,
    vector: Vec<f32>,
}

impl Embed {
    /// Runs the command. A film that cannot be read is named and left out, and the exit status says so.
    ///
    /// # Errors
    /// There is no model, or some input could not be embedded.
    pub fn run(self, context: &Context) -> Result<()> {
        let home = context.home()?;
        let encoder = home.encoder(&home.model_name(self.model.as_deref())?)?;
        let mut all = Vec::new();
        let mut emit = |batch: Vec<Embedded>| -> Result<()> {
            if self.out.is_some() {
                all.extend(batch);
                return Ok(());
            }
            batch.iter().try_for_each(|e| output::json_line(&Line { id: &e.id, embedding: &e.vector }))
        };
        let bad = match &self.texts {
            Some(path) => texts(&encoder, path, &mut emit)?,
            None => images(&encoder, &self.images, &mut emit)?,
        };
        if let Some(out) = &self.out {
            write(out, &encoder, &all)?;
        }
        match bad {
            0 => Ok(()),
            n => Err(Error::Caller(format!("{n} inputs could not be embedded; the others were"))),
        }
    }
}

type Emit<'a> = dyn FnMut(Vec<Embedded>) -> Result<()> + 'a;

fn images(encoder: &Encoder, paths: &[PathBuf], emit: &mut Emit<'_>) -> Result<usize> {
    let progress = Progress::new("embedding films", Some(paths.len() as u64));
    let mut bad = 0;
    for batch in paths.chunks(BATCH) {
        let (mut ids, mut pixels) = (Vec::new(), Vec::new());
        for path in batch {
            match load_image(path) {
                Ok(film) => {
                    pixels.push(encoder.preprocess(&film)?);
                    ids.push(path.display().to_string());
                }
                Err(fault) => {
                    bad += 1;
                    progress.note(&format!("rejected: {fault}"));
                }
            }
        }
        if !pixels.is_empty() {
            emit(join(ids, encoder.embed_images(&pixels)?))?;
        }
        progress.add(batch.len() as u64);
    }
    progress.finish();
    Ok(bad)
}

fn texts(encoder: &Encoder, path: &Path, emit: &mut Emit<'_>) -> Result<usize> {
    let file = fs_err::File::open(path).map_err(|e| Error::Caller(e.to_string()))?;
    let mut bad = 0;
    let mut batch: Vec<(String, String)> = Vec::new();
    let mut flush = |batch: &mut Vec<(String, String)>| -> Result<()> {
        let (ids, texts): (Vec<String>, Vec<String>) = std::mem::take(batch).into_iter().unzip();
        if texts.is_empty() { Ok(()) } else { emit(join(ids, encoder.embed_texts(&texts)?)) }
    };
    for (number, line) in BufReader::new(file).lines().enumerate() {
        let id = (number + 1).to_string();
        match line {
            Ok(text) if !text.trim().is_empty() => batch.push((id, text)),
            Ok(_) => {
                bad += 1;
                eprintln!("rejected: {}, line {id}: empty", path.display());
            }
            Err(e) => {
                bad += 1;
                eprintln!("rejected: {}, line {id}: {e}", path.display());
            }
        }
        if batch.len() == BATCH {
            flush(&mut batch)?;
        }
    }
    flush(&mut batch)?;
    Ok(bad)
}

fn join(ids: Vec<String>, vectors: Vec<Vec<f32>>) -> Vec<Embedded> {
    ids.into_iter().zip(vectors).map(|(id, vector)| Embedded { id, vector }).collect()
}

fn write(out: &Path, encoder: &Encoder, all: &[Embedded]) -> Result<()> {
    let bytes: Vec<u8> = all.iter().flat_map(|e| &e.vector).flat_map(|v| v.to_le_bytes()).collect();
    let shape = vec![all.len(), encoder.dimension()];
    let broken = |e: safetensors::SafeTensorError| Error::Io(std::io::Error::other(format!("{}: {e}", out.display())));
    let view = safetensors::tensor::TensorView::new(safetensors::Dtype::F32, shape, &bytes).map_err(broken)?;
    let ids: Vec<&str> = all.iter().map(|e| e.id.as_str()).collect();
    let about = std::collections::HashMap::from([
        ("ids".to_owned(), serde_json::to_string(&ids)?),
        ("fingerprint".to_owned(), encoder.fingerprint().to_owned()),
    ]);
    safetensors::serialize_to_file([("embeddings", view)], Some(about), out).map_err(broken)
}
