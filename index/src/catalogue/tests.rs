#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::prelude::*;

use super::*;
use crate::testing::{document, documents};

#[test]
fn put_counts_and_numbers_what_changed() {
    let home = tempfile::tempdir().unwrap();
    let catalogue = Catalogue::open(home.path()).unwrap();
    assert!(catalogue.is_empty());
    let mut documents = documents(3);
    assert_eq!(catalogue.put(&documents).unwrap(), PutOutcome { added: 3, updated: 0, unchanged: 0 });
    assert_eq!(catalogue.sequence().unwrap(), 3);
    assert_eq!(catalogue.put(&documents).unwrap(), PutOutcome { added: 0, updated: 0, unchanged: 3 });
    assert_eq!(catalogue.sequence().unwrap(), 3);
    documents[1].body = serde_json::json!({ "changed": true });
    documents.push(document(7));
    assert_eq!(catalogue.put(&documents).unwrap(), PutOutcome { added: 1, updated: 1, unchanged: 2 });
    assert_eq!(catalogue.sequence().unwrap(), 5);
    assert_eq!(catalogue.len(), 4);
    assert_eq!(catalogue.get("s00001").unwrap().unwrap(), documents[1]);
    assert_eq!(catalogue.get("nobody").unwrap(), None);
    assert!(catalogue.contains("s00007").unwrap());
    assert_eq!(catalogue.put(&[]).unwrap(), PutOutcome::default());
}

#[test]
fn the_same_id_twice_in_a_batch_is_an_update() {
    let home = tempfile::tempdir().unwrap();
    let catalogue = Catalogue::open(home.path()).unwrap();
    let first = document(1);
    let second = Document { text: "other words".to_owned(), ..first.clone() };
    let outcome = catalogue.put(&[first, second.clone(), second.clone()]).unwrap();
    assert_eq!(outcome, PutOutcome { added: 1, updated: 1, unchanged: 1 });
    assert_eq!(catalogue.get("s00001").unwrap().unwrap(), second);
}

#[test]
fn it_is_all_there_after_reopening_in_the_order_of_ids() {
    let home = tempfile::tempdir().unwrap();
    let mut written = documents(50);
    let identity = {
        let catalogue = Catalogue::open(home.path()).unwrap();
        written.reverse();
        catalogue.put(&written).unwrap();
        assert_eq!(catalogue.remove(&["s00003", "nobody", "s00004"]).unwrap(), 2);
        assert_eq!(catalogue.sequence().unwrap(), 52);
        catalogue.identity().to_owned()
    };
    let catalogue = Catalogue::open(home.path()).unwrap();
    written.reverse();
    written.retain(|d| d.id != "s00003" && d.id != "s00004");
    assert_eq!(catalogue.iter().collect::<Result<Vec<_>>>().unwrap(), written);
    assert_eq!(catalogue.sequence().unwrap(), 52);
    assert_eq!(catalogue.identity(), identity);
}

#[test]
fn one_owner_at_a_time() {
    let home = tempfile::tempdir().unwrap();
    let catalogue = Catalogue::open(home.path()).unwrap();
    let error = Catalogue::open(home.path()).err().expect("it is open already");
    assert!(matches!(error, IndexError::InUse { .. }), "{error}");
    assert!(error.to_string().contains("in use by another process"));
    assert!(!error.is_caller_fault());
    drop(catalogue);
    Catalogue::open(home.path()).unwrap();
}

#[test]
fn a_missing_home_and_one_that_cannot_be_written() {
    let home = tempfile::tempdir().unwrap();
    let missing = home.path().join("nowhere");
    let error = Catalogue::open(&missing).err().expect("there is no such folder");
    assert!(matches!(error, IndexError::HomeMissing { .. }), "{error}");
    assert!(!missing.exists());

    use std::os::unix::fs::PermissionsExt;
    let closed = home.path().join("closed");
    std::fs::create_dir(&closed).unwrap();
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o555)).unwrap();
    if std::fs::create_dir(closed.join("probe")).is_ok() {
        eprintln!("skipped: this user may write everywhere");
        return;
    }
    let error = Catalogue::open(&closed).err().expect("it cannot be written");
    assert!(matches!(error, IndexError::ReadOnly { .. }), "{error}");
}

#[test]
fn a_newer_format_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let catalogue = Catalogue::open(home.path()).unwrap();
    catalogue.meta.insert(FORMAT_KEY, &(FORMAT + 1).to_be_bytes()).unwrap();
    catalogue.flush().unwrap();
    drop(catalogue);
    let error = Catalogue::open(home.path()).err().expect("it is newer");
    assert!(matches!(error, IndexError::NewerFormat { found: 3, known: 2, .. }), "{error}");
}

