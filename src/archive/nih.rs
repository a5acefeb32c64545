//! NIH ChestX-ray14 (Wang et al., CVPR 2017): one film a study, 14 labels mined from reports.

use std::path::{Path, PathBuf};

use super::fields;
use super::films::{film, find_film, stem};
use super::lines::reject_file;
use super::reader::{Rejected, Studies};
use super::source::{OpenFault, want_folder};
use super::study::{LabelOrigin, LabelSet, Study};
use super::table::{Row, Table};
use crate::findings::{Labels, Observation, Polarity};

const SOURCE: &str = "nih";

/// The data set's label and ours. `Infiltration` is its word for an opacity of any kind.
const LABELS: [(&str, Observation); 12] = [
    ("No Finding", Observation::NoFinding),
    ("Cardiomegaly", Observation::Cardiomegaly),
    ("Infiltration", Observation::LungOpacity),
    ("Mass", Observation::LungLesion),
    ("Nodule", Observation::LungLesion),
    ("Edema", Observation::Edema),
    ("Consolidation", Observation::Consolidation),
    ("Pneumonia", Observation::Pneumonia),
    ("Atelectasis", Observation::Atelectasis),
    ("Pneumothorax", Observation::Pneumothorax),
    ("Effusion", Observation::PleuralEffusion),
    ("Pleural_Thickening", Observation::PleuralOther),
];

/// Labels of the data set that show as an opacity, so that `Lung Opacity` is not absent beside them.
const OPACITIES: [&str; 7] = ["Mass", "Nodule", "Edema", "Consolidation", "Pneumonia", "Atelectasis", "Fibrosis"];

/// Opens the folder with `Data_Entry_2017*.csv` and `images/` or `images_001/images/` to `images_012/images/`.
///
/// Of several tables the last by name is read: `Data_Entry_2017_v2020.csv` corrects `Data_Entry_2017.csv`.
pub(super) fn open(path: &Path) -> Result<Studies, OpenFault> {
    want_folder(path)?;
    let mut names: Vec<String> = Vec::new();
    for entry in fs_err::read_dir(path)? {
        names.extend(entry?.file_name().to_str().map(str::to_owned));
    }
    names.sort();
    let table = names
        .iter()
        .rfind(|name| name.starts_with("Data_Entry_2017") && name.ends_with(".csv"))
        .ok_or_else(|| OpenFault::Wrong("holds no Data_Entry_2017*.csv".to_owned()))?;
    let folders: Vec<PathBuf> = names
        .iter()
        .filter(|name| *name == "images" || name.starts_with("images_"))
        .flat_map(|name| [path.join(name).join("images"), path.join(name)])
        .filter(|folder| folder.is_dir())
        .collect();
    if folders.is_empty() {
        return Err(OpenFault::Wrong("holds no images/ and no images_001/".to_owned()));
    }
    match Reader::open(&path.join(table), folders) {
        Ok(reader) => Ok(Box::new(reader)),
        Err(rejected) => Ok(Box::new(std::iter::once(Err(rejected)))),
    }
}

struct Reader {
    table: Table,
    columns: Columns,
    folders: Vec<PathBuf>,
    /// Where the last film was: the next one lies there too, almost always.
    last: usize,
}

struct Columns {
    image: Option<usize>,
    labels: Option<usize>,
    follow_up: Option<usize>,
    patient: Option<usize>,
    age: Option<usize>,
    sex: Option<usize>,
    view: Option<usize>,
}

impl Reader {
    fn open(path: &Path, folders: Vec<PathBuf>) -> Result<Reader, Rejected> {
        let table = Table::open_with(path, &["Image Index", "Finding Labels", "Patient ID"])?;
        let columns = Columns {
            image: table.column("Image Index"),
            labels: table.column("Finding Labels"),
            follow_up: table.column("Follow-up #"),
            patient: table.column("Patient ID"),
            age: table.column("Patient Age"),
            sex: table.column("Patient Gender").or_else(|| table.column("Patient Sex")),
            view: table.column("View Position"),
        };
        Ok(Reader { table, columns, folders, last: 0 })
    }

    fn find(&mut self, name: &str) -> Option<PathBuf> {
        let count = self.folders.len();
        for at in (0..count).map(|step| (self.last + step) % count) {
            if let Some(path) = find_film(self.folders.get(at)?, name) {
                self.last = at;
                return Some(path);
            }
        }
        None
    }

