#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;
use thorax_index::{Builder, Catalogue};

use super::*;
use crate::archive::{LabelOrigin, LabelSet, Report, Section, Sex, Study};
use crate::cohort::edit::{self, Asked, Strictness};
use crate::cohort::model::{Operation, Take};
use crate::findings::{Labels, Observation, Polarity};
use crate::home::Home;
use crate::indexing::document::document;
use crate::search::Target;

/// What a study of these tests may differ in.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Kind {
    female: bool,
    edema: Option<bool>,
    wording: u8,
}

type World = BTreeMap<String, Kind>;

fn study(id: &str, kind: Kind) -> Study {
    let polarity = |there| if there { Polarity::Present } else { Polarity::Absent };
    let labels: Labels = kind.edema.map(|there| (Observation::Edema, polarity(there))).into_iter().collect();
    let text = format!("Wording number {}.", kind.wording);
    Study {
        id: id.to_owned(),
        source: "manifest".to_owned(),
        patient: format!("manifest/{}", kind.wording),
        date: None,
        offset: None,
        age: Some(50.0),
        sex: Some(if kind.female { Sex::Female } else { Sex::Male }),
        images: Vec::new(),
        reports: vec![Report { sections: vec![Section { name: "technique".to_owned(), text }] }],
        labels: vec![LabelSet { origin: LabelOrigin::Dataset, labels, other: Vec::new() }],
    }
}

fn put(catalogue: &Catalogue, world: &World) {
    let documents: Vec<_> = world.iter().map(|(id, kind)| document(&study(id, *kind)).unwrap()).collect();
    catalogue.put(&documents).unwrap();
}

/// An index without vectors: filters, labels and keywords need none.
fn index(home: &Home, catalogue: &Catalogue, model: &str) {
    Builder::start_or_resume(home.path(), catalogue, model, 8).unwrap().finish().unwrap();
}

struct Bench {
    _dir: tempfile::TempDir,
    home: Home,
    catalogue: Arc<Catalogue>,
}

impl Bench {
    fn new(world: &World) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::open(dir.path()).unwrap();
        let catalogue = Arc::new(home.catalogue().unwrap());
        put(&catalogue, world);
        index(&home, &catalogue, "model");
        Self { _dir: dir, home, catalogue }
    }

    /// The archive as a command opens it.
    fn archive(&self) -> Archive {
        Archive::new(self.home.clone(), Arc::clone(&self.catalogue))
    }

    fn verify(&self, name: &str) -> Verified {
        verify(&self.archive(), name, None).unwrap()
    }

    fn members(&self, name: &str) -> BTreeSet<String> {
        let store = Store::open(&self.catalogue).unwrap();
        let cohort = store.load(name).unwrap();
        store.members(&cohort).map(|member| member.unwrap().id).collect()
    }
}

fn query(text: Option<&str>, filter: Option<&str>) -> Asked {
    Asked::Query(Query {
        text: text.map(str::to_owned),
        image: None,
        to: Target::Images,
        filter: filter.map(str::to_owned),
        take: Take::AllMatching,
        encoder_only: false,
        candidates: None,
        understood: Vec::new(),
    })
}

fn create(archive: &Archive, name: &str, asked: Asked) -> Result<Cohort> {
    edit::create(archive, name, None, asked, Strictness::default())
}

fn kind() -> impl Strategy<Value = Kind> {
    let edema = prop_oneof![Just(None), any::<bool>().prop_map(Some)];
    (any::<bool>(), edema, 0u8..4).prop_map(|(female, edema, wording)| Kind { female, edema, wording })
}

fn world(least: usize) -> impl Strategy<Value = World> {
    proptest::collection::btree_map("[a-z]{1,2}", kind(), least..25).prop_map(|studies| {
        let mut world: World = studies.into_iter().map(|(id, kind)| (format!("manifest/{id}"), kind)).collect();
        // so that the fields of the filters exist in every world
        world.insert("manifest/000".to_owned(), Kind { female: false, edema: Some(true), wording: 0 });
        world
    })
}

fn woman(kind: &Kind) -> bool {
    kind.female && kind.edema != Some(true)
}