#[test]
fn a_damaged_record_is_named_and_can_be_put_again() {
    let home = tempfile::tempdir().unwrap();
    let catalogue = Catalogue::open(home.path()).unwrap();
    catalogue.put(&documents(3)).unwrap();
    catalogue
        .documents
        .insert("s00001", &b"{\"sequence\":1,\"hash\":\"x\",\"document\":{\"private words\""[..])
        .unwrap();
    let error = catalogue.get("s00001").expect_err("it does not parse");
    assert!(matches!(&error, IndexError::DamagedRecord { id, .. } if id == "s00001"), "{error}");
    assert!(!error.to_string().contains("private"));
    assert_eq!(catalogue.iter().filter(Result::is_err).count(), 1);
    assert_eq!(catalogue.iter().filter(Result::is_ok).count(), 2);
    assert_eq!(catalogue.put(&documents(3)).unwrap(), PutOutcome { added: 0, updated: 1, unchanged: 2 });
    assert_eq!(catalogue.get("s00001").unwrap().unwrap(), document(1));
}

/// Closes a catalogue as a hard stop does: the ledger is not told.
fn kill(catalogue: Catalogue) {
    let ledger = catalogue.path.join("acknowledged.json");
    let before = std::fs::read(&ledger).unwrap();
    drop(catalogue);
    std::fs::write(ledger, before).unwrap();
}

#[test]
fn a_part_of_a_transaction_that_came_back_is_a_change() {
    let home = tempfile::tempdir().unwrap();
    let catalogue = Catalogue::open(home.path()).unwrap();
    catalogue.put(&documents(3)).unwrap();
    let record = Record { sequence: 7, hash: "x".to_owned(), document: document(9) };
    catalogue.documents.insert("s00009", serde_json::to_vec(&record).unwrap()).unwrap();
    kill(catalogue);
    let catalogue = Catalogue::open(home.path()).unwrap();
    assert_eq!(catalogue.sequence().unwrap(), 8);
    assert_eq!(catalogue.len(), 4);
    kill(catalogue);
    assert_eq!(Catalogue::open(home.path()).unwrap().sequence().unwrap(), 8);
}

#[test]
fn a_catalogue_with_less_than_was_acknowledged_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let catalogue = Catalogue::open(home.path()).unwrap();
    for batch in documents(400).chunks(40) {
        catalogue.put(batch).unwrap();
    }
    drop(catalogue);
    let file = home.path().join("catalogue/db");
    let whole = std::fs::read(&file).unwrap();
    let mut refused = 0;
    for cut in [0, whole.len() / 8, whole.len() / 4] {
        std::fs::write(&file, &whole[..cut]).unwrap();
        match Catalogue::open(home.path()) {
            Err(error) => {
                assert!(matches!(error, IndexError::DamagedCatalogue { .. }), "{error}");
                assert!(error.to_string().contains("thorax import"));
                refused += 1;
            }
            // the end of the file may hold nothing
            Ok(catalogue) => assert_eq!((catalogue.sequence().unwrap(), catalogue.iter().count()), (400, 400)),
        }
    }
    assert!(refused > 0);
    let mut junk = whole.clone();
    junk.iter_mut().step_by(31).for_each(|byte| *byte ^= 0x55);
    std::fs::write(&file, &junk).unwrap();
    assert!(matches!(Catalogue::open(home.path()), Err(IndexError::DamagedCatalogue { .. })));
}

#[test]
fn what_could_not_be_read_again_is_refused_and_nothing_of_the_batch_is_stored() {
    let home = tempfile::tempdir().unwrap();
    let catalogue = Catalogue::open(home.path()).unwrap();
    let mut nan = document(1);
    nan.fields.insert("age".to_owned(), vec![Value::Number(f64::NAN)]);
    let nameless = Document { id: String::new(), ..document(2) };
    let mut hashless = document(3);
    hashless.images[0].hash.clear();
    for bad in [nan, nameless, hashless] {
        let error = catalogue.put(&[document(0), bad]).expect_err("it is bad");
        assert!(matches!(error, IndexError::BadDocument { .. }));
        assert!(error.is_caller_fault());
    }
    assert!(catalogue.is_empty());
    assert_eq!(catalogue.sequence().unwrap(), 0);
}

