//! `GET /api/v1/studies/{key}`: one study, its films, its reports, its labels.

use actix_web::{HttpResponse, get, web};
use serde::Serialize;

use super::fault::Fault;
use super::serving::Current;
use crate::archive::{LabelSet, Report, Sex, Study, View};

#[derive(Serialize)]
struct StudyView {
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

#[derive(Serialize)]
struct Film {
    id: String,
    key: String,
    view: Option<View>,
    width: u32,
    height: u32,
}

/// One study by its opaque key.
#[get("/studies/{key}")]
pub async fn study(engine: Current, key: web::Path<String>) -> Result<HttpResponse, Fault> {
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
