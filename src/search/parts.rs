//! The parts of a query as vectors: the text, and the films with the studies to be like and unlike.

use thorax_index::{RoaringBitmap, Space};

use super::engine::{Engine, first};
use super::positive::positive;
use super::request::{Exclude, Query, Request};
use crate::error::Result;
use crate::findings::query::Wanted;

/// Films whose cosine is at least this may be the same film.
const SAME: f32 = 0.999;

/// What a query looks for, as vectors.
#[derive(Default)]
pub struct Parts {
    /// The text's, for sentences. Led away from the studies to be unlike where there is no film to lead away.
    pub text: Option<Vec<f32>>,
    /// The text's without what it denies, for films. None where nothing is left.
    pub looks: Option<Vec<f32>>,
    /// What that is.
    pub looks_for: Option<String>,
    /// The films' and the liked studies', led away from the studies to be unlike.
    pub film: Option<Vec<f32>>,
    /// Rows of the studies to be like.
    pub like: Vec<u32>,
    /// Rows of the studies to be unlike.
    pub unlike: Vec<u32>,
    /// The query's own studies, which are no results.
    pub own: RoaringBitmap,
}

impl Parts {
    /// Embeds the parts of a query; `prose` is what its text says in words, `wanted` what was understood of it.
    ///
    /// # Errors
    /// A study that the index does not have, a film that the encoder cannot take.
    pub fn of(engine: &Engine, request: &Request, prose: &str, wanted: &[Wanted]) -> Result<Self> {
        let Query { text: _, films, like, unlike, weights } = &request.query;
        let text = Some(prose).filter(|prose| !prose.is_empty());
        let (_, encoder) = engine.model();
        let rows = |ids: &[String]| ids.iter().map(|id| engine.row_of(id)).collect::<Result<Vec<u32>>>();
        let (like, unlike) = (rows(like)?, rows(unlike)?);
        let mut embedded = Vec::with_capacity(films.len());
        for film in films {
            embedded.push(encoder.preprocess(&film.image)?);
        }
        let embedded = if embedded.is_empty() { Vec::new() } else { encoder.embed_images(&embedded)? };
        let looks_for = text.and_then(|text| positive(text, wanted));
        let embed = |text: &str| first(encoder.embed_texts(&[text])?);
        let looks = looks_for.as_deref().map(embed).transpose()?;
        let text = match (text, &looks) {
            (Some(text), Some(looks)) if looks_for.as_deref() == Some(text) => Some(looks.clone()),
            (Some(text), _) => Some(embed(text)?),
            (None, _) => None,
        };
        let (liked, unliked) = (engine.centroid(&like), engine.centroid(&unlike));
        // Rocchio: towards the mean of what is liked, away from the mean of what is not.
        let mut film = None;
        if !embedded.is_empty() || liked.is_some() {
            let mut sum = Vec::new();
            add(&mut sum, weights.image, mean(embedded.iter().map(Vec::as_slice)).as_deref());
            add(&mut sum, weights.like, liked.as_deref());
            add(&mut sum, -weights.unlike, unliked.as_deref());
            film = unit(sum);
        }
        let away = |vector: Option<Vec<f32>>| match (vector, &film, &unliked) {
            (Some(vector), None, Some(unliked)) => {
                let mut sum = vector.clone();
                add(&mut sum, -weights.unlike, Some(unliked));
                unit(sum).or(Some(vector))
            }
            (vector, ..) => vector,
        };
        let (text, looks) = (away(text), away(looks));
        let mut own: RoaringBitmap = like.iter().chain(&unlike).copied().collect();
        if request.exclude != Exclude::None {
            for (film, vector) in films.iter().zip(&embedded) {
                own |= same_film(engine, vector, film.hash.as_deref())?;
            }
        }
        if request.exclude == Exclude::Patient {
            let index = engine.index();
            let patients: Vec<&str> = own.iter().filter_map(|row| index.study(row).map(|s| s.group)).collect();
            for patient in patients {
                own |= index.group_rows(patient);
            }
        }
        Ok(Self { text, looks, looks_for, film, like, unlike, own })
    }
}

/// Studies with this very film: near by vector, and the same by the hash of the file.
fn same_film(engine: &Engine, vector: &[f32], hash: Option<&str>) -> Result<RoaringBitmap> {
    let mut found = RoaringBitmap::new();
    let Some(hash) = hash else { return Ok(found) };
    let near = engine.index().nearest(Space::Images, vector, 16, None)?;
    for hit in near.into_iter().filter(|hit| hit.score >= SAME) {
        let study = engine.study_of_row(hit.study_row)?;
        if study.is_some_and(|study| study.images.iter().any(|image| image.hash == hash)) {
            found.insert(hit.study_row);
        }
    }
    Ok(found)
}

fn add(sum: &mut Vec<f32>, weight: f32, vector: Option<&[f32]>) {
    if let Some(vector) = vector {
        sum.resize(vector.len(), 0.0);
        sum.iter_mut().zip(vector).for_each(|(s, v)| *s += weight * v);
    }
}

/// The mean of vectors at length 1; `None` where there is none.
pub(super) fn mean<'a>(vectors: impl Iterator<Item = &'a [f32]>) -> Option<Vec<f32>> {
    let mut sum = Vec::new();
    vectors.for_each(|vector| add(&mut sum, 1.0, Some(vector)));
    unit(sum)
}

/// At length 1; `None` where there is no direction.
fn unit(mut vector: Vec<f32>) -> Option<Vec<f32>> {
    let norm = vector.iter().map(|v| v * v).sum::<f32>().sqrt();
    (norm > 1e-6).then(|| {
        vector.iter_mut().for_each(|v| *v /= norm);
        vector
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn means_have_length_one_and_need_a_direction() {
        let found = mean([[3.0, 0.0].as_slice(), &[0.0, 3.0]].into_iter()).unwrap();
        assert!((found[0] - 0.5f32.sqrt()).abs() < 1e-6 && found[0] == found[1]);
        assert_eq!(mean(std::iter::empty()), None);
        assert_eq!(mean([[1.0].as_slice(), &[-1.0]].into_iter()), None);
    }
}
