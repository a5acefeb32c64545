#![allow(clippy::unwrap_used, clippy::expect_used)]
use std::collections::BTreeSet;
use std::path::PathBuf;

use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::error::IndexError;
use crate::testing::{random_unit, write_column};
use crate::vectors::{best_of, dot, normalised};

struct Made {
    _dir: tempfile::TempDir,
    path: PathBuf,
    column: Column,
    graph: Graph,
}

fn made(vectors: &[Vec<f32>], node_of: &[u32], tuning: &Tuning) -> Made {
    let dir = tempfile::tempdir().unwrap();
    let column = write_column(&dir.path().join("c.f32"), vectors);
    let path = dir.path().join("c.graph");
    Graph::build(&path, &column, node_of, tuning).unwrap();
    let graph = Graph::open(&path, column.dimension(), column.len()).unwrap();
    Made { _dir: dir, path, column, graph }
}

fn nodes(candidates: &Candidates) -> Vec<u32> {
    assert!(candidates.nodes.is_sorted_by(|a, b| a.0 >= b.0));
    candidates.nodes.iter().map(|(_, node)| *node).collect()
}

fn distinct(vectors: &[Vec<f32>]) -> Vec<u32> {
    (0..vectors.len() as u32).collect()
}

/// Vectors around centres, as encoders make them.
fn clustered(random: &mut ChaCha8Rng, count: usize, dimension: usize) -> Vec<Vec<f32>> {
    let centres: Vec<_> = (0..20).map(|_| random_unit(random, dimension)).collect();
    let near = |random: &mut ChaCha8Rng| {
        let (centre, noise) = (random.random_range(0..centres.len()), random_unit(random, dimension));
        let mixed: Vec<f32> = centres[centre].iter().zip(noise).map(|(c, n)| c + 0.6 * n).collect();
        normalised(&mixed).unwrap()
    };
    (0..count).map(|_| near(random)).collect()
}

fn brute(vectors: &[Vec<f32>], query: &[f32], k: usize, passes: &dyn Fn(u32) -> bool) -> BTreeSet<u32> {
    let scored = (0..).zip(vectors).filter(|(row, _)| passes(*row)).map(|(row, v)| (dot(query, v), row));
    best_of(scored.collect(), k).into_iter().map(|(_, row)| row).collect()
}

#[test]
fn it_finds_what_brute_force_finds_and_no_less_than_hnsw_rs() {
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let mut vectors = clustered(&mut random, 3050, 32);
    let queries = vectors.split_off(3000);
    let made = made(&vectors, &distinct(&vectors), &Tuning::default());
    let reference = reference::search(&vectors, &queries, (16, 200), 32);
    let (mut ours, mut theirs) = (0, 0);
    for (query, reference) in queries.iter().zip(&reference) {
        let best = brute(&vectors, query, 10, &|_| true);
        ours += nodes(&made.graph.search(query, 32)).iter().filter(|node| best.contains(node)).count();
        theirs += reference.iter().filter(|node| best.contains(node)).count();
    }
    assert!(ours >= 495 && ours + 5 >= theirs, "{ours} of 500, hnsw_rs {theirs}");
}

#[test]
fn the_same_vectors_give_the_same_file_with_any_number_of_threads() {
    let mut random = ChaCha8Rng::seed_from_u64(6);
    let vectors = clustered(&mut random, 1500, 16);
    let files = [1, 4].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        std::fs::read(pool.install(|| made(&vectors, &distinct(&vectors), &Tuning::default())).path).unwrap()
    });
    assert!(files[0] == files[1]);
}

#[test]
fn a_filtered_search_sees_what_passes_wherever_it_lies() {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let mut vectors = clustered(&mut random, 2020, 24);
    let queries = vectors.split_off(2000);
    let made = made(&vectors, &distinct(&vectors), &Tuning::default());
    for query in &queries {
        let middle = best_of((0..).zip(&vectors).map(|(row, v)| (dot(query, v), row)).collect(), 1000).pop().unwrap().0;
        // at random; only what is near; only what is far
        let filters: [&dyn Fn(u32) -> bool; 3] =
            [&|row| row % 3 == 0, &|row| dot(query, &vectors[row as usize]) > middle, &|row| {
                dot(query, &vectors[row as usize]) < middle
            }];
        for passes in filters {
            let found = nodes(&made.graph.search_passing(query, 64, usize::MAX, passes).unwrap());
            assert!(found.iter().all(|node| passes(*node)));
            let best = brute(&vectors, query, 10, passes);
            let hits = found.iter().filter(|node| best.contains(node)).count();
            assert!(hits >= 9, "{hits} of 10");
            let rows = (0..2000).filter(|row| passes(*row));
            let scanned: BTreeSet<u32> = nodes(&made.graph.scan(query, 10, rows)).into_iter().collect();
            assert!(best.is_subset(&scanned) && scanned.len() < 200, "{}", scanned.len());
        }
        // what is far costs more than is allowed
        assert!(made.graph.search_passing(query, 64, 100, filters[2]).is_none());
        assert!(made.graph.search_passing(query, 5, usize::MAX, &|_| false).unwrap().nodes.is_empty());
    }
}

