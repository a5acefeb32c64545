//! A search, from request to answer.

use std::time::Instant;

use thorax_index::{Highlighter, RoaringBitmap};

use super::candidates;
use super::cursor::Cursor;
use super::cut::Film;
use super::engine::{Engine, opaque};
use super::explain::why_excluded;
use super::judging::Judging;
use super::language::{self, Plan, plan};
use super::order::{Candidate, Ordered};
use super::parts::Parts;
use super::rankings::Rankings;
use super::request::{Group, Request, Target};
use super::response::{Asked, Echo, Page, Response, Withheld};
use super::results::Shown;
use crate::error::Result;
use crate::findings::understand;

/// What the caller should know, in one line.
fn warning(newer: bool, mut warnings: Vec<String>) -> Option<String> {
    if newer {
        let what = "the catalogue is newer than the index: run `thorax index` to search what was imported since";
        warnings.push(what.to_owned());
    }
    (!warnings.is_empty()).then(|| warnings.join("; "))
}

/// Studies that are never results and are named in an explanation.
const WITHHELD: usize = 5;

impl Engine {
    /// Runs a search.
    ///
    /// # Errors
    /// A request that is out of bounds, a filter or keyword query that does not parse: the caller's fault.
    pub fn search(&self, request: Request) -> Result<Response> {
        let started = Instant::now();
        let request = request.validated()?;
        // First: what was deleted since is no result of this search.
        let behind = self.index().catch_up(self.catalogue())?;
        let newer = behind.added + behind.changed > 0;
        let cursor = Cursor::of(&request, self.index().manifest().generation)?;
        let mut plan = plan(self.index(), request.query.text.as_deref().unwrap_or_default())?;
        let wanted = if request.encoder_only { Vec::new() } else { understand(&plan.prose).findings };
        let parts = Parts::of(self, &request, &plan.prose, &wanted)?;
        self.narrow(&mut plan, request.filter.as_deref(), Some(request.to))?;
        let passing = std::mem::take(&mut plan.rows) - &parts.own;
        let statements = self.statements();
        let judging =
            Judging::new(statements, wanted, &parts.like, &parts.unlike, request.unstated || request.encoder_only);
        let excluded = judging.excluded(&passing);
        let rows = &passing - &excluded;
        let rankings = Rankings::of(self, &request, &plan, &parts, &judging, &passing, &rows)?;
        let found: Vec<Candidate> = rankings
            .fused()
            .into_iter()
            .map(|(row, fused)| {
                let film = Film::of(self, &judging, &rankings.readers, row);
                let level = film.level(judging.level(row));
                let relevant = film.relevant(level, &judging, rankings.stands_out(row));
                Candidate { row, level, fused, relevant }
            })
            .collect();
        let ordered = Ordered::new(found, &rows, |row| judging.level(row), request.cut);
        let patient_of = |row| self.patient_of(row);
        let group_of: Option<&dyn Fn(u32) -> u32> = match request.group {
            Group::Patient => Some(&patient_of),
            Group::Study => None,
        };
        let places = ordered.page(cursor.offset, request.k, group_of);
        let last = places.len() < request.k || ordered.page(cursor.offset + request.k, 1, group_of).is_empty();
        let page = Page {
            generation: cursor.generation,
            offset: cursor.offset,
            total: passing.len(),
            excluded: excluded.len(),
            relevant: ordered.relevant(),
            patients: group_of.map(|of| rows.iter().map(of).collect::<RoaringBitmap>().len()),
            next: (!last).then(|| cursor.next(request.k).to_string()),
        };
        let words = Highlighter::new(&plan.terms);
        let shown = Shown {
            engine: self,
            request: &request,
            prose: &plan.prose,
            words: &words,
            judging: &judging,
            rankings: &rankings,
        };
        let results = shown.hits(cursor.offset, &places)?;
        let withheld = match request.explain {
            true => self.withheld(&parts, &request, &judging, &excluded)?,
            false => Vec::new(),
        };
        let understood = judging.wanted.iter().map(|want| Asked::new(want, &plan.prose)).collect();
        let query = Echo {
            text: request.query.text.clone(),
            to: request.to,
            k: request.k,
            films: request.query.films.len(),
            like: request.query.like.clone(),
            unlike: request.query.unlike.clone(),
            group: request.group,
            filter: request.filter,
            understood,
        };
        Ok(Response {
            query,
            took_ms: started.elapsed().as_millis() as u64,
            warning: warning(newer, plan.warnings),
            page,
            withheld,
            results,
        })
    }

    /// Leaves the studies that filter and target let pass.
    pub(super) fn narrow(&self, plan: &mut Plan, filter: Option<&str>, to: Option<Target>) -> Result<()> {
        let (passing, warnings) = language::filter(self.index(), filter.unwrap_or_default())?;
        plan.warnings.extend(warnings);
        plan.rows &= passing;
        if let Some(to) = to {
            plan.rows &= self.with(to.space());
        }
        Ok(())
    }

    /// The studies that would be near the top, were they not stated to show what is excluded.
    fn withheld(
        &self,
        parts: &Parts,
        request: &Request,
        judging: &Judging<'_>,
        excluded: &RoaringBitmap,
    ) -> Result<Vec<Withheld>> {
        let leading = parts.looks.as_deref().or(parts.text.as_deref()).or(parts.film.as_deref());
        let (Some(leading), false) = (leading, excluded.is_empty()) else { return Ok(Vec::new()) };
        let near = candidates::nearest(self.index(), request.to.space(), leading, 4 * WITHHELD, Some(excluded))?;
        let why = |row: u32| {
            let study = self.index().study(row)?.id;
            let why = why_excluded(&judging.wanted, self.statements().shown(row));
            Some(Withheld { study: study.to_owned(), key: opaque(study), why })
        };
        Ok(near.rows.into_iter().filter_map(why).take(WITHHELD).collect())
    }
}
