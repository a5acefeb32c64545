//! A tree written so that it parses to the same tree.

use std::fmt;

use super::tree::{Kind, Node, Query, Test};

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return Ok(());
        }
        let text = shown(&self.root.kind, false);
        // in a text all in capitals, words beside each other make words of the operators
        let mut joins = false;
        self.root.visit(&mut |node| joins |= matches!(node.kind, Kind::And(_) | Kind::Or(_)));
        let shouted = joins && !text.chars().any(char::is_lowercase);
        f.write_str(&if shouted { shown(&self.root.kind, true) } else { text })
    }
}

/// `apart`: each word of a run in parentheses of its own.
fn shown(kind: &Kind, apart: bool) -> String {
    match kind {
        Kind::Beside(parts) if parts.is_empty() => "()".to_owned(),
        Kind::Beside(parts) => {
            each(parts, " ", apart, |kind| matches!(kind, Kind::And(_) | Kind::Or(_) | Kind::Beside(_)))
        }
        Kind::And(parts) => each(parts, " AND ", apart, |kind| matches!(kind, Kind::Or(_) | Kind::And(_))),
        Kind::Or(parts) => each(parts, " OR ", apart, |kind| matches!(kind, Kind::Or(_))),
        Kind::Not(inner) => match &inner.kind {
            Kind::Phrase(_) | Kind::Field { .. } => format!("-{}", shown(&inner.kind, apart)),
            Kind::Words(words) if matches!(words.as_slice(), [w] if w.text.starts_with(char::is_alphabetic)) => {
                format!("-{}", shown(&inner.kind, apart))
            }
            Kind::Beside(parts) if parts.is_empty() => "-()".to_owned(),
            kind => format!("-({})", shown(kind, apart)),
        },
        Kind::Words(words) => {
            let between = if apart { ") (" } else { " " };
            let words = words.iter().map(|word| escaped_word(&word.text)).collect::<Vec<_>>().join(between);
            if words.contains(") (") { format!("({words})") } else { words }
        }
        Kind::Phrase(phrase) => quoted(phrase),
        Kind::Field { field, test } => format!("{}:{}", name(field), value(test)),
    }
}

fn each(parts: &[Node], between: &str, apart: bool, wrap: impl Fn(&Kind) -> bool) -> String {
    let part = |node: &Node| match &node.kind {
        Kind::Beside(inner) if inner.is_empty() => "()".to_owned(),
        kind if wrap(kind) => format!("({})", shown(kind, apart)),
        kind => shown(kind, apart),
    };
    parts.iter().map(part).collect::<Vec<_>>().join(between)
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\u{201c}' | '\u{201d}' | '\u{201e}')
}

fn is_special(c: char) -> bool {
    c.is_whitespace() || is_quote(c) || matches!(c, '(' | ')' | '\\' | ':')
}

fn escape(text: &str, special: impl Fn(usize, char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for (i, c) in text.chars().enumerate() {
        if special(i, c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn escaped_word(word: &str) -> String {
    if matches!(word, "AND" | "OR" | "NOT") {
        return format!("\\{word}");
    }
    escape(word, |i, c| is_special(c) || (i == 0 && c == '-'))
}

fn name(field: &str) -> String {
    escape(field, |i, c| is_special(c) || (i == 0 && !c.is_alphabetic() && c != '_'))
}

fn value(test: &Test) -> String {
    match test {
        Test::Any => "*".to_owned(),
        Test::Equals(value) => {
            let plain = !value.is_empty() && value.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_');
            if plain { value.clone() } else { quoted(value) }
        }
        Test::Range { low, high } => {
            let end = |end: &Option<String>| {
                let text = end.as_deref().unwrap_or_default();
                // points of an end are not those of the range
                let pointed = text.contains("..") || text.starts_with('.') || text.ends_with('.');
                escape(text, |_, c| (is_special(c) && c != ':') || (pointed && c == '.'))
            };
            format!("{}..{}", end(low), end(high))
        }
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", escape(text, |_, c| is_quote(c) || c == '\\'))
}
