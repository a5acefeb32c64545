//! What the tests of several modules need: documents, a stand-in for a model, and whole builds.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::path::Path;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::catalogue::Catalogue;
use crate::document::{Document, Item, Value};
use crate::generation::{Builder, Pending, Space, Summary};
use crate::tuning::Tuning;
use crate::vectors::{self, Column, ColumnWriter};

pub(crate) const DIMENSION: usize = 16;

pub(crate) fn item(key: &str, hash: &str) -> Item {
    Item { key: key.to_owned(), hash: hash.to_owned() }
}

/// One image of its own, one sentence of its own, and one sentence that every third document shares.
pub(crate) fn document(number: usize) -> Document {
    let id = format!("s{number:05}");
    let fields = BTreeMap::from([
        ("sex".to_owned(), vec![Value::Text(if number.is_multiple_of(2) { "F" } else { "M" }.to_owned())]),
        ("age".to_owned(), vec![Value::Number(20.0 + (number % 60) as f64)]),
        ("date".to_owned(), vec![Value::Text(format!("20{:02}-{:02}-15", 10 + number % 10, 1 + number % 12))]),
    ]);
    Document {
        images: vec![item(&format!("{id}#0"), &format!("image {number}"))],
        sentences: vec![
            item(&format!("{id}/0"), &format!("sentence {number}")),
            item(&format!("{id}/1"), &format!("stock sentence {}", number % 3)),
        ],
        group: format!("p{}", number / 2),
        text: format!("The quick animal number {number} jumps over lazy dogs."),
        denied: Vec::new(),
        body: serde_json::json!({ "number": number }),
        id,
        fields,
    }
}

pub(crate) fn documents(count: usize) -> Vec<Document> {
    (0..count).map(document).collect()
}

pub(crate) fn random_unit(random: &mut ChaCha8Rng, dimension: usize) -> Vec<f32> {
    let vector: Vec<f32> = (0..dimension).map(|_| random.random_range(-1.0..1.0)).collect();
    vectors::normalised(&vector).unwrap()
}

/// A model: the vector is a function of the model and the content.
pub(crate) fn embed(model: &str, hash: &str) -> Vec<f32> {
    let seed = *blake3::hash(format!("{model}/{hash}").as_bytes()).as_bytes();
    random_unit(&mut ChaCha8Rng::from_seed(seed), DIMENSION)
}

pub(crate) fn outcomes(model: &str, chunk: &[Pending]) -> Vec<(Item, Result<Vec<f32>, String>)> {
    let outcome = |pending: &Pending| {
        let vector = embed(model, &pending.item.hash);
        (
            pending.item.clone(),
            if pending.item.hash.contains("broken") { Err("no pixels".to_owned()) } else { Ok(vector) },
        )
    };
    chunk.iter().map(outcome).collect()
}

/// Embeds all that is pending; gives the hashes that were embedded.
pub(crate) fn run(builder: &mut Builder, model: &str) -> Vec<String> {
    let mut embedded = Vec::new();
    for space in Space::ALL {
        for chunk in builder.pending(space, 4) {
            embedded.extend(chunk.iter().map(|pending| pending.item.hash.clone()));
            builder.append(space, &outcomes(model, &chunk)).unwrap();
        }
    }
    embedded
}

pub(crate) fn build(home: &Path, catalogue: &Catalogue, model: &str) -> Summary {
    build_with(home, catalogue, model, Tuning::default())
}

pub(crate) fn build_with(home: &Path, catalogue: &Catalogue, model: &str, tuning: Tuning) -> Summary {
    let mut builder = Builder::start_with(home, catalogue, model, DIMENSION, tuning).unwrap();
    run(&mut builder, model);
    builder.finish().unwrap()
}

/// A column file of these vectors.
pub(crate) fn write_column(path: &Path, vectors: &[Vec<f32>]) -> Column {
    let mut writer = ColumnWriter::new(std::fs::File::create(path).unwrap());
    vectors.iter().for_each(|vector| writer.push(vector).unwrap());
    writer.finish().unwrap();
    Column::open(path, vectors.first().map_or(1, Vec::len)).unwrap()
}
