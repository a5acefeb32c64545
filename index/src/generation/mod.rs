//! Generations: one model's embeddings of the catalogue, each in `HOME/index/<n>/`, immutable once finished.
//!
//! - `layout` folders and files, and `CURRENT`, which names the one that serves
//! - [`manifest`] what a generation is made of, with the checksum of every file
//! - `log` the vectors of an unfinished build, in chunks that survive a hard stop
//! - `plan` the contents to embed, in the order of the catalogue
//! - `builder` starts or resumes a build, and takes the vectors
//! - `carry` vectors of earlier generations and builds that are still right
//! - `finish` turns a complete build into the generation that serves
//! - `lease` keeps the files of generations that are read
//! - `studies` the studies of a generation, one JSON line each
//!
//! Vectors are known by the hash of their content: within a space, items of the same hash share one vector, whatever
//! document they belong to. A report's stock sentence is embedded once.

mod builder;
mod carry;
mod finish;
pub(crate) mod layout;
pub(crate) mod lease;
mod log;
pub mod manifest;
mod plan;
pub(crate) mod studies;

use serde::{Deserialize, Serialize};

pub use builder::Builder;
pub use finish::Summary;
pub use lease::remove_unread;
pub use manifest::Manifest;
pub use plan::{Pending, Progress};

/// The two kinds of items, each with its own encoder and its own column of vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Space {
    /// Embedded by the image encoder.
    Images,
    /// Embedded by the text encoder.
    Sentences,
}

impl Space {
    /// Both.
    pub const ALL: [Space; 2] = [Space::Images, Space::Sentences];

    /// `images` or `sentences`: the base name of its files.
    pub fn name(self) -> &'static str {
        match self {
            Space::Images => "images",
            Space::Sentences => "sentences",
        }
    }
}

/// One value for each space.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct PerSpace<T> {
    images: T,
    sentences: T,
}

impl<T> PerSpace<T> {
    pub(crate) fn try_new<E>(mut make: impl FnMut(Space) -> Result<T, E>) -> Result<Self, E> {
        Ok(Self { images: make(Space::Images)?, sentences: make(Space::Sentences)? })
    }

    pub(crate) fn get(&self, space: Space) -> &T {
        match space {
            Space::Images => &self.images,
            Space::Sentences => &self.sentences,
        }
    }

    pub(crate) fn get_mut(&mut self, space: Space) -> &mut T {
        match space {
            Space::Images => &mut self.images,
            Space::Sentences => &mut self.sentences,
        }
    }
}

/// An item that could not be embedded: it is not in the generation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Its space.
    pub space: Space,
    /// Its key.
    pub key: String,
    /// Hash of its content.
    pub hash: String,
    /// Id of its document.
    pub document: String,
    /// Why, in the words of whoever tried.
    pub reason: String,
}

#[cfg(test)]
mod tests;
