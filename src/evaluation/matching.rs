//! Films and sentences that share a class: the paper's image-text retrieval (Wang et al., EMNLP 2022, section 4.4).
//!
//! As in its CheXpert-5x200, a sentence belongs to a class when it states that one only, and every class has as many
//! sentences as the others, at most 200. A film belongs to each class that it shows: real films have several findings,
//! and few have one. Chance is the share of what is searched that shares a class with the query.

use rand::seq::SliceRandom;
use rand::{SeedableRng, rngs::StdRng};
use serde::Serialize;

use super::bootstrap::{Bootstrap, Interval};
use super::cohort::{Film, MIN_POSITIVES, Sentence, Truth, cosine};
use super::metrics::{mean, precision_at};
use super::report::{Bar, Bars, Cell, Part, Plot, Table};
use super::retrieval::{KS, Options};
use crate::archive::LabelOrigin;
use crate::findings::Observation;
use crate::indexing::Finding;

/// Most sentences of a class.
const PER_CLASS: usize = 200;

/// Figures of one class.
#[derive(Clone, Debug, Serialize)]
pub struct Class {
    /// The class.
    pub finding: Observation,
    /// Queries that belong to it.
    pub queries: usize,
    /// Share of what is searched that shares a class with the query, averaged over these queries: the precision of
    /// chance.
    pub chance: f64,
    /// The same share among the first 1, 2, 5 and 10.
    pub precision: Vec<Option<Interval>>,
}

/// Figures of one direction.
#[derive(Clone, Debug, Serialize)]
pub struct Matching {
    /// Queries.
    pub queries: usize,
    /// What is searched.
    pub candidates: usize,
    /// Per class.
    pub classes: Vec<Class>,
    /// Mean over the classes.
    pub mean_precision: Vec<Option<Interval>>,
    /// Mean over the classes but `No Finding`.
    pub mean_precision_abnormal: Vec<Option<Interval>>,
    /// Mean over the classes.
    pub mean_chance: f64,
}

/// An item with its classes, its patient and its vector.
struct Member<'a> {
    classes: Vec<Observation>,
    patient: &'a str,
    vector: &'a [f32],
}

impl Member<'_> {
    fn is(&self, class: Observation) -> bool {
        self.classes.contains(&class)
    }

    fn shares(&self, other: &Member<'_>) -> bool {
        self.classes.iter().any(|c| other.is(*c))
    }
}

/// The one thing that is stated as present.
fn class_of(sentence: &Sentence) -> Option<Observation> {
    let origin = LabelOrigin::Labeler;
    let stated: Vec<Finding> = sentence
        .labels
        .iter()
        .map(|(observation, polarity)| Finding { observation, polarity, side: None, severity: None, origin })
        .collect();
    match Truth::of(&stated).classes().as_slice() {
        [class] => Some(*class),
        _ => None,
    }
}

type Films<'a> = (&'a [Film], &'a [Vec<f32>]);
type Sentences<'a> = (&'a [Sentence], &'a [Vec<f32>]);

/// Members of the classes that have enough films and enough sentences; as many sentences of each class.
fn members<'a>(films: Films<'a>, sentences: Sentences<'a>, seed: u64) -> (Vec<Member<'a>>, Vec<Member<'a>>) {
    let mut films: Vec<Member<'a>> = films
        .0
        .iter()
        .zip(films.1)
        .map(|(f, vector)| Member { classes: f.truth.classes(), patient: &f.patient, vector })
        .collect();
    let mut sentences: Vec<Member<'a>> = sentences
        .0
        .iter()
        .zip(sentences.1)
        .filter_map(|(s, vector)| Some(Member { classes: vec![class_of(s)?], patient: &s.patient, vector }))
        .collect();
    let count = |of: &[Member<'_>], class| of.iter().filter(|m| m.is(class)).count();
    let classes: Vec<Observation> = Observation::ALL
        .into_iter()
        .filter(|c| count(&films, *c) >= MIN_POSITIVES && count(&sentences, *c) >= KS[KS.len() - 1])
        .collect();
    let each = classes.iter().map(|c| count(&sentences, *c)).min().unwrap_or(0).min(PER_CLASS);
    sentences.shuffle(&mut StdRng::seed_from_u64(seed));
    let mut taken = [0usize; Observation::COUNT];
    sentences.retain(|s| {
        let Some(class) = s.classes.first().filter(|c| classes.contains(c)) else { return false };
        let Some(taken) = taken.get_mut(class.index()).filter(|t| **t < each) else { return false };
        *taken += 1;
        true
    });
    films.iter_mut().for_each(|f| f.classes.retain(|c| classes.contains(c)));
    films.retain(|f| !f.classes.is_empty());
    (films, sentences)
}

/// For each film the nearest sentences.
pub fn film_to_sentence(films: Films<'_>, sentences: Sentences<'_>, options: &Options) -> Option<Matching> {
    let (films, sentences) = members(films, sentences, options.seed);
    matching(&films, &sentences, options)
}

/// For each sentence the nearest films.
pub fn sentence_to_film(films: Films<'_>, sentences: Sentences<'_>, options: &Options) -> Option<Matching> {
    let (films, sentences) = members(films, sentences, options.seed);
    matching(&sentences, &films, options)
}

