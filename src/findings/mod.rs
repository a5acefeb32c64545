//! What a report or a query says of the 14 observations.
//!
//! - [`observation`] the vocabulary: observation, polarity, side, severity
//! - [`labels`] a label vector
//! - [`sentences`] and `sections`: where the sentences and the headings of a report are
//! - `tokens`, `pattern`, `vocabulary`: words, phrases of words, and what the phrases say
//! - `cues`, `scope`, `forward`: negation and doubt, and how far they reach (NegEx: Chapman et al., J Biomed Inform 2001)
//! - `attributes`: side and severity of a mention
//! - `reading`, [`labeler`]: a sentence, a text, a report -> mentions and labels
//! - [`query`], `query_sides`: a typed query -> the findings it asks for
//! - `wording`, [`prompts`], `training_texts`: phrases for each observation, and labelled short texts for training
//! - [`synonyms`] words of chest radiography that mean the same, British and American spelling, abbreviations
//! - [`explain`] a mention in words, [`marked`] in its sentence

mod attributes;
mod cues;
pub mod explain;
mod forward;
pub mod labeler;
pub mod labels;
pub mod marked;
pub mod observation;
mod pattern;
pub mod prompts;
pub mod query;
mod query_sides;
mod reading;
mod scope;
mod sections;
pub mod sentences;
pub mod synonyms;
mod tokens;
mod training_texts;
mod vocabulary;
mod wording;

#[cfg(test)]
mod labeler_cases;

pub use explain::explain;
pub use labeler::{Labeled, LabeledReport, LabeledSection, Mention, denied, denied_in_query, label, label_report};
pub use labels::Labels;
pub use marked::marked;
pub use observation::{Observation, Polarity, Severity, Side};
pub use prompts::{negative_prompts, prompts};
pub use query::{Understood, Wanted, understand};
pub use sentences::sentences;
pub use training_texts::training_texts;
