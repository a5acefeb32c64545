//! Tables on a terminal.

use super::{Cell, Part, Sheet, Table};

/// The sheet's notes and tables, without its plots.
pub fn sheet(sheet: &Sheet) -> String {
    let mut out = format!("{}\n", sheet.title);
    for note in &sheet.notes {
        out += &format!("{note}\n");
    }
    for part in &sheet.parts {
        if let Part::Table(shown) = part {
            out += &format!("\n{}", table(shown));
        }
    }
    out.trim_end().to_owned()
}

/// A table with columns as wide as they need; numbers to the right.
pub fn table(table: &Table) -> String {
    let mut widths: Vec<usize> = table.columns.iter().map(|c| c.chars().count()).collect();
    for row in &table.rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.text().chars().count());
        }
    }
    let mut out = if table.title.is_empty() { String::new() } else { format!("{}\n", table.title) };
    let header: Vec<Cell> = table.columns.iter().map(|c| Cell::from(*c)).collect();
    for row in std::iter::once(&header).chain(&table.rows) {
        let mut line = String::new();
        for (at, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let text = cell.text();
            let gap = " ".repeat(width.saturating_sub(text.chars().count()));
            match at {
                0 => line += &format!("{text}{gap}"),
                _ => line += &format!("  {gap}{text}"),
            }
        }
        out += line.trim_end();
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::{Bar, Bars, Plot};
    use super::*;
    use crate::evaluation::bootstrap::Interval;

    #[test]
    fn names_to_the_left_and_numbers_to_the_right() {
        let interval = Interval { value: 0.7, low: 0.6, high: 0.8 };
        let rows = vec![
            vec!["Edema".into(), 12.into(), Cell::Between(interval)],
            vec!["Pleural Effusion".into(), 7.into(), Cell::None],
        ];
        let bars = Bars {
            title: "not shown".to_owned(),
            axis: "AUC".to_owned(),
            range: (0.0, 1.0),
            mark: "chance".to_owned(),
            rows: vec![Bar { name: "Edema".to_owned(), value: interval, mark: Some(0.5) }],
        };
        let shown = Sheet {
            title: "Figures".to_owned(),
            notes: vec!["Of two findings.".to_owned()],
            parts: vec![
                Part::Table(Table { title: String::new(), columns: vec!["finding", "n", "AUC"], rows }),
                Part::Plot(Plot::Bars(bars)),
            ],
        };
        let wanted = "\
Figures
Of two findings.

finding            n                   AUC
Edema             12  0.700 [0.600, 0.800]
Pleural Effusion   7                     -";
        assert_eq!(sheet(&shown), wanted);
    }
}
