//! The covid-chestxray-dataset (Cohen et al., 2020): serial films from publications, with clinical notes.
//!
//! Films of one patient on the same day (`offset`, or a full `date`) are one study. A film without a day is its own
//! study: five films of "2020" are a series, not an examination. CT slices are passed over.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::fields;
use super::films::{film, find_film};
use super::groups::Groups;
use super::lines::reject_file;
use super::reader::{Rejected, Studies};
use super::sections::fold_white_space;
use super::source::{OpenFault, want_file};
use super::study::{LabelOrigin, LabelSet, Report, Section, Study};
use super::table::{Row, Table};
use crate::findings::{Labels, Observation, Polarity};

const SOURCE: &str = "covid-chestxray";

/// Findings that later editions of the data set file under `Pneumonia/...`; earlier ones give the germ alone.
const PNEUMONIAS: [&str; 20] = [
    "covid-19",
    "sars",
    "mers-cov",
    "influenza",
    "h1n1",
    "varicella",
    "herpes",
    "viral",
    "bacterial",
    "streptococcus",
    "klebsiella",
    "e.coli",
    "legionella",
    "mycoplasma",
    "chlamydophila",
    "nocardia",
    "pneumocystis",
    "fungal",
    "lipoid",
    "aspiration",
];

#[derive(Clone, Copy)]
struct Columns {
    patient: Option<usize>,
    offset: Option<usize>,
    sex: Option<usize>,
    age: Option<usize>,
    finding: Option<usize>,
    view: Option<usize>,
    modality: Option<usize>,
    date: Option<usize>,
    folder: Option<usize>,
    file: Option<usize>,
    notes: Option<usize>,
}

/// Opens the folder with `metadata.csv` and `images/`.
pub(super) fn open(path: &Path) -> Result<Studies, OpenFault> {
    let file = want_file(path, "metadata.csv")?;
    let table = match Table::open_with(&file, &["patientid", "filename", "finding"]) {
        Ok(table) => table,
        Err(rejected) => return Ok(Box::new(std::iter::once(Err(rejected)))),
    };
    let columns = Columns {
        patient: table.column("patientid"),
        offset: table.column("offset"),
        sex: table.column("sex"),
        age: table.column("age"),
        finding: table.column("finding"),
        view: table.column("view"),
        modality: table.column("modality"),
        date: table.column("date"),
        folder: table.column("folder"),
        file: table.column("filename"),
        notes: table.column("clinical_notes"),
    };
    let groups = Groups::new(table, move |row| columns.day(row));
    let reader = Reader { root: path.to_owned(), file, columns, skipped: Skipped::default() };
    Ok(Box::new(groups.flat_map(move |rows| reader.studies(rows))))
}

impl Columns {
    /// What films of one study have in common.
    fn day(&self, row: &Row) -> Option<String> {
        let patient = row.get(self.patient);
        let offset = fields::number(row.get(self.offset)).ok().flatten();
        let date = fields::us_date(row.get(self.date));
        if patient.is_empty() || !self.is_film(row) || (offset.is_none() && date.is_none()) {
            return None;
        }
        Some(format!("{patient}\n{offset:?}\n{date:?}"))
    }

    /// False for a slice of CT.
    fn is_film(&self, row: &Row) -> bool {
        let modality = row.get(self.modality);
        let view = row.get(self.view).to_ascii_lowercase();
        let slice = view.contains("axial") || view.contains("coronal") || view.contains("sagittal");
        (modality.is_empty() || modality.eq_ignore_ascii_case("X-ray")) && !slice
    }
}

/// Counts rows that are no films, and says so once the stream ends.
#[derive(Clone, Default)]
struct Skipped(Arc<AtomicUsize>);

impl Drop for Skipped {
    fn drop(&mut self) {
        let count = self.0.load(Ordering::Relaxed);
        if count > 0 {
            tracing::info!(count, "covid-chestxray: rows passed over that are CT and no films");
        }
    }
}

struct Reader {
    root: PathBuf,
    file: PathBuf,
    columns: Columns,
    skipped: Skipped,
}

