//! The grammar, by recursive descent.

use std::ops::Range;

use super::error::SyntaxError;
use super::lex::{Placed, Token, tokens};
use super::tree::{Kind, Node, Word};

/// Signs and parentheses inside each other; a query is also written by machines, and the stack is finite.
const MAX_DEPTH: usize = 64;

pub(super) fn parse(text: &str) -> Result<Node, SyntaxError> {
    let mut parser = Parser { text, tokens: tokens(text)?, at: 0 };
    if parser.tokens.is_empty() {
        return Ok(Node { kind: Kind::Beside(Vec::new()), span: 0..0 });
    }
    let root = parser.any(0)?;
    match parser.peek() {
        None => Ok(root),
        Some(_) => Err(parser.bad("the closing parenthesis at {} closes nothing: write \\) for the character itself")),
    }
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Placed>,
    at: usize,
}

impl Parser<'_> {
    fn any(&mut self, depth: usize) -> Result<Node, SyntaxError> {
        let mut parts = vec![self.all(depth)?];
        while self.take(&Token::Or) {
            parts.push(self.all(depth)?);
        }
        Ok(joined(parts, Kind::Or))
    }

    fn all(&mut self, depth: usize) -> Result<Node, SyntaxError> {
        let mut parts = vec![self.beside(depth)?];
        while self.take(&Token::And) {
            parts.push(self.beside(depth)?);
        }
        Ok(joined(parts, Kind::And))
    }

    fn beside(&mut self, depth: usize) -> Result<Node, SyntaxError> {
        let mut parts = vec![self.unit(depth)?];
        while self.peek().is_some_and(|token| !matches!(token, Token::And | Token::Or | Token::Close)) {
            parts.push(self.unit(depth)?);
        }
        Ok(side_by_side(parts))
    }

    fn unit(&mut self, depth: usize) -> Result<Node, SyntaxError> {
        if depth > MAX_DEPTH {
            return Err(self.bad("at {} there are too many signs or parentheses inside each other: write it flatter"));
        }
        let start = self.span().start;
        if self.take(&Token::Minus) {
            let inner = self.one(depth + 1)?;
            return Ok(not(start, inner));
        }
        if self.take(&Token::Not) {
            let inner = match self.peek() {
                Some(Token::Word(_)) => self.words(),
                _ => self.unit(depth + 1)?,
            };
            return Ok(not(start, inner));
        }
        self.one(depth)
    }

    fn one(&mut self, depth: usize) -> Result<Node, SyntaxError> {
        let Some((token, span)) = self.tokens.get(self.at).cloned() else { return Err(self.nothing_here()) };
        let kind = match token {
            Token::Open => return self.group(span, depth),
            Token::Phrase(phrase) => Kind::Phrase(phrase),
            Token::Field { field, test } => Kind::Field { field, test },
            Token::Word(text) => Kind::Words(vec![Word { text, span: span.clone() }]),
            Token::And | Token::Or | Token::Not | Token::Minus | Token::Close => return Err(self.nothing_here()),
        };
        self.at += 1;
        Ok(Node { kind, span })
    }

    /// What stands in the parentheses that open here.
    fn group(&mut self, open: Range<usize>, depth: usize) -> Result<Node, SyntaxError> {
        self.at += 1;
        let kind = match self.peek() {
            Some(Token::Close) => Kind::Beside(Vec::new()),
            None => return Err(self.unclosed(open)),
            Some(_) => self.any(depth + 1)?.kind,
        };
        let end = self.span().end;
        if !self.take(&Token::Close) {
            return Err(self.unclosed(open));
        }
        Ok(Node { kind, span: open.start..end })
    }

    /// The run of words that begins here.
    fn words(&mut self) -> Node {
        let mut words = Vec::new();
        while let Some((Token::Word(text), span)) = self.tokens.get(self.at) {
            words.push(Word { text: text.clone(), span: span.clone() });
            self.at += 1;
        }
        let span = words.first().map_or(0, |w| w.span.start)..words.last().map_or(0, |w| w.span.end);
        Node { kind: Kind::Words(words), span }
    }

    /// An operator without its operand.
    fn nothing_here(&self) -> SyntaxError {
        let before = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        if let Some((Token::And | Token::Or | Token::Not, span)) = before {
            let name = self.text.get(span.clone()).unwrap_or_default();
            let what = format!(
                "the {name} at {{}} has nothing after it: add what it joins, or write '{}'",
                name.to_lowercase()
            );
            return SyntaxError::new(self.text, span.clone(), &what);
        }
        match self.peek() {
            Some(Token::And | Token::Or) => {
                let name = self.text.get(self.span()).unwrap_or_default();
                let small = name.to_lowercase();
                self.bad(&format!("the {name} at {{}} has nothing before it: add what it joins, or write '{small}'"))
            }
            Some(Token::Close) => {
                self.bad("the closing parenthesis at {} closes nothing: write \\) for the character itself")
            }
            _ => self.bad("something is missing at {}"),
        }
    }

    fn unclosed(&self, open: Range<usize>) -> SyntaxError {
        let what = "the opening parenthesis at {} is never closed: close it, or write \\( for the character itself";
        SyntaxError::new(self.text, open, what)
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(token, _)| token)
    }

    /// Bytes of the token here; the end of the text where there is none.
    fn span(&self) -> Range<usize> {
        self.tokens.get(self.at).map_or(self.text.len()..self.text.len(), |(_, span)| span.clone())
    }

    fn take(&mut self, token: &Token) -> bool {
        let here = self.peek() == Some(token);
        self.at += usize::from(here);
        here
    }

    fn bad(&self, what: &str) -> SyntaxError {
        SyntaxError::new(self.text, self.span(), what)
    }
}

