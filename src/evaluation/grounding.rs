//! Does the heat map point at the finding? The pointing game (Zhang et al., ECCV 2016) on boxes that radiologists drew
//! (NIH ChestX-ray14, `BBox_List_2017.csv`): a hit where the map's peak lies within the box.
//!
//! Chance is the box's share of the film. That is easy to beat without looking: hearts lie low in the middle. So two
//! blind baselines stand beside it: the film's centre, and the place that most boxes of other patients cover.

use std::path::Path;

use serde::Serialize;
use thorax_index::Catalogue;
use thorax_models::{Encoder, Regions};

use super::bootstrap::{Bootstrap, Interval};
use super::cohort::{Film, Truth, encode, ensemble};
use super::metrics::mean;
use super::report::{Bar, Bars, Cell, Part, Plot, Sheet, Table};
use crate::error::{Error, Result};
use crate::explain::{Against, HeatMap, Place};
use crate::findings::{Observation, prompts};
use crate::indexing::document::study;
use crate::training::split::Split;

/// Side of the originals that the boxes were drawn on, in pixels.
const ORIGINAL: f32 = 1024.0;

/// Cells of a side, where boxes of other patients are counted.
const CELLS: usize = 64;

/// Fewer boxes of the same finding by other patients, and those of all findings are counted.
const ENOUGH: usize = 3;

/// A box centre nearer to the midline than this share of the width has no side.
const MIDLINE: f32 = 0.1;

/// What is held against the query, by default: chosen before any box was looked at.
pub const AGAINST: Against = Against::Normal;

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

/// Figures of a group of boxes.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// A finding, or what else the boxes have in common.
    pub name: String,
    /// Boxes.
    pub boxes: usize,
    /// Share of peaks within their box.
    pub hits: Option<Interval>,
    /// Mean share of the film that the box covers: hits of a point drawn at random.
    pub area: f64,
    /// Hits of the film's centre.
    pub centre: f64,
    /// Hits of the place that most boxes of other patients cover.
    pub others: f64,
    /// Hits less area, paired.
    pub above_area: Option<Interval>,
    /// Hits less those of other patients' boxes, paired.
    pub above_others: Option<Interval>,
    /// Boxes that lie on one side of the midline.
    pub sided: usize,
    /// Share of their peaks on the same side; of chance a half.
    pub side: Option<Interval>,
}

/// A way of making the map.
#[derive(Clone, Debug, Serialize)]
pub struct Variant {
    /// What is held against the query.
    pub against: Against,
    /// The map shows what each place adds to the film's score; else the cosine of the place alone.
    pub contribution: bool,
    /// Share of peaks within their box.
    pub hits: Option<Interval>,
}

/// Figures of one evaluation.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Rows and columns of the encoder's grid.
    pub grid: (usize, usize),
    /// Boxes whose film is not in the catalogue.
    pub missing: usize,
    /// All boxes.
    pub all: Row,
    /// Boxes of patients that were neither trained nor validated on; nobody's boxes are ever trained on.
    pub held_out: Option<Row>,
    /// Per finding.
    pub findings: Vec<Row>,
    /// What other maps would have come to; the first is the one that is used.
    pub variants: Vec<Variant>,
}

/// A box on its film, with the film's regions.
struct Case {
    finding: Observation,
    patient: String,
    regions: Regions,
    film: (u32, u32),
    /// In pixels of the film.
    area: [f32; 4],
}

