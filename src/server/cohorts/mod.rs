//! `/api/v1/cohorts`: named sets of studies, made of searches, filters and selections.
//!
//! - [`wire`] what the routes take and answer
//! - [`files`] a cohort as a table, and its vectors

pub mod files;
pub mod wire;

use std::sync::Arc;

use actix_web::{HttpResponse, delete, get, post, web};
use thorax_index::Catalogue;

use super::fault::Fault;
use wire::{
    Changed, CohortHead, CohortList, CohortView, Combination, Combined, MemberView, Members, NewCohort, Range, Select,
};

use super::noted::{self, Counted};
use super::openapi::{Conflict, Faults, NotFound, Unfit};
use super::serving::{Current, Serving};
use crate::cohort::edit::{self, Asked, Strictness};
use crate::cohort::model::{Cohort, Operation};
use crate::cohort::summary::summary;
use crate::cohort::verify::{Verified, verify};
use crate::cohort::{Archive, Store};
use crate::error::Result;
use crate::search::engine::opaque;

/// Members of a page where the caller does not say.
const LIMIT: usize = 50;
/// Most members of a page.
const MAX_LIMIT: usize = 1000;

fn archive(serving: &Serving, engine: Current) -> Archive {
    Archive::served(serving.home().clone(), engine)
}

/// An answer, and how many studies it is about, for the audit log.
fn counted(answer: HttpResponse, studies: u64) -> HttpResponse {
    noted::with(answer, Counted(studies as usize), None)
}

/// A cohort that must be there.
fn load(catalogue: &Catalogue, name: &str) -> Result<Cohort, Fault> {
    Store::open(catalogue)?.find(name)?.ok_or_else(|| Fault::not_found("cohort"))
}

/// Refuses a name that is taken.
fn free(catalogue: &Catalogue, name: &str) -> Result<(), Fault> {
    match Store::open(catalogue)?.find(name)? {
        None => Ok(()),
        Some(_) => Err(Fault::conflict("there is a cohort of this name already: take another one")),
    }
}

/// All cohorts.
#[utoipa::path(context_path = "/api/v1", tag = "cohorts", responses((status = 200, body = CohortList), Faults))]
#[get("/cohorts")]
pub async fn list(serving: web::Data<Serving>) -> Result<HttpResponse, Fault> {
    let catalogue = Arc::clone(serving.catalogue());
    let cohorts = web::block(move || Store::open(&catalogue)?.list()).await??;
    let head = |cohort: Cohort| CohortHead {
        name: cohort.name,
        note: cohort.note,
        studies: cohort.studies,
        revision: cohort.revision,
        created: cohort.created,
        changed: cohort.changed,
        digest: cohort.digest,
    };
    Ok(HttpResponse::Ok().json(CohortList { cohorts: cohorts.into_iter().map(head).collect() }))
}

/// Make a cohort of studies, a search or a filter.
#[utoipa::path(context_path = "/api/v1", tag = "cohorts", request_body = NewCohort,
    responses((status = 201, body = Cohort), Conflict, Unfit, Faults))]
#[post("/cohorts")]
pub async fn create(
    serving: web::Data<Serving>,
    engine: Current,
    body: web::Json<NewCohort>,
) -> Result<HttpResponse, Fault> {
    let NewCohort { name, note, select } = body.into_inner();
    let made = web::block(move || -> Result<Cohort, Fault> {
        let asked = select.asked(&engine)?;
        let archive = archive(&serving, engine);
        free(archive.catalogue(), &name)?;
        Ok(edit::create(&archive, &name, note, asked, Strictness::default())?)
    })
    .await??;
    Ok(counted(HttpResponse::Created().json(&made), made.studies))
}

/// A cohort: how it came about, and counts of what is in it.
#[utoipa::path(context_path = "/api/v1", tag = "cohorts", params(("name" = String, Path)),
    responses((status = 200, body = CohortView), NotFound, Faults))]
#[get("/cohorts/{name}")]
pub async fn one(serving: web::Data<Serving>, engine: Current, name: web::Path<String>) -> Result<HttpResponse, Fault> {
    let view = web::block(move || -> Result<CohortView, Fault> {
        let archive = archive(&serving, engine);
        let cohort = load(archive.catalogue(), &name)?;
        let summary = summary(archive.catalogue(), &cohort, false)?;
        Ok(CohortView { cohort, summary })
    })
    .await??;
    let studies = view.cohort.studies;
    Ok(counted(HttpResponse::Ok().json(view), studies))
}

/// A page of a cohort's members, in the order of their ids.
#[utoipa::path(context_path = "/api/v1", tag = "cohorts", params(("name" = String, Path), Range),
    responses((status = 200, body = Members), NotFound, Faults))]
