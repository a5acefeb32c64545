//! Does the heat map point at the finding? The pointing game (Zhang et al., ECCV 2016) on boxes that radiologists drew
//! (NIH ChestX-ray14, `BBox_List_2017.csv`): a hit where the map's peak lies within the box.
//!
//! Chance is the box's share of the film. That is easy to beat without looking: hearts lie low in the middle. So two
//! blind baselines stand beside it: the film's centre, and the place that most boxes of other patients cover.

use serde::Serialize;
use thorax_index::Catalogue;
use thorax_models::{Encoder, Regions};

use super::blind::Blind;
use super::bootstrap::{Bootstrap, Interval};
use super::boxes::BoxOfFilm;
use super::cohort::{Film, Truth, encode, ensemble};
use super::metrics::mean;
use crate::error::{Error, Result};
use crate::explain::{Against, HeatMap, Place};
use crate::findings::{Observation, prompts};
use crate::indexing::document::study;
use crate::training::split::Split;

/// Side of the originals that the boxes were drawn on, in pixels.
const ORIGINAL: f32 = 1024.0;

/// A box centre nearer to the midline than this share of the width has no side.
const MIDLINE: f32 = 0.1;

/// What is held against the query, by default: chosen before any box was looked at.
pub const AGAINST: Against = Against::Normal;

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

/// What a map shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Style {
    /// What each place adds to the film's score: what `thorax explain` shows.
    Contribution,
    /// The same, less what that place adds on the mean of the other patients' films.
    Centred,
    /// The cosine of the place alone.
    Cosine,
}

/// A way of making the map.
#[derive(Clone, Debug, Serialize)]
pub struct Variant {
    /// What is held against the query.
    pub against: Against,
    /// What the map shows.
    pub style: Style,
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
pub(super) struct Case {
    pub(super) finding: Observation,
    pub(super) patient: String,
    pub(super) regions: Regions,
    pub(super) film: (u32, u32),
    /// In pixels of the film.
    pub(super) area: [f32; 4],
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
    for (against, style) in [
        (AGAINST, Style::Contribution),
        (AGAINST, Style::Centred),
        (AGAINST, Style::Cosine),
        (Against::Denied, Style::Contribution),
        (Against::Denied, Style::Centred),
        (Against::Nothing, Style::Contribution),
        (Against::Nothing, Style::Centred),
    ] {
        let points = points(encoder, &cases, against, style)?;
        let hits = bootstrap(&cases, seed, resamples)
            .interval(|items| share(items, |i| Some(inside(points.get(i)?, cases.get(i)?.area))));
        variants.push(Variant { against, style, hits });
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
fn points(encoder: &Encoder, cases: &[Case], against: Against, style: Style) -> Result<Vec<Place>> {
    let mut directions: Vec<Option<Vec<f32>>> = vec![None; Observation::COUNT];
    for case in cases {
        let Some(slot) = directions.get_mut(case.finding.index()).filter(|slot| slot.is_none()) else { continue };
        let query = ensemble(&encoder.embed_texts(&prompts(case.finding))?);
        *slot = Some(against.less(encoder, query, Some(case.finding))?);
    }
    let direction = |case: &Case| directions.get(case.finding.index()).and_then(|d| d.as_deref()).unwrap_or_default();
    Ok(cases.iter().map(|case| map(case, cases, direction(case), style).peak()).collect())
}

fn map(case: &Case, cases: &[Case], direction: &[f32], style: Style) -> HeatMap {
    let of = |case: &Case| HeatMap::new(&case.regions, direction, case.film);
    let mut map = of(case);
    match style {
        Style::Contribution => {}
        Style::Cosine => {
            let alone = |v: &Vec<f32>| v.iter().zip(direction).map(|(a, b)| a * b).sum();
            map.values = case.regions.vectors.iter().map(alone).collect();
        }
        Style::Centred => {
            let others: Vec<HeatMap> = cases.iter().filter(|c| c.patient != case.patient).map(of).collect();
            for (place, value) in map.values.iter_mut().enumerate() {
                *value -= others.iter().filter_map(|o| o.values.get(place)).sum::<f32>() / others.len().max(1) as f32;
            }
        }
    }
    map
}

pub(super) fn inside(point: &Place, [x, y, w, h]: [f32; 4]) -> bool {
    (x..=x + w).contains(&point.x) && (y..=y + h).contains(&point.y)
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

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    pub(in crate::evaluation) fn case(patient: &str, finding: Observation, area: [f32; 4]) -> Case {
        let regions = Regions { rows: 1, columns: 1, vectors: vec![vec![1.0]], weights: vec![1.0] };
        Case { finding, patient: patient.to_owned(), regions, film: (100, 200), area }
    }

    #[test]
    fn a_centred_map_forgets_what_all_films_have() {
        let film = |patient: &str, values: [f32; 4]| {
            let vectors = values.map(|v| vec![v]).to_vec();
            let regions = Regions { rows: 2, columns: 2, vectors, weights: vec![1.0; 4] };
            Case { regions, ..case(patient, Observation::Edema, [0.0; 4]) }
        };
        // All films are bright in the first corner, the first one a little in the last too.
        let cases = [film("a", [5.0, 0.0, 0.0, 1.0]), film("a", [9.0; 4]), film("b", [5.0, 0.0, 0.0, 0.0])];
        let values = |style| map(&cases[0], &cases, &[1.0], style).values;
        assert_eq!(values(Style::Contribution), [5.0, 0.0, 0.0, 1.0]);
        assert_eq!(values(Style::Centred), [0.0, 0.0, 0.0, 1.0], "another film of the patient does not count");
        assert_eq!(values(Style::Cosine), [5.0, 0.0, 0.0, 1.0]);
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
