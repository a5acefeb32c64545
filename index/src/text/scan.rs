//! The documents of a segment that a spelling stands in.

use tantivy::postings::{Postings, SegmentPostings};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocSet, InvertedIndexReader, TERMINATED, Term};

use super::term::Spelling;
use super::words::{Word, words};
use crate::error::Result;

/// Documents in their order, and how often each has it, times its weight.
pub(super) type Counts = Vec<(u32, f32)>;

/// Looks a spelling up; `often`: the counts are wanted, otherwise any number stands for them.
pub(super) fn spelling(
    inverted: &InvertedIndexReader,
    field: Field,
    spelling: &Spelling,
    often: bool,
) -> Result<Counts> {
    let words = words(&spelling.text);
    let option = match words.len() {
        0 => return Ok(Counts::new()),
        1 if often => IndexRecordOption::WithFreqs,
        1 => IndexRecordOption::Basic,
        _ => IndexRecordOption::WithFreqsAndPositions,
    };
    let mut lists = Vec::with_capacity(words.len());
    for word in &words {
        let Some(list) = inverted.read_postings(&Term::from_field_text(field, &word.stem), option)? else {
            return Ok(Counts::new());
        };
        lists.push(list);
    }
    match lists.as_mut_slice() {
        [list] => Ok(single(list, spelling.weight, often)),
        lists => Ok(together(lists, &words, spelling)),
    }
}

fn single(list: &mut SegmentPostings, weight: f32, often: bool) -> Counts {
    let mut counts = Counts::with_capacity(list.doc_freq() as usize);
    let mut doc = list.doc();
    while doc != TERMINATED {
        counts.push((doc, if often { weight * list.term_freq() as f32 } else { weight }));
        doc = list.advance();
    }
    counts
}

/// Documents with all of the lists' words, close enough.
fn together(lists: &mut [SegmentPostings], words: &[Word], spelling: &Spelling) -> Counts {
    let mut counts = Counts::new();
    // the rarest word leads
    let mut order: Vec<usize> = (0..lists.len()).collect();
    order.sort_by_key(|i| lists.get(*i).map_or(0, SegmentPostings::doc_freq));
    let mut positions = vec![Vec::new(); lists.len()];
    let mut target = 0;
    while let Some(doc) = common(lists, &order, target) {
        for (list, positions) in lists.iter_mut().zip(&mut positions) {
            list.positions(positions);
        }
        let times = match spelling.apart {
            0 => in_order(&positions, words),
            apart => near(&positions, words, apart),
        };
        if times > 0 {
            counts.push((doc, spelling.weight * times as f32));
        }
        target = doc + 1;
    }
    counts
}

/// The next document from `target` on that all lists have.
fn common(lists: &mut [SegmentPostings], order: &[usize], mut target: u32) -> Option<u32> {
    'next: loop {
        for i in order {
            let list = lists.get_mut(*i)?;
            let doc = if list.doc() < target { list.seek(target) } else { list.doc() };
            if doc == TERMINATED {
                return None;
            }
            if doc > target {
                target = doc;
                continue 'next;
            }
        }
        return Some(target);
    }
}

/// How often the words stand as far from each other as in the spelling. `positions`: of each word, ascending.
pub(super) fn in_order(positions: &[Vec<u32>], words: &[Word]) -> usize {
    let (Some(first), Some(start)) = (positions.first(), words.first()) else { return 0 };
    let fits = |at: &&u32| {
        let mut rest = positions.iter().zip(words).skip(1);
        rest.all(|(positions, word)| positions.binary_search(&(**at + word.position - start.position)).is_ok())
    };
    first.iter().filter(fits).count()
}

/// How often all words stand within as many words as there are of them and `apart` more, in any order; none counts twice.
pub(super) fn near(positions: &[Vec<u32>], words: &[Word], apart: u32) -> usize {
    let width = words.len() as u32 + apart;
    // words that occur twice in the spelling need two places
    let kind = |i: usize| words.iter().position(|word| words.get(i).is_some_and(|w| w.stem == word.stem)).unwrap_or(i);
    let mut places: Vec<(u32, usize)> = Vec::new();
    for (i, positions) in positions.iter().enumerate().filter(|(i, _)| kind(*i) == *i) {
        places.extend(positions.iter().map(|at| (*at, i)));
    }
    places.sort_unstable();
    let needed: Vec<usize> = (0..words.len()).map(|i| (0..words.len()).filter(|j| kind(*j) == i).count()).collect();
    let (mut times, mut from) = (0, 0);
    let mut have = vec![0; words.len()];
    for (to, (at, word)) in places.iter().enumerate() {
        if let Some(count) = have.get_mut(*word) {
            *count += 1;
        }
        while let Some((first, word)) = places.get(from).filter(|(first, _)| first + width <= *at) {
            debug_assert!(first <= at);
            if let Some(count) = have.get_mut(*word) {
                *count -= 1;
            }
            from += 1;
        }
        if have.iter().zip(&needed).all(|(have, needed)| have >= needed) {
            times += 1;
            from = to + 1;
            have.fill(0);
        }
    }
    times
}
