//! The figures of [`negation`](super::negation) for people.

use super::negation::{ENGINE_QUERIES, Report, Searched, Share};
use super::pairs::Pairs;
use super::report::{Bar, Bars, Cell, Curves, Part, Plot, Sheet, Table};

impl Report {
    /// The figures for people.
    pub fn sheet(&self) -> Sheet {
        let mut notes = vec![
            format!(
                "Top ten: share of the first ten results for every way of denying X that show X all the same. Chance \
                 returns the prevalence. Contrast: what is nearest to all that denies X and farthest from all that states \
                 it; so, but by the plainest prompts, the engine reads a film of which nothing is stated. The engine is the \
                 search as users get it, over the whole archive, asked in the {ENGINE_QUERIES} plainest ways: it reads labels and reports, so its figure says that nothing \
                 slips through, not that the encoder understands."
            ),
            "Pairs: texts that state X against texts that deny it, by cosine(text, \"X\") - cosine(text, \"no X\"). Unseen: \
             wordings that stand in no report of a training patient; prompts are our own, and were trained on. What a \
             sentence says is what the labeler reads in it."
                .to_owned(),
        ];
        notes.extend(self.engine_left_out.iter().map(|why| format!("No figures of the engine: {why}.")));
        let mut parts = Vec::new();
        for (name, searched) in [("films", &self.films), ("sentences of reports", &self.sentences)] {
            if let Some(searched) = searched {
                parts.extend(top(name, searched));
            }
        }
        parts.push(Part::Table(summary(&self.pairs)));
        parts.extend(self.pairs.iter().filter(|p| !p.findings.is_empty()).map(|p| Part::Table(per_finding(p))));
        parts.push(Part::Plot(Plot::Curves(Curves {
            title: "X told apart from no X".to_owned(),
            axes: ("texts that deny it".to_owned(), "texts that state it".to_owned()),
            curves: self.pairs.iter().map(|p| (p.origin.clone(), p.curve.clone())).collect(),
        })));
        Sheet { title: "Negation".to_owned(), notes, parts }
    }
}

fn top(name: &str, searched: &Searched) -> Vec<Part> {
    let engine = |share: &Option<Share>| share.as_ref().map_or([Cell::None, Cell::None], cells);
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    for row in &searched.findings {
        let mut line = vec![Cell::from(row.finding.name()), row.queries.into(), row.prevalence.into()];
        line.extend(cells(&row.encoder).into_iter().chain(cells(&row.contrast)));
        line.extend(engine(&row.engine));
        rows.push(line);
    }
    let mut line = vec![Cell::from("all"), Cell::None, searched.mean_prevalence.into()];
    line.extend(cells(&searched.encoder).into_iter().chain(cells(&searched.contrast)));
    line.extend(engine(&searched.engine));
    rows.push(line);
    let bars = searched.findings.iter().filter_map(|row| {
        Some(Bar { name: row.finding.name().to_owned(), value: row.encoder.share?, mark: Some(row.prevalence) })
    });
    vec![
        Part::Table(Table {
            title: format!("Top ten for \"no X\": {} {name} of {} patients", searched.items, searched.patients),
            columns: vec!["X", "queries", "prevalence", "encoder", "share", "contrast", "share", "engine", "share"],
            rows,
        }),
        Part::Plot(Plot::Bars(Bars {
            title: format!("Share of the first ten {name} for \"no X\" that show X, by the encoder alone"),
            axis: "share".to_owned(),
            range: (0.0, 1.0),
            mark: "prevalence".to_owned(),
            rows: bars.collect(),
        })),
    ]
}

fn cells(share: &Share) -> [Cell; 2] {
    [Cell::Text(format!("{} of {}", share.shown, share.results)), share.share.into()]
}

fn summary(pairs: &[Pairs]) -> Table {
    let rows = pairs.iter().map(|p| {
        vec![
            Cell::from(p.origin.as_str()),
            p.texts.into(),
            p.pooled.into(),
            p.macro_auc.into(),
            p.pooled_ensemble.into(),
            p.unseen.into(),
            p.pooled_unseen.into(),
        ]
    });
    Table {
        title: "\"X\" told apart from \"no X\": AUC".to_owned(),
        columns: vec!["texts of", "n", "pooled", "mean of findings", "pooled, all prompts", "unseen", "pooled, unseen"],
        rows: rows.collect(),
    }
}

fn per_finding(pairs: &Pairs) -> Table {
    let rows = pairs
        .findings
        .iter()
        .map(|row| vec![Cell::from(row.finding.name()), row.present.into(), row.absent.into(), row.auc.into()]);
    Table {
        title: format!("\"X\" told apart from \"no X\", per finding: {}", pairs.origin),
        columns: vec!["X", "state it", "deny it", "AUC"],
        rows: rows.collect(),
    }
}
