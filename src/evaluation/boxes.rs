//! The boxes that radiologists drew on films of NIH ChestX-ray14: `BBox_List_2017.csv`.

use std::path::Path;

use crate::error::{Error, Result};
use crate::findings::Observation;

/// A box in pixels of the original, as the data set has it.
#[derive(Clone, Debug, PartialEq)]
pub struct BoxOfFilm {
    /// `00004296_000`.
    pub film: String,
    /// What is in it.
    pub finding: Observation,
    /// Left edge, top edge, width, height.
    pub area: [f32; 4],
}

/// Reads `BBox_List_2017.csv`: image, finding, x, y, width, height.
///
/// # Errors
/// A file that cannot be read, or a line that is not that, is named.
pub fn boxes(path: &Path) -> Result<Vec<BoxOfFilm>> {
    let unreadable = |e: csv::Error| Error::Caller(format!("{}: {e}", path.display()));
    let mut csv = csv::ReaderBuilder::new().flexible(true).from_path(path).map_err(unreadable)?;
    let mut boxes = Vec::new();
    for record in csv.records() {
        let record = record.map_err(unreadable)?;
        let line = record.position().map_or(0, csv::Position::line);
        let fault = |what: &str| Error::Caller(format!("{}, line {line}: {what}", path.display()));
        let field = |at: usize| record.get(at).unwrap_or_default().trim();
        let film = field(0).rsplit_once('.').map_or(field(0), |(stem, _)| stem).to_owned();
        let finding =
            observation(field(1)).ok_or_else(|| fault(&format!("'{}' is no finding that is known", field(1))))?;
        let mut area = [0.0f32; 4];
        for (at, slot) in area.iter_mut().enumerate() {
            let number = field(at + 2).parse().ok().filter(|v: &f32| v.is_finite() && *v >= 0.0);
            *slot = number.ok_or_else(|| fault(&format!("column {}: wanted pixels", at + 3)))?;
        }
        boxes.push(BoxOfFilm { film, finding, area });
    }
    Ok(boxes)
}

/// The data set's word for an observation.
fn observation(label: &str) -> Option<Observation> {
    match label {
        "Infiltrate" | "Infiltration" => Some(Observation::LungOpacity),
        "Mass" | "Nodule" => Some(Observation::LungLesion),
        "Effusion" => Some(Observation::PleuralEffusion),
        "Pleural_Thickening" => Some(Observation::PleuralOther),
        other => other.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_list_of_the_data_set_is_read_and_a_bad_line_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("boxes.csv");
        let head = "Image Index,Finding Label,Bbox [x,y,w,h],,,\n";
        fs_err::write(&path, format!("{head}00000001_000.png,Infiltrate,10.5,20,30,40,,,\n")).unwrap();
        let wanted = BoxOfFilm {
            film: "00000001_000".to_owned(),
            finding: Observation::LungOpacity,
            area: [10.5, 20.0, 30.0, 40.0],
        };
        assert_eq!(boxes(&path).unwrap(), [wanted]);
        for (line, complaint) in [("a.png,Gout,1,2,3,4", "line 2: 'Gout'"), ("a.png,Mass,1,2,x,4", "line 2: column 5")]
        {
            fs_err::write(&path, format!("{head}{line}\n")).unwrap();
            let message = boxes(&path).unwrap_err().to_string();
            assert!(message.contains(complaint), "{message}");
        }
    }
}
