//! What a model says of itself: `card.json` for programs, `MODEL_CARD.md` for people.

use std::fmt::Write;
use std::path::Path;

use serde_json::{Map, Value, json};
use thorax_models::Config;
use thorax_models::train::Card;

use super::dataset::Dataset;
use super::labels;
use super::run::Options;
use crate::error::Result;

/// Name of the readable card in a model folder.
pub const FILE: &str = "MODEL_CARD.md";

/// What the application adds to `card.json`.
pub fn notes(data: &Dataset, options: &Options) -> Map<String, Value> {
    let licence = "that of the data it was trained on: see the sources above; weights of our own films and phrases are \
                   under the licence of this program";
    let from = options.from.as_ref().and_then(|dir| dir.file_name()).map(|name| name.to_string_lossy().into_owned());
    let notes = json!({
        "films_by_source": data.films_by_source,
        "texts_by_source": data.texts_by_source,
        "labels": labels::names(),
        "split": "by hash of the patient: 70% train, 10% validation, 20% test",
        "use": "search for similar studies; not for diagnosis",
        "licence": licence,
        "started_from": from,
        "settings": options.set,
        "faithful": options.faithful,
    });
    match notes {
        Value::Object(notes) => notes,
        _ => Map::new(),
    }
}

/// Writes the readable card beside the model.
///
/// # Errors
/// The file cannot be written.
pub fn write(dir: &Path, card: &Card, config: &Config) -> Result<()> {
    fs_err::write(dir.join(FILE), text(card, config))?;
    Ok(())
}

/// The readable card.
pub fn text(card: &Card, config: &Config) -> String {
    let mut out = format!("# Model card: {}\n\n", card.preset);
    // Writing to a string does not fail.
    let _ = writeln!(out, "Text and film encoder for searching chest X-rays. **Not for diagnosis.**\n");
    let _ = writeln!(out, "| | |\n|---|---|");
    let mut row = |name: &str, value: &str| {
        let _ = writeln!(out, "| {name} | {value} |");
    };
    row("fingerprint", &format!("`{}`", card.fingerprint));
    row("dimension", &card.dimension.to_string());
    row("parameters", &format!("{} (in training)", card.parameters));
    row("films", &format!("{}{}", card.images, by_source(card.notes.get("films_by_source"))));
    row("films left out", &card.images_skipped.to_string());
    row("texts", &format!("{}{}", card.texts, by_source(card.notes.get("texts_by_source"))));
    row("patients", plain(card.notes.get("split")));
    row("started from", card.notes.get("started_from").and_then(Value::as_str).unwrap_or("random weights"));
    row("steps", &format!("{}, the weights are those after step {}", card.steps, card.best_step));
    row("time", &format!("{:.0} s", card.seconds));
    row("loss at the end", &format!("{:.4} (moving average); all of it in `curves.jsonl`", card.loss));
    row("licence", plain(card.notes.get("licence")));
    let _ = writeln!(out, "\n## On validation patients\n");
    match card.validation {
        Some(value) => {
            let films = card.validation_details.get("films").and_then(Value::as_u64).unwrap_or(0);
            let _ = writeln!(out, "Macro AUC {value:.3}, zero-shot, {films} films. These chose the weights, so it is");
            let _ = writeln!(out, "not what to expect on others: `thorax eval` scores held-out patients.\n");
            let _ = writeln!(out, "| finding | AUC |\n|---|---|");
            let areas = card.validation_details.get("auc").and_then(Value::as_object);
            for (name, area) in areas.into_iter().flatten() {
                let _ = writeln!(out, "| {name} | {:.3} |", area.as_f64().unwrap_or(f64::NAN));
            }
        }
        None => {
            let _ = writeln!(out, "Too few labelled films to score; the last weights were kept.");
        }
    }
    let _ = writeln!(out, "\n## Recipe\n\n```toml");
    let _ = writeln!(out, "{}```", config.to_toml().unwrap_or_default());
    out
}

fn by_source(sources: Option<&Value>) -> String {
    let all: Vec<String> =
        sources.and_then(Value::as_object).into_iter().flatten().map(|(name, n)| format!("{name} {n}")).collect();
    if all.is_empty() { String::new() } else { format!(" ({})", all.join(", ")) }
}

fn plain(value: Option<&Value>) -> &str {
    value.and_then(Value::as_str).unwrap_or("-")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use thorax_models::train::Budget;

    use super::*;

    #[test]
    fn the_card_names_data_metrics_licence_and_fingerprint() {
        let mut data = Dataset::default();
        data.films_by_source.insert("nih".to_owned(), 3);
        let card = Card {
            preset: "small".to_owned(),
            fingerprint: "abc".to_owned(),
            dimension: 128,
            parameters: 7,
            images: 3,
            images_skipped: 0,
            texts: 5,
            labels: 30,
            steps: 100,
            best_step: 80,
            validation: Some(0.7),
            validation_details: json!({ "films": 12, "auc": { "Edema (nih)": 0.7 } }),
            seconds: 9.0,
            loss: 1.5,
            notes: notes(&data, &Options::new("small", Budget::Steps(100))),
        };
        let text = text(&card, &Config::preset("small").unwrap());
        for part in ["`abc`", "3 (nih 3)", "| Edema (nih) | 0.700 |", "after step 80", "licence", "label_temperature"] {
            assert!(text.contains(part), "{part} is missing:\n{text}");
        }
    }
}