    fn study(&mut self, row: &Row) -> Result<Study, Rejected> {
        let Columns { image, labels, follow_up, patient, age, sex, view } = self.columns;
        let name = row.get(image);
        let reject = |reason: &str| row.place.reject(self.table.path(), reason);
        if name.is_empty() {
            return Err(reject("column 'Image Index' is empty"));
        }
        if row.get(patient).is_empty() {
            return Err(reject("column 'Patient ID' is empty"));
        }
        let id = format!("{SOURCE}/{}", stem(name));
        let path = self.find(name).ok_or_else(|| {
            let place = format!("line {}", row.place.line);
            let file = self.folders.first().map(|folder| folder.join(name)).unwrap_or_default();
            Rejected { record: Some(place), ..reject_file(&file, "there is no such film, neither as .png nor as .jpg") }
        })?;
        Ok(Study {
            images: vec![film(&id, 0, path, fields::view(row.get(view)))],
            id,
            source: SOURCE.to_owned(),
            patient: format!("{SOURCE}/{}", row.get(patient)),
            date: None,
            offset: fields::number(row.get(follow_up)).ok().flatten(),
            // The data set has ages of up to 414 years: not known, then.
            age: fields::age(row.get(age)).ok().flatten(),
            sex: fields::sex(row.get(sex)),
            reports: Vec::new(),
            labels: label_set(row.get(labels)).into_iter().collect(),
        })
    }
}

impl Iterator for Reader {
    type Item = Result<Study, Rejected>;

    fn next(&mut self) -> Option<Self::Item> {
        let (_, row) = self.table.next_row()?;
        Some(row.and_then(|row| self.study(&row)))
    }
}

