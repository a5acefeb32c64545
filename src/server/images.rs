//! `GET /api/v1/images/{key}`: the film as it was imported, a thumbnail of it.

use std::io::Cursor;
use std::path::Path;

use actix_web::http::header;
use actix_web::{HttpResponse, get, web};
use image::{DynamicImage, ImageFormat};

use super::etag::{self, Known};
use super::fault::Fault;
use super::serving::Current;
use crate::archive::{Image, load_image};
use crate::error::{Error, Result};
use crate::search::Engine;

/// Longest side of a thumbnail, in pixels.
const THUMBNAIL: u32 = 320;

/// Films don't change under their key often, and they are the patient's: the browser alone may keep them.
const CACHE: (header::HeaderName, &str) = (header::CACHE_CONTROL, "private, max-age=300");

/// The file as it was imported.
#[get("/images/{key}")]
pub async fn original(engine: Current, known: Known, key: web::Path<String>) -> Result<HttpResponse, Fault> {
    answer(engine, known, key, String::new(), |path| {
        let bytes = fs_err::read(path)?;
        let kind = match image::guess_format(&bytes) {
            Ok(ImageFormat::Png) => "image/png",
            Ok(ImageFormat::Jpeg) => "image/jpeg",
            _ => "application/octet-stream",
        };
        Ok((kind, bytes))
    })
    .await
}

/// A JPEG of it whose longest side is 320 pixels.
#[get("/images/{key}/thumbnail")]
pub async fn thumbnail(engine: Current, known: Known, key: web::Path<String>) -> Result<HttpResponse, Fault> {
    answer(engine, known, key, format!("-{THUMBNAIL}"), |path| {
        let film = load_image(path)?;
        let small = DynamicImage::ImageLuma8(film.thumbnail(THUMBNAIL, THUMBNAIL).to_luma8());
        Ok(("image/jpeg", encoded(&small, ImageFormat::Jpeg)?))
    })
    .await
}

/// What `make` makes of a film, unless the client has it already.
async fn answer(
    engine: Current,
    known: Known,
    key: web::Path<String>,
    part: String,
    make: impl FnOnce(&Path) -> Result<(&'static str, Vec<u8>)> + Send + 'static,
) -> Result<HttpResponse, Fault> {
    let (tag, made) = web::block(move || -> Result<Option<_>> {
        let Some(film) = film(&engine, &key)? else { return Ok(None) };
        let tag = etag::tag(&film.hash, &part);
        let made = if known.has(&tag) { None } else { Some(make(&film.path)?) };
        Ok(Some((tag, made)))
    })
    .await??
    .ok_or_else(|| Fault::not_found("film"))?;
    Ok(match made {
        None => HttpResponse::NotModified().insert_header(CACHE).insert_header(tag).finish(),
        Some((kind, bytes)) => {
            HttpResponse::Ok().insert_header(CACHE).insert_header(tag).content_type(kind).body(bytes)
        }
    })
}

fn encoded(film: &DynamicImage, format: ImageFormat) -> Result<Vec<u8>> {
    let mut bytes = Cursor::new(Vec::new());
    film.write_to(&mut bytes, format)
        .map_err(|e| Error::Io(std::io::Error::other(format!("a film cannot be encoded: {e}"))))?;
    Ok(bytes.into_inner())
}

/// The film behind `<study key>-<number>`.
pub(super) fn film(engine: &Engine, key: &str) -> Result<Option<Image>> {
    let Some((study, number)) = key.rsplit_once('-') else { return Ok(None) };
    let Ok(number) = number.parse::<usize>() else { return Ok(None) };
    Ok(engine.study_of_key(study)?.and_then(|s| s.images.into_iter().nth(number)))
}