/// What the steps of the property test give in a world: women without edema and the list, less the second wording.
fn selected(world: &World, list: &BTreeSet<String>) -> BTreeSet<String> {
    let passes =
        |(id, kind): (&String, &Kind)| ((woman(kind) || list.contains(id)) && kind.wording != 2).then(|| id.clone());
    world.iter().filter_map(passes).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]
    #[test]
    fn differences_equal_those_by_brute_force(before in world(1), edits in world(0), deleted in any::<u32>()) {
        let bench = Bench::new(&before);
        let list: BTreeSet<String> = before.keys().step_by(3).cloned().collect();
        let archive = bench.archive();
        create(&archive, "c", query(None, Some("sex:F -finding:Edema"))).unwrap();
        let change = |operation, asked| edit::change(&archive, "c", operation, asked, Strictness::default()).unwrap();
        change(Operation::Add, Asked::Ids(list.iter().cloned().collect()));
        let second: Vec<String> = before.iter().filter(|(_, kind)| kind.wording == 2).map(|(id, _)| id.clone()).collect();
        prop_assert_eq!(bench.members("c").len(), selected_before(&before, &list));
        // by a query, so that it removes what has the wording on the day
        change(Operation::Remove, query(None, Some("patient:\"manifest/2\"")));
        prop_assert_eq!(bench.members("c"), selected(&before, &list));
        prop_assert!(second.iter().all(|id| !bench.members("c").contains(id)));
        prop_assert!(bench.verify("c").same);

        let mut after = before.clone();
        after.extend(edits);
        let gone: Vec<String> = before.keys().enumerate()
            .filter(|(place, id)| deleted & (1 << (place % 32)) != 0 && *id != "manifest/000")
            .map(|(_, id)| id.clone()).collect();
        gone.iter().for_each(|id| { after.remove(id); });
        let removed: Vec<&str> = before.keys().filter(|id| !after.contains_key(*id)).map(String::as_str).collect();
        bench.catalogue.remove(&removed).unwrap();
        put(&bench.catalogue, &after);
        index(&bench.home, &bench.catalogue, "model");

        let (was, is) = (selected(&before, &list), selected(&after, &list));
        let sorted = |ids: Vec<&String>| ids.into_iter().cloned().collect::<Vec<_>>();
        let wanted = Differences {
            gone: sorted(was.iter().filter(|id| !after.contains_key(*id)).collect()),
            changed: sorted(was.iter().filter(|id| after.get(*id).is_some_and(|kind| *kind != before[*id])).collect()),
            newly_matching: sorted(is.difference(&was).collect()),
            no_longer_matching: sorted(was.difference(&is).filter(|id| after.contains_key(*id)).collect()),
        };
        let verified = bench.verify("c");
        prop_assert_eq!(&verified.differences, &wanted);
        prop_assert_eq!(verified.same, wanted.is_empty());
        prop_assert_eq!((verified.studies as usize, verified.would_be as usize), (was.len(), is.len()));
    }
}

fn selected_before(world: &World, list: &BTreeSet<String>) -> usize {
    world.iter().filter(|(id, kind)| woman(kind) || list.contains(*id)).count()
}

fn of(studies: &[(&str, bool, Option<bool>, u8)]) -> World {
    let kind = |female, edema, wording| Kind { female, edema, wording };
    studies.iter().map(|(id, female, edema, wording)| ((*id).to_owned(), kind(*female, *edema, *wording))).collect()
}

#[test]
fn stated_findings_and_words_are_counted_exactly() {
    let world = of(&[
        ("manifest/a", true, Some(true), 1),
        ("manifest/b", true, Some(false), 1),
        ("manifest/c", false, None, 1),
        ("manifest/d", false, Some(true), 3),
    ]);
    let bench = Bench::new(&world);
    let archive = bench.archive();
    let ids = |name: &str, text: &str, filter: Option<&str>| {
        create(&archive, name, query(Some(text), filter)).unwrap();
        bench.members(name).into_iter().collect::<Vec<_>>()
    };
    assert_eq!(ids("present", "edema", None), ["manifest/a", "manifest/d"]);
    assert_eq!(ids("absent", "no edema", None), ["manifest/b"]);
    assert_eq!(ids("women", "edema", Some("sex:F")), ["manifest/a"]);
    assert_eq!(ids("words", "wording 1", None), ["manifest/a", "manifest/b", "manifest/c"]);
    assert_eq!(ids("phrase", "\"number 3\"", None), ["manifest/d"]);
}

