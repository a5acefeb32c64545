//! Headings of a report: which parts speak of the film, and which of the question, the past or the technique.

use std::ops::Range;

/// What a section is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// What the film shows: findings, impression, conclusion.
    Film,
    /// Everything that doesn't speak of this film: indication, history, comparison, technique.
    Aside,
}

const FILM: [&str; 20] = [
    "findings",
    "finding",
    "impression",
    "impressions",
    "conclusion",
    "conclusions",
    "note",
    "notes",
    "report",
    "result",
    "results",
    "addendum",
    "body",
    "summary",
    "interpretation",
    "opinion",
    "chest",
    "findings and impression",
    "final report",
    "clinical notes",
];

const ASIDE: [&str; 27] = [
    "indication",
    "indications",
    "clinical indication",
    "history",
    "clinical history",
    "medical history",
    "past medical history",
    "patient history",
    "comparison",
    "comparisons",
    "technique",
    "exam",
    "examination",
    "procedure",
    "reason for exam",
    "reason for examination",
    "reason for study",
    "clinical information",
    "clinical data",
    "clinical question",
    "clinical statement",
    "views",
    "view",
    "date",
    "type of exam",
    "recommendation",
    "recommendations",
];

/// Parts of the body that a report of several examinations turns to: "Left knee. Chest."
const ELSEWHERE: [&str; 40] = [
    "knee",
    "knees",
    "hip",
    "hips",
    "ankle",
    "elbow",
    "forearm",
    "wrist",
    "hand",
    "hands",
    "foot",
    "feet",
    "toe",
    "finger",
    "shoulder",
    "clavicle",
    "scapula",
    "humerus",
    "femur",
    "tibia",
    "pelvis",
    "abdomen",
    "kub",
    "neck",
    "skull",
    "sinuses",
    "mandible",
    "leg",
    "arm",
    "thumb",
    "heel",
    "cervical spine",
    "lumbar spine",
    "thoracic spine",
    "lumbosacral spine",
    "sacrum",
    "coccyx",
    "c spine",
    "l spine",
    "t spine",
];

/// The role of what follows a line that names nothing but a part of the body: the chest, or another one.
pub(crate) fn region(line: &str) -> Option<Role> {
    let line = line.get(..line.floor_char_boundary(40))?;
    let plain: String = line.chars().map(|c| if c.is_alphabetic() { c.to_ascii_lowercase() } else { ' ' }).collect();
    let words: Vec<&str> =
        plain.split_whitespace().filter(|w| !matches!(*w, "left" | "right" | "bilateral" | "the" | "and")).collect();
    let whole = words.join(" ");
    if words.is_empty() || words.len() > 3 {
        return None;
    }
    if whole == "chest" {
        return Some(Role::Film);
    }
    let elsewhere = ELSEWHERE.contains(&whole.as_str()) || words.iter().all(|w| ELSEWHERE.contains(w));
    elsewhere.then_some(Role::Aside)
}

/// The role of a heading, in any case; an empty or unknown one is taken to speak of the film.
pub(crate) fn role(name: &str) -> Role {
    let name = name.trim().trim_end_matches(':').replace(['_', '-'], " ").to_lowercase();
    if ASIDE.contains(&name.as_str()) { Role::Aside } else { Role::Film }
}

/// True for the heading of the section that concludes a report: what the findings doubted, it may deny.
pub(crate) fn concludes(name: &str) -> bool {
    let name = name.trim().trim_end_matches(':').to_lowercase();
    matches!(
        name.as_str(),
        "impression" | "impressions" | "conclusion" | "conclusions" | "summary" | "opinion" | "interpretation"
    )
}

/// The known heading that `rest` begins with, its colon included.
pub(crate) fn heading_at(rest: &str) -> Option<Range<usize>> {
    let head: &str = rest.get(..rest.floor_char_boundary(32)).unwrap_or(rest);
    let colon = head.find(':')?;
    let name = head[..colon].trim().to_lowercase();
    let known = FILM.contains(&name.as_str()) || ASIDE.contains(&name.as_str());
    known.then_some(0..colon + 1)
}

/// The stretches of `text` between its known headings, each with its role; without headings one stretch about the film.
pub(crate) fn stretches(text: &str) -> Vec<(Role, Range<usize>)> {
    let mut found = Vec::new();
    let (mut start, mut current) = (0, Role::Film);
    for (colon, _) in text.match_indices(':') {
        let from = text[start..colon].rfind(['.', '\n', ';', ':', '!', '?', '\r']).map_or(start, |i| start + i + 1);
        let name = text[from..colon].trim();
        let turn = if name.len() > 40 { None } else { region(name) };
        if name.len() > 32 && turn.is_none()
            || turn.is_none() && heading_at(&text[from + leading(&text[from..colon])..=colon]).is_none()
        {
            continue;
        }
        found.push((current, start..from));
        (start, current) = (from, turn.unwrap_or_else(|| role(name)));
    }
    found.push((current, start..text.len()));
    found.retain(|(_, part)| !text[part.clone()].trim().is_empty());
    found
}

fn leading(part: &str) -> usize {
    part.len() - part.trim_start().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_of_headings() {
        assert_eq!(role("FINDINGS"), Role::Film);
        assert_eq!(role(""), Role::Film);
        assert_eq!(role("Clinical_History:"), Role::Aside);
        assert_eq!(role("comparison"), Role::Aside);
    }

    #[test]
    fn stretches_follow_inline_headings() {
        let text = "INDICATION: Rule out effusion. FINDINGS: Clear lungs.";
        let parts: Vec<_> = stretches(text).into_iter().map(|(role, r)| (role, text[r].trim())).collect();
        assert_eq!(parts, [(Role::Aside, "INDICATION: Rule out effusion."), (Role::Film, "FINDINGS: Clear lungs.")]);
        assert_eq!(stretches("Clear lungs: no effusion").len(), 1);
    }

    #[test]
    fn other_parts_of_the_body() {
        assert_eq!(region("Left knee."), Some(Role::Aside));
        assert_eq!(region("Right shoulder and clavicle"), Some(Role::Aside));
        assert_eq!(region("Chest."), Some(Role::Film));
        assert_eq!(region("Left effusion."), None);
        assert_eq!(region("No fracture."), None);
        let parts: Vec<_> =
            stretches("Chest: Clear. Left knee: Small effusion.").into_iter().map(|(role, _)| role).collect();
        assert_eq!(parts, [Role::Film, Role::Aside]);
    }
}
