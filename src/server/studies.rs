//! `/api/v1/studies/{key}`: one study, its films, its reports, its labels; the patient's time line; studies like it. Deleting.

use actix_web::{HttpResponse, get, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::fault::Fault;
use super::noted::{self, Counted};
use super::openapi::{Faults, NotFound, Unfit};
use super::search;
use super::serving::Current;
use crate::archive::{LabelSet, Report, Sex, Study, View};
use crate::error::Error;
use crate::indexing::Finding;
use crate::search::body::Body;
use crate::search::engine::opaque;
use crate::search::{Exclude, Target};

/// A study.
#[derive(Serialize, ToSchema)]
pub struct StudyView {
    study: String,
    key: String,
    source: String,
    patient: String,
    date: Option<String>,
    offset: Option<i32>,
    age: Option<f32>,
    sex: Option<Sex>,
    images: Vec<Film>,
    reports: Vec<Report>,
    labels: Vec<LabelSet>,
}

/// A film of a study.
#[derive(Serialize, ToSchema)]
#[schema(as = StudyFilm)]
pub struct Film {
    id: String,
    key: String,
    view: Option<View>,
    width: u32,
    height: u32,
}

/// The examinations of a patient.
#[derive(Serialize, ToSchema)]
pub struct Timeline {
    /// Oldest first; those without a date or place on the time line stand at the end.
    studies: Vec<Examination>,
}

/// An examination of the patient.
#[derive(Serialize, ToSchema)]
pub struct Examination {
    key: String,
    date: Option<String>,
    /// Place on the time line where there is no date: days from an event, or a follow-up number.
    offset: Option<i32>,
    age: Option<f32>,
    view: Option<View>,
    /// Keys of its films.
    images: Vec<String>,
    findings: Vec<Finding>,
    /// It is the study that was asked for.
    this: bool,
}

/// What is taken of the studies like one.
#[derive(Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Similar {
    to: Target,
    k: Option<usize>,
    filter: Option<String>,
    cut: bool,
    explain: bool,
    /// The patient's own studies are left out where nothing else is said.
    exclude: Exclude,
}

impl Default for Similar {
    fn default() -> Self {
        Self { to: Target::Images, k: None, filter: None, cut: false, explain: false, exclude: Exclude::Patient }
    }
}

/// Studies to delete.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Deletion {
    /// By key or id.
    studies: Vec<String>,
}

/// What was deleted.
#[derive(Serialize, ToSchema)]
pub struct Deleted {
    deleted: usize,
}

/// One study by its opaque key.
#[utoipa::path(context_path = "/api/v1", tag = "studies", params(("key" = String, Path)),
    responses((status = 200, body = StudyView), NotFound, Faults))]
#[get("/studies/{key}")]
pub async fn one(engine: Current, key: web::Path<String>) -> Result<HttpResponse, Fault> {
    let key = key.into_inner();
    let (key, found) = web::block(move || {
        let found = engine.study_of_key(&key);
        (key, found)
    })
    .await?;
    let found = found?.ok_or_else(|| Fault::not_found("study"))?;
    Ok(HttpResponse::Ok().json(view(key, found)))
}

fn view(key: String, found: Study) -> StudyView {
    let images = found.images.into_iter().enumerate().map(|(i, image)| Film {
        id: image.id,
        key: format!("{key}-{i}"),
        view: image.view,
        width: image.size.0,
        height: image.size.1,
    });
    StudyView {
        images: images.collect(),
        key,
        study: found.id,
        source: found.source,
        patient: found.patient,
        date: found.date,
        offset: found.offset,
        age: found.age,
        sex: found.sex,
        reports: found.reports,
        labels: found.labels,
    }
}

/// All examinations of a study's patient.
#[utoipa::path(context_path = "/api/v1", tag = "studies", params(("key" = String, Path)),
    responses((status = 200, body = Timeline), NotFound, Faults))]
#[get("/studies/{key}/timeline")]
pub async fn timeline(engine: Current, key: web::Path<String>) -> Result<HttpResponse, Fault> {
    let studies = web::block(move || -> Result<Vec<Examination>, Fault> {
        let own = engine.study_of_key(&key)?.ok_or_else(|| Fault::not_found("study"))?;
        let mut studies = Vec::new();
        for row in engine.index().group_rows(&own.patient) {
            let Some(study) = engine.study_of_row(row)? else { continue };
            let key = opaque(&study.id);
            studies.push(Examination {
                images: (0..study.images.len()).map(|number| format!("{key}-{number}")).collect(),
                key,
                view: study.images.first().and_then(|image| image.view),
                date: study.date,
                offset: study.offset,
                age: study.age,
                findings: engine.statements().shown(row).to_vec(),
                this: study.id == own.id,
            });
        }
        let place = |s: &Examination| (s.date.is_none(), s.date.clone(), s.offset.is_none(), s.offset);
        studies.sort_by_key(place);
        Ok(studies)
    })
    .await??;
    let count = Counted(studies.len());
    Ok(noted::with(HttpResponse::Ok().json(Timeline { studies }), count, None))
}

/// Studies like this one, of other patients.
#[utoipa::path(context_path = "/api/v1", tag = "studies", params(("key" = String, Path)), request_body = Similar,
    responses((status = 200, body = crate::search::Response), NotFound, Unfit, Faults))]
#[post("/studies/{key}/similar")]
pub async fn similar(engine: Current, key: web::Path<String>, body: web::Json<Similar>) -> Result<HttpResponse, Fault> {
    let key = key.into_inner();
    engine.row_of(&key).map_err(|_| Fault::not_found("study"))?;
    let Similar { to, k, filter, cut, explain, exclude } = body.into_inner();
    search::run(engine, Body { like: vec![key], to, k, filter, cut, explain, exclude, ..Body::default() }, Vec::new())
        .await
}

/// Delete studies from the catalogue: no search finds them from that moment on. The archive's own files are not touched.
#[utoipa::path(context_path = "/api/v1", tag = "studies", request_body = Deletion,
    responses((status = 200, body = Deleted), Unfit, Faults))]
#[post("/studies/delete")]
pub async fn delete(engine: Current, body: web::Json<Deletion>) -> Result<HttpResponse, Fault> {
    let deleted = web::block(move || -> Result<usize, Fault> {
        let mut ids = Vec::with_capacity(body.studies.len());
        for (number, study) in body.studies.iter().enumerate() {
            let found = engine.row_of(study).ok().and_then(|row| engine.index().study(row));
            match found {
                Some(found) => ids.push(found.id),
                // imported since the index was made
                None if engine.catalogue().contains(study).map_err(Error::from)? => ids.push(study.as_str()),
                None => {
                    return Err(Fault::caller("bad_request", format!("study {} of the list is not there", number + 1)));
                }
            }
        }
        Ok(engine.delete(&ids)?)
    })
    .await??;
    Ok(noted::with(HttpResponse::Ok().json(Deleted { deleted }), Counted(deleted), None))
}
