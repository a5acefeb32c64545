#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::HashMap;

use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::catalogue::Catalogue;
use crate::testing::{DIMENSION, build, build_with, document, documents, embed, item, random_unit};
use crate::vectors::dot;

fn index_of(count: usize, tuning: Tuning) -> (tempfile::TempDir, Index) {
    let home = tempfile::tempdir().unwrap();
    let catalogue = Catalogue::open(home.path()).unwrap();
    catalogue.put(&documents(count)).unwrap();
    build_with(home.path(), &catalogue, "m", tuning.clone());
    let index = Index::open_with(home.path(), tuning).unwrap().unwrap();
    (home, index)
}

/// Key and cosine by a walk over the documents themselves.
fn brute(count: usize, space: Space, query: &[f32], k: usize, filter: Option<&RoaringBitmap>) -> Vec<(String, f32)> {
    let mut all = Vec::new();
    for number in (0..count).filter(|n| filter.is_none_or(|f| f.contains(*n as u32))) {
        let document = document(number);
        let items = if space == Space::Images { document.images } else { document.sentences };
        all.extend(items.into_iter().map(|item| (item.key, dot(query, &embed("m", &item.hash)))));
    }
    // stable: ties stay in the order of rows
    all.sort_by(|a, b| b.1.total_cmp(&a.1));
    all.truncate(k);
    all
}

fn found(hits: &[Hit]) -> Vec<(String, f32)> {
    hits.iter().map(|hit| (hit.key.clone(), hit.score)).collect()
}

fn some_filter(random: &mut ChaCha8Rng, count: usize, share: f64) -> RoaringBitmap {
    (0..count as u32).filter(|_| random.random_bool(share)).collect()
}

#[test]
fn a_scan_finds_what_a_look_at_every_document_finds() {
    let count = 150;
    let (_home, index) = index_of(count, Tuning::default());
    let mut random = ChaCha8Rng::seed_from_u64(1);
    for space in Space::ALL {
        for k in [0, 1, 7, 60, 1000] {
            let query = random_unit(&mut random, DIMENSION);
            assert_eq!(found(&index.nearest(space, &query, k, None).unwrap()), brute(count, space, &query, k, None));
            let filter = some_filter(&mut random, count, 0.3);
            let hits = index.nearest(space, &query, k, Some(&filter)).unwrap();
            assert_eq!(found(&hits), brute(count, space, &query, k, Some(&filter)));
            assert!(hits.iter().all(|hit| index.study_of(space, hit.item) == Some(hit.study_row)));
        }
    }
    // the length of the query does not matter
    let query = random_unit(&mut random, DIMENSION);
    let long: Vec<f32> = query.iter().map(|x| x * 7.0).collect();
    let (short, long) = (index.nearest(Space::Images, &query, 5, None), index.nearest(Space::Images, &long, 5, None));
    let keys = |hits: Vec<Hit>| hits.into_iter().map(|hit| hit.key).collect::<Vec<_>>();
    assert_eq!(keys(short.unwrap()), keys(long.unwrap()));
}

#[test]
fn the_graph_finds_almost_all_and_never_what_the_filter_excludes() {
    let count = 2000;
    let tuning = Tuning { exact_below: 100, scan_pays: 0, ..Tuning::default() };
    let (_home, index) = index_of(count, tuning);
    for space in Space::ALL {
        assert!(index.spaces.get(space).vectors.graph().is_some());
    }
    // the stock sentences are three nodes, not two thousand
    assert_eq!(index.spaces.get(Space::Sentences).vectors.graph().unwrap().len(), count + 3);
    let mut random = ChaCha8Rng::seed_from_u64(2);
    let mut recall: HashMap<String, (usize, usize)> = HashMap::new();
    for round in 0..9 {
        for space in Space::ALL {
            for share in [1.0, 0.5, 0.1, 0.02] {
                let query = random_unit(&mut random, DIMENSION);
                let filter = (share < 1.0).then(|| some_filter(&mut random, count, share));
                let k = [1, 10, 100][round % 3];
                let hits = index.nearest(space, &query, k, filter.as_ref()).unwrap();
                let best = brute(count, space, &query, k, filter.as_ref());
                assert_eq!(hits.len(), best.len());
                assert!(
                    hits.windows(2)
                        .all(|w| w[0].score > w[1].score || (w[0].score == w[1].score && w[0].item < w[1].item))
                );
                for hit in &hits {
                    assert!(filter.as_ref().is_none_or(|filter| filter.contains(hit.study_row)));
                    let vector = index.vector(space, hit.item).unwrap();
                    assert_eq!(hit.score, dot(&query, vector));
                }
                let keys: Vec<_> = hits.iter().map(|hit| hit.key.clone()).collect();
                let entry = recall.entry(format!("{} {share}", space.name())).or_default();
                entry.0 += best.iter().filter(|(key, _)| keys.contains(key)).count();
                entry.1 += best.len();
            }
        }
    }
    for (kind, (got, of)) in recall {
        assert!(got as f64 >= 0.97 * of as f64, "{kind}: {got} of {of}");
    }
}

