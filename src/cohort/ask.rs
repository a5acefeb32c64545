//! The one door to index and search: what a query selects today.
//!
//! Everything else in this room sees studies by name, so that a change of the engine is a change of this file.

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use thorax_index::{Catalogue, Filter, Index, IndexError, Keywords, RoaringBitmap, Term};

use super::model::{Film, Generation, Member, Model, Pinned, Query, Take, now};
use crate::archive::load_image;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::findings::query::Wanted;
use crate::findings::{Observation, Polarity, Side, understand};
use crate::home::Home;
use crate::indexing::document::study;
use crate::indexing::{Finding, shown};
use crate::search::language::{self, Kind, Node};
use crate::search::{self, Engine, Request};

/// An engine of its own, or one that answers others too.
type Lent = Box<dyn Deref<Target = Engine> + Send + Sync>;

/// A home whose catalogue is open; index and encoder are opened when they are asked for the first time.
pub struct Archive {
    home: Home,
    catalogue: Arc<Catalogue>,
    index: OnceLock<Index>,
    engine: OnceLock<Lent>,
}

impl Archive {
    /// On a catalogue that is open.
    pub fn new(home: Home, catalogue: Arc<Catalogue>) -> Self {
        Self { home, catalogue, index: OnceLock::new(), engine: OnceLock::new() }
    }

    /// On an engine that is open.
    pub fn served(home: Home, engine: impl Deref<Target = Engine> + Send + Sync + 'static) -> Self {
        let catalogue = Arc::clone(engine.catalogue());
        let lent: Lent = Box::new(engine);
        Self { home, catalogue, index: OnceLock::new(), engine: OnceLock::from(lent) }
    }

    /// The catalogue.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// The index that serves.
    ///
    /// # Errors
    /// There is none yet, or it is damaged.
    pub fn index(&self) -> Result<&Index> {
        if let Some(engine) = self.engine.get() {
            return Ok(engine.index());
        }
        if let Some(index) = self.index.get() {
            return Ok(index);
        }
        let index = Index::open(self.home.path())?
            .ok_or_else(|| Error::Caller("this home has no index yet: run `thorax index`".to_owned()))?;
        index.catch_up(&self.catalogue)?;
        Ok(self.index.get_or_init(|| index))
    }

    fn engine(&self) -> Result<&Engine> {
        if let Some(engine) = self.engine.get() {
            return Ok(engine);
        }
        let engine = Engine::open_beside(&self.home, Arc::clone(&self.catalogue), None)?;
        Ok(self.engine.get_or_init(|| Box::new(Box::new(engine))))
    }

    /// How many studies are new or changed since the index was made; `None` when it belongs to another catalogue. Studies that were
    /// deleted since do not count: the index hides them.
    ///
    /// # Errors
    /// There is no index.
    pub fn behind(&self) -> Result<Option<u64>> {
        let index = self.index()?;
        if index.manifest().catalogue != self.catalogue.identity() {
            return Ok(None);
        }
        let behind = index.catch_up(&self.catalogue)?;
        Ok(Some(behind.added + behind.changed))
    }

    /// The state of the archive now, as a step notes it.
    ///
    /// # Errors
    /// The catalogue or the index cannot be read.
    pub fn pinned(&self, query: Option<&Query>) -> Result<Pinned> {
        let generation = query.map(|_| self.generation()).transpose()?;
        let model = match query {
            Some(query) if query.is_ranked() => {
                let (name, encoder) = self.engine()?.model();
                Some(Model { name: name.to_owned(), fingerprint: encoder.fingerprint().to_owned() })
            }
            _ => None,
        };
        Ok(Pinned {
            time: now(),
            thorax: env!("CARGO_PKG_VERSION").to_owned(),
            catalogue: self.catalogue.identity().to_owned(),
            sequence: self.catalogue.sequence()?,
            generation,
            model,
        })
    }

