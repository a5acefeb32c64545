//! Opens a home for searching, and runs a search.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use thorax_index::{Catalogue, Index, Space};
use thorax_models::Encoder;

use super::agreement::{Agreement, agreement};
use super::candidates::{self, Ranking};
use super::fuse::fuse;
use super::language::{self, Plan, plan};
use super::request::{Query, Request, Target};
use super::response::{Asked, Components, Echo, Film, Hit, Response};
use crate::archive::Study;
use crate::error::{Error, Result};
use crate::findings::query::Wanted;
use crate::findings::{self, Polarity, Understood, understand};
use crate::home::Home;
use crate::indexing::document::{sentences, study};
use crate::indexing::{Finding, shown};

/// Weight of each ranking in the fusion. Films come from the encoder alone; a stated finding is stronger evidence.
const FILM: f32 = 1.0;
const SENTENCE: f32 = 1.0;
const KEYWORD: f32 = 0.5;
const STATED: f32 = 1.0;

/// A home that is open for searching. Shared by all requests.
pub struct Engine {
    catalogue: Arc<Catalogue>,
    index: Index,
    encoder: Arc<Encoder>,
    model: String,
    config: crate::config::Config,
    keys: HashMap<String, u32>,
}

/// What one search gathered before it becomes results.
struct Gathered {
    understood: Understood,
    images: Ranking,
    sentences: Ranking,
    keywords: Ranking,
    fused: Vec<(u32, f32)>,
}

impl Gathered {
    fn unranked(rows: impl Iterator<Item = u32>) -> Self {
        Self {
            understood: Understood::default(),
            images: Ranking::default(),
            sentences: Ranking::default(),
            keywords: Ranking::default(),
            fused: rows.map(|row| (row, 0.0)).collect(),
        }
    }
}

/// What the caller should know, in one line.
fn warning(newer: bool, mut warnings: Vec<String>) -> Option<String> {
    if newer {
        let what = "the catalogue is newer than the index: run `thorax index` to search what was imported since";
        warnings.push(what.to_owned());
    }
    (!warnings.is_empty()).then(|| warnings.join("; "))
}

impl Engine {
    /// Opens catalogue, index and the encoder that made the index.
    ///
    /// # Errors
    /// There is no index yet, its model is gone, or another process owns the home.
    pub fn open(home: &Home) -> Result<Self> {
        Self::open_beside(home, Arc::new(home.catalogue()?), None)
    }

    /// Opens the index that serves now on a catalogue that is open already. `serving` lends its encoder where the model is
    /// the same, and goes on serving.
    ///
    /// # Errors
    /// As [`Engine::open`].
    pub fn open_beside(home: &Home, catalogue: Arc<Catalogue>, serving: Option<&Engine>) -> Result<Self> {
        let index = Index::open(home.path())?
            .ok_or_else(|| Error::Caller("this home has no index yet: run `thorax index`".to_owned()))?;
        let fingerprint = &index.manifest().fingerprint;
        let (model, encoder) = match serving {
            Some(serving) if serving.encoder.fingerprint() == fingerprint => {
                (serving.model.clone(), Arc::clone(&serving.encoder))
            }
            _ => {
                let (model, encoder) = home.encoder_with(fingerprint)?;
                (model, Arc::new(encoder))
            }
        };
        let keys = (0..index.len() as u32).filter_map(|row| Some((opaque(index.study(row)?.id), row))).collect();
        // last: what is laid out by rows above needs every row, and a deleted study that is imported again comes back
        index.catch_up(&catalogue)?;
        Ok(Self { catalogue, index, encoder, model, config: home.config.clone(), keys })
    }

    /// Deletes studies: acknowledged in one transaction, and no search finds them any more. Answers how many there were.
    ///
    /// # Errors
    /// The catalogue cannot be written; then nothing is deleted.
    pub fn delete(&self, ids: &[&str]) -> Result<usize> {
        let deleted = self.catalogue.remove(ids)?;
        self.index.catch_up(&self.catalogue)?;
        Ok(deleted)
    }

    /// The catalogue, shared with whoever writes to it in this process.
    pub fn catalogue(&self) -> &Arc<Catalogue> {
        &self.catalogue
    }

