//! Embeds what is new or changed, and swaps the generation.

use rayon::prelude::*;
use serde::Serialize;
use thorax_index::{Builder, Catalogue, Item, Manifest, Pending, Space};
use thorax_models::Encoder;

use super::document::{sentences, study};
use crate::archive::load_image;
use crate::error::{Error, Result};
use crate::home::Home;
use crate::interrupt;
use crate::progress::Progress;

/// Items embedded and acknowledged together. The boundaries are fixed, so that a run that was killed and resumed
/// embeds in the same batches, and comes out equal to one that was not.
const CHUNK: usize = 64;

/// Items given to the encoder at once.
const BATCH: usize = 32;

/// How to index.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Embed everything anew.
    pub rebuild: bool,
}

/// What came of it.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// The generation in use now.
    pub generation: u64,
    /// The model's fingerprint.
    pub fingerprint: String,
    /// Studies in it.
    pub studies: usize,
    /// Films with a vector.
    pub images: usize,
    /// Sentences with a vector.
    pub sentences: usize,
    /// Contents embedded by this run or the one it resumed.
    pub embedded: usize,
    /// Contents carried over from the generation before.
    pub carried: usize,
    /// Contents that could not be embedded.
    pub failed: usize,
}

type Embedded = (Item, std::result::Result<Vec<f32>, String>);

/// Brings the index up to the catalogue with the vectors of `encoder`.
///
/// # Errors
/// The index cannot be written, or Ctrl-C was pressed: what was embedded is kept and the next run goes on from there.
pub fn index(home: &Home, catalogue: &Catalogue, encoder: &Encoder, options: Options) -> Result<Summary> {
    let fingerprint = encoder.fingerprint().to_owned();
    if let Some(current) = Manifest::current(home.path())?
        && current.is_current(&fingerprint, catalogue)?
        && !options.rebuild
    {
        eprintln!("nothing is new: generation {} is up to date", current.generation);
        return Ok(Summary {
            generation: current.generation,
            fingerprint,
            studies: current.studies,
            images: current.images,
            sentences: current.sentences,
            embedded: 0,
            carried: current.images + current.sentences,
            failed: current.failed,
        });
    }
    let start = if options.rebuild { Builder::start_afresh } else { Builder::start_or_resume };
    let mut builder = start(home.path(), catalogue, &fingerprint, encoder.dimension())?;
    for (space, what) in [(Space::Images, "embedding films"), (Space::Sentences, "embedding sentences")] {
        let chunks = builder.pending(space, CHUNK);
        let total: usize = chunks.iter().map(Vec::len).sum();
        if total == 0 {
            continue;
        }
        let progress = Progress::new(what, Some(total as u64));
        for chunk in chunks {
            if interrupt::asked() {
                return Err(Error::Interrupted);
            }
            let embedded = match space {
                Space::Images => images(catalogue, encoder, &chunk, &progress)?,
                Space::Sentences => texts(catalogue, encoder, &chunk)?,
            };
            builder.append(space, &embedded)?;
            progress.add(chunk.len() as u64);
        }
        progress.finish();
    }
    eprintln!("writing the index");
    let done = builder.finish()?;
    Ok(Summary {
        generation: done.generation,
        fingerprint,
        studies: done.studies,
        images: done.images,
        sentences: done.sentences,
        embedded: done.embedded,
        carried: done.carried,
        failed: done.failed,
    })
}

fn images(catalogue: &Catalogue, encoder: &Encoder, chunk: &[Pending], progress: &Progress) -> Result<Vec<Embedded>> {
    let mut paths = Vec::with_capacity(chunk.len());
    for pending in chunk {
        let path = catalogue
            .get(&pending.document)?
            .as_ref()
            .map(study)
            .transpose()?
            .and_then(|s| s.images.into_iter().find(|image| image.id == pending.item.key))
            .map(|image| image.path);
        paths.push(path);
    }
    let mut done = Vec::with_capacity(chunk.len());
    for (chunk, paths) in chunk.chunks(BATCH).zip(paths.chunks(BATCH)) {
        let decoded: Vec<std::result::Result<_, String>> = paths
            .par_iter()
            .map(|path| {
                let path = path.as_ref().ok_or("the study is gone from the catalogue")?;
                let film = load_image(path).map_err(|e| e.to_string())?;
                encoder.preprocess(&film).map_err(|e| e.to_string())
            })
            .collect();
        let mut good = Vec::new();
        for pixels in decoded.iter().flatten() {
            good.push(pixels.clone());
        }
        let mut vectors = if good.is_empty() { Vec::new() } else { encoder.embed_images(&good)? }.into_iter();
        for (pending, outcome) in chunk.iter().zip(decoded) {
            let vector = match outcome {
                Ok(_) => vectors.next().ok_or_else(|| "the encoder gave no vector".to_owned()),
                Err(reason) => {
                    progress.note(&format!("not embedded: {reason}"));
                    Err(reason)
                }
            };
            done.push((pending.item.clone(), vector));
        }
    }
    Ok(done)
}

fn texts(catalogue: &Catalogue, encoder: &Encoder, chunk: &[Pending]) -> Result<Vec<Embedded>> {
    let mut texts: Vec<Option<String>> = Vec::with_capacity(chunk.len());
    for pending in chunk {
        let text = catalogue
            .get(&pending.document)?
            .as_ref()
            .map(study)
            .transpose()?
            .and_then(|s| sentences(&s).into_iter().find(|sentence| sentence.key == pending.item.key))
            .map(|sentence| sentence.text);
        texts.push(text);
    }
    let mut done = Vec::with_capacity(chunk.len());
    for (chunk, texts) in chunk.chunks(BATCH).zip(texts.chunks(BATCH)) {
        let good: Vec<&str> = texts.iter().flatten().map(String::as_str).collect();
        let mut vectors = if good.is_empty() { Vec::new() } else { encoder.embed_texts(&good)? }.into_iter();
        for (pending, text) in chunk.iter().zip(texts) {
            let vector = match text {
                Some(_) => vectors.next().ok_or_else(|| "the encoder gave no vector".to_owned()),
                None => Err("the sentence is gone from the catalogue: import the study again".to_owned()),
            };
            done.push((pending.item.clone(), vector));
        }
    }
    Ok(done)
}