impl Reader {
    /// One study of the films of one day, and what was rejected of it.
    fn studies(&self, rows: Vec<Result<Row, Rejected>>) -> Vec<Result<Study, Rejected>> {
        let mut found: Vec<Result<Study, Rejected>> = Vec::new();
        let mut study: Option<Study> = None;
        for row in rows {
            match row.and_then(|row| self.add(&row, &mut study)) {
                Ok(()) => {}
                Err(rejected) => found.push(Err(rejected)),
            }
        }
        found.extend(study.map(Ok));
        found
    }

    fn add(&self, row: &Row, study: &mut Option<Study>) -> Result<(), Rejected> {
        let columns = &self.columns;
        if !columns.is_film(row) {
            self.skipped.0.fetch_add(1, Ordering::Relaxed);
            return Ok(());
        }
        let (patient, name) = (row.get(columns.patient), row.get(columns.file));
        if patient.is_empty() || name.is_empty() {
            return Err(row.place.reject(&self.file, "columns 'patientid' and 'filename' must not be empty"));
        }
        let folder = Some(row.get(columns.folder)).filter(|folder| !folder.is_empty()).unwrap_or("images");
        let path = find_film(&self.root, &format!("{folder}/{name}"))
            .or_else(|| find_film(&self.root.join("images"), name))
            .ok_or_else(|| Rejected {
                record: Some(format!("line {}", row.place.line)),
                ..reject_file(&self.root.join("images").join(name), "there is no such film")
            })?;
        let study = study.get_or_insert_with(|| Study {
            // The first film's file: patient and day are no unique name where the day is unknown.
            id: format!("{SOURCE}/{name}"),
            source: SOURCE.to_owned(),
            patient: format!("{SOURCE}/{patient}"),
            date: fields::us_date(row.get(columns.date)),
            offset: fields::number(row.get(columns.offset)).ok().flatten(),
            age: None,
            sex: None,
            images: Vec::new(),
            reports: Vec::new(),
            labels: Vec::new(),
        });
        study.age = study.age.or(fields::age(row.get(columns.age)).ok().flatten());
        study.sex = study.sex.or(fields::sex(row.get(columns.sex)));
        let view = fields::view(row.get(columns.view));
        study.images.push(film(&study.id, study.images.len(), path, view));
        let text = fold_white_space(row.get(columns.notes));
        let known = study.reports.iter().flat_map(|report| &report.sections).any(|section| section.text == text);
        if !text.is_empty() && !known {
            study.reports.push(Report { sections: vec![Section { name: "note".to_owned(), text }] });
        }
        label(study, row.get(columns.finding));
        Ok(())
    }
}

