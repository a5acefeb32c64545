//! The first lines of the README on real films and real reports. Skipped, loudly, where they are not beside the checkout.

use crate::support::{Home, real_data};

#[test]
fn nih_films_and_open_i_reports_go_all_the_way() {
    let (Some(nih), Some(openi)) = (real_data("nih"), real_data("openi/NLMCXR_reports.tgz")) else { return };
    let home = Home::new();
    let films = home.json(&["import", "nih", &nih.display().to_string(), "--json"]);
    assert_eq!((&films["added"], &films["images"]), (&1207.into(), &1207.into()));
    let reports = home.json(&["import", "openi", &openi.display().to_string(), "--json"]);
    assert_eq!(reports["reports"].as_u64().unwrap() + reports["rejected"].as_array().unwrap().len() as u64, 3955);
    home.ok(&["train", "--preset", "demo", "--steps", "2"]);
    home.ok(&["index"]);
    let hits = home.search("enlarged heart", 10);
    assert_eq!(hits.len(), 10);
    assert!(hits.iter().all(|r| std::path::Path::new(r["image"]["path"].as_str().unwrap()).exists()));
    let reports = home.json(&["search", "no pneumothorax", "--to", "reports", "-k", "10", "--json"]);
    for hit in reports["results"].as_array().unwrap() {
        assert!(hit["snippet"]["text"].is_string());
        let stated = crate::support::stated(hit, "Pneumothorax");
        assert!(!stated.iter().any(|(polarity, _)| polarity == "present"), "{}", hit["study"]);
    }
}