    /// The generation that serves.
    ///
    /// # Errors
    /// There is no index.
    pub fn generation(&self) -> Result<Generation> {
        let manifest = self.index()?.manifest();
        let file = self.home.path().join("index").join(manifest.generation.to_string()).join("manifest.json");
        Ok(Generation { number: manifest.generation, manifest: hash_of(&file)?, sequence: manifest.sequence })
    }

    /// Fingerprint of the model that made the index.
    ///
    /// # Errors
    /// There is no index.
    pub fn fingerprint(&self) -> Result<&str> {
        Ok(&self.index()?.manifest().fingerprint)
    }

    /// Candidates that each source gives to a search.
    pub fn candidates(&self) -> usize {
        self.home.config.search.candidates
    }

    /// What a query selects: studies of the index that are in the catalogue, with their content hash of today. In the order of their rank
    /// where they are ranked.
    ///
    /// # Errors
    /// The filter, the query language or the score does not make sense; the film is gone; there is no index or no model.
    pub fn select(&self, query: &Query) -> Result<Vec<Member>> {
        if query.is_ranked() {
            return self.ranked(query);
        }
        let index = self.index()?;
        // all that match are taken whether or not their films and sentences have a vector
        let mut rows = index.filter(&Filter::parse(query.filter.as_deref().unwrap_or_default())?)?;
        if let Some(text) = &query.text {
            rows &= self.matching(text)?;
        }
        let ids = rows.into_iter().filter_map(|row| index.study(row)).map(|study| (study.id, None, None));
        self.members(ids)
    }

    /// How the words of a query are read.
    pub fn understood(query: &Query) -> Vec<String> {
        let Some(text) = &query.text else { return Vec::new() };
        if query.is_ranked() {
            return understand(text).findings.iter().map(reading).collect();
        }
        let Ok(parsed) = language::parse(text) else { return Vec::new() };
        let mut read = Vec::new();
        for part in parts(&parsed.root) {
            match run(part).map(|run| (understand(&run).findings, run)) {
                // as it is written: a phrase, a field, AND, OR, NOT
                None => read.extend(text.get(part.span.clone()).map(str::to_owned)),
                Some((wanted, run)) if wanted.is_empty() => read.push(format!("all of the words {run}")),
                Some((wanted, _)) => read.extend(wanted.iter().map(reading)),
            }
        }
        read
    }

    /// Rows of the studies that pass what the text says in the query language, and that are stated to show all findings of its words, or
    /// have all of these words where they name no finding.
    fn matching(&self, text: &str) -> Result<RoaringBitmap> {
        let index = self.index()?;
        let parsed = language::parse(text).map_err(IndexError::from)?;
        // words at the top exclude nothing there
        let mut rows = language::plan(index, text)?.rows;
        for run in parts(&parsed.root).into_iter().filter_map(run) {
            let wanted = understand(&run).findings;
            if wanted.is_empty() {
                let words = Term::each_word(&run).into_iter().map(Keywords::Term).collect();
                rows &= index.keyword_matches(&Keywords::All(words))?;
            }
            for want in &wanted {
                rows &= self.stated(want)?;
            }
        }
        Ok(rows)
    }

    fn stated(&self, want: &Wanted) -> Result<RoaringBitmap> {
        let index = self.index()?;
        let known = |field: &str| index.field_names().iter().any(|known| known.name == field);
        let with = |field: &str| match known(field) {
            true => index.filter(&Filter::equals(field, want.observation.name())),
            false => Ok(RoaringBitmap::new()),
        };
        let absent = want.polarity == Polarity::Absent;
        let rows = with(if absent { "absent" } else { "finding" })?;
        if want.side.is_none() && want.severity.is_none() {
            // "no effusion on the left" beside one on the right is not "no effusion"
            return Ok(if absent { rows - with("finding")? } else { rows });
        }
        // side and size stand in the record
        let mut kept = RoaringBitmap::new();
        for row in rows {
            let Some(document) = index.study(row).map(|s| self.catalogue.get(s.id)).transpose()?.flatten() else {
                continue;
            };
            if shows(want, &shown(&study(&document)?)) {
                kept.insert(row);
            }
        }
        Ok(kept)
    }