    /// The encoder in use, to share.
    pub fn encoder(&self) -> &Arc<Encoder> {
        &self.encoder
    }

    /// The index in use.
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// The model in use, by name.
    pub fn model(&self) -> (&str, &Encoder) {
        (&self.model, &self.encoder)
    }

    /// The study of an opaque key, and `None` where there is none.
    ///
    /// # Errors
    /// The catalogue cannot be read.
    pub fn study_of_key(&self, key: &str) -> Result<Option<Study>> {
        let Some(found) = self.keys.get(key).and_then(|row| self.index.study(*row)) else {
            return Ok(None);
        };
        self.study(found.id)
    }

    fn study(&self, id: &str) -> Result<Option<Study>> {
        self.catalogue.get(id)?.as_ref().map(study).transpose()
    }

    /// Runs a search.
    ///
    /// # Errors
    /// A request that is out of bounds, a filter or keyword query that does not parse: the caller's fault.
    pub fn search(&self, request: Request) -> Result<Response> {
        let started = Instant::now();
        let request = request.validated()?;
        let text = match &request.query {
            Query::Text(text) => Some(text.clone()),
            Query::Image(_) => None,
        };
        let mut plan = plan(&self.index, text.as_deref().unwrap_or_default())?;
        self.narrow(&request, &mut plan)?;
        let gathered = self.gather(&request, &plan)?;
        let results = self.results(&request, &gathered)?;
        let understood = gathered.understood.findings.iter().map(|w| Asked::new(w, &plan.prose)).collect();
        let behind = self.index.catch_up(&self.catalogue)?;
        let newer = behind.added + behind.changed > 0;
        Ok(Response {
            query: Echo { text, to: request.to, k: request.k, filter: request.filter, understood },
            took_ms: started.elapsed().as_millis() as u64,
            warning: warning(newer, plan.warnings),
            results,
        })
    }

    /// Leaves the rows that the filter and the target let pass.
    fn narrow(&self, request: &Request, plan: &mut Plan) -> Result<()> {
        let (passing, warnings) = language::filter(&self.index, request.filter.as_deref().unwrap_or_default())?;
        plan.warnings.extend(warnings);
        plan.rows &= passing;
        let space = match request.to {
            Target::Images => Space::Images,
            Target::Reports => Space::Sentences,
        };
        plan.rows = plan.rows.iter().filter(|row| !self.index.items(space, *row).is_empty()).collect();
        Ok(())
    }

    fn gather(&self, request: &Request, plan: &Plan) -> Result<Gathered> {
        let n = self.config.search.candidates.max(request.k);
        let index = &self.index;
        let rows = &plan.rows;
        let text = plan.prose.as_str();
        let vector = match &request.query {
            // a query of tests alone ranks nothing: the studies come in their order
            Query::Text(_) if text.is_empty() => return Ok(Gathered::unranked(rows.iter().take(n))),
            Query::Text(_) => self.embed_text(text)?,
            Query::Image(film) => {
                let pixels = self.encoder.preprocess(film)?;
                first(self.encoder.embed_images(&[pixels])?)?
            }
        };
        let understood = understand(text);
        let own = match request.to {
            Target::Images => Space::Images,
            Target::Reports => Space::Sentences,
        };
        // Items, not studies: a study with several films or sentences takes several places.
        let by_own = candidates::nearest(index, own, &vector, 4 * n, Some(rows))?;
        let mut extra = Ranking::default();
        let mut keywords = Ranking::default();
        let mut stated = Ranking::default();
        if !text.is_empty() && !request.encoder_only {
            if own == Space::Images {
                extra = candidates::nearest(index, Space::Sentences, &vector, 4 * n, Some(rows))?;
            }
            keywords = candidates::keywords(index, &plan.terms, n, Some(rows))?;
            let known = candidates::stated(index, &understood.findings)? & rows;
            if !known.is_empty() {
                stated = candidates::nearest(index, own, &vector, 4 * n, Some(&known))?;
            }
        }
        let fused = fuse([
            (FILM, by_own.rows.as_slice()),
            (SENTENCE, extra.rows.as_slice()),
            (KEYWORD, keywords.rows.as_slice()),
            (STATED, stated.rows.as_slice()),
        ]);
        let (images, sentences) = match own {
            Space::Images => (by_own.with(stated), extra),
            Space::Sentences => (Ranking::default(), by_own.with(stated)),
        };
        Ok(Gathered { understood, images, sentences, keywords, fused })
    }

