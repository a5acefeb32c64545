#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::prelude::*;

use super::*;

fn shown(text: &str) -> String {
    Query::parse(text).expect(text).to_string()
}

fn fault(text: &str) -> (usize, String) {
    let error = Query::parse(text).expect_err(text);
    assert!(text.get(error.span.clone()).is_some());
    (error.column, error.to_string())
}

fn is_prose(text: &str) -> bool {
    matches!(Query::parse(text).expect(text).root.kind, Kind::Words(_))
}

#[test]
fn prose_stays_prose() {
    for text in [
        "enlarged heart",
        "large right effusion, no pneumothorax",
        "left: effusion",
        "a - b",
        "nodule(s) and mass(es)",
        "effusion (small) on the left",
        "12:30 film",
        "T5-T6, 2-3 cm",
        "lines and tubes, not seen or hidden",
        "-5 degrees",
        "effusion -- small",
        "NO EFFUSION OR PNEUMOTHORAX. HEART AND LUNGS NORMAL",
    ] {
        assert!(is_prose(text), "{text}");
    }
    for text in ["\"enlarged heart\"", "effusion -pneumothorax", "effusion AND edema", "CHF OR PTX", "sex:F", "a NOT b"]
    {
        assert!(!is_prose(text), "{text}");
    }
}

#[test]
fn the_tree() {
    let words = |text: &str| {
        let word = |text: &str| Word { text: text.to_owned(), span: 0..0 };
        Node { kind: Kind::Words(text.split(' ').map(word).collect()), span: 0..0 }
    };
    let node = |kind| Node { kind, span: 0..0 };
    let field = |field: &str, test| node(Kind::Field { field: field.to_owned(), test });
    let parsed = Query::parse("large effusion AND \"no PTX\" -edema Sex:F age:40..60 OR NOT old film").unwrap();
    let beside = node(Kind::Beside(vec![
        node(Kind::Phrase("no PTX".to_owned())),
        node(Kind::Not(Box::new(words("edema")))),
        field("sex", Test::Equals("f".to_owned())),
        field("age", Test::Range { low: Some("40".to_owned()), high: Some("60".to_owned()) }),
    ]));
    let and = node(Kind::And(vec![words("large effusion"), beside]));
    assert_eq!(parsed.root, node(Kind::Or(vec![and, node(Kind::Not(Box::new(words("old film"))))])));
    assert!(Query::parse("  ").unwrap().is_empty());
    assert_eq!(Query::parse("é sex:F -age:3..").unwrap().fields(), [("sex", 3..8), ("age", 10..17)]);
}

#[test]
fn spans_are_bytes_of_the_text() {
    let text = "é (\"a b\" AND -c) d";
    let Query { root } = Query::parse(text).unwrap();
    let mut parts = Vec::new();
    root.visit(&mut |node| parts.push(&text[node.span.clone()]));
    assert_eq!(parts, [text, "é", "(\"a b\" AND -c)", "\"a b\"", "-c", "c", "d"]);
}

#[test]
fn binding() {
    assert_eq!(shown("a b OR c AND d"), "a b OR c AND d");
    assert_eq!(shown("(a OR b) c"), "(a OR b) c");
    assert_eq!(shown("a AND (b OR c)"), "a AND (b OR c)");
    assert_eq!(shown("(a AND b) AND c"), "a AND b AND c");
    assert_eq!(shown("(a (b) ()) c"), "a b c");
    assert_eq!(shown("NOT a b \"c\" -d e"), "-(a b) \"c\" -d e");
    assert_eq!(shown("NOT(a) NOT NOT b:1"), "-a -(-b:1)");
    assert_eq!(shown("A (B) OR C"), "(A) (B) OR C");
    assert_eq!(shown("\u{201c}a b\u{201d}"), "\"a b\"");
}