    fn ranked(&self, query: &Query) -> Result<Vec<Member>> {
        let engine = self.engine()?;
        let asked = match (&query.text, &query.image) {
            (Some(text), None) => search::Query::text(text.clone()),
            (None, Some(film)) => search::Query::film(load_image(&self.find(film)?)?),
            _ => return Err(Error::Caller("a ranked selection needs a text or a film".to_owned())),
        };
        let k = match query.take {
            Take::First(k) => k,
            Take::MinScore(_) | Take::AllMatching => Config::MAX_K,
        };
        let request = Request {
            to: query.to,
            filter: query.filter.clone(),
            encoder_only: query.encoder_only,
            ..Request::new(asked, k)
        };
        let mut hits: Vec<(String, f32)> =
            engine.search(request)?.results.into_iter().map(|hit| (hit.study, hit.score)).collect();
        if let Take::MinScore(least) = query.take {
            let found = hits.len();
            hits.retain(|(_, score)| *score >= least);
            if hits.len() == Config::MAX_K && hits.len() == found {
                return Err(Error::Caller(format!(
                    "more than {} studies may reach a score of {least}: raise it, narrow the filter, or take --all-matching",
                    Config::MAX_K
                )));
            }
        }
        let ranked = (1..).zip(&hits).map(|(rank, (id, score))| (id.as_str(), Some(*score), Some(rank)));
        self.members(ranked)
    }

    /// Members of these ids as they are today; ids that the catalogue does not have are left out.
    ///
    /// # Errors
    /// The catalogue cannot be read.
    pub fn members<'a>(&self, ids: impl Iterator<Item = (&'a str, Option<f32>, Option<u32>)>) -> Result<Vec<Member>> {
        let mut members = Vec::new();
        for (id, score, rank) in ids {
            if let Some(version) = self.catalogue.version(id)? {
                members.push(Member { id: id.to_owned(), hash: version.hash, score, rank });
            }
        }
        Ok(members)
    }

    /// The file of a film: where it was, or where the archive has a film of the same content.
    fn find(&self, film: &Film) -> Result<PathBuf> {
        let same = |path: &Path| hash_of(path).is_ok_and(|hash| hash == film.hash);
        if same(&film.path) {
            return Ok(film.path.clone());
        }
        for document in self.catalogue.iter() {
            let document = document?;
            if document.images.iter().any(|item| item.hash == film.hash) {
                let images = study(&document)?.images;
                if let Some(image) = images.into_iter().find(|image| image.hash == film.hash && same(&image.path)) {
                    return Ok(image.path);
                }
            }
        }
        Err(Error::Caller(format!(
            "the film of the query (BLAKE3 {}) is neither where it was nor in the archive: put it back, or name it with --image FILE",
            film.hash.get(..12).unwrap_or_default()
        )))
    }
}

/// The parts of a query that stand beside each other at its top, in parentheses or not.
fn parts(root: &Node) -> Vec<&Node> {
    match &root.kind {
        Kind::Beside(inner) => inner.iter().flat_map(parts).collect(),
        _ => vec![root],
    }
}

