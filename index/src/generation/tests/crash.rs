use super::super::layout::{BUILD, log_file};
use super::*;
use crate::index::Index;
use crate::testing::{build, document, documents, outcomes, run};

#[test]
fn a_build_killed_at_any_byte_of_its_log_resumes_to_the_same_generation() {
    let home = tempfile::tempdir().unwrap();
    let catalogue = catalogue_of(home.path(), &documents(9));
    let mut builder = start(home.path(), &catalogue, "a");
    run(&mut builder, "a");
    drop(builder);
    let layout = Layout::new(home.path());
    let unfinished = home.path().join("unfinished");
    copy(layout.root(), &unfinished);
    start(home.path(), &catalogue, "a").finish().unwrap();
    let whole = content(home.path());

    for space in Space::ALL {
        let log = std::fs::read(unfinished.join("1").join(log_file(space))).unwrap();
        for cut in (0..log.len()).step_by(97) {
            std::fs::remove_dir_all(layout.root()).unwrap();
            copy(&unfinished, layout.root());
            std::fs::write(layout.generation(1).join(log_file(space)), &log[..cut]).unwrap();
            let mut builder = start(home.path(), &catalogue, "a");
            assert!(builder.progress(space).pending > 0, "cut at {cut}");
            // whole chunks of the boundaries of an uninterrupted run
            for chunk in builder.pending(space, 4) {
                assert!(chunk.len() == 4 || chunk.last().is_some_and(|p| p.item.key.starts_with("s00008")));
            }
            run(&mut builder, "a");
            builder.finish().unwrap();
            assert_eq!(content(home.path()), whole, "{space:?} cut at {cut}");
        }
    }
}

#[test]
fn a_finish_killed_before_the_swap_is_done_again_and_after_it_is_tidied_up() {
    let home = tempfile::tempdir().unwrap();
    let catalogue = catalogue_of(home.path(), &documents(9));
    let mut builder = start(home.path(), &catalogue, "a");
    run(&mut builder, "a");
    drop(builder);
    let layout = Layout::new(home.path());
    let unfinished = home.path().join("unfinished");
    copy(layout.root(), &unfinished);
    start(home.path(), &catalogue, "a").finish().unwrap();
    let whole = content(home.path());

    // all files written, but no CURRENT
    std::fs::remove_file(layout.root().join("CURRENT")).unwrap();
    copy(&unfinished, layout.root());
    assert!(Index::open(home.path()).unwrap().is_none());
    let builder = start(home.path(), &catalogue, "a");
    assert_eq!(builder.progress(Space::Images).pending, 0);
    builder.finish().unwrap();
    assert_eq!(content(home.path()), whole);

    // swapped, but the log and an older generation still there
    copy(&unfinished, layout.root());
    std::fs::create_dir(layout.generation(0)).unwrap();
    assert_eq!(Index::open(home.path()).unwrap().unwrap().len(), 9);
    catalogue.put(&[document(20)]).unwrap();
    let mut builder = start(home.path(), &catalogue, "a");
    assert!(!layout.generation(0).exists());
    assert!(!layout.generation(1).join(BUILD).exists());
    assert_eq!(run(&mut builder, "a").len(), 2);
    assert_eq!(builder.finish().unwrap().generation, 2);
}

#[test]
fn an_abandoned_build_gives_its_vectors_to_the_next() {
    let home = tempfile::tempdir().unwrap();
    let catalogue = catalogue_of(home.path(), &documents(8));
    let mut builder = start(home.path(), &catalogue, "a");
    let first = builder.pending(Space::Images, 4).remove(0);
    builder.append(Space::Images, &outcomes("a", &first)).unwrap();
    drop(builder);
    // the remains of a start that was killed
    std::fs::create_dir(Layout::new(home.path()).generation(2)).unwrap();
    catalogue.put(&[document(8)]).unwrap();
    let mut builder = start(home.path(), &catalogue, "a");
    assert_eq!(
        builder.progress(Space::Images),
        Progress { contents: 9, carried: 4, pending: 5, ..Progress::default() }
    );
    assert_eq!(Layout::new(home.path()).generations().unwrap(), [builder.generation()]);
    run(&mut builder, "a");
    assert_eq!(builder.finish().unwrap().carried, 4);

    let builder = start(home.path(), &catalogue, "b");
    assert_eq!(builder.progress(Space::Images).pending, 9);
    let number = builder.generation();
    builder.discard().unwrap();
    assert!(!Layout::new(home.path()).generation(number).exists());
    assert_eq!(Index::open(home.path()).unwrap().unwrap().manifest().fingerprint, "a");
}

#[test]
fn the_catalogue_may_change_while_a_build_runs() {
    let home = tempfile::tempdir().unwrap();
    let catalogue = catalogue_of(home.path(), &documents(5));
    let mut builder = start(home.path(), &catalogue, "a");
    catalogue.put(&[document(6)]).unwrap();
    catalogue.remove(&["s00000"]).unwrap();
    run(&mut builder, "a");
    assert_eq!(builder.finish().unwrap().studies, 5);
    let index = Index::open(home.path()).unwrap().unwrap();
    assert!(index.row("s00000").is_some() && index.row("s00006").is_none());
    assert!(!index.manifest().is_current("a", &catalogue).unwrap());
}

#[test]
fn a_catalogue_made_anew_is_not_taken_for_the_old_one() {
    let home = tempfile::tempdir().unwrap();
    let catalogue = catalogue_of(home.path(), &documents(3));
    build(home.path(), &catalogue, "a");
    drop(catalogue);
    std::fs::remove_dir_all(home.path().join("catalogue")).unwrap();
    let catalogue = catalogue_of(home.path(), &documents(4)[1..]);
    let manifest = Manifest::current(home.path()).unwrap().unwrap();
    assert_eq!(manifest.sequence, catalogue.sequence().unwrap());
    assert!(!manifest.is_current("a", &catalogue).unwrap());
}

#[test]
fn a_build_whose_snapshot_was_changed_is_begun_again_with_its_vectors() {
    let home = tempfile::tempdir().unwrap();
    let catalogue = catalogue_of(home.path(), &documents(6));
    let mut builder = start(home.path(), &catalogue, "a");
    run(&mut builder, "a");
    let dir = Layout::new(home.path()).generation(builder.generation());
    drop(builder);
    let snapshot = dir.join(super::super::layout::SNAPSHOT);
    let text = std::fs::read_to_string(&snapshot).unwrap();
    std::fs::write(&snapshot, text.replacen("\"F\"", "\"M\"", 1)).unwrap();
    let builder = start(home.path(), &catalogue, "a");
    assert_eq!(builder.progress(Space::Images), Progress { contents: 6, carried: 6, ..Progress::default() });
    builder.finish().unwrap();
    let index = Index::open(home.path()).unwrap().unwrap();
    let sexes = index.facet("sex", None, 9, false).unwrap().values;
    assert_eq!(sexes.iter().map(|v| (v.value.as_str(), v.count)).collect::<Vec<_>>(), [("F", 3), ("M", 3)]);
}