/// Plays the pointing game.
///
/// # Errors
/// None of the films is in the catalogue, or the encoder fails.
pub fn grounding(
    catalogue: &Catalogue,
    encoder: &Encoder,
    boxes: &[BoxOfFilm],
    seed: u64,
    resamples: usize,
) -> Result<Report> {
    let (cases, missing) = cases(catalogue, encoder, boxes)?;
    let first = cases.first().map(|c| (c.regions.rows, c.regions.columns)).unwrap_or_default();
    let mut variants = Vec::new();
    let mut peaks = Vec::new();
    for (against, contribution) in [
        (AGAINST, true),
        (AGAINST, false),
        (Against::Denied, true),
        (Against::Denied, false),
        (Against::Nothing, true),
        (Against::Nothing, false),
    ] {
        let points = points(encoder, &cases, against, contribution)?;
        let hits = bootstrap(&cases, seed, resamples)
            .interval(|items| share(items, |i| Some(inside(&points.get(i)?.clone(), cases.get(i)?.area))));
        variants.push(Variant { against, contribution, hits });
        if peaks.is_empty() {
            peaks = points;
        }
    }
    let blind: Vec<Blind> = (0..cases.len()).filter_map(|i| Blind::of(&cases, i)).collect();
    let row = |name: &str, keep: &dyn Fn(&Case) -> bool| {
        let kept: Vec<usize> = (0..cases.len()).filter(|i| cases.get(*i).is_some_and(keep)).collect();
        row(name, &kept, &cases, &peaks, &blind, (seed, resamples))
    };
    let findings = Observation::ALL
        .into_iter()
        .filter(|o| cases.iter().any(|c| c.finding == *o))
        .map(|o| row(o.name(), &|c| c.finding == o))
        .collect();
    let held_out = row("boxes of test patients", &|c| Split::of(&c.patient) == Split::Test);
    Ok(Report {
        grid: first,
        missing,
        all: row("all boxes", &|_| true),
        held_out: (held_out.boxes > 0).then_some(held_out),
        findings,
        variants,
    })
}

fn cases(catalogue: &Catalogue, encoder: &Encoder, boxes: &[BoxOfFilm]) -> Result<(Vec<Case>, usize)> {
    let mut wanted = Vec::new();
    let mut sizes = Vec::new();
    for (at, one) in boxes.iter().enumerate() {
        let Some(document) = catalogue.get(&format!("nih/{}", one.film))? else { continue };
        let study = study(&document)?;
        let Some(image) = study.images.into_iter().next() else { continue };
        sizes.push(image.size);
        // The id carries the place in the list through the encoding.
        wanted.push(Film { id: at.to_string(), path: image.path, patient: study.patient, truth: Truth::default() });
    }
    if wanted.is_empty() {
        return Err(Error::Caller(
            "none of the films with boxes is in the catalogue: `thorax import nih PATH` first".to_owned(),
        ));
    }
    let size_of: std::collections::HashMap<String, (u32, u32)> =
        wanted.iter().map(|f| f.id.clone()).zip(sizes).collect();
    let encoded = encode(encoder, wanted, |pixels| Ok(encoder.embed_regions(pixels)?))?;
    let cases: Vec<Case> = encoded
        .into_iter()
        .filter_map(|(film, regions)| {
            let one = boxes.get(film.id.parse::<usize>().ok()?)?;
            let size = *size_of.get(&film.id)?;
            let (across, down) = (size.0 as f32 / ORIGINAL, size.1 as f32 / ORIGINAL);
            let [x, y, w, h] = one.area;
            let area = [x * across, y * down, w * across, h * down];
            Some(Case { finding: one.finding, patient: film.patient, regions, film: size, area })
        })
        .collect();
    let missing = boxes.len() - cases.len();
    Ok((cases, missing))
}

/// The peak of each case's map.
fn points(encoder: &Encoder, cases: &[Case], against: Against, contribution: bool) -> Result<Vec<Place>> {
    let mut directions: Vec<Option<Vec<f32>>> = vec![None; Observation::COUNT];
    for case in cases {
        let Some(slot) = directions.get_mut(case.finding.index()).filter(|slot| slot.is_none()) else { continue };
        let query = ensemble(&encoder.embed_texts(&prompts(case.finding))?);
        *slot = Some(against.less(encoder, query, Some(case.finding))?);
    }
    Ok(cases
        .iter()
        .map(|case| {
            let direction = directions.get(case.finding.index()).and_then(|d| d.as_deref()).unwrap_or_default();
            if contribution {
                return HeatMap::new(&case.regions, direction, case.film).peak();
            }
            let alone = |v: &Vec<f32>| v.iter().zip(direction).map(|(a, b)| a * b).sum();
            let values = case.regions.vectors.iter().map(alone).collect();
            HeatMap::of_values(case.regions.rows, case.regions.columns, values, case.film).peak()
        })
        .collect())
}

fn inside(point: &Place, [x, y, w, h]: [f32; 4]) -> bool {
    (x..=x + w).contains(&point.x) && (y..=y + h).contains(&point.y)
}

/// What can be said of a box without looking at its film.
struct Blind {
    area: f64,
    centre: bool,
    others: bool,
}

