//! On phantoms the truth is exact: "no X" returns no X, and a left-sided finding is not a right-sided one.

use crate::support::{Home, stated};

#[test]
fn what_is_excluded_is_never_returned_and_sides_hold() {
    let home = Home::ready(160);
    let present = |result, observation| -> bool { stated(result, observation).iter().any(|(p, _)| p == "present") };

    let clear = home.search("no pleural effusion", 10);
    assert_eq!(clear.len(), 10);
    assert!(!clear.iter().any(|r| present(r, "Pleural Effusion")));

    let left = home.search("left pleural effusion", 5);
    assert!(!left.is_empty());
    for result in &left {
        let sides = stated(result, "Pleural Effusion");
        assert!(
            sides.iter().any(|(p, side)| p == "present" && matches!(side.as_deref(), Some("left" | "bilateral"))),
            "{} {sides:?}",
            result["study"]
        );
    }

    let both = home.search("right pleural effusion, no cardiomegaly", 3);
    assert!(!both.iter().any(|r| present(r, "Cardiomegaly")));
    assert!(present(&both[0], "Pleural Effusion"));
}
