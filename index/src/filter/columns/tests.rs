#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::prelude::*;

use super::*;

type Fields = BTreeMap<String, Vec<Value>>;

fn word(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn rows() -> Vec<Fields> {
    let row = |sex: &str, age: f64, date: &str, findings: &[&str]| {
        BTreeMap::from([
            ("Sex".to_owned(), vec![word(sex)]),
            ("age".to_owned(), vec![Value::Number(age)]),
            ("date".to_owned(), vec![word(date)]),
            ("finding".to_owned(), findings.iter().map(|f| word(f)).collect()),
        ])
    };
    vec![
        row("F", 40.0, "2018-12-31", &["Pleural Effusion", "Edema"]),
        row("M", 60.0, "2019-01-01", &["Pleural Effusion"]),
        row("F", 60.5, "2019-06-30", &[]),
        row("f", 81.0, "2020-02-29", &["Edema"]),
        BTreeMap::from([("age".to_owned(), vec![Value::Number(5.0), Value::Number(50.0)])]),
    ]
}

fn passing(text: &str) -> Vec<u32> {
    let rows = rows();
    let columns = FieldColumns::new(rows.iter());
    columns.rows(&Filter::parse(text).unwrap()).expect(text).iter().collect()
}

fn fault(text: &str) -> String {
    let rows = rows();
    let error = FieldColumns::new(rows.iter()).rows(&Filter::parse(text).unwrap()).expect_err(text);
    assert!(error.is_caller_fault());
    error.to_string()
}

#[test]
fn values_and_ranges() {
    assert_eq!(passing(""), [0, 1, 2, 3, 4]);
    assert_eq!(passing("sex:F"), [0, 2, 3]);
    assert_eq!(passing("SEX:f age:40..60"), [0]);
    assert_eq!(passing("age:40..60"), [0, 1, 4]);
    assert_eq!(passing("age:60.."), [1, 2, 3]);
    assert_eq!(passing("age:..5"), [4]);
    assert_eq!(passing("age:60"), [1]);
    assert_eq!(passing("age:60.0"), [1]);
    assert_eq!(passing("finding:\"pleural effusion\""), [0, 1]);
    assert_eq!(passing("finding:\"Pleural Effusion\" -finding:Edema"), [1]);
    assert_eq!(passing("-finding:edema"), [1, 2, 4]);
    assert_eq!(passing("finding:*"), [0, 1, 3]);
    assert_eq!(passing("sex:M OR age:..5"), [1, 4]);
    assert_eq!(passing("sex:F (finding:edema OR age:60..61)"), [0, 2, 3]);
    assert_eq!(passing("-(sex:F OR sex:M)"), [4]);
    assert!(passing("finding:nothing").is_empty());
}

#[test]
fn dates_in_part() {
    assert_eq!(passing("date:2019-01-01.."), [1, 2, 3]);
    assert_eq!(passing("date:..2019"), [0, 1, 2]);
    assert_eq!(passing("date:2019"), [1, 2]);
    assert_eq!(passing("date:2019-06"), [2]);
    assert_eq!(passing("date:2018-12-31..2019-01"), [0, 1]);
    assert_eq!(passing("date:2019-06-30..2019-06-30"), [2]);
    assert!(passing("date:2021..2020").is_empty());
}

#[test]
fn faults_say_what_there_is() {
    assert!(fault("colour:red").contains("no field 'colour'; there are: age, date, finding, Sex"));
    assert!(fault("finding:a..b").contains("holds words, which have no ranges"));
    assert!(fault("age:old..").contains("'old..' does not fit the field 'age': it holds numbers"));
    assert!(fault("age:old").contains("holds numbers, and 'old' is none"));
    assert!(fault("date:March..").contains("dates (YYYY-MM-DD)"));
    assert!(fault("age:nan..").contains("does not fit"));
    // also where the rest decides already
    assert!(fault("finding:nothing colour:red").contains("colour"));
}

#[test]
fn names_and_kinds() {
    let rows = rows();
    let columns = FieldColumns::new(rows.iter());
    let names = columns.names();
    let kinds: Vec<_> = names.iter().map(|f| (f.name.as_str(), f.numbers, f.dates, f.words)).collect();
    let expected = [
        ("age", true, false, false),
        ("date", false, true, false),
        ("finding", false, false, true),
        ("Sex", false, false, true),
    ];
    assert_eq!(kinds, expected);
}

/// What the language's page says, one row at a time.
fn brute(expression: &Expression, fields: &Fields) -> bool {
    match expression {
        Expression::And(parts) => parts.iter().all(|part| brute(part, fields)),
        Expression::Or(parts) => parts.iter().any(|part| brute(part, fields)),
        Expression::Not(inner) => !brute(inner, fields),
        Expression::Term { field, test } => {
            let mut values =
                fields.iter().filter(|(name, _)| name.to_lowercase() == *field).flat_map(|(_, values)| values);
            values.any(|value| match (test, value) {
                (Test::Any, _) => true,
                (Test::Equals(wanted), Value::Number(n)) => wanted.parse::<f64>().is_ok_and(|w| w == *n),
                (Test::Equals(wanted), Value::Text(text)) => {
                    text.to_lowercase() == *wanted
                        || (looks_like_date(text) && date_in(text, Some(wanted), Some(wanted)))
                }
                (Test::Range { low, high }, Value::Number(n)) => {
                    let end = |end: &Option<String>| end.as_ref().map(|e| e.parse::<f64>().unwrap_or(f64::NAN));
                    end(low).is_none_or(|low| *n >= low) && end(high).is_none_or(|high| *n <= high)
                }
                (Test::Range { low, high }, Value::Text(text)) => {
                    looks_like_date(text) && date_in(text, low.as_deref(), high.as_deref())
                }
            })
        }
    }
}

fn looks_like_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    parts.len() == 3
        && parts.iter().zip([4, 2, 2]).all(|(part, length)| part.len() == length && part.parse::<u32>().is_ok())
}

