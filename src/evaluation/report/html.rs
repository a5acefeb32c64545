//! One HTML file: no script, no font, no image from anywhere, so that it can be mailed and kept.

use std::path::Path;

use super::svg::{self, escape};
use super::{About, Cell, Part, Plot, Sheet, Table};
use crate::NOTICE;
use crate::error::{Error, Result};

const STYLE: &str = include_str!("report.css");

/// Writes the sheet to a file.
///
/// # Errors
/// The file cannot be written: its path is in the message.
pub fn write(path: &Path, sheet: &Sheet, about: &About) -> Result<()> {
    fs_err::write(path, page(sheet, about)).map_err(|e| Error::Caller(format!("--report: {e}")))
}

/// The sheet as a page.
pub fn page(sheet: &Sheet, about: &About) -> String {
    let title = escape(&sheet.title);
    let notes: String = sheet.notes.iter().map(|note| format!("<p>{}</p>\n", escape(note))).collect();
    let parts: String = sheet
        .parts
        .iter()
        .map(|part| match part {
            Part::Table(shown) => table(shown),
            Part::Plot(shown) => figure(shown),
        })
        .collect();
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title} - thorax</title>\n\
         <style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n{notes}{parts}{}\n\
         <p class=\"notice\">{}</p>\n</main>\n</body>\n</html>\n",
        provenance(about),
        escape(NOTICE)
    )
}

fn table(shown: &Table) -> String {
    let head: String = shown
        .columns
        .iter()
        .enumerate()
        .map(|(at, name)| {
            format!("<th scope=\"col\"{}>{}</th>", if at > 0 { " class=\"n\"" } else { "" }, escape(name))
        })
        .collect();
    let rows: String = shown.rows.iter().map(|row| format!("<tr>{}</tr>\n", cells(row))).collect();
    format!(
        "<div class=\"wide\" role=\"region\" aria-label=\"{0}\" tabindex=\"0\"><table>\n<caption>{0}</caption>\n\
         <thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table></div>\n",
        escape(if shown.title.is_empty() { "Figures" } else { &shown.title })
    )
}

fn cells(row: &[Cell]) -> String {
    row.iter()
        .enumerate()
        .map(|(at, cell)| match (at, cell) {
            (0, cell) => format!("<th scope=\"row\">{}</th>", escape(&cell.text())),
            (_, Cell::Between(interval)) => format!(
                "<td class=\"n\">{:.3} <span class=\"i\">[{:.3}, {:.3}]</span></td>",
                interval.value, interval.low, interval.high
            ),
            (_, Cell::None) => "<td class=\"n\"><span aria-label=\"no value\">-</span></td>".to_owned(),
            (_, cell) => format!("<td class=\"n\">{}</td>", escape(&cell.text())),
        })
        .collect()
}

fn figure(shown: &Plot) -> String {
    let (title, mark) = match shown {
        Plot::Bars(bars) => (&bars.title, bars.mark.as_str()),
        Plot::Curves(curves) => (&curves.title, "diagonal: chance"),
    };
    let key = match shown {
        Plot::Bars(_) => format!("dot: value; line: 95% interval; upright mark: {mark}"),
        Plot::Curves(_) => mark.to_owned(),
    };
    format!(
        "<figure>{}<figcaption>{} <span class=\"i\">({})</span></figcaption></figure>\n",
        svg::plot(shown),
        escape(title),
        escape(&key)
    )
}

fn provenance(about: &About) -> String {
    let seed = about.seed.to_string();
    let resamples = format!("95%, percentiles of {} resamples of patients", about.resamples);
    let facts = [
        ("Command", about.command.as_str()),
        ("thorax", about.version.as_str()),
        ("Model", about.model.as_str()),
        ("Fingerprint", about.fingerprint.as_str()),
        ("Data", about.data.as_str()),
        ("Split", about.split.as_str()),
        ("Intervals", resamples.as_str()),
        ("Seed", seed.as_str()),
    ];
    let rows: String = facts
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("<dt>{name}</dt><dd>{}</dd>\n", escape(value)))
        .collect();
    format!("<h2>How to make these figures again</h2>\n<dl>\n{rows}</dl>")
}

#[cfg(test)]
mod tests {
    use super::super::{Bar, Bars};
    use super::*;
    use crate::evaluation::bootstrap::Interval;

    #[test]
    fn the_page_stands_alone_and_says_where_it_comes_from() {
        let value = Interval { value: 0.7, low: 0.6, high: 0.8 };
        let sheet = Sheet {
            title: "Zero-shot <classification>".to_owned(),
            notes: vec!["Scores & ranks.".to_owned()],
            parts: vec![
                Part::Table(Table {
                    title: "Per finding".to_owned(),
                    columns: vec!["finding", "AUC"],
                    rows: vec![vec!["Edema".into(), Cell::Between(value)], vec!["Fracture".into(), Cell::None]],
                }),
                Part::Plot(Plot::Bars(Bars {
                    title: "AUC".to_owned(),
                    axis: "AUC".to_owned(),
                    range: (0.0, 1.0),
                    mark: "chance".to_owned(),
                    rows: vec![Bar { name: "Edema".to_owned(), value, mark: Some(0.5) }],
                })),
            ],
        };
        let about = About {
            command: "thorax eval zero-shot --source \"nih\"".to_owned(),
            fingerprint: "abc123".to_owned(),
            seed: 7,
            ..About::default()
        };
        let page = page(&sheet, &about);
        for wanted in [
            "<h1>Zero-shot &lt;classification&gt;</h1>",
            "<caption>Per finding</caption>",
            "<th scope=\"row\">Edema</th>",
            "0.700 <span class=\"i\">[0.600, 0.800]</span>",
            "<svg",
            "prefers-color-scheme",
            "--source &quot;nih&quot;",
            "abc123",
            "Not for diagnosis",
        ] {
            assert!(page.contains(wanted), "{wanted} is missing:\n{page}");
        }
        for outside in ["<script", "<link", "<img", "src=", "@import", "url("] {
            assert!(!page.contains(outside), "{outside} asks for another file");
        }
        assert_eq!(page.matches("http").count(), 1, "only the name space of SVG");
    }
}
