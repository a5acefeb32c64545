//! `/api/v1/cohorts/{name}/export` and `/embeddings`: a cohort as a file, sent while it is written.

use std::io::sink;
use std::sync::Arc;

use actix_web::{HttpResponse, get, web};
use serde::Deserialize;
use thorax_index::Space;
use utoipa::{IntoParams, ToSchema};

use super::load;
use crate::cohort::Store;
use crate::cohort::export::columns::{Allowed, chosen};
use crate::cohort::export::target::Target;
use crate::cohort::export::{embeddings, export, table};
use crate::cohort::model::Cohort;
use crate::server::fault::Fault;
use crate::server::noted::{self, Counted};
use crate::server::openapi::{Faults, NotFound};
use crate::server::serving::{Current, Serving};
use crate::server::stream;

/// What the file is like.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Table {
    /// The format.
    #[serde(default)]
    format: Format,
    /// Columns, with commas between them; all but patient, report and paths where it is left out.
    columns: Option<String>,
}

/// Format of a table.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = TableFormat)]
pub enum Format {
    /// RFC 4180.
    #[default]
    Csv,
    /// A JSON object a line.
    Jsonl,
    /// Parquet.
    Parquet,
}

/// Which of the two files.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Part {
    /// `vectors`: an NPY matrix, a row for each film; `rows`: a CSV that says which row is whose.
    #[serde(default)]
    part: Which,
}

/// A file of the two that embeddings are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = EmbeddingsPart)]
pub enum Which {
    /// The matrix.
    #[default]
    Vectors,
    /// The names of its rows.
    Rows,
}

async fn find(serving: &web::Data<Serving>, name: String) -> Result<Cohort, Fault> {
    let catalogue = Arc::clone(serving.catalogue());
    web::block(move || load(&catalogue, &name)).await?
}

/// The members of a cohort as a table: CSV, JSONL or Parquet. Without patients' ids and without report text.
#[utoipa::path(context_path = "/api/v1", tag = "cohorts", params(("name" = String, Path), Table),
    responses((status = 200, content((String = "text/csv"), (String = "application/x-ndjson"), (Vec<u8> = "application/vnd.apache.parquet"))), NotFound, Faults))]
#[get("/cohorts/{name}/export")]
pub async fn table_file(
    serving: web::Data<Serving>,
    name: web::Path<String>,
    asked: web::Query<Table>,
) -> Result<HttpResponse, Fault> {
    let names: Vec<String> =
        asked.columns.iter().flat_map(|names| names.split(',')).map(|name| name.trim().to_owned()).collect();
    let columns = chosen(&names, Allowed::default())?;
    let cohort = find(&serving, name.into_inner()).await?;
    let (format, kind, ending) = match asked.format {
        Format::Csv => (table::Format::Csv, "text/csv; charset=utf-8", "csv"),
        Format::Jsonl => (table::Format::Jsonl, "application/x-ndjson", "jsonl"),
        Format::Parquet => (table::Format::Parquet, "application/vnd.apache.parquet", "parquet"),
    };
    let catalogue = Arc::clone(serving.catalogue());
    let file = format!("{}.{ending}", cohort.name);
    let studies = Counted(cohort.studies as usize);
    let answer = stream::answer(kind, &file, move |pipe| {
        let mut table = table::table(format, Target::stream(pipe), &columns, &cohort)?;
        export(&catalogue, &cohort, &columns, None, table.as_mut())?;
        table.finish()
    });
    Ok(noted::with(answer, studies, None))
}

/// The vectors of a cohort's films.
#[utoipa::path(context_path = "/api/v1", tag = "cohorts", params(("name" = String, Path), Part),
    responses((status = 200, content((Vec<u8> = "application/octet-stream"), (String = "text/csv"))), NotFound, Faults))]
#[get("/cohorts/{name}/embeddings")]
pub async fn vectors(
    serving: web::Data<Serving>,
    engine: Current,
    name: web::Path<String>,
    asked: web::Query<Part>,
) -> Result<HttpResponse, Fault> {
    let cohort = find(&serving, name.into_inner()).await?;
    let catalogue = Arc::clone(serving.catalogue());
    let rows = asked.part == Which::Rows;
    let (kind, file) = match rows {
        true => ("text/csv; charset=utf-8", format!("{}.rows.csv", cohort.name)),
        false => ("application/octet-stream", format!("{}.npy", cohort.name)),
    };
    let studies = Counted(cohort.studies as usize);
    let answer = stream::answer(kind, &file, move |pipe| {
        let store = Store::open(&catalogue)?;
        let (wanted, other) = (Target::stream(pipe), Target::stream(sink()));
        let targets = if rows { (other, wanted) } else { (wanted, other) };
        let format = embeddings::Format::Npy;
        embeddings::export(&store, &cohort, engine.index(), Space::Images, format, None, targets)?;
        Ok(())
    });
    Ok(noted::with(answer, studies, None))
}
