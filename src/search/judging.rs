//! What is stated of the studies, against what the query wants: who is left out, who agrees, of whom nothing is known.

use std::collections::{BTreeMap, BTreeSet};

use thorax_index::RoaringBitmap;

use super::agreement::{Agreement, agreement};
use super::statements::{Judged, Statements};
use crate::findings::query::Wanted;
use crate::findings::{Observation, Polarity, Side};
use crate::indexing::Finding;

/// Levels are multiples of this: below it the fused score orders.
pub const STEP: f32 = 0.02;

/// The verdicts of one search.
pub struct Judging<'a> {
    /// What the query wants.
    pub wanted: Vec<Wanted>,
    verdicts: Judged<'a, Agreement>,
    /// How like a study is to the studies to be like, by what is stated; 0 where nothing is.
    alike: Judged<'a, f32>,
    /// Nothing counts as stated.
    unstated: bool,
}

impl<'a> Judging<'a> {
    /// Judges every combination of statements. With `unstated` every study counts as one without any.
    pub fn new(statements: &'a Statements, wanted: Vec<Wanted>, like: &[u32], unlike: &[u32], unstated: bool) -> Self {
        let said = |shown: &'_ [Finding]| if unstated { Vec::new() } else { shown.to_vec() };
        let verdicts = statements.judge(|shown| match unstated {
            true => agreement(&wanted, &[]),
            false => agreement(&wanted, shown),
        });
        let all = |rows: &[u32]| rows.iter().map(|row| present(&said(statements.shown(*row)))).collect::<Vec<_>>();
        let taste = Taste::new(&all(like), &all(unlike));
        let alike = statements.judge(|shown| taste.of(&present(&said(shown))));
        Self { wanted, verdicts, alike, unstated }
    }

    /// The verdict on a study, in steps of [`STEP`].
    pub fn level(&self, row: u32) -> f32 {
        let score = self.verdicts.get(row).map_or(0.0, |verdict| verdict.score);
        (score / STEP).round() * STEP
    }

    /// What is wanted and nothing is stated of, one bit each.
    pub fn silence(&self, row: u32) -> u32 {
        self.verdicts.get(row).map_or(0, |verdict| verdict.silent)
    }

    /// Nothing counts as stated.
    pub fn unstated(&self) -> bool {
        self.unstated
    }

    /// The studies that are never results.
    pub fn excluded(&self, rows: &RoaringBitmap) -> RoaringBitmap {
        if self.wanted.is_empty() {
            return RoaringBitmap::new();
        }
        rows.iter().filter(|row| self.verdicts.get(*row).is_some_and(|verdict| verdict.excluded)).collect()
    }

    /// The studies that agree best, at least `n` where so many agree at all.
    pub fn agreeing(&self, rows: &RoaringBitmap, n: usize) -> RoaringBitmap {
        if self.wanted.is_empty() || self.unstated {
            return RoaringBitmap::new();
        }
        best(rows, n, |row| self.level(row))
    }

    /// The studies that show most of what the studies to be like show, at least `n` where so many do.
    pub fn alike(&self, rows: &RoaringBitmap, n: usize) -> RoaringBitmap {
        if self.unstated {
            return RoaringBitmap::new();
        }
        best(rows, n, |row| self.alike.get(row).copied().unwrap_or_default())
    }

    /// The studies of which nothing is stated of at least one finding that is wanted.
    pub fn silent(&self, rows: &RoaringBitmap) -> RoaringBitmap {
        rows.iter().filter(|row| self.silence(*row) != 0).collect()
    }
}

/// Rows with a positive score, whole levels of it from the best down, until there are `n`.
fn best(rows: &RoaringBitmap, n: usize, score: impl Fn(u32) -> f32) -> RoaringBitmap {
    let mut levels: BTreeMap<i32, Vec<u32>> = BTreeMap::new();
    for row in rows {
        let score = score(row);
        if score > 0.0 {
            levels.entry(-(score / STEP).round() as i32).or_default().push(row);
        }
    }
    let mut found = RoaringBitmap::new();
    for rows in levels.into_values() {
        if found.len() >= n as u64 {
            break;
        }
        found.extend(rows);
    }
    found
}

type Shows = BTreeSet<(Observation, Option<Side>)>;

