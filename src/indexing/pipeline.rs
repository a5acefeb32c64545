//! Items of the catalogue through the encoder, so that nothing waits for anything else: while one chunk is encoded, the one
//! before is written and acknowledged and the one after is read and decoded.

use std::collections::HashMap;

use rayon::prelude::*;
use thorax_index::{Builder, Catalogue, Item, Pending, Space};
use thorax_models::Encoder;
use thorax_models::preprocess::Pixels;

use super::document::{sentences, study};
use crate::archive::{Study, load_image};
use crate::error::{Error, Result};
use crate::progress::{Progress, Watch};

/// Items embedded and acknowledged together. The boundaries are fixed, so that a run that was killed and resumed
/// embeds in the same batches, and comes out equal to one that was not.
const CHUNK: usize = 64;

/// An item, and its vector or the reason why it has none.
type Embedded = (Item, std::result::Result<Vec<f32>, String>);

/// What the encoder takes, or why there is nothing to take.
type Loaded<T> = Vec<std::result::Result<T, String>>;

/// Embeds what a build of this space waits for.
///
/// # Errors
/// The catalogue or an item's record cannot be read, the encoder fails, the build cannot be written, or a stop was asked
/// for; what was acknowledged is kept.
pub fn embed(
    builder: &mut Builder,
    space: Space,
    catalogue: &Catalogue,
    encoder: &Encoder,
    watch: &Watch,
) -> Result<()> {
    let chunks = builder.pending(space, CHUNK);
    match space {
        Space::Images => flow(
            (builder, space, "embedding films"),
            &chunks,
            |chunk, progress| films(catalogue, encoder, chunk, progress),
            |pixels| Ok(encoder.embed_images(pixels)?),
            watch,
        ),
        Space::Sentences => flow(
            (builder, space, "embedding sentences"),
            &chunks,
            |chunk, _| texts(catalogue, chunk),
            |texts| Ok(encoder.embed_texts(texts)?),
            watch,
        ),
    }
}

fn flow<T: Send + Sync>(
    (builder, space, what): (&mut Builder, Space, &'static str),
    chunks: &[Vec<Pending>],
    load: impl Fn(&[Pending], &Progress) -> Result<Loaded<T>> + Sync,
    encode: impl Fn(&[T]) -> Result<Vec<Vec<f32>>> + Sync,
    watch: &Watch,
) -> Result<()> {
    let total: usize = chunks.iter().map(Vec::len).sum();
    let Some(first) = chunks.first() else { return Ok(()) };
    let progress = watch.stage(what, Some(total as u64));
    let mut loaded = load(first, &progress)?;
    let mut ready: Vec<Embedded> = Vec::new();
    for (chunk, next) in chunks.iter().zip(chunks.iter().skip(1).map(Some).chain([None])) {
        if watch.asked_to_stop() {
            builder.append(space, &ready)?;
            return Err(Error::Interrupted);
        }
        let (reasons, input) = apart(loaded);
        let written = std::mem::take(&mut ready);
        let (vectors, following) = rayon::join(
            || if input.is_empty() { Ok(Vec::new()) } else { encode(&input) },
            || -> Result<Loaded<T>> {
                builder.append(space, &written)?;
                next.map_or_else(|| Ok(Vec::new()), |next| load(next, &progress))
            },
        );
        // A chunk that was encoded is kept, even where the next one cannot be read.
        ready = together(chunk, reasons, vectors?);
        match following {
            Ok(following) => loaded = following,
            Err(error) => {
                builder.append(space, &ready)?;
                return Err(error);
            }
        }
        progress.add(chunk.len() as u64);
    }
    builder.append(space, &ready)?;
    progress.finish();
    Ok(())
}

/// What goes to the encoder, and at each place the reason why nothing does.
fn apart<T>(loaded: Loaded<T>) -> (Vec<Option<String>>, Vec<T>) {
    let mut input = Vec::with_capacity(loaded.len());
    let reasons = loaded.into_iter().map(|one| one.map(|one| input.push(one)).err()).collect();
    (reasons, input)
}

fn together(chunk: &[Pending], reasons: Vec<Option<String>>, vectors: Vec<Vec<f32>>) -> Vec<Embedded> {
    let mut vectors = vectors.into_iter();
    let outcome = |(pending, reason): (&Pending, Option<String>)| {
        let outcome = match reason {
            Some(reason) => Err(reason),
            None => vectors.next().ok_or_else(|| "the encoder gave no vector".to_owned()),
        };
        (pending.item.clone(), outcome)
    };
    chunk.iter().zip(reasons).map(outcome).collect()
}

/// Films, decoded and brought to the encoder's size.
fn films(catalogue: &Catalogue, encoder: &Encoder, chunk: &[Pending], progress: &Progress) -> Result<Loaded<Pixels>> {
    let studies = studies(catalogue, chunk)?;
    let path = |pending: &Pending| {
        let study = studies.get(pending.document.as_str())?;
        study.images.iter().find(|image| image.id == pending.item.key).map(|image| &image.path)
    };
    let load = |pending: &Pending| -> std::result::Result<Pixels, String> {
        let path = path(pending).ok_or("the study is gone from the catalogue")?;
        let film = load_image(path).map_err(|e| e.to_string())?;
        encoder.preprocess(&film).map_err(|e| e.to_string())
    };
    let loaded: Loaded<Pixels> = chunk.par_iter().map(load).collect();
    for reason in loaded.iter().filter_map(|one| one.as_ref().err()) {
        progress.note(&format!("not embedded: {reason}"));
    }
    Ok(loaded)
}

fn texts(catalogue: &Catalogue, chunk: &[Pending]) -> Result<Loaded<String>> {
    // A report's sentences come one after the other: it is read and cut once.
    let cut: HashMap<&str, Vec<_>> =
        studies(catalogue, chunk)?.into_iter().map(|(id, study)| (id, sentences(&study))).collect();
    let text = |pending: &Pending| {
        let found = cut.get(pending.document.as_str()).and_then(|s| s.iter().find(|s| s.key == pending.item.key));
        found.map(|sentence| sentence.text.clone())
    };
    let gone = || "the sentence is gone from the catalogue: import the study again".to_owned();
    Ok(chunk.iter().map(|pending| text(pending).ok_or_else(gone)).collect())
}

/// The studies of a chunk that are still there.
fn studies<'a>(catalogue: &Catalogue, chunk: &'a [Pending]) -> Result<HashMap<&'a str, Study>> {
    let mut studies = HashMap::new();
    for pending in chunk {
        if !studies.contains_key(pending.document.as_str())
            && let Some(document) = catalogue.get(&pending.document)?
        {
            studies.insert(pending.document.as_str(), study(&document)?);
        }
    }
    Ok(studies)
}
