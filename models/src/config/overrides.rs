//! Single values of a configuration, set by their path: `training.label_temperature=0.1`.

use std::path::Path;

use toml::{Table, Value};

use super::Config;
use crate::error::ModelError;

impl Config {
    /// A copy with some values set, each as `path=value` such as `training.objective=info-nce` or
    /// `vision.depths=[2, 2, 2]`. A value that is no TOML counts as a string.
    ///
    /// All are set before anything is checked, so their order does not matter.
    pub fn with<S: AsRef<str>>(&self, assignments: &[S]) -> Result<Self, ModelError> {
        if assignments.is_empty() {
            return Ok(self.clone());
        }
        let fault =
            |text: &str, reason: &str| ModelError::Override { text: text.to_owned(), reason: reason.to_owned() };
        let mut table: Table = toml::from_str(&self.to_toml()?).map_err(|e| fault("", e.message()))?;
        let mut all = Vec::new();
        for text in assignments.iter().map(AsRef::as_ref) {
            let (path, value) = text.split_once('=').ok_or_else(|| fault(text, "wanted PATH=VALUE"))?;
            let keys: Vec<&str> = path.trim().split('.').collect();
            put(&mut table, &keys, parse(value.trim())).map_err(|reason| fault(text, &reason))?;
            all.push(text);
        }
        let toml = toml::to_string(&table).map_err(|e| fault("", &e.to_string()))?;
        Self::parse(&toml, Path::new(&format!("after setting {}", all.join(", "))))
    }
}

fn parse(value: &str) -> Value {
    let table: Result<Table, _> = toml::from_str(&format!("value = {value}"));
    table.ok().and_then(|mut t| t.remove("value")).unwrap_or_else(|| Value::String(value.to_owned()))
}

fn put(table: &mut Table, keys: &[&str], value: Value) -> Result<(), String> {
    match keys {
        [] | [""] | ["", ..] | [.., ""] => Err("the path is empty in part".to_owned()),
        [last] => {
            // A whole number where a fraction is wanted: `training.balance=1`.
            let value = match (table.get(*last), value) {
                (Some(Value::Float(_)), Value::Integer(i)) => Value::Float(i as f64),
                (_, value) => value,
            };
            table.insert((*last).to_owned(), value);
            Ok(())
        }
        [first, rest @ ..] => {
            let inner = table.entry(*first).or_insert_with(|| Value::Table(Table::new()));
            let inner = inner.as_table_mut().ok_or_else(|| format!("{first} is a value, it has no parts"))?;
            put(inner, rest, value)
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::config::{Augmentation, Objective};

    #[test]
    fn values_of_every_kind_are_set() {
        let config = Config::preset("small").unwrap();
        let set = config
            .with(&[
                "training.objective=semantic-matching-dot",
                "training.balance = 1",
                "training.signed_labels=false",
                "training.augmentation.noise=0.5",
                "text.pooled_layers=[1, -1]",
                "name=\"mine\"",
            ])
            .unwrap();
        assert_eq!(set.training.objective, Objective::SemanticMatchingDot);
        assert_eq!((set.training.balance, set.training.signed_labels), (1.0, false));
        assert_eq!((set.training.augmentation.noise, set.name.as_str()), (0.5, "mine"));
        assert_eq!(set.text.pooled_layers, [1, -1]);
        assert_eq!(config.with::<&str>(&[]).unwrap(), config);
        let named = |name: &str| config.with(&[format!("training.augmentation={name}")]).unwrap().training.augmentation;
        assert_eq!([named("none"), named("published")], [Augmentation::none(), Augmentation::published()]);
    }

    #[test]
    fn what_cannot_be_set_is_named() {
        let complaint = |text: &str| Config::preset("small").unwrap().with(&[text]).unwrap_err().to_string();
        assert!(complaint("training.temprature=3").contains("temprature"));
        assert!(complaint("training.balance").contains("wanted PATH=VALUE"));
        assert!(complaint("name.first=a").contains("name is a value"));
        assert!(complaint("training..balance=1").contains("empty in part"));
        assert!(complaint("training.balance=7").contains("training.balance must lie within 0 to 1"));
        assert!(complaint("training.balance=much").contains("much"));
        assert!(complaint("training.augmentation=wild").contains("none of `none`, `published`"));
    }
}
