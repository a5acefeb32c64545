//! The filter language, by recursive descent.
//!
//! ```text
//! any   = all ("OR" all)*
//! all   = one+
//! one   = "-" one | "(" any? ")" | name ":" value
//! value = "*" | word | '"' ... '"' | low? ".." high?
//! ```

use super::{Expression, Test, one_or};
use crate::error::{IndexError, Result};

/// Signs and parentheses inside each other; a filter is also written by machines, and the stack is finite.
const MAX_DEPTH: usize = 64;

pub(crate) fn parse(text: &str) -> Result<Expression> {
    let mut parser = Parser { characters: text.chars().collect(), at: 0 };
    let expression = if parser.at_end() { Expression::And(Vec::new()) } else { parser.any(0)? };
    if parser.at_end() { Ok(expression) } else { Err(parser.bad("this ')' closes nothing")) }
}

struct Parser {
    characters: Vec<char>,
    at: usize,
}

impl Parser {
    fn any(&mut self, depth: usize) -> Result<Expression> {
        let mut parts = vec![self.all(depth)?];
        while self.keyword("OR") {
            parts.push(self.all(depth)?);
        }
        Ok(one_or(parts, Expression::Or))
    }

    fn all(&mut self, depth: usize) -> Result<Expression> {
        let mut parts = vec![self.one(depth)?];
        while !self.at_end() && self.peek() != Some(')') && !self.ahead("OR") {
            parts.push(self.one(depth)?);
        }
        Ok(one_or(parts, Expression::And))
    }

    fn one(&mut self, depth: usize) -> Result<Expression> {
        if depth > MAX_DEPTH {
            return Err(self.bad("too many signs or parentheses inside each other"));
        }
        self.blanks();
        match self.peek() {
            Some('-') => {
                self.at += 1;
                Ok(Expression::Not(Box::new(self.one(depth + 1)?)))
            }
            Some('(') => {
                let open = self.at;
                self.at += 1;
                self.blanks();
                let inner = if self.peek() == Some(')') { Expression::And(Vec::new()) } else { self.any(depth + 1)? };
                self.blanks();
                if self.peek() != Some(')') {
                    self.at = open;
                    return Err(self.bad("this '(' is never closed"));
                }
                self.at += 1;
                Ok(inner)
            }
            _ => self.term(),
        }
    }

    fn term(&mut self) -> Result<Expression> {
        let start = self.at;
        let field: String = self.take_while(|c| !c.is_whitespace() && !matches!(c, ':' | '(' | ')' | '"'));
        if field.is_empty() || self.peek() != Some(':') {
            self.at = start;
            return Err(self.bad("a test such as 'age:40..60' or 'finding:\"Two Words\"' is expected here"));
        }
        self.at += 1;
        Ok(Expression::Term { field: field.to_lowercase(), test: self.value()? })
    }

    fn value(&mut self) -> Result<Test> {
        if self.peek() == Some('"') {
            return Ok(Test::Equals(self.quoted()?.to_lowercase()));
        }
        let start = self.at;
        let word = self.take_while(|c| !c.is_whitespace() && !matches!(c, '(' | ')' | '"')).to_lowercase();
        if word.is_empty() {
            return Err(self.bad("a value is missing after ':'"));
        }
        if word == "*" {
            return Ok(Test::Any);
        }
        let Some((low, high)) = word.split_once("..") else {
            return Ok(Test::Equals(word));
        };
        let end = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let (low, high) = (end(low), end(high));
        if low.is_none() && high.is_none() {
            self.at = start;
            return Err(self.bad("a range needs at least one end: '40..', '..60' or '40..60'"));
        }
        Ok(Test::Range { low, high })
    }

    fn quoted(&mut self) -> Result<String> {
        let open = self.at;
        self.at += 1;
        let mut value = String::new();
        while let Some(c) = self.peek() {
            self.at += 1;
            match c {
                '"' => return Ok(value),
                // a backslash makes the next character an ordinary one
                '\\' => {
                    value.extend(self.peek());
                    self.at += 1;
                }
                other => value.push(other),
            }
        }
        self.at = open;
        Err(self.bad("this quotation mark is never closed"))
    }

    fn peek(&self) -> Option<char> {
        self.characters.get(self.at).copied()
    }

    fn blanks(&mut self) {
        self.take_while(char::is_whitespace);
    }

    fn take_while(&mut self, keep: impl Fn(char) -> bool) -> String {
        let taken: String = self.characters.iter().skip(self.at).take_while(|c| keep(**c)).collect();
        self.at += taken.chars().count();
        taken
    }

    fn at_end(&mut self) -> bool {
        self.blanks();
        self.at >= self.characters.len()
    }

    /// True when the word stands here by itself.
    fn ahead(&mut self, word: &str) -> bool {
        self.blanks();
        let mut rest = self.characters.iter().skip(self.at).copied();
        word.chars().all(|c| rest.next() == Some(c)) && rest.next().is_none_or(|c| c.is_whitespace() || c == '(')
    }

    fn keyword(&mut self, word: &str) -> bool {
        let here = self.ahead(word);
        if here {
            self.at += word.chars().count();
        }
        here
    }

    fn bad(&self, reason: &str) -> IndexError {
        IndexError::BadFilter { position: self.at + 1, reason: reason.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use proptest::prelude::*;

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
        assert_eq!(shown("a:1 b:2 OR c:3"), "(a:1 b:2) OR c:3");
        assert_eq!(shown("a:1 (b:2 OR -c:..3)"), "a:1 (b:2 OR -c:..3)");
        assert_eq!(shown("date:2019-01-01.. ()"), "date:2019-01-01.. ()");
        assert_eq!(shown("a:\"1..2\" b:* c:\"*\""), "a:\"1..2\" b:* c:\"*\"");
        assert_eq!(shown("a:OR"), "a:or");
        assert!(Filter::parse("").unwrap().is_all());
    }

    #[test]
    fn faults_name_the_place() {
        assert!(fault("age").starts_with("filter, character 1: a test such as"));
        assert!(fault("a:1 lonely").starts_with("filter, character 5: "));
        assert!(fault("a:").contains("value is missing"));
        assert!(fault("a:..").contains("at least one end"));
        assert!(fault("a:\"open").contains("character 3: this quotation mark"));
        assert!(fault("(a:1").contains("character 1: this '('"));
        assert!(fault("a:1)").contains("character 4: this ')'"));
        assert!(fault("a:1 OR").contains("expected here"));
        assert!(fault(&format!("{}a:1", "-".repeat(1000))).contains("inside each other"));
        assert!(fault(&"(".repeat(100_000)).contains("inside each other"));
    }

    #[test]
    fn joining() {
        let both = Filter::parse("a:1").unwrap().and(Filter::equals("B", "x \"y\""));
        assert_eq!(both.to_string(), r#"a:1 b:"x \"y\"""#);
        assert_eq!(Filter::all().and(Filter::parse("a:1 OR b:2").unwrap()).to_string(), "a:1 OR b:2");
        assert_eq!(Filter::parse("a:1").unwrap().negated().to_string(), "-a:1");
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
