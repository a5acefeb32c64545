#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::document::Value;
use crate::filter::Filter;

type Fields = BTreeMap<String, Vec<Value>>;

fn word(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn facet(rows: &[Fields], field: &str, within: &[u32], top: usize) -> Facet {
    let columns = FieldColumns::new(rows.iter());
    columns.facet(field, &within.iter().copied().collect(), top, Counting { groups: None }).unwrap()
}

fn values(facet: &Facet) -> Vec<(&str, u64)> {
    facet.values.iter().map(|v| (v.value.as_str(), v.count)).collect()
}

#[test]
fn words_by_frequency_and_what_is_not_listed() {
    let row = |findings: &[&str]| Fields::from([("finding".to_owned(), findings.iter().map(|f| word(f)).collect())]);
    let rows = [row(&["Edema", "Effusion"]), row(&["Edema"]), row(&["Mass"]), Fields::new(), row(&["edema", "Mass"])];
    let all = facet(&rows, "Finding", &[0, 1, 2, 3, 4], 2);
    assert_eq!((all.field.as_str(), all.kind), ("finding", FacetKind::Words));
    assert_eq!(values(&all), [("Edema", 3), ("Mass", 2)]);
    assert_eq!((all.others, all.with, all.without), (0, 4, 1));
    let one = facet(&rows, "finding", &[0, 2, 3], 1);
    assert_eq!((values(&one), one.others, one.with, one.without), (vec![("Edema", 1)], 1, 2, 1));
}

#[test]
fn groups_count_once() {
    let rows: Vec<Fields> =
        ["F", "F", "M", "F"].iter().map(|sex| Fields::from([("sex".to_owned(), vec![word(sex)])])).collect();
    let columns = FieldColumns::new(rows.iter());
    let facet = columns.facet("sex", &(0..4).collect(), 9, Counting { groups: Some(&[7, 7, 7, 8]) }).unwrap();
    assert_eq!((values(&facet), facet.with), (vec![("F", 2), ("M", 1)], 2));
}

#[test]
fn numbers_and_dates_become_ranges_that_a_filter_takes() {
    let ages = [39.0, 40.0, 49.0, 50.0, 71.0];
    let rows: Vec<Fields> = ages.iter().map(|n| Fields::from([("age".to_owned(), vec![Value::Number(*n)])])).collect();
    let all = facet(&rows, "age", &[0, 1, 2, 3, 4], 4);
    assert_eq!(
        (all.kind, values(&all)),
        (FacetKind::Numbers, vec![("30..39", 1), ("40..49", 2), ("50..59", 1), ("70..79", 1)])
    );
    assert_eq!(values(&facet(&rows, "age", &[2], 4)), [("49", 1)]);
    let days = ["2019-01-02", "2019-01-30", "2019-03-01", "2024-01-01"];
    let rows: Vec<Fields> = days.iter().map(|d| Fields::from([("date".to_owned(), vec![word(d)])])).collect();
    assert_eq!(values(&facet(&rows, "date", &[0, 1, 2], 9)), [("2019-01", 2), ("2019-03", 1)]);
    let years = facet(&rows, "date", &[0, 1, 2, 3], 9);
    assert_eq!((years.kind, values(&years)), (FacetKind::Dates, vec![("2019", 3), ("2024", 1)]));
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        "[ab]{1,2}".prop_map(Value::Text),
        (-9i32..90).prop_map(|n| Value::Number(f64::from(n) / 2.0)),
        (2017..2023u32, 1..13u32, 1..4u32).prop_map(|(y, m, d)| Value::Text(format!("{y}-{m:02}-{d:02}"))),
    ]
}

/// Rows of one field that has one kind of values, or a mixture.
fn columns() -> impl Strategy<Value = Vec<Vec<Value>>> {
    let of = |kind: u32| {
        let fits = move |value: &Value| match value {
            Value::Number(n) => kind == 3 || kind == 0 || (kind == 4 && n.fract() == 0.0),
            Value::Text(text) => kind == 3 || is_date(text) == (kind == 1) && kind != 0 && kind != 4,
        };
        prop::collection::vec(prop::collection::vec(value().prop_filter("kind", fits), 0..3), 1..30)
    };
    (0u32..5).prop_flat_map(of)
}

proptest! {
    /// Every count is what a look at every row counts, and what a filter by the value lets pass.
    #[test]
    fn counts_are_those_of_the_filter_and_of_a_look_at_every_row(
        column in columns(), within in prop::collection::btree_set(0u32..30, 0..30), top in 1usize..12, groups in any::<bool>(),
    ) {
        let rows: Vec<Fields> = column.iter().map(|values| Fields::from([("f".to_owned(), values.clone())])).collect();
        let columns = FieldColumns::new(rows.iter());
        let within: RoaringBitmap = within.into_iter().filter(|row| (*row as usize) < rows.len()).collect();
        let group_of: Vec<u32> = (0..rows.len() as u32).map(|row| row / 3).collect();
        let counting = Counting { groups: groups.then_some(group_of.as_slice()) };
        let Ok(facet) = columns.facet("f", &within, top, counting) else {
            prop_assert!(column.iter().all(Vec::is_empty));
            return Ok(());
        };
        let count = |passing: &dyn Fn(usize) -> bool| {
            let numbers = within.iter().filter(|row| passing(*row as usize));
            numbers.map(|row| if groups { row / 3 } else { row }).collect::<BTreeSet<u32>>().len() as u64
        };
        let mut listed = RoaringBitmap::new();
        for value in &facet.values {
            let passing = columns.rows(&Filter::parse(&format!("f:{}", value.value)).unwrap()).unwrap();
            prop_assert_eq!(value.count, count(&|row| passing.contains(row as u32)), "{}", &value.value);
            prop_assert!(value.count > 0);
            listed |= passing;
        }
        prop_assert_eq!(facet.with, count(&|row| !column[row].is_empty()));
        prop_assert_eq!(facet.without, count(&|row| column[row].is_empty()));
        prop_assert_eq!(facet.others, count(&|row| !column[row].is_empty() && !listed.contains(row as u32)));
        match facet.kind {
            FacetKind::Words => {
                prop_assert!(facet.values.len() <= top);
                prop_assert!(facet.values.is_sorted_by_key(|v| (std::cmp::Reverse(v.count), v.value.clone())));
                // none that is more frequent was left out
                let least = facet.values.last().map_or(0, |v| v.count);
                let words: BTreeSet<&str> = column.iter().flatten().filter_map(|v| match v { Value::Text(t) => Some(t.as_str()), Value::Number(_) => None }).collect();
                for word in words.iter().filter(|word| !facet.values.iter().any(|v| v.value == **word)) {
                    let has = |row: usize| column[row].iter().any(|v| matches!(v, Value::Text(t) if t == word));
                    prop_assert!(count(&has) <= least || facet.values.len() < top && count(&has) == 0, "{word}");
                }
            }
            // dates beside numbers are among the others
            FacetKind::Numbers => prop_assert!(facet.values.len() <= top + 1),
            FacetKind::Dates => prop_assert_eq!(facet.others, 0),
        }
    }
}