#[test]
fn escapes() {
    assert_eq!(shown("\\-a \\AND b\\:c \\\"d\\( \\\\"), "\\-a \\AND b\\:c \\\"d\\( \\\\");
    assert_eq!(shown("-\\5"), "-(5)");
    assert_eq!(shown("a:x\\ y b:\\* c:1\\..2"), "a:\"x y\" b:\"*\" c:\"1..2\"");
    assert_eq!(shown("a:1\\....2"), "a:1\\...\\.2");
}

#[test]
fn faults_name_the_place_and_the_remedy() {
    assert_eq!(fault("effusion é (a").0, 12);
    assert!(fault("effusion é (a").1.starts_with("the opening parenthesis at column 12 is never closed"));
    assert!(fault("a) b").1.starts_with("the closing parenthesis at column 2 closes nothing"));
    assert!(fault("(").1.contains("never closed"));
    assert!(fault("( OR )").1.starts_with("the OR at column 3 has nothing before it"));
    assert!(fault("a OR").1.starts_with("the OR at column 3 has nothing after it: add what it joins, or write 'or'"));
    assert!(fault("a AND OR b").1.starts_with("the AND at column 3 has nothing after it"));
    assert!(fault("NOT").1.starts_with("the NOT at column 1 has nothing after it"));
    assert!(fault("AND b").1.starts_with("the AND at column 1 has nothing before it"));
    assert!(fault("a \"b c").1.starts_with("the quotation mark at column 3 is never closed"));
    assert!(fault("a \"\"").1.starts_with("there is no word between the quotation marks at column 3"));
    assert!(fault("age:..").1.starts_with("the range at column 5 needs at least one end"));
    assert!(fault("sex:(F OR M)").1.contains("write 'a:x OR a:y'"));
    assert!(fault("a:\"b\"..c").1.contains("a blank is missing at column 6"));
    assert!(fault("a\\").1.starts_with("the backslash at column 2"));
    assert!(fault(&"-(".repeat(1000)).1.contains("inside each other"));
    assert!(fault(&"(".repeat(100_000)).1.contains("inside each other"));
    assert!(fault(&"NOT ".repeat(100_000)).1.contains("inside each other"));
}

fn word() -> impl Strategy<Value = Word> {
    let text = prop_oneof![
        4 => "[a-z]{1,6}",
        2 => "[-a-zA-Z0-9:()\\\\\"*. é_]{1,6}",
        1 => Just("AND".to_owned()),
        1 => Just("OR".to_owned()),
        1 => "[A-Z]{1,3}",
    ];
    text.prop_map(|text| Word { text, span: 0..0 })
}

fn test() -> impl Strategy<Value = Test> {
    let end = || "[-a-z0-9:()\\\\\"*. ]{1,5}";
    prop_oneof![
        Just(Test::Any),
        "[-a-z0-9:()\\\\\"*. é]{0,6}".prop_map(Test::Equals),
        (end(), prop::option::of(end())).prop_map(|(low, high)| Test::Range { low: Some(low), high }),
        end().prop_map(|high| Test::Range { low: None, high: Some(high) }),
    ]
}

fn node() -> impl Strategy<Value = Node> {
    let leaf = prop_oneof![
        3 => prop::collection::vec(word(), 1..4).prop_map(Kind::Words),
        1 => "[a-z0-9\"\\\\ ()é-]{0,6}[a-z]".prop_map(Kind::Phrase),
        2 => ("[-a-z_1:()\\\\\" ]{1,5}", test()).prop_map(|(field, test)| Kind::Field { field, test }),
    ];
    let of = |kind| Node { kind, span: 0..0 };
    leaf.prop_map(of).prop_recursive(4, 24, 4, move |inner| {
        let parts = || prop::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            parts().prop_map(Kind::Beside),
            parts().prop_map(Kind::And),
            parts().prop_map(Kind::Or),
            inner.clone().prop_map(|inner| Kind::Not(Box::new(inner))),
        ]
        .prop_map(of)
    })
}

