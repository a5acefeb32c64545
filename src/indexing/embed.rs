//! Embeds what is new or changed, and swaps the generation.

use serde::Serialize;
use thorax_index::{Builder, Catalogue, Manifest, Space};
use thorax_models::Encoder;

use super::pipeline;
use crate::error::Result;
use crate::home::Home;
use crate::progress::Watch;

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

/// Brings the index up to the catalogue with the vectors of `encoder`.
///
/// # Errors
/// The index cannot be written, or a stop was asked for: what was embedded is kept and the next run goes on from there.
pub fn index(
    home: &Home,
    catalogue: &Catalogue,
    encoder: &Encoder,
    options: Options,
    watch: &Watch,
) -> Result<Summary> {
    let fingerprint = encoder.fingerprint().to_owned();
    if let Some(current) = Manifest::current(home.path())?
        && current.is_current(&fingerprint, catalogue)?
        && !options.rebuild
    {
        watch.say(&format!("nothing is new: generation {} is up to date", current.generation));
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
    for space in Space::ALL {
        pipeline::embed(&mut builder, space, catalogue, encoder, watch)?;
    }
    watch.say("writing the index");
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
