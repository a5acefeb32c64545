//! Synthetic studies: a function of their number. Their words are ours; nothing comes from a real report.

use std::collections::BTreeMap;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use thorax_index::{Document, Item, Value};

const FINDINGS: [&str; 10] = [
    "Pleural Effusion",
    "Cardiomegaly",
    "Pneumothorax",
    "Edema",
    "Consolidation",
    "Atelectasis",
    "Pneumonia",
    "Lung Lesion",
    "Fracture",
    "Support Devices",
];
const GRADES: [&str; 4] = ["small", "moderate", "large", "subtle"];
const PLACES: [&str; 8] =
    ["apex", "base", "upper zone", "middle zone", "lower zone", "hilum", "periphery", "costophrenic angle"];
const REMARKS: [&str; 6] = [
    "The film is rotated and somewhat underexposed",
    "Compared with the film before there is no change",
    "Tubes and lines stand where they should",
    "The aorta is tortuous and shows calcified walls",
    "The bones are thin for the age of this patient",
    "A second view would help to judge the retrocardiac space",
];

/// The study of a number.
pub fn document(number: usize) -> Document {
    let mut random = ChaCha8Rng::seed_from_u64(number as u64);
    let id = format!("synthetic/{number:08}");
    let mut fields: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let mut add =
        |name: &str, value: &str| fields.entry(name.to_owned()).or_default().push(Value::Text(value.to_owned()));
    let patient = format!("synthetic/p{:07}", number / 3);
    add("source", if number.is_multiple_of(5) { "north" } else { "south" });
    add("patient", &patient);
    add("sex", if random.random_bool(0.5) { "F" } else { "M" });
    add("view", if random.random_bool(0.7) { "PA" } else { "AP" });
    add(
        "date",
        &format!(
            "20{:02}-{:02}-{:02}",
            random.random_range(0..24),
            random.random_range(1..13),
            random.random_range(1..29)
        ),
    );
    let mut text = Vec::new();
    for name in FINDINGS {
        // the later, the rarer: 60% down to 6%
        let share = 0.6 / (1.0 + FINDINGS.iter().position(|f| *f == name).unwrap() as f64);
        if random.random_bool(share) {
            let side = if random.random_bool(0.5) { "left" } else { "right" };
            add("finding", name);
            add(side, name);
            let (grade, place) = (GRADES[random.random_range(0..4)], PLACES[random.random_range(0..8)]);
            text.push(format!("There is a {grade} {} at the {side} {place}.", name.to_lowercase()));
        } else if random.random_bool(0.3) {
            add("absent", name);
            text.push(format!("No {}.", name.to_lowercase()));
        }
    }
    text.push(format!("{}, as noted by reader {}.", REMARKS[random.random_range(0..6)], random.random_range(0..5_000)));
    fields.insert("age".to_owned(), vec![Value::Number(f64::from(random.random_range(18..95)))]);
    let sentences =
        (0..).zip(&text).map(|(i, sentence)| Item { key: format!("{id}#s{i}"), hash: hash(sentence) }).collect();
    Document {
        images: vec![Item { key: format!("{id}#0"), hash: hash(&id) }],
        sentences,
        body: serde_json::json!({
            "id": id, "patient": patient, "path": format!("/archive/films/{number:08}.png"), "size": [2048, 2500],
            "report": {"sections": [{"name": "findings", "text": text.join(" ")}]},
        }),
        text: text.join("\n"),
        denied: Vec::new(),
        group: patient,
        fields,
        id,
    }
}

fn hash(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex().to_string()
}

/// The unit vector of a content: near one of 256 centres.
pub fn vector(hash: &str, dimension: usize) -> Vec<f32> {
    let seed = u64::from_str_radix(hash.get(..16).unwrap(), 16).unwrap();
    let draw = |seed: u64, spread: f32| {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        (0..dimension).map(move |_| random.random_range(-spread..spread)).collect::<Vec<f32>>()
    };
    let vector: Vec<f32> = draw(seed % 256, 1.0).iter().zip(draw(seed, 0.6)).map(|(a, b)| a + b).collect();
    let norm = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    vector.into_iter().map(|x| x / norm).collect()
}
