//! The importer's check of one study: are its films whole and its reports not empty?

use std::path::PathBuf;

use super::load::{decode_image, read_file};
use super::reader::Rejected;
use super::sections::fold_white_space;
use super::study::{Image, Study};

/// What came of the check.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked {
    /// The study with what is sound of it; none when nothing is.
    pub study: Option<Study>,
    /// What was dropped, and why. A report is named by its study, a film by its file.
    pub rejected: Vec<Rejected>,
}

/// Checks a study: decodes each film wholly and fills in its hash and size, folds the reports' white space, and drops
/// films that cannot be read and reports without text. A study survives with one film or one report.
pub fn check_study(mut study: Study) -> Checked {
    let mut rejected = Vec::new();
    study.images.retain_mut(|image| match check_image(image) {
        Ok(()) => true,
        Err(fault) => {
            rejected.push(fault);
            false
        }
    });
    study.reports.retain_mut(|report| {
        for section in &mut report.sections {
            section.text = fold_white_space(&section.text);
        }
        report.sections.retain(|section| !section.text.is_empty());
        if report.sections.is_empty() {
            rejected.push(reject_study(&study.id, "report without text"));
        }
        !report.sections.is_empty()
    });
    if study.images.is_empty() && study.reports.is_empty() {
        if rejected.is_empty() {
            rejected.push(reject_study(&study.id, "has neither a film nor a report"));
        }
        return Checked { study: None, rejected };
    }
    Checked { study: Some(study), rejected }
}

fn reject_study(id: &str, reason: &str) -> Rejected {
    Rejected { file: PathBuf::from(id), record: None, reason: reason.to_owned() }
}

fn check_image(image: &mut Image) -> Result<(), Rejected> {
    let bytes = read_file(&image.path)?;
    let film = decode_image(&bytes, &image.path)?;
    image.size = (film.width(), film.height());
    image.hash = blake3::hash(&bytes).to_hex().to_string();
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use std::path::Path;

    use super::super::films::film;
    use super::super::study::{Report, Section};
    use super::*;

    fn study(folder: &Path, images: &[&str], reports: &[&str]) -> Study {
        let images = images.iter().enumerate().map(|(n, name)| film("test/1", n, folder.join(name), None)).collect();
        let section = |text: &str| Section { name: "findings".to_owned(), text: text.to_owned() };
        Study {
            id: "test/1".to_owned(),
            source: "test".to_owned(),
            patient: "test/p".to_owned(),
            date: None,
            offset: None,
            age: None,
            sex: None,
            images,
            reports: reports.iter().map(|text| Report { sections: vec![section(text)] }).collect(),
            labels: Vec::new(),
        }
    }

    #[test]
    fn hash_and_size_are_filled_in() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        image::GrayImage::new(30, 20).save(&path).unwrap();
        let Checked { study, rejected } = check_study(study(folder.path(), &["a.png"], &[]));
        assert!(rejected.is_empty());
        let image = &study.unwrap().images[0];
        assert_eq!(image.size, (30, 20));
        assert_eq!(image.hash, blake3::hash(&fs_err::read(&path).unwrap()).to_hex().as_str());
    }

    #[test]
    fn what_is_sound_survives_under_its_own_id() {
        let folder = tempfile::tempdir().unwrap();
        image::GrayImage::new(3, 2).save(folder.path().join("b.png")).unwrap();
        fs_err::write(folder.path().join("a.jpg"), b"").unwrap();
        let checked =
            check_study(study(folder.path(), &["a.jpg", "b.png", "c.png"], &[" \n", "The  lungs\nare clear."]));
        let faults: Vec<String> = checked.rejected.iter().map(ToString::to_string).collect();
        assert_eq!(faults.len(), 3);
        assert!(faults[0].ends_with("a.jpg: zero bytes"), "{}", faults[0]);
        assert!(faults[1].ends_with("c.png: there is no such file"), "{}", faults[1]);
        assert_eq!(faults[2], "test/1: report without text");
        let study = checked.study.unwrap();
        assert_eq!(study.images.iter().map(|i| i.id.as_str()).collect::<Vec<_>>(), ["test/1#1"]);
        assert_eq!(study.reports.len(), 1);
        assert_eq!(study.reports[0].sections[0].text, "The lungs are clear.");
    }

    #[test]
    fn a_study_of_which_nothing_is_left_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let checked = check_study(study(folder.path(), &["none.png"], &[]));
        assert_eq!((checked.study, checked.rejected.len()), (None, 1));
        let checked = check_study(study(folder.path(), &[], &[]));
        assert_eq!((checked.study, checked.rejected.len()), (None, 1));
    }
}
