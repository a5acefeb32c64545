//! The readers and the check on the public archives themselves, where this machine has them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::{Checked, Rejected, Source, Study, check_study, decode_image, open};
use crate::findings::Polarity;

/// What an archive came to.
#[derive(Debug, Default, PartialEq)]
struct Survey {
    studies: usize,
    patients: usize,
    images: usize,
    reports: usize,
    rejected: usize,
}

/// The archive's path; `None`, loudly, where it is absent.
fn archive(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(name);
    if !path.exists() {
        eprintln!("SKIPPED: no real data at {}", path.display());
        return None;
    }
    Some(path)
}

fn survey(source: Source, path: &Path) -> (Survey, Vec<Study>, Vec<Rejected>) {
    let records: Vec<_> = open(source, path).unwrap().collect();
    let again: Vec<_> = open(source, path).unwrap().collect();
    assert_eq!(records, again, "the order of an import is stable");
    let checked: Vec<Checked> = records
        .into_par_iter()
        .map(|record| record.map_or_else(|fault| Checked { study: None, rejected: vec![fault] }, check_study))
        .collect();
    let mut rejected = Vec::new();
    let mut studies = Vec::new();
    for one in checked {
        rejected.extend(one.rejected);
        studies.extend(one.study);
    }
    let ids: HashSet<&str> = studies.iter().map(|study| study.id.as_str()).collect();
    assert_eq!(ids.len(), studies.len(), "ids are unique");
    for study in &studies {
        assert!(study.id.starts_with(&format!("{source}/")) && study.patient.starts_with(&format!("{source}/")));
        assert!(
            study.images.iter().all(|image| image.path.is_absolute() && image.hash.len() == 64 && image.size.0 > 0)
        );
    }
    let patients: HashSet<&str> = studies.iter().map(|study| study.patient.as_str()).collect();
    let survey = Survey {
        studies: studies.len(),
        patients: patients.len(),
        images: studies.iter().map(|study| study.images.len()).sum(),
        reports: studies.iter().map(|study| study.reports.len()).sum(),
        rejected: rejected.len(),
    };
    (survey, studies, rejected)
}

#[test]
fn nih() {
    let Some(path) = archive("nih") else { return };
    let (found, studies, _) = survey(Source::Nih, &path);
    assert_eq!(found, Survey { studies: 1207, patients: 953, images: 1207, reports: 0, rejected: 0 });
    let present = |name: &str| {
        let observation = name.parse().unwrap();
        studies.iter().filter(|study| study.labels[0].labels.get(observation) == Some(Polarity::Present)).count()
    };
    assert_eq!((present("No Finding"), present("Pneumonia"), present("Pleural Effusion")), (435, 408, 125));
    assert!(studies.iter().all(|study| study.age.is_some() && study.sex.is_some() && study.images[0].view.is_some()));
}

#[test]
fn openi() {
    let Some(path) = archive("openi") else { return };
    let (found, studies, rejected) = survey(Source::Openi, &path);
    // 3,955 reports, of which 28 have no text in any section.
    assert_eq!(found, Survey { studies: 3927, patients: 3927, images: 5, reports: 3927, rejected: 28 });
    assert!(rejected.iter().all(|fault| fault.reason == "report without text"), "{rejected:?}");
    assert!(studies.iter().all(|study| study.labels.is_empty() && study.date.is_none()));
}

#[test]
fn covid_chestxray() {
    let Some(path) = archive("covid-chestxray") else { return };
    let (found, studies, _) = survey(Source::CovidChestxray, &path);
    assert_eq!(found, Survey { studies: 404, patients: 233, images: 445, reports: 387, rejected: 0 });
    assert!(studies.iter().all(|study| study.images.len() <= 3), "a series is not one study");
}

#[test]
fn hannover() {
    let Some(path) = archive("hannover") else { return };
    let (found, studies, _) = survey(Source::Hannover, &path);
    assert_eq!(found, Survey { studies: 243, patients: 71, images: 243, reports: 0, rejected: 0 });
    assert!(studies.iter().all(|study| study.offset.is_some()));
}

#[test]
fn kermany() {
    let Some(path) = archive("kermany") else { return };
    let (found, _, _) = survey(Source::Folder, &path);
    assert_eq!(found, Survey { studies: 400, patients: 384, images: 400, reports: 0, rejected: 0 });
}

#[test]
fn cut_films_are_found() {
    for name in ["nih/images", "covid-chestxray/images", "hannover/images", "kermany/chest_xray/NORMAL"] {
        let Some(folder) = archive(name) else { return };
        for entry in fs_err::read_dir(folder).unwrap().take(5) {
            let path = entry.unwrap().path();
            let whole = fs_err::read(&path).unwrap();
            assert!(decode_image(&whole, &path).is_ok(), "{}", path.display());
            for left in
                [whole.len() / 10, whole.len() / 2, whole.len() * 9 / 10, whole.len() * 99 / 100, whole.len() - 2]
            {
                let fault = decode_image(&whole[..left], &path).unwrap_err();
                assert!(fault.reason.contains("truncated"), "{fault}");
            }
        }
    }
}
