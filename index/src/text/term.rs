//! What keyword search looks for.

use roaring::RoaringBitmap;

/// Which statements of a text count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Said {
    /// All of it.
    Anyhow,
    /// What the text does not deny.
    #[default]
    Affirmed,
    /// What it denies.
    Denied,
}

/// One notion, in any of its spellings.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// The ways to say it.
    pub spellings: Vec<Spelling>,
    /// Which statements count.
    pub said: Said,
}

/// One way to say something.
#[derive(Clone, Debug, PartialEq)]
pub struct Spelling {
    /// A word, or several; stemmed and without case when it is looked for.
    pub text: String,
    /// What a mention counts; 1 for the words of the query themselves.
    pub weight: f32,
    /// How many other words may stand between its own, which may then come in any order; 0: these words in this order.
    pub apart: u32,
}

/// Which documents match. Words that a document's text does not hold make it match nothing but a [`Keywords::Not`].
#[derive(Clone, Debug, PartialEq)]
pub enum Keywords {
    /// All of these; everything where there is none.
    All(Vec<Keywords>),
    /// Any of these.
    Any(Vec<Keywords>),
    /// Not this.
    Not(Box<Keywords>),
    /// The text has this notion.
    Term(Term),
    /// These rows: what a filter found.
    Rows(RoaringBitmap),
}

impl Spelling {
    /// These words in this order, with weight 1.
    pub fn exact(text: &str) -> Self {
        Self { text: text.to_owned(), weight: 1.0, apart: 0 }
    }
}

impl Term {
    /// These words in this order, in affirmed statements.
    pub fn of(text: &str) -> Self {
        Self { spellings: vec![Spelling::exact(text)], said: Said::Affirmed }
    }

    /// One term for each word of a text, wherever it stands.
    pub fn each_word(text: &str) -> Vec<Self> {
        let words = super::words::words(text);
        let spelled = words.iter().filter_map(|word| text.get(word.range.clone()));
        spelled.map(|word| Self { said: Said::Anyhow, ..Self::of(word) }).collect()
    }
}