/// The labels of one film: `Cardiomegaly|Effusion`. The list is exhaustive over the data set's own classes.
fn label_set(text: &str) -> Option<LabelSet> {
    let names: Vec<&str> = text.split('|').map(str::trim).filter(|name| !name.is_empty()).collect();
    if names.is_empty() {
        return None;
    }
    let mut labels: Labels = LABELS.into_iter().map(|(_, observation)| (observation, Polarity::Absent)).collect();
    let mut other = Vec::new();
    let mut opacity_open = false;
    for name in names {
        opacity_open |= OPACITIES.contains(&name);
        match LABELS.iter().find(|(label, _)| *label == name) {
            Some((_, observation)) => labels.set(*observation, Polarity::Present),
            None => other.push(name.replace('_', " ")),
        }
    }
    // CheXpert's Lung Opacity stands above consolidation, edema and the like, but the data set has no such class:
    // beside one of them it is neither stated nor denied.
    if opacity_open && labels.get(Observation::LungOpacity) == Some(Polarity::Absent) {
        labels = labels.iter().filter(|(observation, _)| *observation != Observation::LungOpacity).collect();
    }
    Some(LabelSet { origin: LabelOrigin::Dataset, labels, other })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::super::study::{Sex, View};
    use super::super::{Source, source};
    use super::*;

    const HEADER: &str = "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,\
                          OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y],";

    fn archive(rows: &str, images: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs_err::write(folder.path().join("Data_Entry_2017.csv"), rows).unwrap();
        fs_err::create_dir(folder.path().join("images")).unwrap();
        for name in images {
            let path = folder.path().join(name);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, b"not looked at by the reader").unwrap();
        }
        folder
    }

    fn read(folder: &tempfile::TempDir) -> Vec<Result<Study, Rejected>> {
        source::open(Source::Nih, folder.path()).unwrap().collect()
    }

    #[test]
    fn rows_become_studies_in_order() {
        let rows = format!(
            "\u{feff}{HEADER}\r\n00000013_005.png,Emphysema|Infiltration|Hernia,5,13,060Y,M,AP,3056,2544,0.139,0.139,\r\n\
             00000007_000.png,No Finding,0,7,414,F,PA,2500,2048,0.168,0.168,\r\n"
        );
        let folder = archive(&rows, &["images/00000013_005.jpg", "images_002/images/00000007_000.png"]);
        let studies: Vec<Study> = read(&folder).into_iter().collect::<Result<_, _>>().unwrap();
        let [first, second] = studies.as_slice() else { panic!("two studies") };
        assert_eq!((first.id.as_str(), first.patient.as_str()), ("nih/00000013_005", "nih/13"));
        assert_eq!((first.offset, first.age, first.sex), (Some(5), Some(60.0), Some(Sex::Male)));
        assert_eq!(first.images[0].id, "nih/00000013_005#0");
        assert_eq!(first.images[0].view, Some(View::Ap));
        assert_eq!(first.images[0].path, folder.path().join("images/00000013_005.jpg"));
        assert_eq!(first.labels[0].other, ["Emphysema", "Hernia"]);
        assert_eq!(second.age, None);
        assert_eq!(second.images[0].path, folder.path().join("images_002/images/00000007_000.png"));
        assert_eq!(read(&folder), read(&folder));
    }

    fn said(text: &str, observation: Observation) -> Option<Polarity> {
        label_set(text).unwrap().labels.get(observation)
    }

    #[test]
    fn the_list_is_exhaustive_over_its_own_classes() {
        use Observation as O;
        use Polarity::{Absent, Present};
        assert_eq!(said("Effusion|Mass", O::PleuralEffusion), Some(Present));
        assert_eq!(said("Effusion|Mass", O::LungLesion), Some(Present));
        assert_eq!(said("Effusion|Mass", O::Pneumothorax), Some(Absent));
        assert_eq!(said("Effusion|Mass", O::NoFinding), Some(Absent));
        assert_eq!(said("No Finding", O::NoFinding), Some(Present));
        assert_eq!(said("Hernia", O::NoFinding), Some(Absent));
        for unknown in [O::EnlargedCardiomediastinum, O::Fracture, O::SupportDevices] {
            assert_eq!(said("No Finding", unknown), None);
        }
        assert_eq!(label_set(""), None);
    }

    #[test]
    fn opacity_is_not_denied_beside_a_finding_that_is_one() {
        let opacity = |text| said(text, Observation::LungOpacity);
        assert_eq!(opacity("Infiltration|Pneumonia"), Some(Polarity::Present));
        assert_eq!(opacity("Pneumonia"), None);
        assert_eq!(opacity("Nodule|Effusion"), None);
        assert_eq!(opacity("Effusion"), Some(Polarity::Absent));
        assert_eq!(opacity("No Finding"), Some(Polarity::Absent));
    }

    #[test]
    fn bad_rows_are_named_and_the_rest_is_read() {
        let rows = "Image Index,Finding Labels,Patient ID\n1_0.png,Mass,1\n2_0.png,Mass\n3_0.png,Mass,3\n,Mass,4\n\
                    ../Data_Entry_2017.csv,Mass,5\n1_0.png,Mass,\n";
        let read = read(&archive(rows, &["images/1_0.png"]));
        assert!(read[0].is_ok());
        let faults: Vec<String> = read[1..].iter().map(|r| r.as_ref().unwrap_err().to_string()).collect();
        assert!(faults[0].contains("Data_Entry_2017.csv (line 3): has 2 fields"), "{}", faults[0]);
        assert!(faults[1].contains("3_0.png (line 4): there is no such film"), "{}", faults[1]);
        assert!(faults[2].contains("(line 5): column 'Image Index' is empty"), "{}", faults[2]);
        assert!(faults[3].contains("(line 6): there is no such film"), "{}", faults[3]);
        assert!(faults[4].contains("(line 7): column 'Patient ID' is empty"), "{}", faults[4]);
    }

    #[test]
    fn missing_column_is_one_rejection_with_the_header() {
        let read = read(&archive("Image Index,Labels\n1_0.png,Mass\n", &[]));
        assert_eq!(read.len(), 1);
        let fault = read[0].as_ref().unwrap_err().to_string();
        assert!(
            fault.ends_with("has no column 'Finding Labels' and no 'Patient ID'; its header is: Image Index, Labels"),
            "{fault}"
        );
    }

    #[test]
    fn wrong_folders_are_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let fault = |path: &Path| source::open(Source::Nih, path).err().expect("refused").to_string();
        assert!(fault(folder.path()).contains("holds no Data_Entry_2017*.csv; 'nih' expects the folder that holds"));
        assert!(fault(&folder.path().join("none")).starts_with("there is no '"));
        let table = folder.path().join("Data_Entry_2017.csv");
        fs_err::write(&table, HEADER).unwrap();
        assert!(fault(&table).contains("is not a folder"));
        assert!(fault(folder.path()).contains("holds no images/"));
    }
}