#[test]
fn none_one_and_many_of_the_same() {
    let none = made(&[], &[], &Tuning::default());
    assert!(none.graph.is_empty() && none.graph.search(&[1.0], 5).nodes.is_empty());
    assert!(none.graph.search_passing(&[1.0], 5, 9, &|_| true).unwrap().nodes.is_empty());
    let one = made(&[vec![0.6, 0.8]], &[0], &Tuning::default());
    assert_eq!(nodes(&one.graph.search(&[1.0, 0.0], 5)), [0]);
    assert_eq!(nodes(&one.graph.search(&[1.0, 0.0], 0)), [0]);
    // a model that says the same of everything, as one node and as five hundred
    let vectors = vec![vec![1.0, 0.0, 0.0]; 500];
    let twins = made(&vectors, &[0; 500], &Tuning::default());
    assert_eq!(twins.graph.len(), 1);
    assert_eq!(twins.graph.rows(0).collect::<Vec<_>>(), distinct(&vectors));
    assert_eq!(twins.graph.rows(1).count(), 0);
    assert_eq!(nodes(&twins.graph.scan(&[0.0, 1.0, 0.0], 7, 3..9)), [0]);
    let apart = made(&vectors, &distinct(&vectors), &Tuning { graph_links: 1000, ..Tuning::default() });
    assert_eq!(apart.graph.search(&[0.0, 1.0, 0.0], 1).nodes.len(), 1);
    assert!(!apart.graph.search(&vectors[0], 10).nodes.is_empty());
}

#[test]
fn a_changed_byte_anywhere_is_an_error_and_no_panic() {
    let mut random = ChaCha8Rng::seed_from_u64(8);
    let vectors = clustered(&mut random, 60, 8);
    let node_of: Vec<u32> = (0..60).map(|row| row / 2).collect();
    let vectors: Vec<Vec<f32>> = (0..60).map(|row| vectors[row / 2].clone()).collect();
    let made = made(&vectors, &node_of, &Tuning { graph_links: 4, ..Tuning::default() });
    let bytes = std::fs::read(&made.path).unwrap();
    let beside = made.path.with_extension("changed");
    let refused = |bytes: &[u8]| {
        std::fs::write(&beside, bytes).unwrap();
        matches!(Graph::open(&beside, 8, 60), Err(IndexError::Damaged { .. }))
    };
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 8);
        assert!(refused(&changed), "byte {at} of {}", bytes.len());
    }
    for length in (0..bytes.len()).step_by(37) {
        assert!(refused(&bytes[..length]), "cut to {length}");
    }
    assert!(refused(&[bytes.as_slice(), &[0]].concat()));
    assert!(matches!(Graph::open(&made.path, 9, 60), Err(IndexError::Damaged { .. })));
    assert!(matches!(Graph::open(&made.path, 8, 59), Err(IndexError::Damaged { .. })));
    assert!(matches!(Graph::open(&made.path.with_extension("no"), 8, 60), Err(IndexError::Damaged { .. })));
}

