//! From places to results: the records of the few studies that are returned are read here.

use thorax_index::{Highlighter, Space};

use super::cut::Film as Reading;
use super::engine::{Engine, opaque};
use super::explain::{Explained, Source, judge};
use super::judging::{Judging, STEP};
use super::order::{Candidate, Place};
use super::rankings::Rankings;
use super::request::{Request, Target};
use super::response::{Components, Film, Hit, Other};
use super::snippet::snippet;
use crate::archive::Study;
use crate::error::Result;

/// The rankings that name the film to show, the telling ones first.
const BY_FILM: [Source; 5] = [Source::Film, Source::Text, Source::Stated, Source::Feedback, Source::ZeroShot];

/// What results are made of.
pub(super) struct Shown<'a> {
    pub engine: &'a Engine,
    pub request: &'a Request,
    pub prose: &'a str,
    pub words: &'a Highlighter,
    pub judging: &'a Judging<'a>,
    pub rankings: &'a Rankings,
}

impl Shown<'_> {
    /// Reads the records of the places. A study that was removed since the index was made is no result.
    pub fn hits(&self, offset: usize, places: &[Place]) -> Result<Vec<Hit>> {
        let mut hits = Vec::with_capacity(places.len());
        for (at, place) in places.iter().enumerate() {
            if let Some(study) = self.engine.study_of_row(place.study.row)? {
                hits.push(self.hit(offset + at + 1, place, study));
            }
        }
        Ok(hits)
    }

    fn hit(&self, rank: usize, place: &Place, study: Study) -> Hit {
        let index = self.engine.index();
        let row = place.study.row;
        let key = opaque(&study.id);
        let placed = |source| self.rankings.place(source, row);
        let own = |source: &Source| placed(*source);
        let (by_film, by_sentence) = match self.request.to {
            Target::Images => (BY_FILM.iter().find_map(own), placed(Source::Sentence)),
            Target::Reports => (None, BY_FILM.iter().find_map(own)),
        };
        // What only a reading of the film found has no cosine to the query.
        let by_cosine = [Source::Film, Source::Text].iter().any(|source| own(source).is_some());
        let film = by_film
            .and_then(|(_, item)| index.item_key(Space::Images, *item))
            .and_then(|id| study.images.iter().position(|image| image.id == id))
            .unwrap_or(0);
        let nearest = by_sentence.and_then(|(_, item)| index.item_key(Space::Sentences, *item));
        let snippet = snippet(&study, &self.judging.wanted, self.words, nearest);
        let image = study.images.get(film);
        let only = |source| placed(source).map(|(place, _)| *place);
        let others = place.others.iter().filter_map(|row| {
            let id = index.study(*row)?.id;
            Some(Other { study: id.to_owned(), key: opaque(id) })
        });
        Hit {
            rank,
            view: image.and_then(|i| i.view),
            image: image.map(|i| Film {
                id: i.id.clone(),
                key: format!("{key}-{film}"),
                path: Some(i.path.clone()),
                width: i.size.0,
                height: i.size.1,
            }),
            score: score(&place.study, self.rankings.most()),
            components: Components {
                image: by_film.filter(|_| by_cosine).map(|(place, _)| *place),
                sentence: by_sentence.map(|(place, _)| *place),
                keyword: only(Source::Keyword),
                stated: only(Source::Stated),
                zero_shot: only(Source::ZeroShot),
                feedback: only(Source::Feedback),
                fused: place.study.fused,
                findings: place.study.level,
            },
            findings: self.engine.statements().shown(row).to_vec(),
            snippet,
            relevant: place.study.relevant,
            others: others.collect(),
            explain: self.request.explain.then(|| self.explained(&place.study)),
            key,
            source: study.source,
            patient: study.patient,
            date: study.date,
            offset: study.offset,
            age: study.age,
            sex: study.sex,
            study: study.id,
        }
    }

    fn explained(&self, of: &Candidate) -> Explained {
        let text = self.prose;
        let film = Reading::of(self.engine, self.judging, &self.rankings.readers, of.row);
        let shown = if self.judging.unstated() { &[] } else { self.engine.statements().shown(of.row) };
        let findings: Vec<_> = self
            .judging
            .wanted
            .iter()
            .enumerate()
            .map(|(place, want)| judge(want, text, shown, film.above(place), film.suspected(place)))
            .collect();
        let rankings = self.rankings.components(of.row);
        let mut notes = Vec::new();
        for (place, judged) in findings.iter().enumerate() {
            if film.suspected(place) || judged.agreement < 0.0 {
                notes.push(format!("pushed down: {}", judged.words));
            }
        }
        if rankings.is_empty() {
            notes.push("no ranking reached it: it passes the filter, and stands behind what was found".to_owned());
        } else if !of.relevant {
            notes.push("in the tail: nothing says that the query means it".to_owned());
        }
        Explained { rankings, findings, notes }
    }
}

/// One number in the order of the results: the level, and below its step the fused score.
fn score(of: &Candidate, most: f32) -> f32 {
    of.level + of.fused * (0.99 * STEP / most.max(f32::MIN_POSITIVE)).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_score_is_in_the_order_of_the_results() {
        let candidate = |level, fused| Candidate { row: 0, level, fused, relevant: true };
        let most = 0.09;
        let ordered = [candidate(0.5, 0.01), candidate(0.5 - STEP, 0.09), candidate(0.5 - STEP, 0.0)];
        let scores: Vec<f32> = ordered.iter().map(|c| score(c, most)).collect();
        assert!(scores.windows(2).all(|pair| pair[0] > pair[1]), "{scores:?}");
    }
}
