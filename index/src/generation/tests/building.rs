use super::super::layout::{BUILD, log_file};
use super::*;
use crate::error::IndexError;
use crate::index::Index;
use crate::testing::{build, build_with, document, documents, embed, item, outcomes, run};
use crate::tuning::Tuning;

#[test]
fn a_generation_is_built_and_swapped_in() {
    let home = tempfile::tempdir().unwrap();
    let catalogue = catalogue_of(home.path(), &documents(10));
    assert!(Manifest::current(home.path()).unwrap().is_none());
    let mut builder = start(home.path(), &catalogue, "model a");
    assert_eq!(builder.progress(Space::Images), Progress { contents: 10, pending: 10, ..Progress::default() });
    assert_eq!(builder.progress(Space::Sentences).contents, 13);
    let again = Builder::start_or_resume(home.path(), &catalogue, "model a", DIMENSION);
    assert!(matches!(again, Err(IndexError::BuildRunning)));
    assert_eq!(run(&mut builder, "model a").len(), 23);
    let summary = builder.finish().unwrap();
    let expected =
        Summary { generation: 1, studies: 10, images: 10, sentences: 20, failed: 0, embedded: 23, carried: 0 };
    assert_eq!(summary, expected);
    let manifest = Manifest::current(home.path()).unwrap().unwrap();
    assert!(manifest.is_current("model a", &catalogue).unwrap());
    assert!(!manifest.is_current("model b", &catalogue).unwrap());
    manifest.expect_model("model a").unwrap();
    let error = manifest.expect_model("model b").unwrap_err();
    assert!(error.to_string().contains("run `thorax index`"));
    // nothing of the build is left
    let dir = Layout::new(home.path()).generation(1);
    assert!(!dir.join(BUILD).exists() && !dir.join(log_file(Space::Images)).exists());
    catalogue.put(&[document(77)]).unwrap();
    assert!(!manifest.is_current("model a", &catalogue).unwrap());
}

#[test]
fn only_what_changed_is_embedded_again() {
    let home = tempfile::tempdir().unwrap();
    let mut documents = documents(10);
    let catalogue = catalogue_of(home.path(), &documents);
    build(home.path(), &catalogue, "a");
    documents[3].images[0].hash = "a better picture".to_owned();
    documents[4].text = "only the words changed".to_owned();
    documents[5].id = "renamed".to_owned();
    documents.push(document(10));
    catalogue.remove(&["s00005", "s00009"]).unwrap();
    documents.remove(9);
    catalogue.put(&documents).unwrap();
    let mut builder = start(home.path(), &catalogue, "a");
    let mut embedded = run(&mut builder, "a");
    embedded.sort();
    assert_eq!(embedded, ["a better picture", "image 10", "sentence 10"]);
    let summary = builder.finish().unwrap();
    assert_eq!((summary.generation, summary.studies, summary.images), (2, 10, 10));
    assert!(!Layout::new(home.path()).generation(1).exists());
    let index = Index::open(home.path()).unwrap().unwrap();
    assert_eq!(index.row("s00005"), None);
    assert_eq!(index.row("s00009"), None);
    assert_eq!(index.study(index.row("renamed").unwrap()).unwrap().id, "renamed");

    // another model: all anew
    let mut builder = start(home.path(), &catalogue, "b");
    assert_eq!(run(&mut builder, "b").len(), 10 + 13);
    assert_eq!(builder.finish().unwrap().carried, 0);

    // and what carried-over vectors make is what a build from nothing makes
    let fresh = tempfile::tempdir().unwrap();
    let other = catalogue_of(fresh.path(), &documents);
    build(fresh.path(), &other, "b");
    assert_eq!(content(home.path()).1, content(fresh.path()).1);
}

#[test]
fn failures_are_kept_with_their_reason_and_tried_again_when_asked() {
    let home = tempfile::tempdir().unwrap();
    let mut documents = documents(6);
    documents[2].images[0].hash = "broken".to_owned();
    documents[4].images[0].hash = "broken".to_owned();
    let catalogue = catalogue_of(home.path(), &documents);
    let mut builder = start(home.path(), &catalogue, "a");
    run(&mut builder, "a");
    drop(builder);
    let mut builder = start(home.path(), &catalogue, "a");
    assert_eq!(builder.progress(Space::Images), Progress { contents: 5, done: 4, failed: 1, ..Progress::default() });
    assert!(builder.pending(Space::Images, 4).is_empty());
    assert_eq!(builder.retry_failed(), 1);
    let again = builder.pending(Space::Images, 4);
    assert!(again[0].iter().any(|p| p.item.hash == "broken"));
    builder.append(Space::Images, &outcomes("a", &again[0])).unwrap();
    let summary = builder.finish().unwrap();
    assert_eq!((summary.images, summary.failed), (4, 2));
    let index = Index::open(home.path()).unwrap().unwrap();
    let failed: Vec<_> =
        index.failures().iter().map(|f| (f.key.as_str(), f.document.as_str(), f.reason.as_str())).collect();
    assert_eq!(failed, [("s00002#0", "s00002", "no pixels"), ("s00004#0", "s00004", "no pixels")]);
    assert!(index.items(Space::Images, 2).is_empty());
    assert_eq!(index.items(Space::Images, 3), 2..3);
    assert_eq!(index.item_key(Space::Images, 2), Some("s00003#0"));
    // the next generation tries again by itself
    catalogue.put(&[document(9)]).unwrap();
    let builder = start(home.path(), &catalogue, "a");
    assert_eq!(
        builder.progress(Space::Images),
        Progress { contents: 6, carried: 4, pending: 2, ..Progress::default() }
    );
}

