#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::Instant;

use proptest::prelude::*;

use super::*;

const TEXTS: [&str; 5] = [
    "A red fox jumped over the sleeping dog.",
    "Two foxes were jumping; no dog in sight.",
    "The dog sleeps. The dog dreams of dogs.",
    "A sleeping red dog.",
    "",
];

fn index() -> (tempfile::TempDir, TextIndex) {
    let dir = tempfile::tempdir().unwrap();
    let kinds = BTreeMap::from([("colour".to_owned(), false), ("weight".to_owned(), true), ("text".to_owned(), false)]);
    let mut writer = TextWriter::create(dir.path(), &kinds).unwrap();
    for (row, text) in (0..).zip(TEXTS) {
        let colour = if row % 2 == 0 { "Dark Red" } else { "blue" };
        let fields = BTreeMap::from([
            ("colour".to_owned(), vec![Value::Text(colour.to_owned())]),
            ("weight".to_owned(), vec![Value::Number(f64::from(row) + 0.5)]),
        ]);
        writer.add(row, text, &fields).unwrap();
    }
    writer.finish().unwrap();
    let index = TextIndex::open(dir.path()).unwrap();
    (dir, index)
}

fn rows(index: &TextIndex, query: &str) -> Vec<u32> {
    let mut rows: Vec<u32> = index.search(query, 10, None).expect(query).into_iter().map(|(_, row)| row).collect();
    rows.sort_unstable();
    assert_eq!(index.matches(query).unwrap().iter().collect::<Vec<_>>(), rows, "{query}");
    rows
}

#[test]
fn the_query_language() {
    let (_dir, index) = index();
    assert_eq!(rows(&index, "fox"), [0, 1]);
    assert_eq!(rows(&index, "JUMP"), [0, 1]);
    assert_eq!(rows(&index, "fox dream"), [0, 1, 2]);
    assert_eq!(rows(&index, "fox AND sleep"), [0]);
    assert_eq!(rows(&index, "\"red dog\""), [3]);
    assert_eq!(rows(&index, "\"sleeping dog\""), [0]);
    assert_eq!(rows(&index, "dog -fox"), [2, 3]);
    assert_eq!(rows(&index, "-fox"), [2, 3, 4]);
    assert_eq!(rows(&index, "(fox OR dream) AND dog"), [0, 1, 2]);
    assert_eq!(rows(&index, "colour:blue"), [1, 3]);
    assert_eq!(rows(&index, "colour:\"dark red\" fox"), [0, 1, 2, 4]);
    assert_eq!(rows(&index, "weight:1.5"), [1]);
    assert_eq!(rows(&index, "weight:[1 TO 3]"), [1, 2]);
    assert!(rows(&index, "").is_empty());
    assert!(rows(&index, "unicorn").is_empty());
}

#[test]
fn ranking_and_filter() {
    let (_dir, index) = index();
    let found = index.search("dog", 10, None).unwrap();
    assert_eq!(found[0].1, 2);
    assert!(found.windows(2).all(|pair| pair[0].0 >= pair[1].0));
    assert_eq!(index.search("dog", 1, None).unwrap().len(), 1);
    let filter: RoaringBitmap = [1, 3].into_iter().collect();
    let found: Vec<u32> = index.search("dog", 10, Some(&filter)).unwrap().into_iter().map(|(_, row)| row).collect();
    assert_eq!(found, [3, 1]);
    assert!(index.search("dog", 0, None).unwrap().is_empty());
}

#[test]
fn faults() {
    let (_dir, index) = index();
    let fault = |query: &str| {
        let error = index.search(query, 3, None).expect_err(query);
        assert!(error.is_caller_fault(), "{query}: {error}");
        error.to_string()
    };
    assert!(fault("shade:blue").contains("no field 'shade'; there are: text, colour, weight"));
    assert!(fault("weight:heavy").contains("no number"));
    assert!(fault("(fox").contains("position"));
    assert!(fault(&"(".repeat(5000)).contains("longer than"));
    assert!(fault(&format!("{}fox{}", "(".repeat(20), ")".repeat(20))).contains("inside each other"));
}

#[test]
fn what_could_take_the_parser_long_does_not() {
    let (_dir, index) = index();
    let started = Instant::now();
    let deep = format!("{}fox{}", "(".repeat(MAX_DEPTH), ")".repeat(MAX_DEPTH));
    let signs = "-".repeat(MAX_CHARACTERS);
    let groups = "(a OR b) AND ".repeat(100);
    let words = "a* b? c~ ".repeat(200);
    for query in [
        deep.as_str(),
        &"(".repeat(MAX_DEPTH),
        &signs,
        &groups,
        &words,
        &"NOT ".repeat(500),
        &"\"a ".repeat(600),
        &"a:".repeat(900),
    ] {
        let _ = index.search(query, 3, None);
    }
    assert!(started.elapsed().as_secs() < 5, "{:?}", started.elapsed());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]
    #[test]
    fn any_text_is_answered_or_refused(query in any::<String>()) {
        let (_dir, index) = shared();
        let _ = index.search(&query, 3, None);
    }

    #[test]
    fn any_mix_of_signs_is_answered_or_refused(query in "([-+:()\\[\\]{}\"'*?~^/\\\\<>=., ]|AND|OR|NOT|IN|TO|fox|dog|colour:|weight:|_row:|text:|1|é){0,24}") {
        let (_dir, index) = shared();
        if let Err(error) = index.search(&query, 3, None) {
            prop_assert!(error.is_caller_fault(), "{query}: {error}");
        }
    }
}

fn shared() -> &'static (tempfile::TempDir, TextIndex) {
    static INDEX: std::sync::OnceLock<(tempfile::TempDir, TextIndex)> = std::sync::OnceLock::new();
    INDEX.get_or_init(index)
}
