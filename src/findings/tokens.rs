//! Words, numbers and punctuation of a text, with their place in it.

use std::ops::Range;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Letters and digits: a word, an abbreviation, a number, a de-identification mark.
    Word,
    /// One mark that matters to scopes: `,` `;` `:` `.` `/` `?` `!` `(` `)`.
    Mark(char),
    /// A minus directly before a word and not inside one: `-pneumothorax` in a query.
    Minus,
}

/// A token.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    /// The word in lower case; empty for marks.
    pub text: String,
    /// What it is.
    pub kind: Kind,
    /// Bytes of the whole text that it covers.
    pub range: Range<usize>,
}

impl Token {
    /// True for the mark `c`.
    pub fn is_mark(&self, c: char) -> bool {
        self.kind == Kind::Mark(c)
    }

    /// True for the word `w` (lower case).
    pub fn is(&self, w: &str) -> bool {
        self.kind == Kind::Word && self.text == w
    }

    /// True for one of `words`.
    pub fn is_any(&self, words: &[&str]) -> bool {
        self.kind == Kind::Word && words.contains(&self.text.as_str())
    }
}

/// Splits the bytes `part` of `text` into tokens. Hyphens, blanks and quotes only separate; `1.5` and `p.m.` keep their points.
pub(crate) fn tokenize(text: &str, part: Range<usize>) -> Vec<Token> {
    let Some(slice) = text.get(part.clone()) else { return Vec::new() };
    let mut tokens: Vec<Token> = Vec::with_capacity(slice.len() / 6 + 1);
    let mut chars = slice.char_indices().peekable();
    let mut before = ' ';
    while let Some((at, c)) = chars.next() {
        let start = part.start + at;
        if c.is_alphanumeric() {
            let mut word: String = c.to_lowercase().collect();
            let mut end = start + c.len_utf8();
            let mut last = c;
            while let Some(&(at, c)) = chars.peek() {
                let inside = c.is_alphanumeric() || continues(slice, at, last, c);
                if !inside {
                    break;
                }
                if c.is_alphanumeric() || c == '.' {
                    word.extend(c.to_lowercase());
                }
                last = c;
                end = part.start + at + c.len_utf8();
                chars.next();
            }
            before = last;
            if let Some((word, end)) = shorthand(slice, at, part.start) {
                while chars.next_if(|(at, _)| part.start + at < end).is_some() {}
                tokens.push(Token { text: word.to_owned(), kind: Kind::Word, range: start..end });
                continue;
            }
            tokens.push(Token { text: word, kind: Kind::Word, range: start..end });
            continue;
        }
        let kind = match c {
            ',' | ';' | ':' | '.' | '/' | '?' | '!' | '(' | ')' => Some(Kind::Mark(c)),
            '-' | '\u{2212}' => {
                let opens = before.is_whitespace() || before == '(';
                let word_next = chars.peek().is_some_and(|(_, c)| c.is_alphabetic());
                (opens && word_next).then_some(Kind::Minus)
            }
            _ => None,
        };
        if let Some(kind) = kind {
            tokens.push(Token { text: String::new(), kind, range: start..start + c.len_utf8() });
        }
        before = c;
    }
    tokens
}

/// The word for a shorthand with a slash at byte `at` ("w/o"), and where it ends in the whole text.
fn shorthand(slice: &str, at: usize, offset: usize) -> Option<(&'static str, usize)> {
    let head = slice.get(at..at + 3)?;
    let free = !slice.get(at + 3..)?.starts_with(char::is_alphanumeric);
    let word = match head.to_ascii_lowercase().as_str() {
        "w/o" => "without",
        "r/o" => "ro",
        "s/p" => "sp",
        "h/o" => "ho",
        "c/w" => "cw",
        _ => return None,
    };
    free.then_some((word, offset + at + 3))
}

/// True when `c` at byte `at` joins two parts of one word: `patient's`, `2.5`, `a.m`.
fn continues(slice: &str, at: usize, last: char, c: char) -> bool {
    let next = slice.get(at + c.len_utf8()..).and_then(|rest| rest.chars().next());
    match (c, next) {
        ('\'' | '\u{2019}', Some(n)) => last.is_alphabetic() && n.is_alphabetic(),
        ('.', Some(n)) => last.is_ascii_digit() && n.is_ascii_digit(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        tokenize(text, 0..text.len())
            .iter()
            .map(|t| match t.kind {
                Kind::Word => t.text.clone(),
                Kind::Mark(c) => c.to_string(),
                Kind::Minus => "minus".to_owned(),
            })
            .collect()
    }

    #[test]
    fn words_numbers_and_marks() {
        assert_eq!(words("A 2.5 cm non-calcified nodule."), ["a", "2.5", "cm", "non", "calcified", "nodule", "."]);
        assert_eq!(words("patient's left-sided PTX, etc"), ["patients", "left", "sided", "ptx", ",", "etc"]);
        assert_eq!(words("atelectasis/infiltrate"), ["atelectasis", "/", "infiltrate"]);
        assert_eq!(words("cardiomegaly w/o edema, s/p CABG"), ["cardiomegaly", "without", "edema", ",", "sp", "cabg"]);
        assert_eq!(words("w/oxygen"), ["w", "/", "oxygen"]);
    }

    #[test]
    fn minus_only_before_a_free_word() {
        assert_eq!(words("effusion -pneumothorax"), ["effusion", "minus", "pneumothorax"]);
        assert_eq!(words("x-ray - clear"), ["x", "ray", "clear"]);
    }

    #[test]
    fn ranges_are_of_the_whole_text() {
        let text = "é No effusion";
        let tokens = tokenize(text, 3..text.len());
        assert_eq!(&text[tokens[1].range.clone()], "effusion");
    }
}