#[test]
fn wrong_vectors() {
    let home = tempfile::tempdir().unwrap();
    let catalogue = catalogue_of(home.path(), &documents(3));
    let mut builder = start(home.path(), &catalogue, "a");
    let image = |number: usize| item(&format!("s{number:05}#0"), &format!("image {number}"));
    let mut give = |number, vector| builder.append(Space::Images, &[(image(number), Ok(vector))]);
    assert!(matches!(give(0, vec![1.0; DIMENSION - 1]), Err(IndexError::WrongDimension { found: 15, .. })));
    assert!(matches!(give(9, vec![1.0; DIMENSION]), Err(IndexError::UnknownItem { .. })));
    give(0, vec![f32::NAN; DIMENSION]).unwrap();
    give(1, vec![0.0; DIMENSION]).unwrap();
    give(2, vec![5.0; DIMENSION]).unwrap();
    assert_eq!(builder.progress(Space::Images), Progress { contents: 3, done: 1, failed: 2, ..Progress::default() });
    let sentences = builder.pending(Space::Sentences, 100).remove(0);
    let missing = sentences.len();
    drop(builder);
    let mut builder = start(home.path(), &catalogue, "a");
    builder.append(Space::Sentences, &outcomes("a", &sentences[1..])).unwrap();
    drop(builder);
    let builder = start(home.path(), &catalogue, "a");
    assert!(matches!(builder.finish(), Err(IndexError::Unfinished { missing: 1 })));
    let mut builder = start(home.path(), &catalogue, "a");
    assert_eq!(builder.pending(Space::Sentences, 100)[0].len(), missing);
    builder.append(Space::Sentences, &outcomes("a", &sentences[..1])).unwrap();
    builder.finish().unwrap();
    let index = Index::open(home.path()).unwrap().unwrap();
    assert_eq!(index.vector(Space::Images, 0), Some([0.25; DIMENSION].as_slice()));
    assert_eq!(index.item_row(Space::Images, "s00002#0"), Some(0));
}

#[test]
fn an_empty_catalogue_makes_an_empty_generation() {
    let home = tempfile::tempdir().unwrap();
    let catalogue = catalogue_of(home.path(), &[]);
    build(home.path(), &catalogue, "a");
    let index = Index::open(home.path()).unwrap().unwrap();
    assert!(index.is_empty());
    assert!(index.nearest(Space::Images, &[1.0; DIMENSION], 5, None).unwrap().is_empty());
    assert!(index.keywords(&[crate::text::term::Term::of("anything")], 5, None).unwrap().is_empty());
    let zero = Builder::start_or_resume(home.path(), &catalogue, "a", 0);
    assert!(matches!(zero, Err(IndexError::WrongDimension { .. })));
}

#[test]
fn the_graph_of_vectors_that_did_not_change_is_taken_over() {
    use std::os::unix::fs::MetadataExt;
    let home = tempfile::tempdir().unwrap();
    let catalogue = Catalogue::open(home.path()).unwrap();
    let mut documents = documents(60);
    catalogue.put(&documents).unwrap();
    let tuning = Tuning { exact_below: 10, ..Tuning::default() };
    let graph = |generation: u64| {
        let path = home.path().join(format!("index/{generation}/images.graph"));
        let about = std::fs::metadata(&path).unwrap();
        (about.ino(), std::fs::read(&path).unwrap())
    };
    build_with(home.path(), &catalogue, "a", tuning.clone());
    let first = graph(1);
    documents[3].fields.insert("new".to_owned(), vec![crate::document::Value::Number(1.0)]);
    catalogue.put(&documents).unwrap();
    build_with(home.path(), &catalogue, "a", tuning.clone());
    let second = graph(2);
    assert!(first == second, "only a field changed: the same file");
    let opened = || Index::open_with(home.path(), tuning.clone()).unwrap().unwrap();
    assert_eq!(opened().nearest(Space::Images, &embed("a", "image 5"), 1, None).unwrap()[0].key, "s00005#0");
    documents[3].images[0].hash = "image anew".to_owned();
    catalogue.put(&documents).unwrap();
    build_with(home.path(), &catalogue, "a", tuning.clone());
    assert_ne!(graph(3).1, second.1, "an image changed");
    assert_eq!(opened().nearest(Space::Images, &embed("a", "image anew"), 1, None).unwrap()[0].key, "s00003#0");
}
