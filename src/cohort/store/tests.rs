#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::prelude::*;

use super::*;
use crate::cohort::model::{Operation, Pinned, Selection};

fn member(number: usize) -> Member {
    Member {
        id: format!("s/{number:05}"),
        hash: format!("hash {number}"),
        score: number.is_multiple_of(2).then_some(number as f32 / 7.0),
        rank: number.is_multiple_of(2).then_some(number as u32),
    }
}

fn step(selection: Selection) -> Step {
    let pinned = Pinned {
        time: now(),
        thorax: "0".to_owned(),
        catalogue: "c".to_owned(),
        sequence: 1,
        generation: None,
        model: None,
    };
    Step { operation: Operation::Create, selection, pinned, selected: 0, studies: 0 }
}

fn draft(name: &str, members: usize, lists: &[&[&str]]) -> Draft {
    let lists: Vec<Vec<String>> = lists.iter().map(|ids| ids.iter().map(|id| (*id).to_owned()).collect()).collect();
    let of_list = |ids: &Vec<String>| step(Selection::Ids { count: ids.len() as u64, digest: ids_digest(ids) });
    Draft {
        name: name.to_owned(),
        note: None,
        steps: lists.iter().map(of_list).collect(),
        members: (0..members).map(member).collect(),
        id_lists: lists,
    }
}

fn all(store: &Store<'_>, cohort: &Cohort) -> Vec<Member> {
    store.members(cohort).collect::<Result<_>>().unwrap()
}

fn keys(catalogue: &Catalogue) -> Vec<String> {
    let records = catalogue.records(TREE).unwrap();
    records.list("").map(|entry| String::from_utf8(entry.unwrap().0).unwrap()).collect()
}

#[test]
fn a_cohort_comes_back_and_each_revision_takes_the_place_of_the_last() {
    let home = tempfile::tempdir().unwrap();
    let first = {
        let catalogue = Catalogue::open(home.path()).unwrap();
        let store = Store::open(&catalogue).unwrap();
        let note = Some("of the trial".to_owned());
        store.save(None, Draft { note, ..draft("a", 1000, &[]) }).unwrap()
    };
    let catalogue = Catalogue::open(home.path()).unwrap();
    let store = Store::open(&catalogue).unwrap();
    assert_eq!(store.load("a").unwrap(), first);
    assert_eq!(all(&store, &first), (0..1000).map(member).collect::<Vec<_>>());
    assert_eq!(keys(&catalogue).len(), 1 + 4);

    let second = store.save(Some(&first), draft("a", 3, &[])).unwrap();
    assert_eq!((second.revision, second.studies, second.created.as_str()), (2, 3, first.created.as_str()));
    assert_eq!(second.note.as_deref(), Some("of the trial"));
    assert_eq!(keys(&catalogue), ["head/a", "members/a/0000000000000002/00000000"]);
    let empty = store.save(Some(&second), draft("a", 0, &[])).unwrap();
    assert_eq!(all(&store, &empty), []);
    assert_eq!(catalogue.record_trees().unwrap(), [TREE]);

    // whoever read an older revision does not overwrite the newer one
    assert!(store.save(Some(&first), draft("a", 9, &[])).is_err_and(|e| e.to_string().contains("meanwhile")));
    assert!(store.save(None, draft("a", 9, &[])).is_err());
}

#[test]
fn lists_of_ids_live_as_long_as_a_cohort_names_them() {
    let home = tempfile::tempdir().unwrap();
    let catalogue = Catalogue::open(home.path()).unwrap();
    let store = Store::open(&catalogue).unwrap();
    let ids = ["x/1", "x/2"];
    let digest = ids_digest(&ids.map(str::to_owned));
    let first = store.save(None, draft("first", 2, &[&ids])).unwrap();
    let nested =
        step(Selection::Cohort { name: "first".to_owned(), revision: 1, digest: first.digest, steps: first.steps });
    store.save(None, Draft { steps: vec![nested], ..draft("second", 2, &[]) }).unwrap();
    store.delete("first").unwrap();
    assert_eq!(store.ids("second", &digest).unwrap(), ids);
    assert_eq!(store.list().unwrap().iter().map(|c| c.name.as_str()).collect::<Vec<_>>(), ["second"]);
    store.delete("second").unwrap();
    assert!(store.ids("second", &digest).is_err());
    assert_eq!(keys(&catalogue), [""; 0]);
    let gone = store.load("second").expect_err("it was deleted");
    assert!(gone.is_caller_fault() && gone.to_string().contains("none yet"), "{gone}");
}

#[test]
fn a_stop_before_the_head_changes_nothing_and_leaves_nothing() {
    let home = tempfile::tempdir().unwrap();
    let catalogue = Catalogue::open(home.path()).unwrap();
    let store = Store::open(&catalogue).unwrap();
    let first = store.save(None, draft("a", 600, &[])).unwrap();
    // what a stop leaves: blocks of the next revision, more of them than the next attempt will have
    let members: Vec<Member> = (5000..6000).map(member).collect();
    store.write_blocks(&revision_prefix("a", 2), &members).unwrap();
    assert_eq!(store.load("a").unwrap(), first);
    assert_eq!(all(&store, &first).len(), 600);
    let second = store.save(Some(&first), draft("a", 300, &[])).unwrap();
    assert_eq!(all(&store, &second), (0..300).map(member).collect::<Vec<_>>());
}

#[test]
fn damage_is_an_error_and_says_nothing_of_the_members() {
    let home = tempfile::tempdir().unwrap();
    let catalogue = Catalogue::open(home.path()).unwrap();
    let store = Store::open(&catalogue).unwrap();
    let cohort = store.save(None, draft("a", 600, &[])).unwrap();
    let block = format!("{}00000001", revision_prefix("a", 1));
    for value in [None, Some("[[\"s/secret\""), Some("[]"), Some("[[\"s/00256\",\"other\",null,null]]")] {
        let change = value.map_or_else(|| Change::delete(block.as_str()), |value| Change::put(block.as_str(), value));
        catalogue.records(TREE).unwrap().apply(&[change]).unwrap();
        let errors: Vec<Error> = store.members(&cohort).filter_map(Result::err).collect();
        assert_eq!(errors.len(), 1, "{value:?}");
        assert!(matches!(&errors[0], Error::Cohort { name, .. } if name == "a"));
        assert!(!errors[0].to_string().contains("secret"));
    }
    catalogue.records(TREE).unwrap().apply(&[Change::put("head/a", "{\"format\":99}")]).unwrap();
    assert!(store.load("a").is_err_and(|e| e.to_string().contains("format 99")));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn any_members_come_back(
        ids in proptest::collection::btree_set("\\PC{1,12}", 0..600),
        score in proptest::option::of(-10.0f32..10.0),
    ) {
        let home = tempfile::tempdir().unwrap();
        let catalogue = Catalogue::open(home.path()).unwrap();
        let store = Store::open(&catalogue).unwrap();
        let members: Vec<Member> =
            ids.into_iter().map(|id| Member { hash: id.to_uppercase(), id, score, rank: Some(3) }).collect();
        let cohort = store.save(None, Draft { members: members.clone(), ..draft("any", 0, &[]) }).unwrap();
        prop_assert_eq!(all(&store, &store.load("any").unwrap()), members);
        prop_assert_eq!(cohort.steps.len(), 0);
    }
}
