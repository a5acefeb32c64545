//! Which studies a deletion means. The catalogue is asked, not the index: studies that were never indexed can be deleted too.

use std::collections::BTreeSet;

use thorax_index::filter::FieldColumns;
use thorax_index::{Catalogue, Filter};

use crate::error::{Error, Result};

/// What is to be deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// These studies; each must be there.
    Ids(Vec<String>),
    /// The studies that pass a filter.
    Filter(String),
    /// The studies of a source.
    Source(String),
}

/// The ids of the studies that are meant, in order, each once.
///
/// # Errors
/// An id that the catalogue does not have, and a filter that does not parse or that everything passes: the caller's fault.
pub fn select(catalogue: &Catalogue, selection: &Selection) -> Result<Vec<String>> {
    let filter = match selection {
        Selection::Ids(ids) => return present(catalogue, ids),
        Selection::Filter(text) => Filter::parse(text)?,
        Selection::Source(name) => Filter::equals("source", name),
    };
    if filter.is_all() {
        return Err(Error::Caller(
            "an empty filter means every study: to start anew, remove the home's folder instead".to_owned(),
        ));
    }
    let (mut ids, mut fields) = (Vec::new(), Vec::new());
    for document in catalogue.iter() {
        let document = document?;
        ids.push(document.id);
        fields.push(document.fields);
    }
    if ids.is_empty() {
        return Ok(ids);
    }
    let rows = FieldColumns::new(fields.iter()).rows(&filter)?;
    Ok((0u32..).zip(ids).filter(|(row, _)| rows.contains(*row)).map(|(_, id)| id).collect())
}

fn present(catalogue: &Catalogue, ids: &[String]) -> Result<Vec<String>> {
    let mut missing = Vec::new();
    for id in ids {
        if !catalogue.contains(id)? {
            missing.push(id.as_str());
        }
    }
    if !missing.is_empty() {
        return Err(Error::Caller(format!("the catalogue has no study {}; nothing was deleted", missing.join(", "))));
    }
    Ok(ids.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeMap;

    use thorax_index::{Document, Value};

    use super::*;

    #[test]
    fn ids_a_source_and_a_filter() {
        let home = tempfile::tempdir().unwrap();
        let catalogue = Catalogue::open(home.path()).unwrap();
        let document = |id: &str, source: &str, age: f64| Document {
            id: id.to_owned(),
            group: id.to_owned(),
            fields: BTreeMap::from([
                ("source".to_owned(), vec![Value::Text(source.to_owned())]),
                ("age".to_owned(), vec![Value::Number(age)]),
            ]),
            images: Vec::new(),
            sentences: Vec::new(),
            text: String::new(),
            denied: Vec::new(),
            body: serde_json::Value::Null,
        };
        let ask = |selection: Selection| select(&catalogue, &selection);
        assert!(ask(Selection::Source("a".to_owned())).unwrap().is_empty());
        catalogue.put(&[document("a/1", "a", 30.0), document("a/2", "a", 50.0), document("b/1", "b", 70.0)]).unwrap();
        assert_eq!(ask(Selection::Source("A".to_owned())).unwrap(), ["a/1", "a/2"]);
        assert_eq!(ask(Selection::Filter("age:40.. ".to_owned())).unwrap(), ["a/2", "b/1"]);
        let ids = |ids: &[&str]| Selection::Ids(ids.iter().map(|id| (*id).to_owned()).collect());
        assert_eq!(ask(ids(&["b/1", "a/1", "b/1"])).unwrap(), ["a/1", "b/1"]);
        let fault = ask(ids(&["b/1", "c/9"])).unwrap_err();
        assert!(fault.is_caller_fault() && fault.to_string().contains("c/9"));
        assert!(ask(Selection::Filter("  ".to_owned())).unwrap_err().is_caller_fault());
        assert!(ask(Selection::Filter("color:red".to_owned())).unwrap_err().is_caller_fault());
        assert!(ask(Selection::Source("nowhere".to_owned())).unwrap().is_empty());
    }
}