impl Blind {
    fn of(cases: &[Case], at: usize) -> Option<Self> {
        let case = cases.get(at)?;
        let (width, height) = (case.film.0 as f32, case.film.1 as f32);
        let [_, _, w, h] = case.area;
        let others = |same: bool| -> Vec<&Case> {
            let other = |c: &&Case| c.patient != case.patient && (!same || c.finding == case.finding);
            cases.iter().filter(other).collect()
        };
        let alike = others(true);
        let pool = if alike.len() >= ENOUGH { alike } else { others(false) };
        let (across, down) = most_covered(&pool);
        Some(Self {
            area: f64::from(w * h) / f64::from((width * height).max(1.0)),
            centre: inside(&Place::new(width / 2.0, height / 2.0, case.film), case.area),
            others: inside(&Place::new(across * width, down * height, case.film), case.area),
        })
    }
}

/// The point that most boxes cover, as a share of width and height; the mean of all such points.
fn most_covered(cases: &[&Case]) -> (f32, f32) {
    let mut best = (0usize, 0.0f32, 0.0f32, 0usize);
    for row in 0..CELLS {
        for column in 0..CELLS {
            let centre = |cell: usize| (cell as f32 + 0.5) / CELLS as f32;
            let (across, down) = (centre(column), centre(row));
            let covers = |c: &&&Case| {
                let point = Place::new(across * c.film.0 as f32, down * c.film.1 as f32, c.film);
                inside(&point, c.area)
            };
            let count = cases.iter().filter(covers).count();
            if count > best.0 {
                best = (count, across, down, 1);
            } else if count == best.0 {
                best = (count, best.1 + across, best.2 + down, best.3 + 1);
            }
        }
    }
    let n = best.3.max(1) as f32;
    (best.1 / n, best.2 / n)
}

fn bootstrap(cases: &[Case], seed: u64, resamples: usize) -> Bootstrap {
    Bootstrap::by_patient(cases.iter().map(|c| &c.patient)).seed(seed).resamples(resamples)
}

fn share(items: &[usize], hit: impl Fn(usize) -> Option<bool>) -> Option<f64> {
    let hits: Vec<f64> = items.iter().filter_map(|i| hit(*i)).map(|h| f64::from(u8::from(h))).collect();
    (!hits.is_empty()).then(|| mean(hits))
}

fn row(
    name: &str,
    kept: &[usize],
    cases: &[Case],
    peaks: &[Place],
    blind: &[Blind],
    (seed, resamples): (u64, usize),
) -> Row {
    let hit = |i: usize| Some(inside(peaks.get(i)?, cases.get(i)?.area));
    // Which side of the midline, where the box has one: is the peak on the same?
    let side = |i: usize| {
        let case = cases.get(i)?;
        let middle = case.film.0 as f32 / 2.0;
        let off = case.area[0] + case.area[2] / 2.0 - middle;
        (off.abs() > MIDLINE * case.film.0 as f32).then_some((peaks.get(i)?.x > middle) == (off > 0.0))
    };
    let of_kept: Vec<&str> = kept.iter().filter_map(|i| cases.get(*i)).map(|c| c.patient.as_str()).collect();
    let draw = Bootstrap::by_patient(of_kept).seed(seed).resamples(resamples);
    let found = draw.intervals(|items| {
        let items: Vec<usize> = items.iter().filter_map(|i| kept.get(*i).copied()).collect();
        let hits = share(&items, hit);
        let area = mean(items.iter().filter_map(|i| blind.get(*i)).map(|b| b.area));
        let others = share(&items, |i| Some(blind.get(i)?.others));
        let less = |a: Option<f64>, b: Option<f64>| Some(a? - b?);
        vec![hits, less(hits, Some(area)), less(hits, others), share(&items, side)]
    });
    let at = |place: usize| found.get(place).copied().flatten();
    let of_blind = |value: fn(&Blind) -> f64| mean(kept.iter().filter_map(|i| blind.get(*i)).map(value));
    Row {
        name: name.to_owned(),
        boxes: kept.len(),
        hits: at(0),
        area: of_blind(|b| b.area),
        centre: of_blind(|b| f64::from(u8::from(b.centre))),
        others: of_blind(|b| f64::from(u8::from(b.others))),
        above_area: at(1),
        above_others: at(2),
        sided: kept.iter().filter(|i| side(**i).is_some()).count(),
        side: at(3),
    }
}