/// Parts of the same kind inside each other are one, and so are words that follow each other: as the parser makes them.
fn normal(node: Node) -> Node {
    let each = |parts: Vec<Node>| parts.into_iter().map(normal);
    let kind = match node.kind {
        Kind::Not(inner) => Kind::Not(Box::new(normal(*inner))),
        Kind::And(parts) => Kind::And(
            each(parts)
                .flat_map(|part| match part.kind {
                    Kind::And(inner) => inner,
                    kind => vec![Node { kind, span: 0..0 }],
                })
                .collect(),
        ),
        Kind::Or(parts) => Kind::Or(
            each(parts)
                .flat_map(|part| match part.kind {
                    Kind::Or(inner) => inner,
                    kind => vec![Node { kind, span: 0..0 }],
                })
                .collect(),
        ),
        Kind::Beside(parts) => {
            let mut all: Vec<Node> = Vec::new();
            for part in each(parts) {
                match (all.last_mut().map(|last| &mut last.kind), part.kind) {
                    (Some(Kind::Words(before)), Kind::Words(words)) => before.extend(words),
                    (_, kind) => all.push(Node { kind, span: 0..0 }),
                }
            }
            match all.len() {
                1 => return all.remove(0),
                _ => Kind::Beside(all),
            }
        }
        kind => kind,
    };
    Node { kind, span: 0..0 }
}

#[test]
fn a_run_of_words_ends_where_parentheses_do() {
    for text in ["fox(dog sex:9)", "fox (dog sex:9)", "(sex:9 dog) fox", "fox (dog -cat) bird"] {
        let query = Query::parse(text).unwrap();
        assert_eq!(Query::parse(&query.to_string()).unwrap(), query, "{text}");
        query.root.visit(&mut |node| {
            let part = text.get(node.span.clone()).unwrap();
            assert_eq!(Query::parse(part).map(|query| query.root).as_ref(), Ok(node), "{text}: {part}");
        });
    }
    let run = |text: &str| Query::parse(text).unwrap().root;
    assert_eq!(run("fox () (dog)"), run("fox dog"));
}

const SIGNS: &str = "([-:()\"\\\\*. \t\u{201c}\u{201d}]|AND|OR|NOT|fox|dog |DOG |sex:|age:4|\\.\\.|9|é){0,24}";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn a_tree_written_parses_to_the_same_tree(root in node().prop_map(normal)) {
        let query = Query { root };
        let text = query.to_string();
        prop_assert_eq!(Query::parse(&text).map_err(|e| TestCaseError::fail(format!("{text}: {e}")))?, query, "{}", text);
    }

    #[test]
    fn a_text_that_parses_parses_again_from_what_is_written(text in SIGNS) {
        if let Ok(query) = Query::parse(&text) {
            let written = query.to_string();
            let again = Query::parse(&written).map_err(|e| TestCaseError::fail(format!("{written}: {e}")))?;
            prop_assert_eq!(&again, &query, "{}", written);
            prop_assert_eq!(again.to_string(), written);
        }
    }

    #[test]
    fn any_bytes_parse_or_are_refused_with_a_place(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Err(error) = Query::parse(&text) {
            prop_assert!(text.get(error.span.clone()).is_some());
            prop_assert!(error.column >= 1 && error.column <= text.chars().count() + 1);
        }
    }

    #[test]
    fn spans_cover_what_they_are_of(text in SIGNS) {
        if let Ok(query) = Query::parse(&text) {
            let mut fine = true;
            query.root.visit(&mut |node| {
                let part = text.get(node.span.clone());
                fine &= part.is_some_and(|part| match Query::parse(part) {
                    // a part alone may be all in capitals, where its operators are words
                    Ok(alone) => alone.root == *node || text.contains(char::is_uppercase),
                    Err(_) => false,
                });
            });
            prop_assert!(fine, "{}", text);
        }
    }
}