/// The bootstrap is over the patients of the queries; what is searched stays as it is.
fn matching(queries: &[Member<'_>], candidates: &[Member<'_>], options: &Options) -> Option<Matching> {
    let mut classes: Vec<Observation> = queries.iter().flat_map(|q| q.classes.iter().copied()).collect();
    classes.sort_unstable();
    classes.dedup();
    if classes.len() < 2 {
        return None;
    }
    let precisions: Vec<[f64; KS.len()]> = queries
        .iter()
        .map(|query| {
            let mut near: Vec<(f32, bool)> =
                candidates.iter().map(|c| (cosine(query.vector, c.vector), c.shares(query))).collect();
            near.sort_by(|a, b| b.0.total_cmp(&a.0));
            let order: Vec<bool> = near.into_iter().map(|n| n.1).collect();
            KS.map(|k| precision_at(k, &order))
        })
        .collect();
    let bootstrap =
        Bootstrap::by_patient(queries.iter().map(|q| q.patient)).seed(options.seed).resamples(options.resamples);
    let found = bootstrap.intervals(|items| {
        let of = |class: Observation, k: usize| {
            let values: Vec<f64> = items
                .iter()
                .filter(|i| queries.get(**i).is_some_and(|q| q.is(class)))
                .filter_map(|i| precisions.get(*i)?.get(k).copied())
                .collect();
            (!values.is_empty()).then(|| mean(values))
        };
        let mut values: Vec<Option<f64>> =
            classes.iter().flat_map(|class| (0..KS.len()).map(|k| of(*class, k))).collect();
        for normal in [true, false] {
            for k in 0..KS.len() {
                let of_classes: Option<Vec<f64>> = classes
                    .iter()
                    .enumerate()
                    .filter(|(_, class)| normal || **class != Observation::NoFinding)
                    .map(|(at, _)| values.get(at * KS.len() + k).copied().flatten())
                    .collect();
                values.push(of_classes.filter(|v| !v.is_empty()).map(mean));
            }
        }
        values
    });
    let row = |at: usize| (0..KS.len()).map(|k| found.get(at * KS.len() + k).copied().flatten()).collect::<Vec<_>>();
    let chance = |query: &Member<'_>| {
        candidates.iter().filter(|c| c.shares(query)).count() as f64 / candidates.len().max(1) as f64
    };
    let rows: Vec<Class> = classes
        .iter()
        .enumerate()
        .map(|(at, class)| Class {
            finding: *class,
            queries: queries.iter().filter(|q| q.is(*class)).count(),
            chance: mean(queries.iter().filter(|q| q.is(*class)).map(chance)),
            precision: row(at),
        })
        .collect();
    Some(Matching {
        queries: queries.len(),
        candidates: candidates.len(),
        mean_precision: row(classes.len()),
        mean_precision_abnormal: row(classes.len() + 1),
        mean_chance: mean(rows.iter().map(|r| r.chance)),
        classes: rows,
    })
}

impl Matching {
    /// A table and a plot.
    pub fn parts(&self, name: &str) -> Vec<Part> {
        let line = |first: &str, queries: Cell, chance: f64, precision: &[Option<Interval>]| {
            let mut cells = vec![Cell::from(first), queries, chance.into()];
            cells.extend(precision.iter().map(|p| Cell::between(*p)));
            cells
        };
        let mut rows: Vec<Vec<Cell>> =
            self.classes.iter().map(|c| line(c.finding.name(), c.queries.into(), c.chance, &c.precision)).collect();
        rows.push(line("mean", self.queries.into(), self.mean_chance, &self.mean_precision));
        if let Some(normal) = self.classes.iter().find(|c| c.finding == Observation::NoFinding) {
            let others = self.classes.iter().filter(|c| c.finding != normal.finding);
            let chance = mean(others.map(|c| c.chance));
            rows.push(line("mean of abnormal findings", Cell::None, chance, &self.mean_precision_abnormal));
        }
        let bars = self.classes.iter().filter_map(|c| {
            let value = (*c.precision.last()?)?;
            Some(Bar { name: c.finding.name().to_owned(), value, mark: Some(c.chance) })
        });
        let title = format!("{name}: {} queries, {} searched", self.queries, self.candidates);
        vec![
            Part::Plot(Plot::Bars(Bars {
                title: format!("{name}: share of the first ten with a class of the query"),
                axis: "P@10".to_owned(),
                range: (0.0, 1.0),
                mark: "chance".to_owned(),
                rows: bars.collect(),
            })),
            Part::Table(Table { title, columns: vec!["class", "n", "chance", "P@1", "P@2", "P@5", "P@10"], rows }),
        ]
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::evaluation::cohort::Scope;
    use crate::training::split::Split;

    fn options() -> Options {
        let scope = Scope { source: String::new(), split: Split::Test };
        Options { scope, sentences: None, seed: 0, resamples: 100 }
    }

    #[test]
    fn what_lies_with_its_class_is_found() {
        use Observation::{Edema, Fracture};
        let (near, far) = ([1.0f32, 0.0], [0.0f32, 1.0]);
        let member = |class, vector| Member { classes: vec![class], patient: "p", vector };
        let queries = [member(Edema, &near[..]), member(Fracture, &near[..])];
        let mut candidates: Vec<Member<'_>> = (0..10).map(|_| member(Edema, &near[..])).collect();
        candidates.extend((0..30).map(|_| member(Fracture, &far[..])));
        let found = matching(&queries, &candidates, &options()).unwrap();
        let at_10 = |class: usize| found.classes[class].precision[3].unwrap().value;
        assert_eq!((at_10(0), at_10(1)), (1.0, 0.0));
        assert_eq!((found.classes[0].chance, found.classes[1].chance), (0.25, 0.75));
        assert_eq!(found.mean_precision[0].unwrap().value, 0.5);
        assert!(matching(&queries[..1], &candidates, &options()).is_none(), "one class is no task");
        // A film that shows both shares a class with everything.
        let both = Member { classes: vec![Edema, Fracture], patient: "q", vector: &far };
        let found = matching(&[both], &candidates, &options()).unwrap();
        assert_eq!((found.classes[1].chance, found.classes[1].precision[0].unwrap().value), (1.0, 1.0));
    }
}
