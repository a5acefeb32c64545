//! Tests of the archive as a whole.
//!
//! - [`measured`] what the films show
//! - [`reports`] what the reports say

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod measured;
mod reports;

use super::*;
use crate::archive::study::LabelOrigin;
use crate::findings::{Observation, Polarity};

#[test]
fn the_same_seed_gives_the_same_bytes_whatever_the_number_of_studies() {
    let (few, many) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let read = |dir: &Path, studies: usize| -> Vec<(Study, Vec<Vec<u8>>)> {
        Phantom { studies, seed: 4, size: 48 }
            .generate(dir, &|_| ())
            .unwrap()
            .take(5)
            .map(|s| {
                let mut s = s.unwrap();
                let bytes = s.images.iter().map(|i| fs_err::read(&i.path).unwrap()).collect();
                for i in &mut s.images {
                    i.path = PathBuf::new();
                }
                (s, bytes)
            })
            .collect()
    };
    let (a, b) = (read(few.path(), 5), read(many.path(), 23));
    assert_eq!(a.len(), 5);
    assert!(a == b);
    let other = films(5, 0, 48).0;
    assert_ne!(films(4, 0, 48).0, other);
}

#[test]
fn files_are_gray_pngs_of_the_asked_size_and_progress_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let told = std::cell::RefCell::new(Vec::new());
    let progress = |n| told.borrow_mut().push(n);
    let phantom = Phantom { studies: 9, seed: 2, size: 40 };
    for (i, study) in phantom.generate(dir.path(), &progress).unwrap().enumerate() {
        let study = study.unwrap();
        assert_eq!(study.id, format!("phantom/s2-{i:06}"));
        for image in &study.images {
            assert!(image.path.is_absolute());
            let picture = image::open(&image.path).unwrap();
            assert_eq!(picture.color(), image::ColorType::L8);
            assert_eq!((picture.width(), picture.height()), (40, 40));
        }
    }
    assert_eq!(*told.borrow(), (1..=9).collect::<Vec<_>>());
    assert_eq!(phantom.studies(dir.path()).filter(|s| s.is_ok()).count(), 9);
}

#[test]
fn a_folder_that_cannot_be_made_is_rejected() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let records: Vec<_> = Phantom::default().studies(file.path()).collect();
    assert_eq!(records.len(), 1);
    assert!(records[0].is_err());
}

#[test]
fn every_observation_occurs_and_no_finding_excludes_the_rest() {
    let mut counts = [0; Observation::COUNT];
    let mut lateral = 0;
    for i in 0..500 {
        let s = study(1, i);
        assert_eq!(s.labels.len(), 1);
        assert_eq!(s.labels[0].origin, LabelOrigin::Truth);
        let labels = &s.labels[0].labels;
        assert_eq!(labels.iter().count(), Observation::COUNT);
        let present: Vec<_> = labels.with(Polarity::Present).collect();
        let disease = present.iter().any(|o| !matches!(o, Observation::NoFinding | Observation::SupportDevices));
        assert_eq!(labels.get(Observation::NoFinding) == Some(Polarity::Present), !disease);
        for o in present {
            counts[o.index()] += 1;
        }
        lateral += usize::from(s.images.len() == 2);
        assert_eq!(s.images[0].id, format!("{}#0", s.id));
    }
    for o in Observation::ALL {
        assert!(counts[o.index()] >= 5, "{o}: {}", counts[o.index()]);
    }
    let none = counts[Observation::NoFinding.index()];
    assert!((140..=190).contains(&none), "{none} of 500 without finding");
    assert!((50..=200).contains(&lateral), "{lateral} of 500 with a lateral film");
}
