//! The pointing game without looking: how often blind guesses hit.

use super::grounding::{Case, inside};
use crate::explain::Place;

/// Cells of a side, where boxes of other patients are counted.
const CELLS: usize = 64;

/// Fewer boxes of the same finding by other patients, and those of all findings are counted.
const ENOUGH: usize = 3;

/// What can be said of a box without looking at its film.
pub(super) struct Blind {
    /// Share of the film that the box covers.
    pub(super) area: f64,
    /// The film's centre lies in it.
    pub(super) centre: bool,
    /// The place that most boxes of other patients cover lies in it.
    pub(super) others: bool,
}

impl Blind {
    pub(super) fn of(cases: &[Case], at: usize) -> Option<Self> {
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::grounding::tests::case;
    use super::*;
    use crate::findings::Observation;

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
}