/// Adds what a row's finding says: `Pneumonia/Viral/COVID-19`, `COVID-19, ARDS`, `No Finding`, `Tuberculosis`, `todo`.
fn label(study: &mut Study, finding: &str) {
    if ["", "todo", "unknown", "?"].contains(&finding.to_ascii_lowercase().as_str()) {
        return;
    }
    let mut set = study.labels.pop().unwrap_or_else(|| LabelSet {
        origin: LabelOrigin::Dataset,
        labels: Labels::new(),
        other: Vec::new(),
    });
    for name in finding.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        let lower = name.to_ascii_lowercase();
        if lower == "no finding" {
            set.labels.set(Observation::NoFinding, Polarity::Present);
            continue;
        }
        let is_pneumonia = lower.split(['/', ' ']).any(|part| part == "pneumonia" || PNEUMONIAS.contains(&part));
        if is_pneumonia {
            set.labels.set(Observation::Pneumonia, Polarity::Present);
        }
        if lower != "pneumonia" && !set.other.iter().any(|other| other == name) {
            set.other.push(name.to_owned());
        }
    }
    study.labels.push(set);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::super::study::View;
    use super::super::{Source, source};
    use super::*;

    const HEADER: &str = "patientid,offset,sex,age,finding,view,modality,date,folder,filename,clinical_notes\n";

    fn read(rows: &str) -> Vec<Result<Study, Rejected>> {
        let folder = tempfile::tempdir().unwrap();
        fs_err::write(folder.path().join("metadata.csv"), format!("{HEADER}{rows}")).unwrap();
        fs_err::create_dir(folder.path().join("images")).unwrap();
        for name in ["a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg"] {
            fs_err::write(folder.path().join("images").join(name), b"x").unwrap();
        }
        source::open(Source::CovidChestxray, folder.path()).unwrap().collect()
    }

    #[test]
    fn films_of_one_day_are_one_study() {
        let studies = read(
            "2,0,M,65,Pneumonia/Viral/COVID-19,PA,X-ray,\"January 22, 2020\",images,a.jpg,\"Fever, and\n cough.\"\n\
             3,,F,,No Finding,AP Supine,X-ray,2020,images,c.jpg,\n\
             2,0,M,65,Pneumonia/Viral/COVID-19,L,X-ray,\"January 22, 2020\",images,b.png,\"Fever, and cough.\"\n\
             3,,F,,\"COVID-19, ARDS\",AP,X-ray,2020,images,d.jpg,Weak.\n\
             2,5,M,65,todo,Axial,CT,,volumes,slice.nii.gz,\n",
        );
        let studies: Vec<Study> = studies.into_iter().collect::<Result<_, _>>().unwrap();
        let [pair, third, fourth] = studies.as_slice() else { panic!("three studies, not {}", studies.len()) };
        assert_eq!(pair.id, "covid-chestxray/a.jpg");
        assert_eq!((pair.patient.as_str(), pair.offset), ("covid-chestxray/2", Some(0)));
        assert_eq!(pair.date.as_deref(), Some("2020-01-22"));
        assert_eq!(pair.images.iter().map(|i| i.view).collect::<Vec<_>>(), [Some(View::Pa), Some(View::Lateral)]);
        assert_eq!(pair.images[1].id, "covid-chestxray/a.jpg#1");
        assert_eq!(pair.reports.len(), 1, "one note for both films");
        assert_eq!(pair.reports[0].sections[0].name, "note");
        assert_eq!(pair.labels[0].labels.get(Observation::Pneumonia), Some(Polarity::Present));
        assert_eq!(pair.labels[0].other, ["Pneumonia/Viral/COVID-19"]);
        assert_eq!((third.date.as_deref(), third.offset), (None, None));
        assert_eq!(third.labels[0].labels.get(Observation::NoFinding), Some(Polarity::Present));
        assert!(third.labels[0].other.is_empty());
        assert_eq!(fourth.labels[0].labels.get(Observation::Pneumonia), Some(Polarity::Present));
        assert_eq!(fourth.labels[0].other, ["COVID-19", "ARDS"]);
    }

    #[test]
    fn findings_that_are_not_known_say_nothing() {
        let studies = read("1,,,,todo,PA,X-ray,,images,a.jpg,\n2,,,,Tuberculosis,PA,X-ray,,images,b.jpg,\n");
        assert!(studies[0].as_ref().unwrap().labels.is_empty());
        let tuberculosis = &studies[1].as_ref().unwrap().labels[0];
        assert!(tuberculosis.labels.is_empty());
        assert_eq!(tuberculosis.other, ["Tuberculosis"]);
    }

    #[test]
    fn bad_rows_are_named_and_the_rest_is_read() {
        let read =
            read("1,0,,,todo,PA,X-ray,,images,none.jpg,\n1,0,,,todo,L,X-ray,,images,b.jpg,\n2,0\n,1,,,,,,,,a.jpg,\n");
        assert!(read[0].as_ref().unwrap_err().to_string().contains("none.jpg (line 2): there is no such film"));
        assert_eq!(read[1].as_ref().unwrap().id, "covid-chestxray/b.jpg");
        assert!(read[2].as_ref().unwrap_err().to_string().contains("metadata.csv (line 4): has 2 fields"));
        assert!(read[3].as_ref().unwrap_err().reason.contains("must not be empty"));
    }

    #[test]
    fn missing_column_and_missing_table() {
        let folder = tempfile::tempdir().unwrap();
        let refused = source::open(Source::CovidChestxray, folder.path()).err().expect("refused").to_string();
        assert!(refused.contains("holds no metadata.csv"), "{refused}");
        fs_err::write(folder.path().join("metadata.csv"), "patientid,finding\n1,todo\n").unwrap();
        let read: Vec<_> = source::open(Source::CovidChestxray, folder.path()).unwrap().collect();
        assert_eq!(read.len(), 1);
        let reason = &read[0].as_ref().unwrap_err().reason;
        assert_eq!(reason, "has no column 'filename'; its header is: patientid, finding");
    }
}
