//! Folders named by class, as public data sets of two or three classes come: `train/PNEUMONIA/person12_virus_34.jpeg`
//! (Kermany et al., Cell 2018).

use std::path::{Path, PathBuf};

use super::films::film;
use super::lines::reject_file;
use super::reader::{Rejected, Studies};
use super::source::{OpenFault, want_folder};
use super::study::{LabelOrigin, LabelSet, Study};
use super::table::plain;
use super::walk::walk;
use crate::findings::{Labels, Observation, Polarity};

const SOURCE: &str = "folder";

/// Opens a folder; every `.jpg`, `.jpeg` and `.png` below it is a study, and the folder that it lies in its class.
///
/// Ids begin with the name of the folder itself: `folder/chest_xray/NORMAL/IM-0117-0001.jpeg`.
pub(super) fn open(path: &Path) -> Result<Studies, OpenFault> {
    want_folder(path)?;
    // A path that ends in `..` has no name of its own.
    let name = fs_err::canonicalize(path)?.file_name().and_then(|name| name.to_str()).unwrap_or("root").to_owned();
    let mut files = walk(path).filter(|entry| entry.as_ref().map_or(true, |path| is_film(path))).peekable();
    if files.peek().is_none() {
        return Err(OpenFault::Wrong("holds no .jpg, .jpeg or .png file".to_owned()));
    }
    let root = path.to_owned();
    Ok(Box::new(files.map(move |entry| study(entry?, &root, &name))))
}

/// `._a.jpg` is what macOS leaves beside `a.jpg`.
fn is_film(path: &Path) -> bool {
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase());
    let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("._"));
    matches!(extension.as_deref(), Some("jpg" | "jpeg" | "png")) && !hidden
}

fn study(path: PathBuf, root: &Path, root_name: &str) -> Result<Study, Rejected> {
    let below = path.strip_prefix(root).unwrap_or(&path);
    let parts: Option<Vec<&str>> = below.iter().map(|part| part.to_str()).collect();
    let Some(parts) = parts else {
        return Err(reject_file(&path, "has a name that is not UTF-8: rename it"));
    };
    let id = format!("{SOURCE}/{root_name}/{}", parts.join("/"));
    let (file, folders) = parts.split_last().map_or(("", [].as_slice()), |(file, folders)| (*file, folders));
    Ok(Study {
        patient: person(file).map_or_else(|| id.clone(), |person| format!("{SOURCE}/{person}")),
        labels: folders.last().map(|class| label_set(class)).into_iter().collect(),
        images: vec![film(&id, 0, path.clone(), None)],
        id,
        source: SOURCE.to_owned(),
        date: None,
        offset: None,
        age: None,
        sex: None,
        reports: Vec::new(),
    })
}

/// `person12` of `person12_bacteria_34.jpeg`.
fn person(file: &str) -> Option<&str> {
    let (person, _) = file.split_once('_')?;
    let number = person.strip_prefix("person")?;
    (!number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())).then_some(person)
}

/// A class is one of the 14 observations, a word for none of them, or a finding of its own.
fn label_set(class: &str) -> LabelSet {
    let observation = match plain(class).as_str() {
        "normal" | "healthy" | "nofindings" => Some(Observation::NoFinding),
        _ => class.parse().ok(),
    };
    LabelSet {
        origin: LabelOrigin::Dataset,
        labels: observation.map(|observation| (observation, Polarity::Present)).into_iter().collect::<Labels>(),
        other: if observation.is_some() { Vec::new() } else { vec![class.to_owned()] },
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::super::{Source, source};
    use super::*;

    #[test]
    fn classes_and_persons() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("set");
        for name in [
            "train/PNEUMONIA/person12_bacteria_34.jpeg",
            "test/PNEUMONIA/person12_virus_9.JPG",
            "train/NORMAL/IM-1.png",
            "train/NORMAL/IM-1.jpg",
            "train/NORMAL/._IM-1.jpg",
            "train/NORMAL/notes.txt",
            "train/Röntgen é/1.png",
            "loose.png",
        ] {
            fs_err::create_dir_all(root.join(name).parent().unwrap()).unwrap();
            fs_err::write(root.join(name), b"x").unwrap();
        }
        let read = || source::open(Source::Folder, &root).unwrap().collect::<Result<Vec<Study>, _>>().unwrap();
        let studies = read();
        assert_eq!(studies, read());
        let ids: Vec<&str> = studies.iter().map(|study| study.id.as_str()).collect();
        assert_eq!(
            ids,
            [
                "folder/set/loose.png",
                "folder/set/test/PNEUMONIA/person12_virus_9.JPG",
                "folder/set/train/NORMAL/IM-1.jpg",
                "folder/set/train/NORMAL/IM-1.png",
                "folder/set/train/PNEUMONIA/person12_bacteria_34.jpeg",
                "folder/set/train/Röntgen é/1.png",
            ]
        );
        assert!(studies[0].labels.is_empty());
        assert_eq!((studies[1].patient.as_str(), studies[4].patient.as_str()), ("folder/person12", "folder/person12"));
        assert_eq!(studies[2].patient, studies[2].id);
        assert_eq!(studies[1].labels[0].labels.get(Observation::Pneumonia), Some(Polarity::Present));
        assert_eq!(studies[2].labels[0].labels.get(Observation::NoFinding), Some(Polarity::Present));
        assert_eq!(studies[5].labels[0].other, ["Röntgen é"]);
    }

    #[test]
    fn folders_without_films_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let refused = source::open(Source::Folder, folder.path()).err().expect("refused").to_string();
        assert!(refused.contains("holds no .jpg, .jpeg or .png file; 'folder' expects"), "{refused}");
    }
}