/// The prose of a part that is words.
fn run(part: &Node) -> Option<String> {
    match &part.kind {
        Kind::Words(words) => Some(words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ")),
        _ => None,
    }
}

/// A film to search with.
///
/// # Errors
/// The file cannot be read.
pub fn film(path: &Path) -> Result<Film> {
    let path = fs_err::canonicalize(path).map_err(|e| Error::Caller(e.to_string()))?;
    Ok(Film { hash: hash_of(&path)?, path })
}

fn hash_of(path: &Path) -> Result<String> {
    let mut hasher = blake3::Hasher::new();
    std::io::copy(&mut fs_err::File::open(path)?, &mut hasher)?;
    Ok(hasher.finalize().to_hex().to_string())
}

/// True when a study that shows `found` is stated to be as wanted: the side and the size, where they are asked for, must be stated too.
fn shows(want: &Wanted, found: &[Finding]) -> bool {
    let of = |polarity: Polarity, side: Option<Side>| {
        found.iter().any(|f| {
            f.observation == want.observation
                && f.polarity == polarity
                && (side.is_none() || f.side == side || f.side == Some(Side::Bilateral))
                && (polarity == Polarity::Absent || want.severity.is_none() || f.severity == want.severity)
        })
    };
    // what has no side is not asked for one
    let side = want.side.filter(|_| want.observation != Observation::NoFinding);
    match (want.polarity, side) {
        // "no left effusion" is stated by "no effusion" too
        (Polarity::Absent, Some(side)) => {
            let whole = found.iter().any(|f| {
                f.observation == want.observation && f.polarity == Polarity::Absent && f.side.is_none_or(|s| s == side)
            });
            whole && !of(Polarity::Present, Some(side))
        }
        (Polarity::Absent, None) => of(Polarity::Absent, None),
        (_, Some(Side::Bilateral)) => {
            of(Polarity::Present, Some(Side::Bilateral))
                || (of(Polarity::Present, Some(Side::Left)) && of(Polarity::Present, Some(Side::Right)))
        }
        (_, side) => of(Polarity::Present, side),
    }
}

fn reading(want: &Wanted) -> String {
    let mut words = Vec::new();
    if want.polarity == Polarity::Absent {
        words.push("no".to_owned());
    }
    words.extend(want.severity.map(|severity| format!("{severity:?}").to_lowercase()));
    words.extend(want.side.map(|side| format!("{side:?}").to_lowercase()));
    words.push(want.observation.name().to_owned());
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::LabelOrigin;
    use crate::findings::Severity;
    use crate::search::Target;
    use Observation::PleuralEffusion;

    fn found(polarity: Polarity, side: Option<Side>, severity: Option<Severity>) -> Finding {
        Finding { observation: PleuralEffusion, polarity, side, severity, origin: LabelOrigin::Labeler }
    }

    fn wants(text: &str) -> Wanted {
        understand(text).findings.remove(0)
    }

    #[test]
    fn side_and_size_must_be_stated() {
        use Polarity::{Absent, Present, Uncertain};
        let left = wants("left pleural effusion");
        assert!(shows(&left, &[found(Present, Some(Side::Left), None)]));
        assert!(shows(&left, &[found(Present, Some(Side::Bilateral), None)]));
        assert!(!shows(&left, &[found(Present, Some(Side::Right), None)]));
        assert!(!shows(&left, &[found(Present, None, None)]));
        assert!(!shows(&left, &[found(Uncertain, Some(Side::Left), None)]));
        let large = wants("large pleural effusion");
        assert!(shows(&large, &[found(Present, Some(Side::Left), Some(Severity::Severe))]));
        assert!(!shows(&large, &[found(Present, Some(Side::Left), Some(Severity::Mild))]));
        assert!(!shows(&large, &[found(Present, None, None)]));
        let both = wants("bilateral pleural effusions");
        assert!(shows(&both, &[found(Present, Some(Side::Left), None), found(Present, Some(Side::Right), None)]));
        assert!(!shows(&both, &[found(Present, Some(Side::Left), None)]));
        let none = wants("no left pleural effusion");
        assert!(shows(&none, &[found(Absent, None, None)]));
        assert!(!shows(&none, &[found(Absent, Some(Side::Right), None)]));
        assert!(!shows(&none, &[]));
    }

    #[test]
    fn a_query_is_read_back_to_the_user() {
        let query = |text: &str, take| Query {
            text: Some(text.to_owned()),
            image: None,
            to: Target::Images,
            filter: None,
            take,
            encoder_only: false,
            candidates: None,
            understood: Vec::new(),
        };
        let read = |text, take| Archive::understood(&query(text, take));
        assert_eq!(
            read("large right effusion, no pneumothorax", Take::AllMatching),
            ["severe right Pleural Effusion", "no Pneumothorax"]
        );
        assert_eq!(read("previous surgery", Take::AllMatching), ["all of the words previous surgery"]);
        assert_eq!(read("\"pleural effusion\"", Take::AllMatching), ["\"pleural effusion\""]);
    }
}
