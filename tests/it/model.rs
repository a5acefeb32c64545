//! `thorax model`: out to one file, in again, listed, chosen, and what it says of a file that it cannot read.

use std::fs;

use crate::support::Home;

#[test]
fn a_model_goes_out_and_comes_back_as_the_same() {
    let home = Home::with_model(12);
    let file = home.scratch().join("out.safetensors");
    let file = file.to_str().unwrap();
    assert!(home.ok(&["model", "export", "demo", file]).contains("MB"));
    let refused = home.run(&["model", "export", "demo", file]);
    assert!(refused.code == 2 && refused.stderr.contains("--force"), "{}", refused.stderr);

    let imported = home.json(&["model", "import", file, "--name", "again", "--json"]);
    assert_eq!(imported["architecture"], "swin + bert");
    let list = home.json(&["model", "list", "--json"]);
    let list = list.as_array().unwrap();
    assert_eq!(list.iter().map(|m| m["name"].as_str().unwrap()).collect::<Vec<_>>(), ["again", "demo", "film"]);
    assert_eq!(list[0]["fingerprint"], list[1]["fingerprint"], "nothing was lost on the way");
    assert_eq!((&list[0]["default"], &list[1]["default"]), (&false.into(), &true.into()));
    let weights = |name: &str| fs::read(home.path().join("models").join(name).join("model.safetensors")).unwrap();
    assert!(weights("demo") == weights("again"));

    home.ok(&["model", "export", "demo", file, "--dtype", "f16", "--force"]);
    assert!((fs::metadata(file).unwrap().len() as usize) < weights("demo").len() * 6 / 10 + 200_000);
    home.ok(&["model", "import", file, "--name", "half"]);
    home.ok(&["model", "default", "again"]);
    let said = home.ok(&["model", "list"]);
    assert!(said.lines().any(|l| l.starts_with("again") && l.ends_with("default")), "{said}");
    let shown = home.ok(&["model", "show", "half", "--tensors"]);
    for part in ["stored as f32", "imported_from", "[vision]", "vision_model.projection_head.weight"] {
        assert!(shown.contains(part), "{part}\n{shown}");
    }
}

#[test]
fn what_cannot_be_imported_is_named_and_leaves_nothing() {
    let home = Home::new();
    let file = home.scratch().join("weights.bin");
    fs::write(&file, "<html>not found</html>").unwrap();
    let file = file.to_str().unwrap();
    let said = home.run(&["model", "import", file, "--name", "m"]);
    assert!(said.code == 2 && said.stderr.contains("no file of PyTorch"), "{}", said.stderr);
    let folder = home.run(&["model", "import", home.scratch().to_str().unwrap(), "--name", "m"]);
    assert!(folder.code == 2 && folder.stderr.contains("pytorch_model.bin"), "{}", folder.stderr);
    let gone = home.run(&["model", "import", "no/such/place", "--name", "m"]);
    assert!(gone.code == 2 && gone.stderr.contains("no/such/place"), "{}", gone.stderr);
    let nobody = home.run(&["model", "show", "m"]);
    assert!(nobody.code == 2 && nobody.stderr.contains("there is no model 'm'"), "{}", nobody.stderr);
    assert!(!home.path().join("models/m").exists());
    // what is part of the program is always there, and can be looked at and exported like any other
    let list = home.json(&["model", "list", "--json"]);
    assert_eq!(
        (list.as_array().unwrap().len(), &list[0]["name"], &list[0]["default"]),
        (1, &"film".into(), &true.into())
    );
    assert_eq!(home.json(&["model", "show", "film", "--json"])["fingerprint"], list[0]["fingerprint"]);
    let out = home.scratch().join("film.safetensors");
    home.ok(&["model", "export", "film", out.to_str().unwrap()]);
    assert!(fs::metadata(out).unwrap().len() > 10_000_000);
}
