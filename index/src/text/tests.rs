#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::prelude::*;

use super::term::{Keywords, Said, Spelling, Term};
use super::*;

/// An index of texts in which what stands between `[` and `]` is denied.
fn index_of(marked: &[String]) -> (tempfile::TempDir, TextIndex) {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = TextWriter::create(dir.path()).unwrap();
    for (row, marked) in (0..).zip(marked) {
        let (text, denied) = read(marked);
        writer.add(row, &text, &denied).unwrap();
    }
    writer.finish().unwrap();
    let index = TextIndex::open(dir.path()).unwrap();
    (dir, index)
}

fn read(marked: &str) -> (String, Vec<Range<usize>>) {
    let (mut text, mut denied) = (String::new(), Vec::new());
    for (i, part) in marked.split(['[', ']']).enumerate() {
        if i % 2 == 1 {
            denied.push(text.len()..text.len() + part.len());
        }
        text.push_str(part);
    }
    (text, denied)
}

fn texts(all: &[&str]) -> (tempfile::TempDir, TextIndex) {
    index_of(&all.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>())
}

fn rows(index: &TextIndex, keywords: &Keywords) -> Vec<u32> {
    index.matches(keywords).unwrap().iter().collect()
}

fn spelled(spellings: &[(&str, f32, u32)]) -> Term {
    let spelling = |(text, weight, apart): &(&str, f32, u32)| Spelling {
        text: (*text).to_owned(),
        weight: *weight,
        apart: *apart,
    };
    Term { spellings: spellings.iter().map(spelling).collect(), said: Said::Affirmed }
}

fn ranked(index: &TextIndex, terms: &[Term]) -> Vec<u32> {
    index.search(terms, 100, None).unwrap().into_iter().map(|(_, row)| row).collect()
}

#[test]
fn words_phrases_and_stems() {
    let (_dir, index) = texts(&[
        "A red fox jumped over the sleeping dog.",
        "Two foxes were jumping; no dog in sight.",
        "The dog sleeps. Red dreams.",
        "",
    ]);
    let of = |text: &str| rows(&index, &Keywords::Term(Term::of(text)));
    assert_eq!(of("fox"), [0, 1]);
    assert_eq!(of("JUMP"), [0, 1]);
    assert_eq!(of("sleeping dogs"), [0]);
    assert_eq!(of("dog sleeping"), [2]);
    assert_eq!(of("sleeps red"), [] as [u32; 0], "no phrase reaches over a full stop");
    assert_eq!(of("unicorn"), [] as [u32; 0]);
    assert_eq!(of("..."), [] as [u32; 0]);
    let near = |apart| rows(&index, &Keywords::Term(spelled(&[("dog fox", 1.0, apart)])));
    assert_eq!((near(3), near(4)), (vec![], vec![0]));
    assert_eq!(rows(&index, &Keywords::All(Vec::new())), [0, 1, 2, 3]);
    assert_eq!(rows(&index, &Keywords::Any(Vec::new())), [] as [u32; 0]);
    assert_eq!(rows(&index, &Keywords::Not(Box::new(Keywords::Rows([1, 9].into_iter().collect())))), [0, 2, 3]);
}

#[test]
fn what_is_denied_is_told_apart() {
    let (_dir, index) = texts(&["No [effusion or edema]. Large heart.", "Small effusion.", "Clear."]);
    let said = |text: &str, said| rows(&index, &Keywords::Term(Term { said, ..Term::of(text) }));
    assert_eq!(said("effusion", Said::Affirmed), [1]);
    assert_eq!(said("effusion", Said::Denied), [0]);
    assert_eq!(said("effusion", Said::Anyhow), [0, 1]);
    assert_eq!(said("effusion or edema", Said::Denied), [0]);
    assert_eq!(ranked(&index, &[Term::of("effusion")]), [1]);
}

#[test]
fn a_synonym_counts_a_bit_less_than_the_word_however_rare_it_is() {
    let (_dir, index) = texts(&[
        "common word here today",
        "rare name here today",
        "common word here today",
        "common word here today",
        "nothing of it here",
    ]);
    let term = spelled(&[("common word", 1.0, 0), ("rare name", 0.8, 0)]);
    let found = index.search(&[term], 10, None).unwrap();
    assert_eq!(found.iter().map(|(_, row)| *row).collect::<Vec<_>>(), [0, 2, 3, 1]);
    assert!(found[3].0 < found[0].0 && found[3].0 > 0.7 * found[0].0);
}

#[test]
fn ranking_and_filter() {
    let (_dir, index) =
        texts(&["dog and cat and bird", "the dog, the dog, the dog and bird", "the dog and the cat", "cat"]);
    assert_eq!(ranked(&index, &Term::each_word("dog"))[0], 1);
    assert_eq!(ranked(&index, &Term::each_word("dog cat"))[..2], [0, 2]);
    let filter: RoaringBitmap = [1, 3].into_iter().collect();
    let found = index.search(&Term::each_word("dog"), 10, Some(&filter)).unwrap();
    assert_eq!(found.len(), 1);
    assert!(index.search(&Term::each_word("dog"), 0, None).unwrap().is_empty());
    assert_eq!(index.search(&Term::each_word("dog"), 1, None).unwrap().len(), 1);
    assert!(index.search(&[], 10, None).unwrap().is_empty());
}

