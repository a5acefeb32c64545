//! The routes beside search: facets, time line, similar, cohorts, jobs, and the document that describes them all.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::http::Server;
use crate::support::Home;

fn get(server: &Server, path: &str) -> Value {
    let (status, body, _) = server.get(path);
    assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(&body));
    serde_json::from_slice(&body).unwrap()
}

#[test]
fn the_document_describes_the_routes() {
    let home = Home::ready(20);
    let server = Server::start(&home);
    let document = get(&server, "/api/v1/openapi.json");
    let mut names = BTreeSet::new();
    let mut described = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            described.insert((method.to_uppercase(), path.clone()));
            assert!(names.insert(operation["operationId"].as_str().unwrap().to_owned()), "{method} {path}");
            assert!(operation["summary"].is_string() && operation["tags"][0].is_string(), "{method} {path}");
            // what is described is there: nothing answers that there is no such route
            let address = path.replace("{key}", "none").replace("{name}", "none").replace("{id}", "7");
            let (status, answer) = server.json(&method.to_uppercase(), &address, &json!({}));
            assert!(operation["responses"].get(status.to_string()).is_some(), "{method} {path}: {status}");
            let none = answer["message"].as_str().is_some_and(|text| text.contains("no such route"));
            assert!(!none, "{method} {path}: {answer}");
        }
    }
    // nothing is described without a rule, or ruled without a description
    let rules = thorax::server::access::RULES.iter().filter(|rule| rule.pattern.starts_with("/api/v1"));
    assert_eq!(described, rules.map(|rule| (rule.method.to_string(), rule.pattern.to_owned())).collect());
    // every reference leads somewhere
    let text = document.to_string();
    for name in text.split("#/components/schemas/").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        assert!(document["components"]["schemas"].get(name).is_some(), "{name}");
    }
}

#[test]
fn facets_time_line_similar_windows_and_map() {
    let home = Home::ready(40);
    let server = Server::start(&home);
    let ask = |path: &str, body: &Value| {
        let (status, answer) = server.json("POST", path, body);
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    };
    let counted = ask("/api/v1/facets", &json!({"filter": "sex:F", "fields": ["age", "sex"], "group": "patient"}));
    let values = |facet: usize| counted["facets"][facet]["values"].as_array().unwrap().clone();
    assert_eq!((values(1).len(), &values(1)[0]["count"]), (1, &counted["total"]));
    assert!(values(0).iter().all(|v| v["value"].as_str().unwrap().contains("..") && v["count"].as_u64() > Some(0)));
    assert_eq!(server.json("POST", "/api/v1/facets", &json!({"fields": ["colour"]})).0, 400);

    let first = ask("/api/v1/search", &json!({"text": "pleural effusion", "k": 1}))["results"][0].clone();
    let key = first["key"].as_str().unwrap();
    let timeline = get(&server, &format!("/api/v1/studies/{key}/timeline"));
    let studies = timeline["studies"].as_array().unwrap();
    assert_eq!(studies.iter().filter(|s| s["this"] == true).count(), 1);
    assert!(studies.is_sorted_by_key(|s| s["date"].as_str().unwrap().to_owned()));
    let similar = ask(&format!("/api/v1/studies/{key}/similar"), &json!({"k": 40}));
    let found = similar["results"].as_array().unwrap();
    assert!(found.len() > 10 && found.iter().all(|hit| hit["patient"] != first["patient"]));
    let film = first["image"]["key"].as_str().unwrap();
    let (status, bytes, headers) =
        server.get(&format!("/api/v1/images/{film}/window?center=0.4&width=0.5&invert=true"));
    assert_eq!((status, headers["content-type"].to_str().unwrap()), (200, "image/png"));
    assert_eq!(image::load_from_memory(&bytes).unwrap().color(), image::ColorType::L8);
    assert_eq!(server.get(&format!("/api/v1/images/{film}/window?center=0.4&width=0")).0, 400);
    let map = get(&server, "/api/v1/map?limit=20");
    let points = map["keys"].as_array().unwrap().len();
    assert!(points > 10 && points <= 20 && map["x"].as_array().unwrap().len() == points);
    assert_eq!(server.get(&format!("/api/v1/images/{}/thumbnail", map["keys"][0].as_str().unwrap())).0, 200);
    let models = get(&server, "/api/v1/models");
    assert!(models["models"].as_array().unwrap().iter().any(|m| m["name"] == "demo" && m["serving"] == true));
    assert!(models["models"].as_array().unwrap().iter().any(|m| m["name"] == "film" && m["built_in"] == true));
}

