//! Plots as SVG text. Colours come from the page's style sheet, so that they follow its light or dark scheme; every
//! plot has a title and a description, and repeats what a table says.

use std::fmt::Write;

use super::{Bars, Curves, Plot};

const WIDTH: f64 = 720.0;
const NAMES: f64 = 200.0;
const ROW: f64 = 26.0;
const SQUARE: f64 = 420.0;

/// The plot as an `<svg>` element.
pub fn plot(plot: &Plot) -> String {
    match plot {
        Plot::Bars(shown) => bars(shown),
        Plot::Curves(shown) => curves(shown),
    }
}

fn bars(shown: &Bars) -> String {
    let (from, to) = shown.range;
    let span = if to > from { to - from } else { 1.0 };
    let (left, right) = (NAMES, WIDTH - 20.0);
    let x = |value: f64| left + (value.clamp(from, to) - from) / span * (right - left);
    let bottom = 14.0 + ROW * shown.rows.len() as f64;
    let mut out = open(WIDTH, bottom + 44.0, &shown.title, &described(shown));
    for step in 0..=4 {
        let value = from + span * f64::from(step) / 4.0;
        let at = x(value);
        line(&mut out, "grid", (at, 8.0), (at, bottom));
        label(&mut out, "tick", "middle", (at, bottom + 16.0), &short(value));
    }
    label(&mut out, "axis", "middle", ((left + right) / 2.0, bottom + 36.0), &shown.axis);
    for (number, row) in shown.rows.iter().enumerate() {
        let y = 14.0 + ROW * (number as f64 + 0.5);
        label(&mut out, "name", "end", (left - 12.0, y + 4.0), &row.name);
        let (low, high, value) = (x(row.value.low), x(row.value.high), x(row.value.value));
        line(&mut out, "interval", (low, y), (high, y));
        for end in [low, high] {
            line(&mut out, "interval", (end, y - 4.0), (end, y + 4.0));
        }
        if let Some(mark) = row.mark {
            line(&mut out, "mark", (x(mark), y - 9.0), (x(mark), y + 9.0));
        }
        let _ = write!(out, r#"<circle class="value" cx="{value:.1}" cy="{y:.1}" r="4.5"/>"#);
    }
    out + "</svg>"
}

/// What a reader who does not see the plot gets.
fn described(shown: &Bars) -> String {
    let rows: Vec<String> = shown
        .rows
        .iter()
        .map(|row| match row.mark {
            Some(mark) => format!("{}: {:.3}, {} {mark:.3}", row.name, row.value, shown.mark),
            None => format!("{}: {:.3}", row.name, row.value),
        })
        .collect();
    format!("{}. {}", shown.axis, rows.join("; "))
}

fn curves(shown: &Curves) -> String {
    let (left, top, side) = (56.0, 12.0, SQUARE - 72.0);
    let x = |value: f64| left + value.clamp(0.0, 1.0) * side;
    let y = |value: f64| top + (1.0 - value.clamp(0.0, 1.0)) * side;
    let names: Vec<&str> = shown.curves.iter().map(|c| c.0.as_str()).collect();
    let text = format!("{} over {}, for {}", shown.axes.1, shown.axes.0, names.join(", "));
    let mut out = open(WIDTH, SQUARE, &shown.title, &text);
    for step in 0..=4 {
        let value = f64::from(step) / 4.0;
        line(&mut out, "grid", (x(value), y(0.0)), (x(value), y(1.0)));
        line(&mut out, "grid", (x(0.0), y(value)), (x(1.0), y(value)));
        label(&mut out, "tick", "middle", (x(value), y(0.0) + 16.0), &short(value));
        label(&mut out, "tick", "end", (x(0.0) - 6.0, y(value) + 4.0), &short(value));
    }
    line(&mut out, "chance", (x(0.0), y(0.0)), (x(1.0), y(1.0)));
    label(&mut out, "axis", "middle", (x(0.5), y(0.0) + 38.0), &shown.axes.0);
    let (ax, ay) = (16.0, y(0.5));
    let _ = write!(
        out,
        r#"<text class="axis" text-anchor="middle" transform="rotate(-90 {ax} {ay})" x="{ax}" y="{ay}">{}</text>"#,
        escape(&shown.axes.1)
    );
    for (number, (name, points)) in shown.curves.iter().enumerate() {
        let colour = number % 8;
        // Every second round of colours is dashed, so that sixteen curves can be told apart.
        let dash = if number / 8 % 2 == 1 { r#" stroke-dasharray="5 3""# } else { "" };
        let points: Vec<String> = points.iter().map(|(a, b)| format!("{:.1},{:.1}", x(*a), y(*b))).collect();
        let _ = write!(out, r#"<polyline class="curve c{colour}"{dash} points="{}"/>"#, points.join(" "));
        let at = top + 10.0 + 20.0 * number as f64;
        let key = left + side + 24.0;
        let _ =
            write!(out, r#"<line class="curve c{colour}"{dash} x1="{key}" y1="{at}" x2="{}" y2="{at}"/>"#, key + 24.0);
        label(&mut out, "name", "start", (key + 32.0, at + 4.0), name);
    }
    out + "</svg>"
}

fn open(width: f64, height: f64, title: &str, description: &str) -> String {
    format!(
        r#"<svg viewBox="0 0 {width} {height}" role="img" xmlns="http://www.w3.org/2000/svg"><title>{}</title><desc>{}</desc>"#,
        escape(title),
        escape(description)
    )
}

fn line(out: &mut String, class: &str, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
    let _ = write!(out, r#"<line class="{class}" x1="{x1:.1}" y1="{y1:.1}" x2="{x2:.1}" y2="{y2:.1}"/>"#);
}

fn label(out: &mut String, class: &str, anchor: &str, (x, y): (f64, f64), text: &str) {
    let _ =
        write!(out, r#"<text class="{class}" text-anchor="{anchor}" x="{x:.1}" y="{y:.1}">{}</text>"#, escape(text));
}

/// Two digits, without a zero at the end.
fn short(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Text that is safe between tags and in attributes.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::Bar;
    use super::*;
    use crate::evaluation::bootstrap::Interval;

    #[test]
    fn a_value_lies_where_the_axis_says() {
        let value = Interval { value: 0.5, low: 0.25, high: 1.0 };
        let shown = Bars {
            title: "a < b".to_owned(),
            axis: "AUC".to_owned(),
            range: (0.0, 1.0),
            mark: "chance".to_owned(),
            rows: vec![Bar { name: "Edema".to_owned(), value, mark: Some(0.0) }],
        };
        let svg = bars(&shown);
        // From 200 to 700: the middle is 450.
        assert!(svg.contains(r#"<circle class="value" cx="450.0""#), "{svg}");
        assert!(svg.contains(r#"<line class="interval" x1="325.0" y1="27.0" x2="700.0""#), "{svg}");
        assert!(svg.contains(r#"<line class="mark" x1="200.0""#), "{svg}");
        assert!(svg.contains("<title>a &lt; b</title>") && svg.contains("Edema: 0.500 [0.250, 1.000], chance 0.000"));
    }

    #[test]
    fn a_curve_goes_from_corner_to_corner() {
        let svg = curves(&Curves {
            title: "ROC".to_owned(),
            axes: ("false".to_owned(), "true".to_owned()),
            curves: vec![("Edema".to_owned(), vec![(0.0, 0.0), (0.0, 1.0), (1.0, 1.0)])],
        });
        assert!(svg.contains(r#"points="56.0,360.0 56.0,12.0 404.0,12.0""#), "{svg}");
    }

    #[test]
    fn an_empty_plot_is_a_plot() {
        let shown =
            Bars { title: String::new(), axis: String::new(), range: (0.0, 0.0), mark: String::new(), rows: vec![] };
        assert!(bars(&shown).ends_with("</svg>") && !bars(&shown).contains("NaN"));
    }
}