    fn embed_text(&self, text: &str) -> Result<Vec<f32>> {
        first(self.encoder.embed_texts(&[text])?)
    }

    /// Re-ranks by agreement of findings, drops what is excluded, and keeps the best `k`.
    fn results(&self, request: &Request, gathered: &Gathered) -> Result<Vec<Hit>> {
        let wanted = gathered.understood.findings.as_slice();
        let mut ranked = Vec::with_capacity(gathered.fused.len());
        for (row, fused) in &gathered.fused {
            let Some(id) = self.index.study(*row).map(|s| s.id) else { continue };
            // A study that was removed since the index was made is no result.
            let Some(study) = self.study(id)? else { continue };
            let shown = shown(&study);
            let verdict = match request.encoder_only {
                true => Agreement { score: 0.0, excluded: false },
                false => agreement(wanted, &shown),
            };
            if !verdict.excluded {
                ranked.push((verdict.score, *fused, *row, study, shown));
            }
        }
        ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.1.total_cmp(&a.1)).then(a.2.cmp(&b.2)));
        ranked.truncate(request.k);
        Ok(ranked
            .into_iter()
            .enumerate()
            .map(|(i, (agreed, fused, row, study, shown))| {
                self.hit(i + 1, gathered, row, (agreed, fused), study, shown)
            })
            .collect())
    }

    fn hit(
        &self,
        rank: usize,
        gathered: &Gathered,
        row: u32,
        (agreed, fused): (f32, f32),
        study: Study,
        findings: Vec<Finding>,
    ) -> Hit {
        let key = opaque(&study.id);
        let by_film = gathered.images.places.get(&row);
        let by_sentence = gathered.sentences.places.get(&row);
        let film = by_film
            .and_then(|(_, item)| self.index.item_key(Space::Images, *item))
            .and_then(|id| study.images.iter().position(|image| image.id == id))
            .unwrap_or(0);
        let nearest = by_sentence.and_then(|(_, item)| self.index.item_key(Space::Sentences, *item));
        let sentence = matched_sentence(&study, &gathered.understood.findings, nearest);
        let image = study.images.get(film);
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
            score: agreed + fused,
            components: Components {
                image: by_film.map(|(place, _)| *place),
                sentence: by_sentence.map(|(place, _)| *place),
                keyword: gathered.keywords.places.get(&row).map(|(place, _)| *place),
                fused,
                findings: agreed,
            },
            findings,
            sentence,
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
}

/// The sentence to show: one that states what is wanted present, else one that states what is wanted absent, else the
/// one whose embedding is nearest.
fn matched_sentence(study: &Study, wanted: &[Wanted], nearest: Option<&str>) -> Option<String> {
    let all = sentences(study);
    let states = |text: &str, polarity: Polarity| {
        findings::label(text).mentions.iter().filter(|m| m.polarity == polarity).any(|m| {
            wanted.iter().any(|w| {
                w.observation == m.observation
                    && w.polarity == polarity
                    && (w.side.is_none() || m.side.is_none() || w.side == m.side)
            })
        })
    };
    let stated = |polarity| all.iter().find(|s| states(&s.text, polarity));
    let found = stated(Polarity::Present)
        .or_else(|| stated(Polarity::Absent))
        .or_else(|| all.iter().find(|s| Some(s.key.as_str()) == nearest))?;
    Some(found.text.clone())
}

/// A key for URLs that says nothing about the patient: 24 hex digits of BLAKE3.
pub fn opaque(id: &str) -> String {
    let hash = blake3::hash(id.as_bytes()).to_hex();
    hash.as_str().chars().take(24).collect()
}

pub(crate) fn first(vectors: Vec<Vec<f32>>) -> Result<Vec<f32>> {
    vectors.into_iter().next().ok_or_else(|| Error::Caller("nothing to embed".to_owned()))
}