#[test]
fn cohorts_from_a_search_to_files() {
    let home = Home::ready(60);
    let server = Server::start(&home);
    let make =
        |name: &str, select: Value| server.json("POST", "/api/v1/cohorts", &json!({"name": name, "select": select}));
    let (status, made) = make("effusions", json!({"text": "pleural effusion", "take": "all"}));
    assert_eq!((status, &made["revision"]), (201, &json!(1)), "{made}");
    let truth = server.json("POST", "/api/v1/facets", &json!({"filter": "finding:\"Pleural Effusion\""})).1;
    assert_eq!(made["studies"], truth["total"]);
    assert_eq!(make("women", json!({"filter": "sex:F"})).0, 201);
    assert_eq!(make("women", json!({"filter": "sex:F"})).0, 409);
    for wrong in [
        json!({}),
        json!({"text": "x"}),
        json!({"filter": "sex:F", "take": {"first": 3}}),
        json!({"studies": ["nobody"]}),
    ] {
        assert_eq!(make("wrong", wrong.clone()).0, 400, "{wrong}");
    }
    let combine = json!({"operation": "intersect", "with": "women", "into": "both"});
    let (status, both) = server.json("POST", "/api/v1/cohorts/effusions/combine", &combine);
    assert_eq!(status, 200, "{both}");
    let truth = server.json("POST", "/api/v1/facets", &json!({"filter": "sex:F finding:\"Pleural Effusion\""})).1;
    assert_eq!(both["studies"], truth["total"]);
    let members = get(&server, "/api/v1/cohorts/both/studies?limit=1000");
    let keys: Vec<&str> = members["studies"].as_array().unwrap().iter().map(|s| s["key"].as_str().unwrap()).collect();
    assert_eq!(keys.len() as u64, both["studies"].as_u64().unwrap());
    let select = json!({"select": {"studies": [keys[0]]}});
    assert_eq!(server.json("POST", "/api/v1/cohorts/both/remove", &select).1["studies"], keys.len() - 1);
    assert_eq!(server.json("POST", "/api/v1/cohorts/both/add", &select).1["studies"], keys.len());
    let view = get(&server, "/api/v1/cohorts/both");
    assert_eq!(view["summary"]["sex"], json!({"F": keys.len()}));
    assert_eq!(server.json("POST", "/api/v1/cohorts/both/verify", &json!({})).1["same"], true);

    // the files are what the command line writes
    let (status, csv, headers) = server.get("/api/v1/cohorts/both/export?columns=study,age");
    assert!(status == 200 && headers["content-disposition"].to_str().unwrap().contains("both.csv"));
    let lines = String::from_utf8(csv).unwrap();
    assert_eq!((lines.lines().count(), lines.lines().next()), (keys.len() + 1, Some("study,age")));
    let (_, parquet, _) = server.get("/api/v1/cohorts/both/export?format=parquet");
    assert!(parquet.starts_with(b"PAR1") && parquet.ends_with(b"PAR1"));
    let (_, rows, _) = server.get("/api/v1/cohorts/both/embeddings?part=rows");
    let (_, vectors, _) = server.get("/api/v1/cohorts/both/embeddings?part=vectors");
    let count = String::from_utf8(rows).unwrap().lines().count() - 1;
    let shape = format!("'shape': ({count}, 128)");
    assert!(vectors.starts_with(b"\x93NUMPY") && vectors.windows(shape.len()).any(|w| w == shape.as_bytes()));
    for hidden in ["patient", "report"] {
        assert_eq!(server.get(&format!("/api/v1/cohorts/both/export?columns={hidden}")).0, 400, "{hidden}");
    }
    assert_eq!(server.json("DELETE", "/api/v1/cohorts/women", &json!({})).0, 204);
    assert_eq!(server.get("/api/v1/cohorts/women").0, 404);
    let names = get(&server, "/api/v1/cohorts");
    assert_eq!(names["cohorts"].as_array().unwrap().len(), 2);
}

#[test]
fn jobs_are_followed_by_events_and_deleted_studies_are_gone() {
    let home = Home::ready(20);
    let server = Server::start(&home);
    let csv = home.scratch().join("more.csv");
    std::fs::write(&csv, "study,patient,report\nx,x,FINDINGS: A wholly new sentence.\n").unwrap();
    let start = |body: &Value| {
        let (status, answer) = server.json("POST", "/api/v1/jobs", body);
        assert_eq!(status, 202, "{answer}");
        answer["job"].as_u64().unwrap()
    };
    let follow = |job: u64| {
        let (status, body, headers) = server.get(&format!("/api/v1/jobs/{job}/events"));
        assert_eq!((status, headers["content-type"].to_str().unwrap()), (200, "text/event-stream"));
        let text = String::from_utf8(body).unwrap();
        let last = text.trim_end().rsplit("\n\n").next().unwrap().to_owned();
        let data = last.strip_prefix("event: done\ndata: ").expect("the last event is the end").to_owned();
        serde_json::from_str::<Value>(&data).unwrap()
    };
    let imported = follow(start(&json!({"kind": "import", "source": "manifest", "path": csv})));
    assert!(imported["outcome"]["fault"].is_null(), "{imported}");
    let indexed = follow(start(&json!({"kind": "index"})));
    assert!(indexed["outcome"]["fault"].is_null(), "{indexed}");
    let found = server.search(&json!({"text": "\"wholly new\"", "to": "reports"})).1;
    assert_eq!(found["results"][0]["study"], "manifest/x");
    let failed = follow(start(&json!({"kind": "index", "model": "nobody"})));
    assert_eq!(failed["outcome"]["fault"]["kind"], "caller");
    assert_eq!(get(&server, "/api/v1/jobs")["jobs"].as_array().unwrap().len(), 3);
    for wrong in [json!({"kind": "import", "source": "manifest", "path": "relative.csv"}), json!({"kind": "dance"})] {
        assert_eq!(server.json("POST", "/api/v1/jobs", &wrong).0, 400, "{wrong}");
    }
    assert_eq!(server.json("DELETE", "/api/v1/jobs/99", &json!({})).0, 404);
    assert_eq!(server.json("DELETE", "/api/v1/jobs/1", &json!({})).0, 202);

    let gone = found["results"][0]["key"].as_str().unwrap();
    assert_eq!(server.json("POST", "/api/v1/studies/delete", &json!({"studies": [gone, "nobody"]})).0, 400);
    let (status, deleted) = server.json("POST", "/api/v1/studies/delete", &json!({"studies": [gone]}));
    assert_eq!((status, deleted), (200, json!({"deleted": 1})));
    assert_eq!(server.get(&format!("/api/v1/studies/{gone}")).0, 404);
    let found = server.search(&json!({"text": "\"wholly new\"", "to": "reports"})).1;
    assert!(found["results"].as_array().unwrap().is_empty());
}
