//! The texts of a batch: those of the films' own reports first, then what is drawn, then flipped copies.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::sampler::{Sampler, signed};
use super::source::TextSource;
use crate::config::{Objective, Training};
use crate::error::ModelError;
use crate::tokenizer::Tokenizer;

/// Texts that are looked at before a flipped copy is given up.
const TRIES: usize = 8;

/// Draws the texts of each step.
pub(super) struct Texts<'a> {
    training: &'a Training,
    source: &'a dyn TextSource,
    tokenizer: &'a Tokenizer,
    sampler: Sampler,
}

/// Texts of one step.
#[derive(Default)]
pub(super) struct Drawn {
    pub(super) ids: Vec<Vec<u32>>,
    pub(super) labels: Vec<Vec<f32>>,
    /// Rows of films and texts that belong together.
    pub(super) pairs: Vec<(usize, usize)>,
}

impl<'a> Texts<'a> {
    pub(super) fn new(training: &'a Training, source: &'a dyn TextSource, tokenizer: &'a Tokenizer) -> Self {
        let (seed, batch, balance) = (training.seed, training.text_batch, training.balance);
        let sampler = Sampler::new("texts", seed, batch, balance, source.len(), |i| signed(source.labels(i)));
        Self { training, source, tokenizer, sampler }
    }

    /// The texts of `step`. `own` holds for each film the texts of its report, none where it has no pair.
    pub(super) fn draw(&mut self, step: u64, own: &[&[usize]]) -> Result<Drawn, ModelError> {
        let (drawn, mut rng) = self.sampler.draw(step);
        let (mut chosen, pairs) =
            if self.training.wants_pairs() { self.own(own, &mut rng) } else { Default::default() };
        if self.training.objective != Objective::InfoNce {
            let room = drawn.len().saturating_sub(chosen.len());
            chosen.extend(drawn.into_iter().take(room));
        }
        let mut texts = Drawn { pairs, ..Drawn::default() };
        let flips = (self.training.text_batch as f64 * self.training.hard_negatives).round() as usize;
        let kept = chosen.len().saturating_sub(flips);
        for (place, &index) in chosen.iter().enumerate() {
            let flipped =
                if place < kept { None } else { self.flipped(chosen.get(..kept).unwrap_or_default(), &mut rng) };
            let (text, labels) = match flipped {
                Some((text, labels)) => (text.into(), labels),
                None => (self.source.text(index), self.source.labels(index).to_vec()),
            };
            let mut ids = self.tokenizer.ids(&text)?;
            self.drop_tokens(&mut ids, &mut rng);
            texts.ids.push(ids);
            texts.labels.push(labels);
        }
        Ok(texts)
    }

    /// One text of its own report for each film that has any.
    fn own(&self, own: &[&[usize]], rng: &mut ChaCha8Rng) -> (Vec<usize>, Vec<(usize, usize)>) {
        let (mut chosen, mut pairs): (Vec<usize>, Vec<(usize, usize)>) = Default::default();
        for (film, texts) in own.iter().enumerate() {
            if texts.is_empty() {
                continue;
            }
            let text = texts[rng.random_range(0..texts.len())];
            // Reports repeat sentences. InfoNCE takes row i of both; else a sentence stands once for all its films.
            let row = match chosen.iter().position(|&t| t == text) {
                Some(row) if self.training.objective != Objective::InfoNce => row,
                _ => {
                    chosen.push(text);
                    chosen.len() - 1
                }
            };
            pairs.push((film, row));
        }
        (chosen, pairs)
    }

    /// A copy of one of `texts` that says the contrary, or the other side.
    fn flipped(&self, texts: &[usize], rng: &mut ChaCha8Rng) -> Option<(String, Vec<f32>)> {
        if texts.is_empty() {
            return None;
        }
        (0..TRIES).find_map(|_| self.source.flipped(texts[rng.random_range(0..texts.len())], rng))
    }

    /// Replaces some tokens between [CLS] and [SEP] by [UNK].
    fn drop_tokens(&self, ids: &mut [u32], rng: &mut ChaCha8Rng) {
        let rate = self.training.token_dropout;
        if rate <= 0.0 || ids.len() < 3 {
            return;
        }
        let last = ids.len() - 1;
        for id in &mut ids[1..last] {
            if rng.random_bool(rate) {
                *id = self.tokenizer.unknown();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::testing::{Lines, SENTENCES, tokenizer};

    fn draw(change: impl FnOnce(&mut Training), own: &[&[usize]]) -> Drawn {
        let mut training = Training { text_batch: 6, ..Training::default() };
        change(&mut training);
        Texts::new(&training, &Lines, &tokenizer()).draw(3, own).unwrap()
    }

    fn says(drawn: &Drawn, row: usize, index: usize) -> bool {
        drawn.ids[row] == tokenizer().ids(SENTENCES[index].0).unwrap() && drawn.labels[row] == SENTENCES[index].1
    }

    #[test]
    fn unpaired_batches_ignore_the_reports() {
        let drawn = draw(|_| {}, &[&[1], &[2]]);
        assert_eq!((drawn.ids.len(), drawn.pairs.len()), (6, 0));
    }

    #[test]
    fn own_sentences_come_first_and_stand_once() {
        let drawn = draw(|t| t.pair_blending = 0.5, &[&[1], &[], &[2], &[1]]);
        assert_eq!(drawn.ids.len(), 6);
        assert_eq!(drawn.pairs, [(0, 0), (2, 1), (3, 0)]);
        assert!(says(&drawn, 0, 1) && says(&drawn, 1, 2));
    }

    #[test]
    fn info_nce_has_a_row_for_each_film() {
        let drawn = draw(|t| t.objective = Objective::InfoNce, &[&[1], &[2], &[1]]);
        assert_eq!(drawn.ids.len(), 3);
        assert!(says(&drawn, 0, 1) && says(&drawn, 1, 2) && says(&drawn, 2, 1));
    }

    #[test]
    fn hard_negatives_contradict_a_text_of_the_batch() {
        let drawn = draw(|t| t.hard_negatives = 0.5, &[]);
        // `Lines` flips "left" and "right": the labels 2 and 3 change places.
        let sided = drawn.labels[..3].iter().filter(|l| l[2] != l[3]).count();
        let contrary =
            |l: &Vec<f32>| drawn.labels[..3].iter().any(|o| o[..2] == l[..2] && o[2] == l[3] && o[3] == l[2]);
        assert!(sided > 0, "the seed draws none that can be flipped");
        assert!(drawn.labels[3..].iter().all(contrary), "{:?}", drawn.labels);
    }
}
