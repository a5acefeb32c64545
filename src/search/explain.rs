//! Why a study is where it is: its place in each ranking, and what is stated of each wanted finding.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::agreement::{Said, verdict};
use super::response::Asked;
use crate::archive::LabelOrigin;
use crate::findings::query::Wanted;
use crate::findings::{Polarity, Severity, Side};
use crate::indexing::Finding;

/// A ranking that was fused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// By the text, of what is looked through: films or sentences. The score is a cosine.
    Text,
    /// By the query's films and the studies to be like. The score is a cosine.
    Film,
    /// By the text, of the reports' sentences. The score is a cosine.
    Sentence,
    /// By keywords. The score is BM25.
    Keyword,
    /// Among the studies that are stated to show what is wanted. The score is a cosine.
    Stated,
    /// By the wanted findings read from the film, where nothing is stated. The score is a difference of cosines.
    ZeroShot,
    /// Among the studies that show what the studies to be like show. The score is a cosine.
    Feedback,
}

impl Source {
    /// The name, as it stands in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Source::Text => "text",
            Source::Film => "film",
            Source::Sentence => "sentence",
            Source::Keyword => "keyword",
            Source::Stated => "stated",
            Source::ZeroShot => "zero_shot",
            Source::Feedback => "feedback",
        }
    }
}

/// Where the score of a result comes from.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Explained {
    /// The rankings that it stands in.
    pub rankings: Vec<Component>,
    /// What speaks for and against it, for each wanted finding.
    pub findings: Vec<Judged>,
    /// Why it stands behind others, in words.
    pub notes: Vec<String>,
}

/// A place in one ranking, and what it gives to the fused score.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Component {
    /// Which ranking.
    pub source: Source,
    /// Place, from 1.
    pub rank: usize,
    /// In the ranking's own unit.
    pub score: f32,
    /// Weight of the ranking.
    pub weight: f32,
    /// `weight / (fusion_k + rank)`.
    pub gives: f32,
    /// The part of the query that it is a ranking by.
    pub part: String,
}

/// What is known of one wanted finding.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Judged {
    /// The finding, and the words of the query that ask for it.
    #[serde(flatten)]
    pub asked: Asked,
    /// What is stated of it.
    pub said: Said,
    /// Agreement, in [-1, 1].
    pub agreement: f32,
    /// Where nothing is stated: the share of the films that pass the filter and show less of it, by the encoder. Not a probability.
    pub film_above: Option<f32>,
    /// The same in words.
    pub words: String,
}

/// Judges one wanted finding in words. `film_above` is looked at where nothing is stated.
pub fn judge(want: &Wanted, query: &str, shown: &[Finding], film_above: Option<f32>, suspected: bool) -> Judged {
    let verdict = verdict(want, shown);
    let name = want.observation.name().to_lowercase();
    let polarity = match verdict.said {
        Said::Present => Polarity::Present,
        Said::OtherSide if verdict.excluded => Polarity::Present,
        Said::Uncertain | Said::OtherSide => Polarity::Uncertain,
        _ => Polarity::Absent,
    };
    // of a left and a right one, the one that the verdict rests on: the first of those that say the same alone
    let of_it = || shown.iter().filter(|f| f.observation == want.observation && f.polarity == polarity);
    let alone = |f: &&Finding| super::agreement::verdict(want, std::slice::from_ref(*f)) == verdict;
    let found = of_it().find(alone).or_else(|| of_it().next());
    let details = found.map(details).unwrap_or_default();
    let film_above = film_above.filter(|_| verdict.said == Said::Nothing);
    let words = match (verdict.said, film_above) {
        (Said::Present, _) => format!("{name}: stated{details}"),
        (Said::OtherSide, _) if !verdict.excluded => format!("{name}: uncertain, and on the other side{details}"),
        (Said::OtherSide, _) => format!("{name}: stated on the other side only{details}"),
        (Said::Uncertain, _) => format!("{name}: stated as uncertain{details}"),
        (Said::Absent, _) => format!("{name}: stated to be absent{details}"),
        (Said::Normal, _) => format!("{name}: the chest is stated to be normal"),
        (Said::Nothing, None) => format!("{name}: nothing stated"),
        (Said::Nothing, Some(above)) => {
            let suspicion = if suspected { ", so the encoder suspects it: not stated, not a diagnosis" } else { "" };
            let hundredth = (above * 100.0).round();
            format!("{name}: nothing stated; its film shows more of it than {hundredth:.0} of 100 films{suspicion}")
        }
    };
    Judged { asked: Asked::new(want, query), said: verdict.said, agreement: verdict.score, film_above, words }
}

/// Why a study is never a result, in words.
pub fn why_excluded(wanted: &[Wanted], shown: &[Finding]) -> String {
    let against = wanted.iter().filter(|want| verdict(want, shown).excluded);
    against.map(|want| judge(want, "", shown, None, false).words).collect::<Vec<_>>().join("; ")
}

fn details(found: &Finding) -> String {
    let side = found.side.map(|side| match side {
        Side::Left => "left",
        Side::Right => "right",
        Side::Bilateral => "both sides",
    });
    let severity = found.severity.map(|severity| match severity {
        Severity::Mild => "mild",
        Severity::Moderate => "moderate",
        Severity::Severe => "severe",
    });
    let origin = match found.origin {
        LabelOrigin::Truth => "by the truth",
        LabelOrigin::Dataset => "by the data set",
        LabelOrigin::Labeler => "by the report",
    };
    let all: Vec<&str> = side.into_iter().chain(severity).chain([origin]).collect();
    format!(" ({})", all.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::Observation;

    #[test]
    fn a_verdict_in_words_says_who_said_so() {
        let query = "left pleural effusion";
        let want = Wanted {
            observation: Observation::PleuralEffusion,
            polarity: Polarity::Present,
            side: Some(Side::Left),
            severity: None,
            phrase: 5..21,
        };
        let shown = Finding {
            observation: Observation::PleuralEffusion,
            polarity: Polarity::Present,
            side: Some(Side::Right),
            severity: Some(Severity::Severe),
            origin: LabelOrigin::Labeler,
        };
        let judged = judge(&want, query, std::slice::from_ref(&shown), Some(0.9), false);
        assert_eq!(judged.words, "pleural effusion: stated on the other side only (right, severe, by the report)");
        assert_eq!((judged.asked.phrase.as_str(), judged.film_above), ("pleural effusion", None));
        assert!(why_excluded(std::slice::from_ref(&want), std::slice::from_ref(&shown)).contains("other side"));
        let right = shown.clone();
        let left = Finding { side: Some(Side::Left), severity: Some(Severity::Mild), ..shown };
        let both = judge(&want, query, &[right, left], None, false);
        assert_eq!(both.words, "pleural effusion: stated (left, mild, by the report)");
        let silent = judge(&want, query, &[], Some(0.9), true);
        assert!(silent.words.contains("90 of 100") && silent.words.contains("suspects"));
    }
}