#[test]
fn all_that_pass_come_even_where_the_graph_gives_up() {
    let count = 500;
    let tuning = Tuning { exact_below: 1, scan_pays: 0, ef_search: 2, ..Tuning::default() };
    let (_home, index) = index_of(count, tuning);
    let mut random = ChaCha8Rng::seed_from_u64(3);
    for share in [0.004, 0.01, 0.05, 0.5] {
        for _ in 0..10 {
            let filter = some_filter(&mut random, count, share);
            let query = random_unit(&mut random, DIMENSION);
            let hits = index.nearest(Space::Images, &query, 40, Some(&filter)).unwrap();
            assert_eq!(hits.len(), filter.len().min(40) as usize);
        }
    }
    let nothing = RoaringBitmap::new();
    assert!(index.nearest(Space::Images, &embed("m", "x"), 5, Some(&nothing)).unwrap().is_empty());
    // rows of another generation
    let beyond: RoaringBitmap = [499, 500, 4_000_000_000].into_iter().collect();
    assert_eq!(index.nearest(Space::Images, &embed("m", "x"), 5, Some(&beyond)).unwrap().len(), 1);
}

/// Each row is a study.
struct OneEach(u32);

impl Studies for OneEach {
    fn count(&self) -> usize {
        self.0 as usize
    }

    fn of_row(&self, row: u32) -> Option<u32> {
        (row < self.0).then_some(row)
    }

    fn rows(&self, study: u32) -> Range<u32> {
        if study < self.0 { study..study + 1 } else { 0..0 }
    }
}

#[test]
fn hits_that_are_hard_to_tell_apart_are_told_apart() {
    // all within a hair of one another, far below what a code can tell
    let home = tempfile::tempdir().unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(4);
    let rows = 3000;
    let vectors: Vec<Vec<f32>> = (0..rows)
        .map(|_| {
            let noise = random_unit(&mut random, 64);
            crate::vectors::normalised(&noise.iter().map(|n| 1.0 + 0.01 * n).collect::<Vec<_>>()).unwrap()
        })
        .collect();
    let column = crate::testing::write_column(&home.path().join("c"), &vectors);
    let node_of: Vec<u32> = (0..rows).collect();
    crate::graph::Graph::build(&home.path().join("g"), &column, &node_of, &Tuning::default()).unwrap();
    let (column, graph) = (home.path().join("c"), home.path().join("g"));
    let opened = Neighbours::open(&column, Some(&graph), 64).unwrap();
    for scan_pays in [0, 1_000_000] {
        let tuning = Tuning { scan_pays, ..Tuning::default() };
        for _ in 0..5 {
            let query = random_unit(&mut random, 64);
            let filter = some_filter(&mut random, rows as usize, 0.4);
            let found = opened.nearest(&query, 10, Some(&filter), &OneEach(rows), &tuning).unwrap();
            assert_eq!(found, opened.exact(&query, 10, Some(&filter), &OneEach(rows)).unwrap());
        }
    }
}

#[test]
fn a_graph_of_the_same_vectors_is_the_same_file() {
    let tuning = Tuning { exact_below: 10, ..Tuning::default() };
    let files = [(); 2].map(|()| {
        let (home, _index) = index_of(400, tuning.clone());
        std::fs::read(home.path().join("index/1/images.graph")).unwrap()
    });
    assert!(files[0] == files[1]);
}

#[test]
fn equal_vectors_come_in_the_order_of_rows() {
    let count = 60;
    let (_home, index) = index_of(count, Tuning::default());
    let hits = index.nearest(Space::Sentences, &embed("m", "stock sentence 1"), 15, None).unwrap();
    let rows: Vec<u32> = hits.iter().map(|hit| hit.study_row).collect();
    assert_eq!(rows, (0..15).map(|i| 1 + 3 * i).collect::<Vec<u32>>());
}

#[test]
fn wrong_queries() {
    let (_home, index) = index_of(3, Tuning::default());
    for query in [vec![f32::NAN; DIMENSION], vec![0.0; DIMENSION], vec![f32::INFINITY; DIMENSION]] {
        let error = index.nearest(Space::Images, &query, 3, None).unwrap_err();
        assert!(matches!(error, IndexError::NotFinite) && error.is_caller_fault());
    }
    for length in [0, DIMENSION - 1, DIMENSION + 1] {
        let error = index.nearest(Space::Images, &vec![1.0; length], 3, None).unwrap_err();
        assert!(matches!(error, IndexError::WrongDimension { expected: DIMENSION, .. }) && error.is_caller_fault());
    }
}