impl Report {
    /// The figures for people.
    pub fn sheet(&self) -> Sheet {
        let line = |row: &Row| {
            vec![
                Cell::from(row.name.as_str()),
                row.boxes.into(),
                row.hits.into(),
                row.area.into(),
                row.centre.into(),
                row.others.into(),
                row.above_area.into(),
                row.above_others.into(),
                row.sided.into(),
                row.side.into(),
            ]
        };
        let rows = self.findings.iter().chain([&self.all]).chain(&self.held_out).map(line).collect();
        let columns = vec![
            "boxes of",
            "n",
            "hits",
            "area",
            "centre",
            "other boxes",
            "hits - area",
            "hits - other boxes",
            "n on one side",
            "right side",
        ];
        let bars = self
            .findings
            .iter()
            .chain([&self.all])
            .filter_map(|row| Some(Bar { name: row.name.clone(), value: row.hits?, mark: Some(row.area) }));
        let variants = self.variants.iter().map(|v| {
            let against = match v.against {
                Against::Nothing => "the query alone",
                Against::Normal => "less a normal chest",
                Against::Denied => "less its denial",
            };
            let of = if v.contribution { "what the place adds" } else { "cosine of the place" };
            vec![Cell::Text(format!("{against}, {of}")), v.hits.into()]
        });
        Sheet {
            title: "Pointing game of the heat map".to_owned(),
            notes: vec![
                format!(
                    "{} boxes ({} have no film in the catalogue); the encoder's grid is {} by {}. Hit: the map's peak lies in \
                     the box.",
                    self.all.boxes, self.missing, self.grid.0, self.grid.1
                ),
                "Area: the box's share of the film, the hits of chance. Centre and other boxes are blind: the film's centre, and \
                 the place that most boxes of other patients (of the same finding, where there are three) cover."
                    .to_owned(),
                "Boxes are never trained on; films and labels of training patients are, so test patients stand apart."
                    .to_owned(),
            ],
            parts: vec![
                Part::Table(Table { title: "Pointing game".to_owned(), columns, rows }),
                Part::Plot(Plot::Bars(Bars {
                    title: "Share of peaks within their box".to_owned(),
                    axis: "hits".to_owned(),
                    range: (0.0, 1.0),
                    mark: "area of the box".to_owned(),
                    rows: bars.collect(),
                })),
                Part::Table(Table {
                    title: "Other maps; the first is used, chosen before".to_owned(),
                    columns: vec!["map", "hits"],
                    rows: variants.collect(),
                }),
            ],
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn case(patient: &str, finding: Observation, area: [f32; 4]) -> Case {
        let regions = Regions { rows: 1, columns: 1, vectors: vec![vec![1.0]], weights: vec![1.0] };
        Case { finding, patient: patient.to_owned(), regions, film: (100, 200), area }
    }

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

    #[test]
    fn blind_baselines_by_hand() {
        let edema = Observation::Edema;
        // Three patients have the same box in the lower right, a fourth one in the upper left.
        let lower = [60.0, 150.0, 20.0, 20.0];
        let cases = [
            case("a", edema, lower),
            case("b", edema, lower),
            case("c", edema, lower),
            case("d", edema, [0.0, 0.0, 60.0, 110.0]),
        ];
        let first = Blind::of(&cases, 0).unwrap();
        assert!((first.area - 0.02).abs() < 1e-6 && first.others && !first.centre);
        let last = Blind::of(&cases, 3).unwrap();
        assert!((last.area - 0.33).abs() < 1e-6 && !last.others && last.centre);
    }

    #[test]
    fn hits_and_sides_by_hand() {
        let edema = Observation::Edema;
        let cases = [
            case("a", edema, [70.0, 100.0, 20.0, 20.0]),
            case("b", edema, [10.0, 100.0, 20.0, 20.0]),
            case("c", edema, [45.0, 100.0, 10.0, 20.0]),
        ];
        let blind: Vec<Blind> = (0..3).filter_map(|i| Blind::of(&cases, i)).collect();
        let point = |x: f32| Place::new(x, 110.0, (100, 200));
        let found = row("all", &[0, 1, 2], &cases, &[point(80.0), point(60.0), point(50.0)], &blind, (0, 100));
        assert!((found.hits.unwrap().value - 2.0 / 3.0).abs() < 1e-9);
        // The third box is on the midline; of the others one peak is on the wrong side.
        assert_eq!((found.sided, found.side.unwrap().value), (2, 0.5));
    }
}
