//! A newcomer's first search: import, index, search, with no training.

use serde_json::Value;

use crate::support::Home;

#[test]
fn the_first_search_needs_no_training() {
    let home = Home::new();
    home.ok(&["import", "phantom", "--studies", "24", "--seed", "5", "--size", "128"]);
    let status = home.json(&["status", "--json"]);
    assert_eq!((&status["model"], &status["built_in"]), (&Value::from("film"), &Value::from(true)));
    home.ok(&["index"]);
    let found = home.search("pleural effusion", 5);
    assert_eq!(found.len(), 5);
    let said = home.json(&["status", "--json"]);
    let fingerprint = said["index"]["fingerprint"].as_str().unwrap().to_owned();

    // A model of one's own takes its place, by name or as the one trained last; the built-in one stays at hand.
    home.ok(&["train", "--preset", "demo", "--steps", "2"]);
    let status = home.json(&["status", "--json"]);
    assert_eq!((&status["model"], &status["built_in"]), (&Value::from("demo"), &Value::from(false)));
    assert_eq!(home.search("pleural effusion", 5), found, "the index is still the built-in model's");
    home.ok(&["index"]);
    home.ok(&["index", "--model", "film"]);
    let again = home.json(&["status", "--json"]);
    assert_eq!(again["index"]["fingerprint"].as_str(), Some(fingerprint.as_str()));
}

#[test]
fn a_model_that_is_not_there_is_named_and_so_is_the_one_that_is() {
    let home = Home::new();
    home.ok(&["import", "phantom", "--studies", "2", "--seed", "5", "--size", "64"]);
    let said = home.run(&["index", "--model", "ward3"]);
    assert_ne!(said.code, 0);
    assert!(said.stderr.contains("there is no model 'ward3'"), "{}", said.stderr);
    assert!(said.stderr.contains("'film' is part of the program"), "{}", said.stderr);
}