#[test]
fn looking_things_up() {
    let (_home, index) = index_of(10, Tuning::default());
    assert_eq!(index.len(), 10);
    assert_eq!(index.study(4), Some(StudyRef { id: "s00004", group: "p2" }));
    assert_eq!(index.study(10), None);
    assert_eq!(index.row("s00004"), Some(4));
    assert_eq!(index.row("nobody"), None);
    assert_eq!(index.group_rows("p2").iter().collect::<Vec<_>>(), [4, 5]);
    assert!(index.group_rows("nobody").is_empty());
    assert_eq!(index.items(Space::Sentences, 4), 8..10);
    assert_eq!(index.items(Space::Sentences, 10), 0..0);
    assert_eq!(index.items(Space::Sentences, u32::MAX), 0..0);
    assert_eq!(index.item_key(Space::Sentences, 9), Some("s00004/1"));
    assert_eq!(index.item_row(Space::Sentences, "s00004/1"), Some(9));
    assert_eq!(index.study_of(Space::Sentences, 9), Some(4));
    assert_eq!(index.vector(Space::Images, 4).unwrap(), embed("m", "image 4"));
    assert_eq!(index.vector(Space::Images, 10), None);
    assert_eq!(index.fields(4).unwrap(), Some(document(4).fields));
    let women = index.filter(&Filter::parse("sex:f age:..22").unwrap()).unwrap();
    assert_eq!(women.iter().collect::<Vec<_>>(), [0, 2]);
    let hits = index.keywords(&[Term::of("animal")], 3, Some(&women)).unwrap();
    assert_eq!(hits.iter().map(|hit| hit.study_row).collect::<Vec<_>>(), [0, 2]);
    let not = Keywords::Not(Box::new(Keywords::Term(Term::of("5"))));
    let both = Keywords::All(vec![Keywords::Term(Term::of("lazy")), not]);
    assert_eq!(index.keyword_matches(&both).unwrap().len(), 9);
}

#[test]
fn an_index_stays_as_it_is_when_the_next_is_swapped_in() {
    let home = tempfile::tempdir().unwrap();
    let catalogue = Catalogue::open(home.path()).unwrap();
    assert!(Index::open(home.path()).unwrap().is_none());
    catalogue.put(&documents(5)).unwrap();
    build(home.path(), &catalogue, "m");
    let old = Index::open(home.path()).unwrap().unwrap();
    catalogue.put(&documents(9)).unwrap();
    build(home.path(), &catalogue, "m");
    let new = Index::open(home.path()).unwrap().unwrap();
    assert_eq!((old.len(), new.len()), (5, 9));
    assert_eq!(old.keywords(&[Term::of("animal")], 20, None).unwrap().len(), 5);
    assert_eq!(new.keywords(&[Term::of("animal")], 20, None).unwrap().len(), 9);
    assert_eq!(old.nearest(Space::Images, &embed("m", "image 3"), 1, None).unwrap()[0].key, "s00003#0");
}

#[test]
fn a_server_can_share_it() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<Index>();
    shared::<Catalogue>();
    fn sent<T: Send + 'static>() {}
    sent::<crate::generation::Builder>();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn nearest_equals_brute_force_whatever_items_the_documents_have(
        shape in prop::collection::vec((0usize..4, 0usize..3), 1..16),
        hashes in 1usize..30,
        exact_below in prop::sample::select(vec![0usize, 1000]),
        scan_pays in prop::sample::select(vec![0u64, 1000]),
        k in 1usize..20,
        chosen in any::<u16>(),
        seed in any::<u64>(),
    ) {
        let home = tempfile::tempdir().unwrap();
        let catalogue = Catalogue::open(home.path()).unwrap();
        let mut expected = Vec::new();
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let query = random_unit(&mut random, DIMENSION);
        let filter: RoaringBitmap = (0..16).filter(|bit| chosen >> bit & 1 == 1).collect();
        let mut documents = Vec::new();
        for (number, (images, sentences)) in shape.iter().enumerate() {
            let mut document = document(number);
            document.images = (0..*images).map(|i| item(&format!("{number}#{i}"), &format!("h{}", (number + i) % hashes))).collect();
            document.sentences.truncate(*sentences);
            if filter.contains(number as u32) {
                expected.extend(document.images.iter().map(|item| (item.key.clone(), dot(&query, &embed("m", &item.hash)))));
            }
            documents.push(document);
        }
        catalogue.put(&documents).unwrap();
        // with these few the graph or the codes find all
        let tuning = Tuning { exact_below, scan_pays, ..Tuning::default() };
        build_with(home.path(), &catalogue, "m", tuning.clone());
        expected.sort_by(|a, b| b.1.total_cmp(&a.1));
        expected.truncate(k);
        let index = Index::open_with(home.path(), tuning).unwrap().unwrap();
        prop_assert_eq!(found(&index.nearest(Space::Images, &query, k, Some(&filter)).unwrap()), expected);
    }
}
