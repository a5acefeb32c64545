//! The figures of [`grounding`](super::grounding) for people.

use super::grounding::{Report, Row, Style};
use super::report::{Bar, Bars, Cell, Part, Plot, Sheet, Table};
use crate::explain::Against;

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
            let of = match v.style {
                Style::Contribution => "what the place adds",
                Style::Centred => "what it adds beyond the mean of other films",
                Style::Cosine => "cosine of the place",
            };
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