fn present(shown: &[Finding]) -> Shows {
    let found =
        shown.iter().filter(|f| f.polarity == Polarity::Present && f.observation != Observation::SupportDevices);
    found.map(|f| (f.observation, f.side)).collect()
}

/// What studies to be like show, and those to be unlike don't; and the other way round.
struct Taste {
    liked: Shows,
    disliked: Shows,
}

impl Taste {
    fn new(like: &[Shows], unlike: &[Shows]) -> Self {
        // What most of them show: one of three may have something else besides.
        let most = |all: &[Shows]| -> Shows {
            let candidates: Shows = all.iter().flatten().copied().collect();
            candidates.into_iter().filter(|f| 2 * all.iter().filter(|s| s.contains(f)).count() >= all.len()).collect()
        };
        let (liked, disliked) = (most(like), most(unlike));
        Self { liked: &liked - &disliked, disliked: &disliked - &liked }
    }

    /// From -1 to 1: the share of what is liked that is there, less the share of what is disliked.
    fn of(&self, shows: &Shows) -> f32 {
        let share = |of: &Shows| match of.len() {
            0 => 0.0,
            all => of.intersection(shows).count() as f32 / all as f32,
        };
        share(&self.liked) - share(&self.disliked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::LabelOrigin;
    use crate::findings::understand;
    use crate::search::statements::of_rows;
    use Observation::{Cardiomegaly, Edema, PleuralEffusion};
    use Polarity::{Absent, Present};

    fn says(observation: Observation, polarity: Polarity, side: Option<Side>) -> Finding {
        Finding { observation, polarity, side, severity: None, origin: LabelOrigin::Dataset }
    }

    fn archive() -> Statements {
        of_rows(&[
            vec![says(PleuralEffusion, Present, Some(Side::Left))],
            vec![says(PleuralEffusion, Present, Some(Side::Right))],
            vec![says(PleuralEffusion, Absent, None)],
            vec![],
            vec![says(Edema, Present, None), says(Cardiomegaly, Present, None)],
        ])
    }

    fn rows(found: RoaringBitmap) -> Vec<u32> {
        found.into_iter().collect()
    }

    #[test]
    fn who_is_left_out_who_agrees_and_who_is_silent() {
        let (archive, all) = (archive(), (0..5).collect::<RoaringBitmap>());
        let judging = |query: &str, unstated| Judging::new(&archive, understand(query).findings, &[], &[], unstated);
        let left = judging("left pleural effusion", false);
        assert_eq!(rows(left.excluded(&all)), [1]);
        assert_eq!(rows(left.agreeing(&all, 10)), [0]);
        assert_eq!(rows(left.silent(&all)), [3, 4]);
        let none = judging("no pleural effusion", false);
        assert_eq!(rows(none.excluded(&all)), [0, 1]);
        assert_eq!(rows(none.agreeing(&all, 10)), [2]);
        let unstated = judging("no pleural effusion", true);
        assert!(unstated.excluded(&all).is_empty() && unstated.agreeing(&all, 10).is_empty());
        assert_eq!(rows(unstated.silent(&all)), [0, 1, 2, 3, 4]);
        let nothing = judging("woman, 60 years", false);
        assert!(nothing.excluded(&all).is_empty() && nothing.silent(&all).is_empty());
    }

    #[test]
    fn likeness_is_shared_findings_less_those_of_the_disliked() {
        let (archive, all) = (archive(), (0..5).collect::<RoaringBitmap>());
        let like = Judging::new(&archive, Vec::new(), &[4], &[], false);
        assert_eq!(rows(like.alike(&all, 10)), [4]);
        let apart = Judging::new(&archive, Vec::new(), &[0], &[1], false);
        assert_eq!(rows(apart.alike(&all, 10)), [0], "the other side is another finding");
    }

    #[test]
    fn whole_levels_are_taken_from_the_best_down() {
        let score = |row: u32| [0.5, 1.0, 0.0, 0.5, -1.0][row as usize % 5];
        let all: RoaringBitmap = (0..5).collect();
        assert_eq!(rows(best(&all, 1, score)), [1]);
        assert_eq!(rows(best(&all, 2, score)), [0, 1, 3]);
        assert_eq!(rows(best(&all, 9, score)), [0, 1, 3]);
    }
}
