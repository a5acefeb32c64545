//! What a search promises: pages, groups, composed queries, explanations, on the command line and over HTTP; and what no query
//! may return, on phantoms, whose truth is exact.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::Home;

const TOLERATED: f64 = 0.02;
/// Of reports alone: a report that overlooks a finding leaves its study in the tail of a query that one study answers.
const OVERLOOKED: f64 = 0.05;

fn studies(answer: &Value) -> Vec<String> {
    answer["results"].as_array().unwrap().iter().map(|hit| hit["study"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn pages_groups_parts_and_explanations() {
    let home = Home::ready(60);
    let search = |arguments: &[&str]| home.json(&[&["search", "--json"], arguments].concat());

    // Pages put together are one large page, by offset and by cursor.
    let query = "large right effusion, no pneumothorax";
    let all = search(&[query, "-k", "100"]);
    let (total, excluded) = (all["page"]["total"].as_u64().unwrap(), all["page"]["excluded"].as_u64().unwrap());
    assert_eq!(total, 60, "a count of what passes, not of what was found");
    assert_eq!(studies(&all).len() as u64, total - excluded);
    assert!(excluded > 0 && all["page"]["next"].is_null());
    let mut pages = Vec::new();
    let mut page = search(&[query, "-k", "7"]);
    loop {
        assert_eq!(page["results"][0]["rank"].as_u64(), Some(pages.len() as u64 + 1));
        pages.extend(studies(&page));
        let Some(next) = page["page"]["next"].as_str() else { break };
        page = search(&[query, "-k", "7", "--after", next]);
    }
    assert_eq!(pages, studies(&all));
    assert_eq!(studies(&search(&[query, "-k", "5", "--offset", "9"])), studies(&all)[9..14]);
    let next = search(&[query, "-k", "7"])["page"]["next"].as_str().unwrap().to_owned();
    let other = home.run(&["search", "enlarged heart", "--after", &next]);
    assert!(other.code == 2 && other.stderr.contains("another query"), "{}", other.stderr);

    // The tail is marked, and left out when asked.
    let cut = search(&[query, "-k", "100", "--cut"]);
    assert!(cut["results"].as_array().unwrap().iter().all(|hit| hit["relevant"] == true));
    assert_eq!(studies(&cut).len() as u64, all["page"]["relevant"].as_u64().unwrap());

    // A patient is one result, and every study of the patient can be reached.
    let grouped = search(&["enlarged heart", "-k", "100", "--group", "patient"]);
    let hits = grouped["results"].as_array().unwrap();
    let patients: BTreeSet<&str> = hits.iter().map(|hit| hit["patient"].as_str().unwrap()).collect();
    assert_eq!((patients.len(), hits.len() as u64), (hits.len(), grouped["page"]["patients"].as_u64().unwrap()));
    let others = |hit: &Value| hit["others"].as_array().map_or(0, Vec::len);
    assert_eq!(hits.iter().map(|hit| 1 + others(hit)).sum::<usize>(), 60);
    assert!(hits.iter().any(|hit| others(hit) > 0));

    // Where a score comes from: the parts add up, and every finding that was asked for is judged.
    let why = search(&[query, "-k", "60", "--explain"]);
    for hit in why["results"].as_array().unwrap() {
        let explained = &hit["explain"];
        let gives: f64 =
            explained["rankings"].as_array().unwrap().iter().map(|part| part["gives"].as_f64().unwrap()).sum();
        assert!((gives - hit["components"]["fused"].as_f64().unwrap()).abs() < 1e-6, "{hit}");
        assert_eq!(explained["findings"].as_array().unwrap().len(), 2);
        assert_eq!(explained["findings"][1]["phrase"], "pneumothorax");
    }
    assert!(why["withheld"].as_array().unwrap().iter().all(|w| w["why"].as_str().unwrap().contains("stated")));
    assert!(home.ok(&["search", query, "--explain"]).contains("gives"));

    // Text and film, several films, studies to be like and unlike.
    let film = all["results"][0]["image"]["path"].as_str().unwrap();
    let own = all["results"][0]["study"].as_str().unwrap().to_owned();
    let patient = &all["results"][0]["patient"];
    assert_eq!(studies(&search(&["--image", film, "-k", "3"]))[0], own, "a film finds itself");
    assert!(!studies(&search(&["--image", film, "-k", "60", "--exclude", "study"])).contains(&own));
    let others = search(&["--image", film, "-k", "60", "--exclude", "patient"]);
    assert!(others["results"].as_array().unwrap().iter().all(|hit| hit["patient"] != *patient));
    let second = all["results"][1]["image"]["path"].as_str().unwrap();
    let composed = search(&["enlarged heart", "--image", film, "--image", second, "-k", "5", "--explain"]);
    let sources: BTreeSet<&str> = composed["results"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|hit| hit["explain"]["rankings"].as_array().unwrap())
        .map(|part| part["source"].as_str().unwrap())
        .collect();
    assert!(sources.contains("film") && sources.contains("text"), "{sources:?}");
    let unlike = all["results"][1]["study"].as_str().unwrap().to_owned();
    let liked = studies(&search(&["--like", &own, "--unlike", &unlike, "-k", "60"]));
    assert!(liked.len() == 58 && !liked.contains(&own) && !liked.contains(&unlike));
    for wrong in [
        &["search", "--like", "phantom/none"][..],
        &["search", "--unlike", &own],
        &["search", "x", "--weight", "text=-1"],
        &["search", "x", "--weight", "film=1"],
        &["search", "x", "--after", "1-2"],
    ] {
        assert_eq!(home.run(wrong).code, 2, "{wrong:?}");
    }
}

/// Every count is what a search with that value in its filter counts, under filters and under what a query excludes.
#[test]
fn facets_count_what_a_search_counts() {
    let home = Home::ready(60);
    let quoted = |value: &str| if value.contains(' ') { format!("\"{value}\"") } else { value.to_owned() };
    for (text, filter) in [
        ("", ""),
        ("", "sex:F age:40.."),
        ("no pleural effusion", ""),
        ("effusion NOT cardiomegaly", "view:PA OR age:..50"),
    ] {
        let facets = home.json(&["facets", text, "--filter", filter, "--top", "4", "--json"]);
        let total = facets["total"].as_u64().unwrap();
        let mut compared = 0;
        for facet in facets["facets"].as_array().unwrap() {
            let field = facet["field"].as_str().unwrap();
            assert_eq!(facet["with"].as_u64().unwrap() + facet["without"].as_u64().unwrap(), total, "{facet}");
            for value in facet["values"].as_array().unwrap().iter().take(2) {
                let narrowed = format!("({filter}) {field}:{}", quoted(value["value"].as_str().unwrap()));
                let narrowed = narrowed.trim_start_matches("() ");
                // any words will do: the count is of what passes, without what the query excludes
                let words = if text.is_empty() { "heart" } else { text };
                let page = &home.json(&["search", words, "--filter", narrowed, "-k", "1", "--json"])["page"];
                let passing = page["total"].as_u64().unwrap() - page["excluded"].as_u64().unwrap();
                assert_eq!(value["count"].as_u64().unwrap(), passing, "{text} {narrowed}");
                compared += 1;
            }
        }
        assert!(compared >= 10, "{text} {filter}: {compared}");
    }
    let patients = home.json(&["facets", "--group", "patient", "--field", "sex", "--json"]);
    let counted: u64 =
        patients["facets"][0]["values"].as_array().unwrap().iter().map(|v| v["count"].as_u64().unwrap()).sum();
    assert!(counted == patients["total"].as_u64().unwrap() && counted < 60, "{patients}");
    let unknown = home.run(&["facets", "--field", "colour"]);
    assert!(unknown.code == 2 && unknown.stderr.contains("colour"), "{}", unknown.stderr);
    assert!(home.ok(&["facets", "--field", "finding"]).contains("with a value"));
    // and the words that match are marked
    let hit = &home.json(&["search", "pleural effusion", "-k", "1", "--json"])["results"][0]["snippet"];
    let letters: Vec<char> = hit["text"].as_str().unwrap().chars().collect();
    let marked = hit["marks"].as_array().unwrap().iter().map(|mark| {
        let (from, to) = (mark[0].as_u64().unwrap() as usize, mark[1].as_u64().unwrap() as usize);
        letters[from..to].iter().collect::<String>().to_lowercase()
    });
    assert!(marked.into_iter().any(|words| words.contains("effusion")), "{hit}");
}

#[test]
fn no_query_returns_what_it_excludes_or_the_other_side() {
    let home = Home::ready(160);
    let figures = home.ok(&["eval", "queries"]);
    let figures: Value = serde_json::from_str(figures.lines().last().unwrap()).unwrap();
    for total in figures["totals"].as_array().unwrap() {
        let way = total["way"].as_str().unwrap();
        let rate = |name: &str| total[name]["value"].as_f64().unwrap();
        // The model has learned next to nothing, so its own figures say nothing here.
        if matches!(way, "engine" | "reports") {
            assert!(rate("violation") <= TOLERATED, "{total}");
            let tolerated = if way == "engine" { TOLERATED } else { OVERLOOKED };
            assert!(rate("wrong_side") <= tolerated, "{total}");
        }
        if way == "engine" {
            assert_eq!((total["kept_precision"].as_f64(), total["kept_recall"].as_f64()), (Some(1.0), Some(1.0)));
        }
    }
}