#[test]
fn numbers_that_point_nowhere_are_refused_even_with_right_checksums() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("g");
    let mut bytes = Vec::new();
    (0..3).for_each(|_| codes::push(&mut bytes, &[1.0, 0.0], 1.0 / 127.0));
    let layer = |links: Vec<u32>| build::Built { links, cap: 4, nodes: None, down: Vec::new() };
    let none = layer::NONE;
    let written = |links: Vec<u32>, entry: u32, twins: [&[u32]; 3], rows: usize| {
        let layers = [layer(links)];
        let parts = Parts { dimension: 2, rows, links: 2, entry, step: 1.0, codes: &bytes, twins, layers: &layers };
        file::write(&path, &parts).unwrap();
        Graph::open(&path, 2, rows)
    };
    let right = || vec![1, none, none, none, 0, 2, none, none, 1, none, none, none];
    assert_eq!(written(right(), 0, [&[]; 3], 3).unwrap().search(&[0.0, 1.0], 3).nodes.len(), 3);
    let with = |at: usize, link: u32| {
        let mut links = right();
        links[at] = link;
        links
    };
    assert!(written(with(1, 3), 0, [&[]; 3], 3).is_err());
    assert!(written(right(), 3, [&[]; 3], 3).is_err());
    assert!(written(right()[4..].to_vec(), 0, [&[]; 3], 3).is_err());
    assert!(written(right(), 0, [&[]; 3], 4).is_err());
    assert!(written(right(), 0, [&[0, 1, 2, 2], &[0, 1, 2, 4], &[0, 1, 2, 3]], 4).is_ok());
    assert!(written(right(), 0, [&[0, 1, 2, 3], &[0, 1, 2, 4], &[0, 1, 2, 3]], 4).is_err());
    assert!(written(right(), 0, [&[0, 1, 2, 2], &[0, 2, 1, 4], &[0, 1, 2, 3]], 4).is_err());
    assert!(written(right(), 0, [&[0, 1, 2, 2], &[0, 1, 2, 4], &[0, 1, 2, 4]], 4).is_err());
    // links after a free place are not seen, and a slot may link to itself
    assert_eq!(written(with(3, 2), 0, [&[]; 3], 3).unwrap().search(&[0.0, 1.0], 3).nodes.len(), 3);
    assert!(written(with(0, 0), 0, [&[]; 3], 3).unwrap().search(&[0.0, 1.0], 3).nodes.len() <= 3);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn whatever_the_size_and_the_copies_each_search_gives_distinct_nodes_that_pass(
        sizes in prop::collection::vec(1usize..4, 0..120),
        dimension in 1usize..70,
        width in 0usize..200,
        modulus in 1u32..7,
        seed in any::<u64>(),
    ) {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let (mut vectors, mut node_of) = (Vec::new(), Vec::new());
        for (node, copies) in (0u32..).zip(&sizes) {
            let vector = random_unit(&mut random, dimension);
            for _ in 0..*copies {
                vectors.push(vector.clone());
                node_of.push(node);
            }
        }
        let dimension = if vectors.is_empty() { 1 } else { dimension };
        let made = made(&vectors, &node_of, &Tuning { graph_links: 5, graph_effort: 20, ..Tuning::default() });
        let graph = &made.graph;
        prop_assert_eq!(graph.len(), sizes.len());
        for (row, node) in (0u32..).zip(&node_of) {
            prop_assert_eq!(graph.node(row), *node);
            prop_assert!(graph.rows(*node).any(|own| own == row));
            prop_assert!(made.column.row(row).unwrap().is_some());
        }
        let query = random_unit(&mut random, dimension);
        let passes = |node: u32| node.is_multiple_of(modulus);
        let passing = (0..sizes.len() as u32).filter(|node| passes(*node)).count();
        let all = nodes(&graph.search(&query, width));
        let some = nodes(&graph.search_passing(&query, width, usize::MAX, &passes).unwrap());
        let rows = (0..vectors.len() as u32).filter(|row| passes(node_of[*row as usize]));
        let scanned = nodes(&graph.scan(&query, width, rows));
        prop_assert!(scanned.len() >= width.min(passing));
        // the codes are as near to the right scores as they say, but for one in some hundred
        let of = |node: u32| vectors[node_of.iter().position(|other| *other == node).unwrap()].as_slice();
        let candidates = graph.search(&query, 200);
        let off = |(cosine, node): &&(f32, u32)| (cosine - dot(&query, of(*node))).abs() > candidates.error;
        prop_assert!(candidates.nodes.iter().filter(off).count() <= 1 + candidates.nodes.len() / 20);
        for found in [&all, &some, &scanned] {
            prop_assert_eq!(found.iter().collect::<BTreeSet<_>>().len(), found.len());
            prop_assert!(found.iter().all(|node| (*node as usize) < sizes.len()));
        }
        prop_assert!(some.iter().chain(&scanned).all(|node| passes(*node)));
    }
}
