//! Which places of a film a query is near to.
//!
//! A film's embedding is a weighted sum over the places of the encoder's grid ([`Regions`]), so its cosine to a query is a
//! sum too, and the map shows the summands: the class activation map of Zhou et al. (CVPR 2016), with a text in place of
//! a class.

use serde::Serialize;
use thorax_models::Regions;
use utoipa::ToSchema;

use super::place::Place;

/// What a query's vector is held against before it is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Against {
    /// Nothing: the query as it is.
    Nothing,
    /// A normal chest.
    Normal,
    /// The denial of the same finding.
    Denied,
}

/// A value for each place of a film.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct HeatMap {
    /// Rows of the grid.
    pub rows: usize,
    /// Columns of the grid.
    pub columns: usize,
    /// Values, row after row, larger where the query is nearer.
    pub values: Vec<f32>,
    /// Width and height of the film in pixels.
    pub film: (u32, u32),
    /// The square that the grid covers, in pixels of the film: left edge, top edge, side. A film that is not square was
    /// padded, so the square reaches beyond it.
    pub square: (f32, f32, f32),
}

impl HeatMap {
    /// What each place adds to the product of the film's embedding and `direction`.
    ///
    /// `film` is width and height in pixels. The film was padded to a centred square before it was embedded.
    pub fn new(regions: &Regions, direction: &[f32], film: (u32, u32)) -> Self {
        let values = regions
            .vectors
            .iter()
            .zip(&regions.weights)
            .map(|(vector, weight)| weight * vector.iter().zip(direction).map(|(v, d)| v * d).sum::<f32>())
            .collect();
        Self::of_values(regions.rows, regions.columns, values, film)
    }

    /// A map of given values; there must be `rows * columns`, what is missing is 0.
    pub fn of_values(rows: usize, columns: usize, mut values: Vec<f32>, film: (u32, u32)) -> Self {
        values.resize(rows * columns, 0.0);
        let (width, height) = (film.0 as f32, film.1 as f32);
        let side = width.max(height);
        // Whole pixels, as the padding has them.
        let edge = |length: f32| -((side - length) / 2.0).floor();
        Self { rows, columns, values, film, square: (edge(width), edge(height), side) }
    }

    fn value(&self, row: usize, column: usize) -> f32 {
        let (row, column) = (row.min(self.rows.saturating_sub(1)), column.min(self.columns.saturating_sub(1)));
        self.values.get(row * self.columns + column).copied().unwrap_or(0.0)
    }

    /// The film's pixel under a point of the grid; (0, 0) is the corner of the first cell, whose centre is (0.5, 0.5).
    fn pixel(&self, column: f32, row: f32) -> (f32, f32) {
        let (left, top, side) = self.square;
        (left + column / self.columns.max(1) as f32 * side, top + row / self.rows.max(1) as f32 * side)
    }

    fn on_film(&self, (x, y): (f32, f32)) -> bool {
        (0.0..self.film.0 as f32).contains(&x) && (0.0..self.film.1 as f32).contains(&y)
    }

    /// Value at a pixel of the film, interpolated between the centres of the cells.
    pub fn at(&self, x: f32, y: f32) -> f32 {
        let (left, top, side) = self.square;
        let along = |from: f32, value: f32, count: usize| {
            let cell = ((value - from) / side.max(1.0) * count as f32 - 0.5).clamp(0.0, count.saturating_sub(1) as f32);
            (cell.floor() as usize, cell.fract())
        };
        let (column, right) = along(left, x, self.columns);
        let (row, down) = along(top, y, self.rows);
        let upper = self.value(row, column) * (1.0 - right) + self.value(row, column + 1) * right;
        let lower = self.value(row + 1, column) * (1.0 - right) + self.value(row + 1, column + 1) * right;
        upper * (1.0 - down) + lower * down
    }

