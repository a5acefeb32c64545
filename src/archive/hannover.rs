//! The COVID-19 image repository of Hannover Medical School (Winther et al., 2020): serial films of intensive care.
//!
//! One study a film. Its place on the patient's time line is the day before (-) or after admission. The data set gives
//! laboratory values beside the films; a study has no place for them and they are passed over.

use std::path::Path;

use super::fields;
use super::films::{film, find_film};
use super::lines::reject_file;
use super::reader::{Rejected, Studies};
use super::source::{OpenFault, want_file};
use super::study::Study;
use super::table::{Row, Table};

const SOURCE: &str = "hannover";

/// Opens the folder with `data.csv` and `images/`.
pub(super) fn open(path: &Path) -> Result<Studies, OpenFault> {
    let file = want_file(path, "data.csv")?;
    let images = ["images", "png"].map(|name| path.join(name)).into_iter().find(|folder| folder.is_dir());
    let images = images.ok_or_else(|| OpenFault::Wrong("holds no images/".to_owned()))?;
    let mut table = match Table::open_with(&file, &["patient_id", "image_id"]) {
        Ok(table) => table,
        Err(rejected) => return Ok(Box::new(std::iter::once(Err(rejected)))),
    };
    let columns =
        ["patient_id", "image_id", "sex", "age", "admission_offset", "projection"].map(|name| table.column(name));
    Ok(Box::new(std::iter::from_fn(move || {
        let (_, row) = table.next_row()?;
        Some(row.and_then(|row| study(&row, columns, &file, &images)))
    })))
}

fn study(row: &Row, columns: [Option<usize>; 6], file: &Path, images: &Path) -> Result<Study, Rejected> {
    let [patient, name, sex, age, offset, view] = columns.map(|column| row.get(column));
    if patient.is_empty() || name.is_empty() {
        return Err(row.place.reject(file, "columns 'patient_id' and 'image_id' must not be empty"));
    }
    let path = find_film(images, name).ok_or_else(|| Rejected {
        record: Some(format!("line {}", row.place.line)),
        ..reject_file(&images.join(name), "there is no such film, neither as .png nor as .jpg")
    })?;
    let id = format!("{SOURCE}/{name}");
    Ok(Study {
        images: vec![film(&id, 0, path, fields::view(view))],
        id,
        source: SOURCE.to_owned(),
        patient: format!("{SOURCE}/{patient}"),
        date: None,
        offset: fields::number(offset).ok().flatten(),
        age: fields::age(age).ok().flatten(),
        sex: fields::sex(sex),
        reports: Vec::new(),
        labels: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::super::study::{Sex, View};
    use super::super::{Source, source};
    use super::*;

    #[test]
    fn serial_films_of_one_patient() {
        let folder = tempfile::tempdir().unwrap();
        let rows = "patient_id,image_id,sex,age,admission_offset,projection,crp_val\n\
                    p1,i2,f,61,-2,ap,38.0\np1,i1,f,,3.0,pa,\np2,i3,m,,,,\n,i1,m,,,,\nshort\n";
        fs_err::write(folder.path().join("data.csv"), rows).unwrap();
        fs_err::create_dir(folder.path().join("images")).unwrap();
        for name in ["i1.jpg", "i2.png"] {
            fs_err::write(folder.path().join("images").join(name), b"x").unwrap();
        }
        let read: Vec<_> = source::open(Source::Hannover, folder.path()).unwrap().collect();
        let (first, second) = (read[0].as_ref().unwrap(), read[1].as_ref().unwrap());
        assert_eq!((first.id.as_str(), second.id.as_str()), ("hannover/i2", "hannover/i1"));
        assert_eq!((first.patient.as_str(), second.patient.as_str()), ("hannover/p1", "hannover/p1"));
        assert_eq!((first.offset, second.offset), (Some(-2), Some(3)));
        assert_eq!((first.sex, first.age, first.images[0].view), (Some(Sex::Female), Some(61.0), Some(View::Ap)));
        let faults: Vec<String> = read[2..].iter().map(|r| r.as_ref().unwrap_err().to_string()).collect();
        assert!(faults[0].contains("i3 (line 4): there is no such film"), "{}", faults[0]);
        assert!(faults[1].contains("(line 5): columns 'patient_id' and 'image_id'"), "{}", faults[1]);
        assert!(faults[2].contains("(line 6): has 1 fields"), "{}", faults[2]);
    }

    #[test]
    fn wrong_folders_and_columns() {
        let folder = tempfile::tempdir().unwrap();
        let refused = |path: &Path| source::open(Source::Hannover, path).err().expect("refused").to_string();
        assert!(refused(folder.path()).contains("holds no data.csv"));
        fs_err::write(folder.path().join("data.csv"), "patient,image_id\n1,2\n").unwrap();
        assert!(refused(folder.path()).contains("holds no images/"));
        fs_err::create_dir(folder.path().join("images")).unwrap();
        let read: Vec<_> = source::open(Source::Hannover, folder.path()).unwrap().collect();
        assert_eq!(read.len(), 1);
        let fault = read[0].as_ref().unwrap_err();
        assert_eq!(fault.reason, "has no column 'patient_id'; its header is: patient, image_id");
    }
}