#[test]
fn highlighting() {
    let text = "The heart is mildly enlarged. Enlarged heart, cardiomegaly.";
    let term = spelled(&[("enlarged heart", 1.0, 2), ("cardiomegaly", 0.8, 0)]);
    let found = highlight::Highlighter::new(&[term, Term::of("enlargement")]).find(text);
    let shown: Vec<_> = found.iter().map(|f| (&text[f.range.clone()], f.term, f.synonym)).collect();
    let expected = [
        ("heart is mildly enlarged", 0, false),
        ("enlarged", 1, false),
        ("Enlarged heart", 0, false),
        ("Enlarged", 1, false),
        ("cardiomegaly", 0, true),
    ];
    assert_eq!(shown, expected);
    assert!(highlight::Highlighter::new(&[]).find(text).is_empty());
}

/// A document as the naive evaluation sees it: words and whether each is denied.
type Naive = Vec<(String, bool)>;

fn naive_has(document: &Naive, term: &Term) -> bool {
    let seen = |denied: bool| match term.said {
        Said::Anyhow => true,
        Said::Affirmed => !denied,
        Said::Denied => denied,
    };
    term.spellings.iter().any(|spelling| {
        let wanted: Vec<&str> = spelling.text.split(' ').collect();
        let width = wanted.len() + spelling.apart as usize;
        (0..document.len()).any(|start| {
            let window = &document[start..document.len().min(start + width)];
            if spelling.apart == 0 {
                return window.len() == wanted.len()
                    && window.iter().zip(&wanted).all(|((word, denied), w)| word == w && seen(*denied));
            }
            let mut left: Vec<&str> =
                window.iter().filter(|(_, denied)| seen(*denied)).map(|(word, _)| word.as_str()).collect();
            wanted.iter().all(|w| left.iter().position(|word| word == w).map(|at| left.remove(at)).is_some())
        })
    })
}

fn naive(documents: &[Naive], keywords: &Keywords) -> RoaringBitmap {
    let all = || (0..documents.len() as u32).collect::<RoaringBitmap>();
    match keywords {
        Keywords::All(parts) => parts.iter().fold(all(), |rows, part| rows & naive(documents, part)),
        Keywords::Any(parts) => parts.iter().fold(RoaringBitmap::new(), |rows, part| rows | naive(documents, part)),
        Keywords::Not(inner) => all() - naive(documents, inner),
        Keywords::Rows(rows) => rows.clone(),
        Keywords::Term(term) => all().iter().filter(|row| naive_has(&documents[*row as usize], term)).collect(),
    }
}

fn a_term() -> impl Strategy<Value = Term> {
    let spelling = (prop::collection::vec("[abc]", 1..4), 0u32..3).prop_map(|(words, apart)| Spelling {
        text: words.join(" "),
        weight: 1.0,
        apart,
    });
    let said = prop_oneof![Just(Said::Anyhow), Just(Said::Affirmed), Just(Said::Denied)];
    (prop::collection::vec(spelling, 1..3), said).prop_map(|(spellings, said)| Term { spellings, said })
}

fn some_keywords() -> impl Strategy<Value = Keywords> {
    a_term().prop_map(Keywords::Term).prop_recursive(3, 12, 3, |inner| {
        let parts = || prop::collection::vec(inner.clone(), 0..3);
        prop_oneof![
            parts().prop_map(Keywords::All),
            parts().prop_map(Keywords::Any),
            inner.clone().prop_map(|inner| Keywords::Not(Box::new(inner))),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn matches_are_those_of_a_look_at_every_word(
        documents in prop::collection::vec(prop::collection::vec(("[abcd]", any::<bool>()), 0..9), 1..12),
        queries in prop::collection::vec(some_keywords(), 20),
        terms in prop::collection::vec(a_term(), 0..3),
    ) {
        let marked: Vec<String> = documents
            .iter()
            .map(|words| {
                let word = |(word, denied): &(String, bool)| if *denied { format!("[{word}]") } else { word.clone() };
                words.iter().map(word).collect::<Vec<_>>().join(" ")
            })
            .collect();
        let (_dir, index) = index_of(&marked);
        for query in &queries {
            prop_assert_eq!(index.matches(query).unwrap(), naive(&documents, query), "{:?}", query);
        }
        // what scores is what has one of the terms
        let any = Keywords::Any(terms.iter().cloned().map(Keywords::Term).collect());
        let scored: RoaringBitmap = ranked(&index, &terms).into_iter().collect();
        prop_assert_eq!(scored, naive(&documents, &any));
        for (words, query) in documents.iter().zip(&marked) {
            let (text, _) = read(query);
            let anyhow: Vec<Term> = terms.iter().map(|term| Term { said: Said::Anyhow, ..term.clone() }).collect();
            let found = highlight::Highlighter::new(&anyhow).find(&text);
            for (number, term) in anyhow.iter().enumerate() {
                prop_assert_eq!(found.iter().any(|f| f.term == number), naive_has(words, term), "{} {:?}", text, term);
            }
        }
    }
}