fn date_in(date: &str, low: Option<&str>, high: Option<&str>) -> bool {
    let part = |end: &str| [4, 7, 10].contains(&end.len()) && end.starts_with("20");
    let fits = |end: &str, passes: fn(&str, &str) -> bool| part(end) && passes(&date[..end.len()], end);
    low.is_none_or(|low| fits(low, |date, end| date >= end))
        && high.is_none_or(|high| fits(high, |date, end| date <= end))
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        (-3i32..4).prop_map(|n| Value::Number(f64::from(n) / 2.0)),
        "[abAB]{1,2}".prop_map(Value::Text),
        (2018u32..2021, 1u32..4, 1u32..4).prop_map(|(y, m, d)| Value::Text(format!("{y}-{m:02}-{d:02}"))),
    ]
}

fn term() -> impl Strategy<Value = String> {
    let date = (2018u32..2021, 1u32..4, 1u32..4, prop_oneof![Just(4usize), Just(7), Just(10)])
        .prop_map(|(y, m, d, length)| format!("{y}-{m:02}-{d:02}")[..length].to_owned());
    let number = (-3i32..4).prop_map(|n| (f64::from(n) / 2.0).to_string());
    let range = |end: BoxedStrategy<String>| {
        (end.clone(), end, 0..3).prop_map(|(low, high, open)| match open {
            0 => format!("{low}.."),
            1 => format!("..{high}"),
            _ => format!("{low}..{high}"),
        })
    };
    let test = prop_oneof![
        Just("*".to_owned()),
        "[abAB]{1,2}",
        number.clone(),
        date.clone(),
        range(number.boxed()),
        range(date.boxed()),
    ];
    ("[xyX]", test).prop_map(|(field, test)| format!("{field}:{test}"))
}

fn expression() -> impl Strategy<Value = String> {
    term().prop_recursive(4, 16, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|e| format!("-({e})")),
            prop::collection::vec(inner.clone(), 1..4).prop_map(|e| e.join(" ")),
            prop::collection::vec(inner, 1..4).prop_map(|e| format!("({})", e.join(" OR "))),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]
    #[test]
    fn rows_are_those_of_a_look_at_every_row(
        rows in prop::collection::vec(prop::collection::btree_map("[xy]", prop::collection::vec(value(), 0..3), 0..3), 0..12),
        text in expression(),
    ) {
        let filter = Filter::parse(&text).unwrap();
        let columns = FieldColumns::new(rows.iter());
        match columns.rows(&filter) {
            Ok(found) => {
                let expected: RoaringBitmap =
                    (0..).zip(&rows).filter(|(_, fields)| brute(&filter.expression, fields)).map(|(row, _)| row).collect();
                prop_assert_eq!(found, expected);
            }
            // a field that is not there, or a test that none of its values could pass
            Err(error) => prop_assert!(error.is_caller_fault()),
        }
    }
}