    /// Smallest and largest value of the cells on the film.
    pub fn range(&self) -> (f32, f32) {
        let inside = self.cells().map(|(row, column)| self.value(row, column));
        inside.fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)))
    }

    /// Cells whose centre lies on the film, not on the padding; all of them where none does.
    fn cells(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let all = move || (0..self.rows).flat_map(move |row| (0..self.columns).map(move |column| (row, column)));
        let inside =
            move |(row, column): &(usize, usize)| self.on_film(self.pixel(*column as f32 + 0.5, *row as f32 + 0.5));
        let any = all().any(|cell| inside(&cell));
        all().filter(move |cell| !any || inside(cell))
    }

    /// Where the map is highest, between the cells by a parabola through the neighbours.
    pub fn peak(&self) -> Place {
        let best = self.cells().max_by(|a, b| self.value(a.0, a.1).total_cmp(&self.value(b.0, b.1)).then(b.cmp(a)));
        let (row, column) = best.unwrap_or((0, 0));
        let top = self.value(row, column);
        let shift = |before: Option<f32>, after: Option<f32>| {
            let (Some(before), Some(after)) = (before, after) else { return 0.0 };
            let bend = before - 2.0 * top + after;
            if bend < -f32::EPSILON { ((before - after) / (2.0 * bend)).clamp(-0.5, 0.5) } else { 0.0 }
        };
        let at = |row: Option<usize>, column: Option<usize>| {
            let (row, column) = (row.filter(|r| *r < self.rows)?, column.filter(|c| *c < self.columns)?);
            Some(self.value(row, column))
        };
        let right = shift(at(Some(row), column.checked_sub(1)), at(Some(row), Some(column + 1)));
        let down = shift(at(row.checked_sub(1), Some(column)), at(Some(row + 1), Some(column)));
        let (x, y) = self.pixel(column as f32 + 0.5 + right, row as f32 + 0.5 + down);
        let (width, height) = (self.film.0 as f32, self.film.1 as f32);
        Place::new(x.clamp(0.0, (width - 1.0).max(0.0)), y.clamp(0.0, (height - 1.0).max(0.0)), self.film)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(values: &[f32], film: (u32, u32)) -> HeatMap {
        let side = (values.len() as f64).sqrt() as usize;
        HeatMap::of_values(side, side, values.to_vec(), film)
    }

    #[test]
    fn contributions_add_up_to_the_cosine() {
        let regions =
            Regions { rows: 1, columns: 2, vectors: vec![vec![1.0, 0.0], vec![0.0, 1.0]], weights: vec![0.75, 0.5] };
        let map = HeatMap::new(&regions, &[0.5, 1.0], (10, 10));
        assert_eq!(map.values, [0.375, 0.5]);
        // The film's embedding is (0.75, 0.5).
        assert_eq!(map.values.iter().sum::<f32>(), 0.75 * 0.5 + 0.5);
    }

    #[test]
    fn the_peak_of_a_square_film_is_in_its_cell() {
        let mut values = [0.0; 16];
        values[7] = 1.0; // second row, last column
        let peak = map(&values, (400, 400)).peak();
        assert_eq!((peak.x, peak.y), (350.0, 150.0));
        // A neighbour that is nearly as high draws it halfway at most.
        values[11] = 0.9;
        let drawn = map(&values, (400, 400)).peak();
        assert!(drawn.y > 150.0 && drawn.y <= 200.0 && drawn.x == 350.0, "{drawn:?}");
    }

    #[test]
    fn a_film_that_is_not_square_was_padded() {
        // 200 wide, 400 high: the square begins 100 pixels to the left of the film.
        let mut values = [0.0; 16];
        values[0] = 9.0; // padding
        values[1] = 1.0; // first row, second column: centre at 150 of the square
        values[14] = 0.5;
        let map = map(&values, (200, 400));
        assert_eq!(map.square, (-100.0, 0.0, 400.0));
        let peak = map.peak();
        assert_eq!(peak.y, 50.0);
        // The parabola is drawn towards the padding, but not beyond the film.
        assert!((0.0..=50.0).contains(&peak.x), "{peak:?}");
        assert_eq!(map.range(), (0.0, 1.0));
        let wide = HeatMap::of_values(4, 4, vec![0.0; 16], (400, 200));
        assert_eq!(wide.square, (0.0, -100.0, 400.0));
    }

    #[test]
    fn between_centres_values_are_between() {
        let map = map(&[0.0, 1.0, 2.0, 3.0], (4, 4));
        assert_eq!(map.at(1.0, 1.0), 0.0);
        assert_eq!(map.at(2.0, 1.0), 0.5);
        assert_eq!(map.at(2.0, 2.0), 1.5);
        assert_eq!((map.at(-50.0, 0.0), map.at(99.0, 99.0)), (0.0, 3.0));
    }

    #[test]
    fn a_flat_map_and_an_empty_one_have_a_peak() {
        assert_eq!(map(&[1.0; 4], (8, 8)).peak().x, 2.0);
        assert_eq!(HeatMap::of_values(0, 0, Vec::new(), (0, 0)).peak().x, 0.0);
    }
}
