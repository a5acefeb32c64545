#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::filter::Filter;
use crate::generation::Space;
use crate::testing::{build_with, document, documents, embed};
use crate::text::term::{Keywords, Term};

fn home_of(count: usize, tuning: &Tuning) -> (tempfile::TempDir, Catalogue) {
    let home = tempfile::tempdir().unwrap();
    let catalogue = Catalogue::open(home.path()).unwrap();
    catalogue.put(&documents(count)).unwrap();
    build_with(home.path(), &catalogue, "m", tuning.clone());
    (home, catalogue)
}

fn number(id: &str) -> usize {
    id.trim_start_matches('s').parse().unwrap()
}

/// Every way in which the index gives a study away, beside the truth.
fn check(index: &Index, live: &BTreeSet<usize>, total: usize) {
    let rows: RoaringBitmap = live.iter().map(|n| *n as u32).collect();
    assert_eq!(index.live(), live.len());
    assert_eq!(index.all_rows(), rows);
    assert_eq!(index.filter(&Filter::all()).unwrap(), rows);
    let women = index.filter(&Filter::parse("sex:F").unwrap()).unwrap();
    assert_eq!(women, live.iter().filter(|n| *n % 2 == 0).map(|n| *n as u32).collect());
    let men = index.filter(&Filter::parse("-sex:F").unwrap()).unwrap();
    assert_eq!(men, live.iter().filter(|n| *n % 2 == 1).map(|n| *n as u32).collect());
    let counted = |within| index.facet("sex", within, 9, false).unwrap().values.iter().map(|v| v.count).sum::<u64>();
    assert_eq!(counted(None), live.len() as u64);
    let everything: RoaringBitmap = (0..total as u32).collect();
    assert_eq!(counted(Some(&everything)), live.len() as u64);
    assert_eq!(index.keyword_matches(&Keywords::Term(Term::of("animal"))).unwrap(), rows);
    let found: RoaringBitmap =
        index.keywords(&[Term::of("lazy")], total, None).unwrap().iter().map(|hit| hit.study_row).collect();
    assert_eq!(found, rows);
    for space in Space::ALL {
        let query = embed("m", "image 3");
        let hits = index.nearest(space, &query, 3 * total, None).unwrap();
        assert_eq!(hits.iter().map(|hit| hit.study_row).collect::<RoaringBitmap>(), rows);
        let hits = index.nearest(space, &query, 3 * total, Some(&everything)).unwrap();
        assert_eq!(hits.iter().map(|hit| hit.study_row).collect::<RoaringBitmap>(), rows);
        for item in 0..index.item_count(space) as u32 {
            let shown = index.study_of(space, item).is_some();
            assert_eq!(index.vector(space, item).is_some(), shown);
            assert_eq!(index.item_key(space, item).is_some(), shown);
        }
    }
    for n in 0..total {
        let (id, row, shown) = (document(n).id, n as u32, live.contains(&n));
        assert_eq!(index.row(&id), shown.then_some(row));
        assert_eq!(index.study(row).map(|study| number(study.id)), shown.then_some(n));
        assert_eq!(index.fields(row).unwrap().is_some(), shown);
        assert_eq!(index.items(Space::Images, row).len(), usize::from(shown));
        assert_eq!(index.item_row(Space::Images, &format!("{id}#0")).is_some(), shown);
        assert_eq!(index.group_rows(&format!("p{}", n / 2)).contains(row), shown);
    }
}

#[test]
fn deleted_studies_are_hidden_at_once_and_left_out_of_the_next_generation() {
    let (home, catalogue) = home_of(12, &Tuning::default());
    let index = Index::open_beside(home.path(), &catalogue).unwrap().unwrap();
    assert!(index.behind().is_none());
    let mut live: BTreeSet<usize> = (0..12).collect();
    check(&index, &live, 12);

    assert_eq!(catalogue.remove(&["s00003", "s00008", "nobody"]).unwrap(), 2);
    let behind = index.catch_up(&catalogue).unwrap();
    assert_eq!(behind, Behind { deleted: 2, changed: 0, added: 0, sequence: 14 });
    live.retain(|n| *n != 3 && *n != 8);
    check(&index, &live, 12);
    // one that opens now sees the same
    let other = Index::open_beside(home.path(), &catalogue).unwrap().unwrap();
    assert_eq!(other.behind(), behind);
    check(&other, &live, 12);

    // imported again: it is back; one more is new, one is changed
    let changed = crate::Document { text: "other words".to_owned(), ..document(5) };
    catalogue.put(&[document(3), document(30), changed]).unwrap();
    let behind = index.catch_up(&catalogue).unwrap();
    assert_eq!((behind.deleted, behind.changed, behind.added), (1, 2, 1));
    live.insert(3);
    assert_eq!(index.all_rows(), live.iter().map(|n| *n as u32).collect());
    catalogue.remove(&["s00030"]).unwrap();
    assert_eq!(index.catch_up(&catalogue).unwrap().added, 0);

    // whoever reads a generation keeps its files
    drop((index, other));
    let summary = build_with(home.path(), &catalogue, "m", Tuning::default());
    assert_eq!((summary.studies, summary.generation, summary.embedded), (11, 2, 0));
    assert!(!home.path().join("index/1").exists());
    let compact = Index::open_beside(home.path(), &catalogue).unwrap().unwrap();
    assert_eq!((compact.len(), compact.live(), compact.row("s00008")), (11, 11, None));
    assert!(compact.behind().is_none());
}

