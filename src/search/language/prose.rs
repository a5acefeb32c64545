//! The prose of a query: what it says in words, without operators and without tests of fields.

use thorax_index::language::{Kind, Node, Query};

/// What the encoder and `understand` read: `effusion -pneumothorax sex:F` says "effusion, no pneumothorax". A query without
/// signs is read as it stands.
pub fn prose(query: &Query) -> String {
    said(&query.root).unwrap_or_default()
}

fn said(node: &Node) -> Option<String> {
    match &node.kind {
        Kind::Words(words) => Some(words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ")),
        Kind::Phrase(phrase) => Some(phrase.trim().to_owned()),
        Kind::Field { .. } => None,
        Kind::Beside(parts) => joined(parts, " "),
        Kind::And(parts) => joined(parts, " and "),
        Kind::Or(parts) => joined(parts, " or "),
        Kind::Not(inner) => match &inner.kind {
            Kind::Not(inner) => said(inner),
            _ => said(inner).map(|inner| format!("no {inner}")),
        },
    }
}

/// What is excluded stands after a comma, so that nothing before or after is taken into it.
fn joined(parts: &[Node], between: &str) -> Option<String> {
    let mut text = String::new();
    let mut closed = false;
    for (part, words) in parts.iter().filter_map(|part| Some((part, said(part)?))) {
        if !text.is_empty() {
            text.push_str(if closed || excludes(part, |parts| parts.next()) { ", " } else { between });
        }
        text.push_str(&words);
        closed = excludes(part, |parts| parts.next_back());
    }
    (!text.is_empty()).then_some(text)
}

/// Whether a part is, or begins or ends with, something excluded.
fn excludes(part: &Node, edge: for<'a> fn(&mut dyn DoubleEndedIterator<Item = &'a Node>) -> Option<&'a Node>) -> bool {
    match &part.kind {
        Kind::Not(_) => true,
        Kind::Beside(parts) | Kind::And(parts) | Kind::Or(parts) => {
            edge(&mut parts.iter().filter(|part| said(part).is_some())).is_some_and(|part| excludes(part, edge))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_said() {
        let said = |text: &str| prose(&Query::parse(text).unwrap());
        for text in
            ["large right effusion, no pneumothorax", "left: effusion", "nodule(s), 2-3 cm", "not seen or hidden"]
        {
            assert_eq!(said(text), text);
        }
        assert_eq!(said("effusion -pneumothorax sex:F"), "effusion, no pneumothorax");
        assert_eq!(said("-pneumothorax effusion"), "no pneumothorax, effusion");
        assert_eq!(said("\"tension pneumothorax\" left age:40.."), "tension pneumothorax left");
        assert_eq!(said("effusion OR edema AND NOT old film"), "effusion or edema, no old film");
        assert_eq!(said("(effusion -pneumothorax sex:F) edema"), "effusion, no pneumothorax, edema");
        assert_eq!(said("edema (-pneumothorax AND effusion)"), "edema, no pneumothorax, effusion");
        assert_eq!(said("NOT NOT edema"), "edema");
        assert_eq!(said("sex:F -finding:Edema"), "");
        assert_eq!(said(""), "");
    }
}