#[get("/cohorts/{name}/studies")]
pub async fn members(
    serving: web::Data<Serving>,
    engine: Current,
    name: web::Path<String>,
    range: web::Query<Range>,
) -> Result<HttpResponse, Fault> {
    let page = web::block(move || -> Result<Members, Fault> {
        let store = Store::open(serving.catalogue())?;
        let cohort = load(serving.catalogue(), &name)?;
        let limit = range.limit.unwrap_or(LIMIT);
        if limit == 0 || limit > MAX_LIMIT {
            return Err(Fault::caller("bad_parameter", format!("limit is a number from 1 to {MAX_LIMIT}")));
        }
        let mut patients: Vec<String> = Vec::new();
        let mut shown = Vec::new();
        for member in store.members(&cohort).skip(range.offset).take(limit) {
            let member = member?;
            let Some(row) = engine.index().row(&member.id) else { continue };
            let Some(study) = engine.study_of_row(row)? else { continue };
            let key = opaque(&study.id);
            let known = patients.iter().position(|patient| *patient == study.patient);
            let patient = known.unwrap_or_else(|| {
                patients.push(study.patient.clone());
                patients.len() - 1
            });
            shown.push(MemberView {
                image: (!study.images.is_empty()).then(|| format!("{key}-0")),
                key,
                patient: patient + 1,
                date: study.date,
                age: study.age,
                sex: study.sex,
                findings: engine.statements().shown(row).to_vec(),
                rank: member.rank,
            });
        }
        Ok(Members { total: cohort.studies, studies: shown })
    })
    .await??;
    let studies = page.studies.len() as u64;
    Ok(counted(HttpResponse::Ok().json(page), studies))
}

async fn change(
    serving: web::Data<Serving>,
    engine: Current,
    name: String,
    operation: Operation,
    select: Select,
) -> Result<HttpResponse, Fault> {
    let changed = web::block(move || -> Result<Cohort, Fault> {
        let asked = select.asked(&engine)?;
        let archive = archive(&serving, engine);
        load(archive.catalogue(), &name)?;
        Ok(edit::change(&archive, &name, operation, asked, Strictness::default())?)
    })
    .await??;
    Ok(counted(HttpResponse::Ok().json(&changed), changed.studies))
}

/// Add studies to a cohort.
#[utoipa::path(context_path = "/api/v1", tag = "cohorts", params(("name" = String, Path)), request_body = Changed,
    responses((status = 200, body = Cohort), NotFound, Unfit, Faults))]
#[post("/cohorts/{name}/add")]
pub async fn add(
    serving: web::Data<Serving>,
    engine: Current,
    name: web::Path<String>,
    body: web::Json<Changed>,
) -> Result<HttpResponse, Fault> {
    change(serving, engine, name.into_inner(), Operation::Add, body.into_inner().select).await
}

/// Remove studies from a cohort; they stay in the archive.
#[utoipa::path(context_path = "/api/v1", tag = "cohorts", params(("name" = String, Path)), request_body = Changed,
    responses((status = 200, body = Cohort), NotFound, Unfit, Faults))]
#[post("/cohorts/{name}/remove")]
pub async fn remove(
    serving: web::Data<Serving>,
    engine: Current,
    name: web::Path<String>,
    body: web::Json<Changed>,
) -> Result<HttpResponse, Fault> {
    change(serving, engine, name.into_inner(), Operation::Remove, body.into_inner().select).await
}

/// Combine a cohort with another one.
#[utoipa::path(context_path = "/api/v1", tag = "cohorts", params(("name" = String, Path)), request_body = Combined,
    responses((status = 200, body = Cohort), NotFound, Conflict, Unfit, Faults))]
#[post("/cohorts/{name}/combine")]
pub async fn combine(
    serving: web::Data<Serving>,
    engine: Current,
    name: web::Path<String>,
    body: web::Json<Combined>,
) -> Result<HttpResponse, Fault> {
    let Combined { operation, with, into } = body.into_inner();
    let operation = match operation {
        Combination::Union => Operation::Union,
        Combination::Intersect => Operation::Intersect,
        Combination::Minus => Operation::Minus,
    };
    let made = web::block(move || -> Result<Cohort, Fault> {
        let archive = archive(&serving, engine);
        load(archive.catalogue(), &name)?;
        load(archive.catalogue(), &with)?;
        let Some(into) = into else {
            return Ok(edit::change(&archive, &name, operation, Asked::Cohort(with), Strictness::default())?);
        };
        free(archive.catalogue(), &into)?;
        Ok(edit::combination(&archive, &into, None, operation, &[name.into_inner(), with])?)
    })
    .await??;
    Ok(counted(HttpResponse::Ok().json(&made), made.studies))
}

/// Run the steps of a cohort again, and say what that would change.
#[utoipa::path(context_path = "/api/v1", tag = "cohorts", params(("name" = String, Path)),
    responses((status = 200, body = Verified), NotFound, Faults))]
#[post("/cohorts/{name}/verify")]
pub async fn check(
    serving: web::Data<Serving>,
    engine: Current,
    name: web::Path<String>,
) -> Result<HttpResponse, Fault> {
    let verified = web::block(move || -> Result<Verified, Fault> {
        let archive = archive(&serving, engine);
        load(archive.catalogue(), &name)?;
        Ok(verify(&archive, &name, None)?)
    })
    .await??;
    Ok(HttpResponse::Ok().json(verified))
}

/// Delete a cohort for good; its studies stay in the archive.
#[utoipa::path(context_path = "/api/v1", tag = "cohorts", params(("name" = String, Path)),
    responses((status = 204), NotFound, Faults))]
#[delete("/cohorts/{name}")]
pub async fn forget(serving: web::Data<Serving>, name: web::Path<String>) -> Result<HttpResponse, Fault> {
    let catalogue = Arc::clone(serving.catalogue());
    web::block(move || -> Result<(), Fault> {
        load(&catalogue, &name)?;
        Store::open(&catalogue)?.delete(&name)?;
        Ok(())
    })
    .await??;
    Ok(HttpResponse::NoContent().finish())
}
