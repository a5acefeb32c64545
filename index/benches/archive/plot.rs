//! The growth as an SVG: both axes logarithmic, one line for each quantity.

use serde_json::Value;

const LINES: [(&str, &str, &str); 6] = [
    ("open_s", "opening, s", "#4269d0"),
    ("rss_mb", "memory, MB", "#efb118"),
    ("index_mb", "index on disk, MB", "#ff725c"),
    ("words_1_p50_ms", "words under filter, p50 ms, 1 client", "#6cc5b0"),
    ("words_1_p99_ms", "p99 ms, 1 client", "#3ca951"),
    ("words_16_p99_ms", "p99 ms, 16 clients", "#9c6b4e"),
];
const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 460.0;
const LEFT: f64 = 60.0;
const RIGHT: f64 = 480.0;
const TOP: f64 = 20.0;
const BOTTOM: f64 = 410.0;

/// The plot of the rows of one run.
pub fn svg(rows: &[Value]) -> String {
    let points = |name: &str| -> Vec<(f64, f64)> {
        let point = |row: &Value| Some((row["studies"].as_f64()?.log10(), row[name].as_f64()?.max(1e-3).log10()));
        rows.iter().filter_map(point).collect()
    };
    let all: Vec<(f64, f64)> = LINES.iter().flat_map(|(name, ..)| points(name)).collect();
    let bounds = |values: Vec<f64>| {
        let low = values.iter().copied().fold(f64::INFINITY, f64::min).floor();
        (low, values.iter().copied().fold(f64::NEG_INFINITY, f64::max).ceil().max(low + 1.0))
    };
    let (x0, x1) = bounds(all.iter().map(|p| p.0).collect());
    let (y0, y1) = bounds(all.iter().map(|p| p.1).collect());
    let x = |value: f64| LEFT + (value - x0) / (x1 - x0) * (RIGHT - LEFT);
    let y = |value: f64| BOTTOM - (value - y0) / (y1 - y0) * (BOTTOM - TOP);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    for decade in x0 as i32..=x1 as i32 {
        let at = x(f64::from(decade));
        out += &format!(
            "<path d=\"M{at} {TOP}V{BOTTOM}\" stroke=\"#ddd\"/><text x=\"{at}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n",
            BOTTOM + 18.0,
            10f64.powi(decade)
        );
    }
    for decade in y0 as i32..=y1 as i32 {
        let at = y(f64::from(decade));
        out += &format!(
            "<path d=\"M{LEFT} {at}H{RIGHT}\" stroke=\"#ddd\"/><text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\n",
            LEFT - 6.0,
            at + 4.0,
            10f64.powi(decade)
        );
    }
    out += &format!(
        "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">studies</text>\n",
        (LEFT + RIGHT) / 2.0,
        BOTTOM + 38.0
    );
    for (number, (name, title, colour)) in LINES.iter().enumerate() {
        let points: Vec<String> = points(name).iter().map(|p| format!("{:.1},{:.1}", x(p.0), y(p.1))).collect();
        let legend = TOP + 12.0 + 20.0 * number as f64;
        out += &format!(
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>\n",
            points.join(" ")
        );
        for point in &points {
            if let Some((px, py)) = point.split_once(',') {
                out += &format!("<circle cx=\"{px}\" cy=\"{py}\" r=\"3\" fill=\"{colour}\"/>\n");
            }
        }
        out += &format!("<text x=\"{}\" y=\"{legend}\" fill=\"{colour}\">{title}</text>\n", RIGHT + 16.0);
    }
    out + "</svg>\n"
}