#[test]
fn a_catalogue_that_is_newer_than_the_index_is_refused_and_said() {
    let mut world = of(&[("manifest/a", true, Some(true), 1), ("manifest/b", true, None, 1)]);
    let bench = Bench::new(&world);
    create(&bench.archive(), "women", query(None, Some("sex:F"))).unwrap();
    assert!(bench.verify("women").same);
    world.insert("manifest/b".to_owned(), Kind { female: false, edema: None, wording: 1 });
    world.insert("manifest/c".to_owned(), Kind { female: true, edema: None, wording: 1 });
    put(&bench.catalogue, &world);

    let archive = bench.archive();
    let refused = create(&archive, "more", query(None, Some("sex:F"))).expect_err("the index is behind");
    assert!(refused.is_caller_fault() && refused.to_string().contains("thorax index"), "{refused}");
    let stale = Strictness { stale: true, ..Strictness::default() };
    edit::create(&archive, "more", None, query(None, Some("sex:F")), stale).unwrap();
    let verified = bench.verify("women");
    assert_eq!(verified.index_behind, Some(2));
    assert_eq!(verified.differences.changed, ["manifest/b"]);
    assert!(!verified.same && verified.differences.newly_matching.is_empty());

    index(&bench.home, &bench.catalogue, "another model");
    let verified = bench.verify("women");
    assert_eq!(verified.differences.newly_matching, ["manifest/c"]);
    assert_eq!(verified.differences.no_longer_matching, ["manifest/b"]);
    assert!(verified.index_behind.is_none() && verified.other_generation.is_some());
    // nothing was ranked, so that the model is nobody's business
    assert!(verified.other_model.is_none());
}

#[test]
fn cohorts_of_cohorts_outlive_them() {
    let world = of(&[
        ("manifest/a", true, Some(true), 1),
        ("manifest/b", true, None, 1),
        ("manifest/c", false, Some(true), 2),
        ("manifest/d", false, None, 2),
    ]);
    let bench = Bench::new(&world);
    let archive = bench.archive();
    create(&archive, "women", query(None, Some("sex:F"))).unwrap();
    create(&archive, "edema", query(None, Some("finding:Edema"))).unwrap();
    create(&archive, "list", Asked::Ids(vec!["manifest/d".to_owned(), "manifest/a".to_owned()])).unwrap();
    let names = |of: &[&str]| of.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let made = |name: &str, operation, of: &[&str]| {
        edit::combination(&archive, name, None, operation, &names(of)).unwrap();
        bench.members(name).into_iter().map(|id| id.replace("manifest/", "")).collect::<String>()
    };
    assert_eq!(made("any", Operation::Union, &["women", "edema", "list"]), "abcd");
    assert_eq!(made("all", Operation::Intersect, &["women", "edema", "list"]), "a");
    assert_eq!(made("rest", Operation::Minus, &["any", "edema"]), "bd");
    let taken = edit::combination(&archive, "rest", None, Operation::Union, &names(&["women", "list"]));
    assert!(taken.is_err_and(|e| e.is_caller_fault() && e.to_string().contains("already")));
    for name in ["women", "edema", "list", "any", "all"] {
        Store::open(&bench.catalogue).unwrap().delete(name).unwrap();
    }
    assert!(bench.verify("rest").same);
    bench.catalogue.remove(&["manifest/d"]).unwrap();
    assert_eq!(bench.verify("rest").differences.gone, ["manifest/d"]);
}

#[test]
fn unknown_ids_are_refused_by_their_place_in_the_list() {
    let bench = Bench::new(&of(&[("manifest/a", true, None, 1)]));
    let archive = bench.archive();
    let ids = || Asked::Ids(vec!["manifest/a".to_owned(), "manifest/secret".to_owned()]);
    let refused = create(&archive, "list", ids()).expect_err("one is unknown").to_string();
    assert!(refused.contains("number 2 of the list") && !refused.contains("secret"), "{refused}");
    let skip = Strictness { skip_unknown: true, ..Strictness::default() };
    let cohort = edit::create(&archive, "list", None, ids(), skip).unwrap();
    assert_eq!(cohort.studies, 1);

    // a member that is gone from the archive can still be taken out
    bench.catalogue.remove(&["manifest/a"]).unwrap();
    let gone = Asked::Ids(vec!["manifest/a".to_owned()]);
    let cohort = edit::change(&archive, "list", Operation::Remove, gone, Strictness::default()).unwrap();
    assert_eq!((cohort.studies, bench.verify("list").same), (0, true));
}