#[test]
fn writers_do_not_lose_each_others_sequence_numbers() {
    let home = tempfile::tempdir().unwrap();
    let catalogue = Catalogue::open(home.path()).unwrap();
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let catalogue = &catalogue;
            scope.spawn(move || {
                for number in 0..10 {
                    catalogue.put(&[document(writer * 10 + number)]).unwrap();
                }
            });
        }
    });
    assert_eq!(catalogue.len(), 40);
    assert_eq!(catalogue.sequence().unwrap(), 40);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn a_document_comes_back_as_it_went(id in "\\PC{1,20}", text in any::<String>(), number in -1e9f64..1e9) {
        let home = tempfile::tempdir().unwrap();
        let catalogue = Catalogue::open(home.path()).unwrap();
        let mut document = Document { id: id.clone(), text, ..document(1) };
        document.fields.insert("n".to_owned(), vec![Value::Number(number.round())]);
        catalogue.put(std::slice::from_ref(&document)).unwrap();
        prop_assert_eq!(catalogue.get(&id).unwrap().unwrap(), document);
    }
}

#[test]
fn a_catalogue_of_format_one_is_brought_up_to_date() {
    let home = tempfile::tempdir().unwrap();
    let catalogue = Catalogue::open(home.path()).unwrap();
    catalogue.put(&documents(5)).unwrap();
    let digest = catalogue.digest().unwrap();
    // as an older version left it
    catalogue.changes.clear().unwrap();
    catalogue.meta.remove(DIGEST_KEY).unwrap();
    catalogue.meta.insert(FORMAT_KEY, &1u64.to_be_bytes()).unwrap();
    drop(catalogue);
    let catalogue = Catalogue::open(home.path()).unwrap();
    assert_eq!(catalogue.meta.get(FORMAT_KEY).unwrap().unwrap().as_ref(), 2u64.to_be_bytes());
    assert_eq!((catalogue.digest().unwrap(), catalogue.sequence().unwrap()), (digest, 5));
    assert!(catalogue.changed_since(4).unwrap().ids.is_none());
    assert_eq!(catalogue.changed_since(5).unwrap().ids.unwrap(), [""; 0]);
    catalogue.remove(&["s00002"]).unwrap();
    assert_eq!(catalogue.changed_since(5).unwrap().ids.unwrap(), ["s00002"]);
}

#[test]
fn the_digest_is_that_of_the_records_whatever_was_done() {
    let home = tempfile::tempdir().unwrap();
    let catalogue = Catalogue::open(home.path()).unwrap();
    catalogue.put(&documents(6)).unwrap();
    let changed = Document { text: "x".to_owned(), ..document(2) };
    catalogue.put(&[changed.clone(), changed, document(9)]).unwrap();
    catalogue.remove(&["s00001", "s00001", "nobody"]).unwrap();
    let kept = catalogue.digest().unwrap().unwrap();
    assert_eq!((kept.count, Some(kept)), (6, catalogue.walk().unwrap().digest));
    // a record that went without a transaction shows
    catalogue.documents.remove("s00004").unwrap();
    assert_ne!(Some(kept), catalogue.walk().unwrap().digest);
    kill(catalogue);
    let catalogue = Catalogue::open(home.path()).unwrap();
    assert_eq!(catalogue.digest().unwrap(), Some(kept), "a loss is not taken for the truth");
}

#[test]
fn a_removal_that_came_back_in_part_is_a_change() {
    let home = tempfile::tempdir().unwrap();
    let catalogue = Catalogue::open(home.path()).unwrap();
    catalogue.put(&documents(4)).unwrap();
    catalogue.ledger.write(&Entry { removing: true, ..catalogue.entry(false).unwrap() }).unwrap();
    catalogue.documents.remove("s00001").unwrap();
    kill(catalogue);
    let catalogue = Catalogue::open(home.path()).unwrap();
    assert_eq!(catalogue.sequence().unwrap(), 5);
    assert!(catalogue.changed_since(4).unwrap().ids.is_none());
    assert_eq!(catalogue.digest().unwrap(), catalogue.walk().unwrap().digest);
}

#[test]
fn a_snapshot_that_a_full_disk_cut_off_is_made_anew() {
    let home = tempfile::tempdir().unwrap();
    Catalogue::open(home.path()).unwrap().put(&documents(30)).unwrap();
    drop(Catalogue::open(home.path()).unwrap());
    let snapshots = || {
        let entries = std::fs::read_dir(home.path().join("catalogue")).unwrap().map(|entry| entry.unwrap().path());
        entries.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("snap.")).collect::<Vec<_>>()
    };
    let mut tried = 0;
    for length in [0, 5, 40] {
        for path in snapshots() {
            let bytes = std::fs::read(&path).unwrap();
            std::fs::write(&path, &bytes[..length.min(bytes.len())]).unwrap();
            tried += 1;
        }
        let catalogue = Catalogue::open(home.path()).unwrap();
        assert_eq!(catalogue.iter().collect::<Result<Vec<_>>>().unwrap(), documents(30));
        assert_eq!(catalogue.sequence().unwrap(), 30);
    }
    assert!(tried > 0, "there is no snapshot to cut");
}
