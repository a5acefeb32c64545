//! The text cut into words, phrases, tests of fields and signs.

use std::ops::Range;

use super::error::SyntaxError;
use super::tree::Test;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Open,
    Close,
    /// `-` that negates what follows.
    Minus,
    And,
    Or,
    Not,
    Word(String),
    Phrase(String),
    Field {
        field: String,
        test: Test,
    },
}

pub(super) type Placed = (Token, Range<usize>);

/// A character without the backslash before it, and whether it had one.
#[derive(Clone, Copy)]
struct Letter {
    c: char,
    escaped: bool,
    start: usize,
    end: usize,
}

impl Letter {
    /// The character, where no backslash makes it an ordinary one.
    fn sign(&self) -> Option<char> {
        (!self.escaped).then_some(self.c)
    }

    fn is_quote(&self) -> bool {
        self.sign().is_some_and(|c| matches!(c, '"' | '\u{201c}' | '\u{201d}' | '\u{201e}'))
    }

    fn is_blank(&self) -> bool {
        self.sign().is_some_and(char::is_whitespace)
    }

    /// Ends a word.
    fn ends(&self) -> bool {
        self.is_blank() || self.is_quote() || matches!(self.sign(), Some('(' | ')'))
    }
}

struct Lexer<'a> {
    text: &'a str,
    letters: Vec<Letter>,
    at: usize,
    tokens: Vec<Placed>,
}

pub(super) fn tokens(text: &str) -> Result<Vec<Placed>, SyntaxError> {
    let mut lexer = Lexer { text, letters: letters(text)?, at: 0, tokens: Vec::new() };
    while lexer.next()? {}
    let mut tokens = lexer.tokens;
    if shouted(text, &tokens) {
        for (token, _) in &mut tokens {
            let word = match token {
                Token::And => "AND",
                Token::Or => "OR",
                Token::Not => "NOT",
                _ => continue,
            };
            *token = Token::Word(word.to_owned());
        }
    }
    Ok(tokens)
}

/// A pasted text all in capitals: no small letter anywhere, and words beside each other.
fn shouted(text: &str, tokens: &[Placed]) -> bool {
    let words = |pair: &[Placed]| pair.iter().all(|(token, _)| matches!(token, Token::Word(_)));
    !text.chars().any(char::is_lowercase) && tokens.windows(2).any(words)
}

fn letters(text: &str) -> Result<Vec<Letter>, SyntaxError> {
    let mut letters = Vec::with_capacity(text.len());
    let mut characters = text.char_indices();
    while let Some((start, c)) = characters.next() {
        let (c, escaped) = match c {
            '\\' => match characters.next() {
                Some((_, next)) => (next, true),
                None => {
                    let what = "the backslash at {} has nothing after it: write \\\\ for a backslash";
                    return Err(SyntaxError::new(text, start..text.len(), what));
                }
            },
            c => (c, false),
        };
        letters.push(Letter { c, escaped, start, end: characters.offset() });
    }
    Ok(letters)
}