fn not(start: usize, inner: Node) -> Node {
    let span = start..inner.span.end;
    Node { kind: Kind::Not(Box::new(inner)), span }
}

fn covers(parts: &[Node]) -> Range<usize> {
    parts.first().map_or(0, |part| part.span.start)..parts.last().map_or(0, |part| part.span.end)
}

/// A lone part stands for itself; parts that are joined in the same way are taken in.
fn joined(parts: Vec<Node>, join: fn(Vec<Node>) -> Kind) -> Node {
    let span = covers(&parts);
    let mut flat = Vec::with_capacity(parts.len());
    let alone = parts.len() == 1;
    let or = matches!(join(Vec::new()), Kind::Or(_));
    for part in parts {
        match part.kind {
            Kind::Or(inner) if or && !alone => flat.extend(inner),
            Kind::And(inner) if !or && !alone => flat.extend(inner),
            kind => flat.push(Node { kind, span: part.span }),
        }
    }
    match (flat.len(), flat.pop()) {
        (1, Some(only)) => only,
        (_, last) => {
            flat.extend(last);
            Node { kind: join(flat), span }
        }
    }
}

/// Leaves empty parentheses out, and makes one run of words that follow each other. Parts in parentheses of their own stay together: a
/// run that took in the words of some of them would begin or end inside the parentheses.
fn side_by_side(parts: Vec<Node>) -> Node {
    let span = covers(&parts);
    let mut flat: Vec<Node> = Vec::with_capacity(parts.len());
    for part in parts.into_iter().filter(|part| !matches!(&part.kind, Kind::Beside(inner) if inner.is_empty())) {
        match (flat.last_mut(), part.kind) {
            (Some(Node { kind: Kind::Words(before), span }), Kind::Words(words)) => {
                before.extend(words);
                span.end = part.span.end;
            }
            (_, kind) => flat.push(Node { kind, span: part.span }),
        }
    }
    match (flat.len(), flat.pop()) {
        (1, Some(only)) => only,
        (_, last) => {
            flat.extend(last);
            Node { kind: Kind::Beside(flat), span }
        }
    }
}
