//! Filters from queries and back.

use super::{Expression, one_or};
use crate::error::{IndexError, Result};
use crate::language::{Kind, Node, SyntaxError};

pub(super) fn bad(error: SyntaxError) -> IndexError {
    IndexError::BadFilter { position: error.column, reason: error.reason }
}

/// The expression of a part of `text`.
pub(super) fn expression(text: &str, part: &Node) -> Result<Expression> {
    Ok(match &part.kind {
        Kind::Beside(parts) | Kind::And(parts) => {
            let mut all = Vec::with_capacity(parts.len());
            for part in parts {
                match expression(text, part)? {
                    Expression::And(inner) => all.extend(inner),
                    one => all.push(one),
                }
            }
            one_or(all, Expression::And)
        }
        Kind::Or(parts) => {
            let mut any = Vec::with_capacity(parts.len());
            for part in parts {
                match expression(text, part)? {
                    Expression::Or(inner) => any.extend(inner),
                    one => any.push(one),
                }
            }
            one_or(any, Expression::Or)
        }
        Kind::Not(inner) => Expression::Not(Box::new(expression(text, inner)?)),
        Kind::Field { field, test } => Expression::Term { field: field.clone(), test: test.clone() },
        Kind::Words(words) => {
            let first = words.first();
            let what = match first.filter(|word| word.text.ends_with(':')) {
                Some(_) => "a value is missing after the colon of the word at {}, as in 'age:40..60'",
                None => {
                    "a test such as 'age:40..60' or 'finding:\"Two Words\"' is expected at {}: a filter has no words"
                }
            };
            let span = first.map_or(part.span.clone(), |word| word.span.clone());
            return Err(bad(SyntaxError::new(text, span, what)));
        }
        Kind::Phrase(_) => {
            let what = "a test such as 'finding:\"Two Words\"' is expected at {}: a filter has no phrases";
            return Err(bad(SyntaxError::new(text, part.span.clone(), what)));
        }
    })
}

/// The query that says the same.
pub(super) fn node(expression: &Expression) -> Node {
    let each = |parts: &[Expression]| parts.iter().map(node).collect();
    let kind = match expression {
        Expression::And(parts) => Kind::Beside(each(parts)),
        Expression::Or(parts) => Kind::Or(each(parts)),
        Expression::Not(inner) => Kind::Not(Box::new(node(inner))),
        Expression::Term { field, test } => Kind::Field { field: field.clone(), test: test.clone() },
    };
    Node { kind, span: 0..0 }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use proptest::prelude::*;

    use crate::error::IndexError;
    use crate::filter::Filter;

    fn shown(text: &str) -> String {
        Filter::parse(text).expect(text).to_string()
    }

    fn fault(text: &str) -> String {
        let error = Filter::parse(text).expect_err(text);
        assert!(error.is_caller_fault());
        error.to_string()
    }

    #[test]
    fn the_language() {
        assert_eq!(shown(""), "");
        assert_eq!(shown("  Sex:F   AGE:40..60 "), "sex:f age:40..60");
        assert_eq!(shown("finding:\"Two Words\" -finding:Edema"), "finding:\"two words\" -finding:edema");
        assert_eq!(shown("(a:1 b:2) OR c:3"), "a:1 b:2 OR c:3");
        assert_eq!(shown("a:1 AND (b:2 AND (c:3)) NOT d:4"), "a:1 b:2 c:3 -d:4");
        assert_eq!(shown("a:1 (b:2 OR -c:..3)"), "a:1 (b:2 OR -c:..3)");
        assert_eq!(shown("date:2019-01-01.. ()"), "date:2019-01-01..");
        assert_eq!(shown("a:\"1..2\" b:* c:\"*\""), "a:\"1..2\" b:* c:\"*\"");
        assert_eq!(shown("a:OR"), "a:or");
        assert!(Filter::parse("").unwrap().is_all());
    }

    #[test]
    fn faults_name_the_place() {
        assert!(
            fault("age")
                .starts_with("filter: a test such as 'age:40..60' or 'finding:\"Two Words\"' is expected at column 1")
        );
        assert!(fault("a:1 lonely").contains("is expected at column 5"));
        assert!(fault("a:1 \"lonely\"").contains("no phrases"));
        assert!(fault("a:1 b:").contains("a value is missing after the colon of the word at column 5"));
        assert!(fault("a:1)").contains("closing parenthesis at column 4"));
        let error = Filter::parse("a:1 OR").unwrap_err();
        assert!(matches!(error, IndexError::BadFilter { position: 5, .. }));
    }

    #[test]
    fn joining() {
        let both = Filter::parse("a:1").unwrap().and(Filter::equals("B", "x \"y\""));
        assert_eq!(both.to_string(), r#"a:1 b:"x \"y\"""#);
        assert_eq!(Filter::all().and(Filter::parse("a:1 OR b:2").unwrap()).to_string(), "a:1 OR b:2");
        assert_eq!(Filter::parse("a:1").unwrap().negated().to_string(), "-a:1");
        let odd = Filter::equals("-a b:", "c");
        assert_eq!(Filter::parse(&odd.to_string()).unwrap(), odd);
    }

    proptest! {
        #[test]
        fn any_text_parses_or_is_refused(text in any::<String>()) {
            let _ = Filter::parse(&text);
        }

        #[test]
        fn what_is_written_parses_to_the_same(text in "[-ab:()\". OR1\\\\*]{0,24}") {
            if let Ok(filter) = Filter::parse(&text) {
                prop_assert_eq!(Filter::parse(&filter.to_string()).unwrap(), filter);
            }
        }
    }
}