#[test]
fn a_graph_and_a_filtered_scan_find_no_hidden_study() {
    let tuning = Tuning { exact_below: 20, scan_pays: 0, ..Tuning::default() };
    let (home, catalogue) = home_of(300, &tuning);
    let index = Index::open_with(home.path(), tuning).unwrap().unwrap();
    let gone: Vec<String> = (0..300).filter(|n| n % 3 != 1).map(|n| document(n).id).collect();
    catalogue.remove(&gone.iter().map(String::as_str).collect::<Vec<_>>()).unwrap();
    index.catch_up(&catalogue).unwrap();
    let kept: BTreeSet<usize> = (0..300).filter(|n| n % 3 == 1).collect();
    for n in 0..60 {
        let query = embed("m", &format!("image {n}"));
        let hits = index.nearest(Space::Images, &query, 20, None).unwrap();
        assert_eq!(hits.len(), 20);
        assert!(hits.iter().all(|hit| kept.contains(&(hit.study_row as usize))));
        // a study that is there finds itself, one that is gone does not
        assert_eq!(hits[0].key == format!("s{n:05}#0"), kept.contains(&n));
    }
}

#[test]
fn without_a_log_and_beside_another_catalogue_all_ids_are_compared() {
    let (home, catalogue) = home_of(8, &Tuning::default());
    let index = Index::open(home.path()).unwrap().unwrap();
    catalogue.remove(&["s00002"]).unwrap();
    catalogue.put(&[document(40)]).unwrap();
    catalogue.prune_changes(catalogue.sequence().unwrap()).unwrap();
    assert_eq!(catalogue.log_length(), 0);
    let behind = index.catch_up(&catalogue).unwrap();
    assert_eq!((behind.deleted, behind.changed, behind.added), (1, 0, 1));
    check(&index, &(0..8).filter(|n| *n != 2).collect(), 8);

    let other = tempfile::tempdir().unwrap();
    let other = Catalogue::open(other.path()).unwrap();
    other.put(&documents(4)).unwrap();
    let behind = index.catch_up(&other).unwrap();
    assert_eq!((behind.deleted, behind.changed, behind.added), (4, 4, 0));
    check(&index, &(0..4).collect(), 8);
}

#[test]
fn the_log_is_pruned_once_the_serving_generation_has_passed_it() {
    let (home, catalogue) = home_of(6, &Tuning::default());
    assert_eq!(catalogue.log_length(), 6);
    catalogue.remove(&["s00001"]).unwrap();
    build_with(home.path(), &catalogue, "m", Tuning::default());
    // the first generation's changes went when the second was begun
    assert_eq!(catalogue.log_length(), 1);
    let index = Index::open_beside(home.path(), &catalogue).unwrap().unwrap();
    assert!(index.behind().is_none());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn after_any_deletes_and_stores_it_shows_what_the_catalogue_has(
        steps in proptest::collection::vec((any::<bool>(), proptest::collection::vec(0usize..14, 1..4), any::<bool>()), 1..8)
    ) {
        let (home, catalogue) = home_of(10, &Tuning::default());
        let index = Index::open(home.path()).unwrap().unwrap();
        for (store, numbers, look) in steps {
            let chosen: Vec<_> = numbers.into_iter().map(document).collect();
            if store {
                catalogue.put(&chosen).unwrap();
            } else {
                catalogue.remove(&chosen.iter().map(|d| d.id.as_str()).collect::<Vec<_>>()).unwrap();
            }
            if look {
                index.catch_up(&catalogue).unwrap();
            }
        }
        let behind = index.catch_up(&catalogue).unwrap();
        let there: BTreeSet<usize> = catalogue.iter().map(|d| number(&d.unwrap().id)).collect();
        let live: BTreeSet<usize> = there.iter().copied().filter(|n| *n < 10).collect();
        prop_assert_eq!(behind.added as usize, there.len() - live.len());
        check(&index, &live, 10);
        // the walk over all ids comes to the same
        let fresh = Index::open(home.path()).unwrap().unwrap();
        catalogue.prune_changes(catalogue.sequence().unwrap()).unwrap();
        prop_assert_eq!(fresh.catch_up(&catalogue).unwrap().deleted, behind.deleted);
        check(&fresh, &live, 10);
    }
}