impl Lexer<'_> {
    /// Reads one token; false at the end.
    fn next(&mut self) -> Result<bool, SyntaxError> {
        while self.peek(0).is_some_and(|l| l.is_blank()) {
            self.at += 1;
        }
        let Some(first) = self.peek(0) else { return Ok(false) };
        let one = first.start..first.end;
        match first.sign() {
            Some('(') => self.push(Token::Open, one, 1),
            Some(')') => self.push(Token::Close, one, 1),
            Some('-') if self.peek(1).is_some_and(|l| negates(&l)) => self.push(Token::Minus, one, 1),
            _ if first.is_quote() => {
                let (phrase, span) = self.quoted()?;
                if !phrase.chars().any(char::is_alphanumeric) {
                    let what = "there is no word between the quotation marks at {}: write one, or leave the marks out";
                    return Err(self.bad(span, what));
                }
                self.tokens.push((Token::Phrase(phrase), span));
            }
            _ => {
                if !self.field()? {
                    self.word();
                }
            }
        }
        Ok(true)
    }

    fn push(&mut self, token: Token, span: Range<usize>, letters: usize) {
        self.tokens.push((token, span));
        self.at += letters;
    }

    /// `name:value`, where one stands here.
    fn field(&mut self) -> Result<bool, SyntaxError> {
        let Some(first) = self.peek(0).filter(|l| l.escaped || l.c.is_alphabetic() || l.c == '_') else {
            return Ok(false);
        };
        let rest = self.letters.get(self.at..).unwrap_or_default();
        let name: Vec<&Letter> = rest.iter().take_while(|l| !l.ends() && l.sign() != Some(':')).collect();
        let (colon, value) = (rest.get(name.len()), rest.get(name.len() + 1));
        let (Some(colon), Some(value)) = (colon, value) else { return Ok(false) };
        if colon.sign() != Some(':') || value.is_blank() || value.sign() == Some(')') {
            return Ok(false);
        }
        let field: String = name.iter().map(|l| l.c).collect::<String>().to_lowercase();
        if value.sign() == Some('(') {
            let what = "a value is missing after the colon, before {}: write 'a:x OR a:y', not 'a:(x OR y)'";
            return Err(self.bad(value.start..value.end, what));
        }
        self.at += name.len() + 1;
        let (test, end) = self.value()?;
        self.tokens.push((Token::Field { field, test }, first.start..end));
        Ok(true)
    }

    /// The value of a test, and the byte where it ends.
    fn value(&mut self) -> Result<(Test, usize), SyntaxError> {
        if self.peek(0).is_some_and(|l| l.is_quote()) {
            let (value, span) = self.quoted()?;
            if let Some(next) = self.peek(0).filter(|l| !l.is_blank() && l.sign() != Some(')')) {
                let what = "a blank is missing at {}, after the closing quotation mark";
                return Err(self.bad(next.start..next.end, what));
            }
            return Ok((Test::Equals(value.to_lowercase()), span.end));
        }
        let value = self.run();
        let (start, end) = (value.first().map_or(0, |l| l.start), value.last().map_or(0, |l| l.end));
        let is = |l: Option<&Letter>, c: char| l.and_then(Letter::sign) == Some(c);
        if value.len() == 1 && is(value.first(), '*') {
            return Ok((Test::Any, end));
        }
        let joined = |part: &[Letter]| part.iter().map(|l| l.c).collect::<String>().to_lowercase();
        let dots = value.windows(2).position(|pair| is(pair.first(), '.') && is(pair.last(), '.'));
        let Some(dots) = dots else { return Ok((Test::Equals(joined(&value)), end)) };
        let end_of = |part: Option<&[Letter]>| part.filter(|p| !p.is_empty()).map(joined);
        let (low, high) = (end_of(value.get(..dots)), end_of(value.get(dots + 2..)));
        if low.is_none() && high.is_none() {
            let what = "the range at {} needs at least one end: '40..', '..60' or '40..60'";
            return Err(self.bad(start..end, what));
        }
        Ok((Test::Range { low, high }, end))
    }

    fn word(&mut self) {
        let mut letters = self.run();
        // "nodule(s)": what closes again before the next blank is part of the word
        while let Some(inner) = self.in_word(&letters) {
            letters.extend(inner);
            letters.extend(self.run());
        }
        let (Some(first), Some(last)) = (letters.first(), letters.last()) else { return };
        let span = first.start..last.end;
        let text: String = letters.iter().map(|l| l.c).collect();
        let plain = !letters.iter().any(|l| l.escaped);
        let token = match text.as_str() {
            "AND" if plain => Token::And,
            "OR" if plain => Token::Or,
            "NOT" if plain => Token::Not,
            _ => Token::Word(text),
        };
        self.tokens.push((token, span));
    }

    /// A parenthesis directly after a word that is closed before the next blank.
    fn in_word(&mut self, before: &[Letter]) -> Option<Vec<Letter>> {
        let text: String = before.iter().map(|l| l.c).collect();
        let after_word = before.last().is_some_and(|l| l.c.is_alphanumeric());
        if !after_word || matches!(text.as_str(), "AND" | "OR" | "NOT") || self.peek(0)?.sign() != Some('(') {
            return None;
        }
        let rest = self.letters.get(self.at + 1..)?;
        let inside = rest.iter().take_while(|l| !l.ends()).count();
        (rest.get(inside)?.sign() == Some(')')).then(|| {
            let taken = self.letters.get(self.at..self.at + inside + 2).unwrap_or_default().to_vec();
            self.at += inside + 2;
            taken
        })
    }

    /// Up to the next blank, quotation mark or parenthesis.
    fn run(&mut self) -> Vec<Letter> {
        let rest = self.letters.get(self.at..).unwrap_or_default();
        let taken: Vec<Letter> = rest.iter().take_while(|l| !l.ends()).copied().collect();
        self.at += taken.len();
        taken
    }

    /// What stands between the quotation mark here and the next one.
    fn quoted(&mut self) -> Result<(String, Range<usize>), SyntaxError> {
        let open = self.peek(0).map_or(0..0, |l| l.start..l.end);
        let rest = self.letters.get(self.at + 1..).unwrap_or_default();
        let inside: String = rest.iter().take_while(|l| !l.is_quote()).map(|l| l.c).collect();
        let length = rest.iter().take_while(|l| !l.is_quote()).count();
        let Some(close) = rest.get(length) else {
            let what = "the quotation mark at {} is never closed: close it, or write \\\" for the mark itself";
            return Err(self.bad(open, what));
        };
        let span = open.start..close.end;
        self.at += length + 2;
        Ok((inside, span))
    }

    fn peek(&self, ahead: usize) -> Option<Letter> {
        self.letters.get(self.at + ahead).copied()
    }

    fn bad(&self, span: Range<usize>, what: &str) -> SyntaxError {
        SyntaxError::new(self.text, span, what)
    }
}

/// True where a minus before this letter is a sign.
fn negates(next: &Letter) -> bool {
    next.escaped || next.c.is_alphabetic() || next.c == '_' || next.is_quote() || next.sign() == Some('(')
}
