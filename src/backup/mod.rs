//! `thorax backup` and `thorax restore`: the whole catalogue as lines of JSON, each with its checksum.
//!
//! - [`format`] one line
//! - [`write`] a catalogue into any `Write`, while nobody changes it
//! - [`read`] a backup line by line, checked to the byte
//! - [`target`] where a backup goes: a file, or a folder with the models; complete or not there at all
//! - [`restore`] a verified backup into a home
//!
//! ```text
//! {"blake3":"..","thorax_backup":{"format":1,"identity":"..","sequence":52,..}}
//! {"blake3":"..","study":{"sequence":1,"hash":"..","document":{..}}}      in the order of the ids
//! {"blake3":"..","record":{"tree":"cohorts","key":"..","value":"..","hex":false}}
//! {"blake3":"..","file":{"path":"models/film/model.safetensors","bytes":1,"blake3":".."}}
//! {"blake3":"..","end":{"studies":19,"records":2,"files":4,"sequence":52,..,"blake3":"of all lines before"}}
//! ```

pub mod format;
pub mod read;
pub mod restore;
pub mod target;
pub mod write;

pub use format::{End, Header};
pub use read::verify;

#[cfg(test)]
mod tests;
