//! The sources by name, and the reader of each.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::reader::Studies;
use super::{covid_chestxray, folder, hannover, manifest, nih, openi};

/// A kind of archive that can be imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// Our own CSV or JSONL.
    Manifest,
    /// NIH ChestX-ray14.
    Nih,
    /// Open-I, reports of Indiana University.
    Openi,
    /// The covid-chestxray-dataset.
    CovidChestxray,
    /// The COVID-19 image repository of Hannover Medical School.
    Hannover,
    /// Folders named by class.
    Folder,
}

impl Source {
    /// All sources, the general one first.
    pub const ALL: [Source; 6] =
        [Source::Manifest, Source::Nih, Source::Openi, Source::CovidChestxray, Source::Hannover, Source::Folder];

    /// The name on the command line and in front of every study id.
    pub fn name(self) -> &'static str {
        match self {
            Source::Manifest => "manifest",
            Source::Nih => "nih",
            Source::Openi => "openi",
            Source::CovidChestxray => "covid-chestxray",
            Source::Hannover => "hannover",
            Source::Folder => "folder",
        }
    }

    /// What the source is, in one line.
    pub fn description(self) -> &'static str {
        match self {
            Source::Manifest => "your own archive, listed in a CSV or JSONL file",
            Source::Nih => "NIH ChestX-ray14: films with 14 labels mined from reports (Wang et al., CVPR 2017)",
            Source::Openi => {
                "Open-I, Indiana University: reports, and films where there are any (Demner-Fushman et al., JAMIA 2016)"
            }
            Source::CovidChestxray => "covid-chestxray-dataset: serial films with clinical notes (Cohen et al., 2020)",
            Source::Hannover => {
                "COVID-19 image repository of Hannover Medical School: serial films (Winther et al., 2020)"
            }
            Source::Folder => "folders named by class, as in Kermany et al., Cell 2018",
        }
    }

    /// What PATH must be.
    pub fn expects(self) -> &'static str {
        match self {
            Source::Manifest => "a file .csv, .tsv, .jsonl or .ndjson with a column 'image' or 'report'",
            Source::Nih => "the folder that holds Data_Entry_2017*.csv and images/ (or images_001/ to images_012/)",
            Source::Openi => "NLMCXR_reports.tgz, or a folder that holds it or its XML files",
            Source::CovidChestxray => "the folder that holds metadata.csv and images/",
            Source::Hannover => "the folder that holds data.csv and images/",
            Source::Folder => "a folder whose sub-folders are named by class and hold .jpg, .jpeg or .png files",
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Source {
    type Err = ArchiveError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Source::ALL
            .into_iter()
            .find(|source| source.name() == text)
            .ok_or_else(|| ArchiveError::UnknownSource { name: text.to_owned() })
    }
}

/// The archive as a whole cannot be read: a fault of the call, not of a record.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// No source has this name.
    #[error("there is no source '{name}'; there are {}", Source::ALL.map(Source::name).join(", "))]
    UnknownSource {
        /// As given.
        name: String,
    },
    /// No path was given.
    #[error("'{source_kind}' needs a path: {}", source_kind.expects())]
    NoPath {
        /// The source asked for.
        source_kind: Source,
    },
    /// There is nothing at the path.
    #[error("there is no '{}'; '{source_kind}' expects {}", path.display(), source_kind.expects())]
    Missing {
        /// As given.
        path: PathBuf,
        /// The source asked for.
        source_kind: Source,
    },
    /// There is something at the path, but not an archive of this source.
    #[error("'{}' {reason}; '{source_kind}' expects {}", path.display(), source_kind.expects())]
    WrongPath {
        /// As given.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
        /// The source asked for.
        source_kind: Source,
    },
    /// The system does not let us read it.
    #[error("cannot read '{}'", path.display())]
    Unreadable {
        /// As given.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
}

/// Opens the archive of `source` at `path`. The path is checked at once, the records are read as the stream is drawn.
///
/// # Errors
/// [`ArchiveError`] when there is nothing at `path`, or not an archive of this source.
pub fn open(source: Source, path: &Path) -> Result<Studies, ArchiveError> {
    match fs_err::metadata(path) {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(ArchiveError::Missing { path: path.to_owned(), source_kind: source });
        }
        Err(error) => return Err(ArchiveError::Unreadable { path: path.to_owned(), source: error }),
    }
    let absolute =
        std::path::absolute(path).map_err(|error| ArchiveError::Unreadable { path: path.to_owned(), source: error })?;
    let opened = match source {
        Source::Manifest => manifest::open(&absolute),
        Source::Nih => nih::open(&absolute),
        Source::Openi => openi::open(&absolute),
        Source::CovidChestxray => covid_chestxray::open(&absolute),
        Source::Hannover => hannover::open(&absolute),
        Source::Folder => folder::open(&absolute),
    };
    opened.map_err(|fault| match fault {
        OpenFault::Wrong(reason) => ArchiveError::WrongPath { path: path.to_owned(), reason, source_kind: source },
        OpenFault::Io(error) => ArchiveError::Unreadable { path: path.to_owned(), source: error },
    })
}

/// Opens several paths of one source as one stream. All are checked before the first record is read.
///
/// # Errors
/// As [`open`], and when `paths` is empty.
pub fn open_all(source: Source, paths: &[PathBuf]) -> Result<Studies, ArchiveError> {
    if paths.is_empty() {
        return Err(ArchiveError::NoPath { source_kind: source });
    }
    let streams = paths.iter().map(|path| open(source, path)).collect::<Result<Vec<_>, _>>()?;
    Ok(Box::new(streams.into_iter().flatten()))
}

/// Why a reader does not open a path; [`open`] adds the path and what is expected.
#[derive(Debug)]
pub(super) enum OpenFault {
    /// Completes the sentence "'PATH' ...".
    Wrong(String),
    Io(io::Error),
}

impl From<io::Error> for OpenFault {
    fn from(error: io::Error) -> Self {
        OpenFault::Io(error)
    }
}

/// `path` must be a folder.
pub(super) fn want_folder(path: &Path) -> Result<(), OpenFault> {
    if path.is_dir() { Ok(()) } else { Err(OpenFault::Wrong("is not a folder".to_owned())) }
}

/// `path` must be a folder that holds the file `name`.
pub(super) fn want_file(path: &Path, name: &str) -> Result<PathBuf, OpenFault> {
    want_folder(path)?;
    let file = path.join(name);
    if file.is_file() { Ok(file) } else { Err(OpenFault::Wrong(format!("holds no {name}"))) }
}
