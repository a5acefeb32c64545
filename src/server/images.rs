//! `GET /api/v1/images/{key}`: the film as it was imported, or a thumbnail of it.

use std::io::Cursor;
use std::path::PathBuf;

use actix_web::http::header;
use actix_web::{HttpResponse, get, web};
use image::{DynamicImage, ImageFormat};

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
pub async fn original(engine: Current, key: web::Path<String>) -> Result<HttpResponse, Fault> {
    let bytes = web::block(move || -> Result<Option<Vec<u8>>> {
        let Some(path) = path(&engine, &key)? else { return Ok(None) };
        Ok(Some(fs_err::read(path)?))
    })
    .await??
    .ok_or_else(|| Fault::not_found("film"))?;
    let kind = match image::guess_format(&bytes) {
        Ok(ImageFormat::Png) => "image/png",
        Ok(ImageFormat::Jpeg) => "image/jpeg",
        _ => "application/octet-stream",
    };
    Ok(HttpResponse::Ok().insert_header(CACHE).content_type(kind).body(bytes))
}

/// A JPEG of it whose longest side is 320 pixels.
#[get("/images/{key}/thumbnail")]
pub async fn thumbnail(engine: Current, key: web::Path<String>) -> Result<HttpResponse, Fault> {
    let bytes = web::block(move || -> Result<Option<Vec<u8>>> {
        let Some(path) = path(&engine, &key)? else { return Ok(None) };
        let film = load_image(&path)?;
        let small = DynamicImage::ImageLuma8(film.thumbnail(THUMBNAIL, THUMBNAIL).to_luma8());
        let mut bytes = Cursor::new(Vec::new());
        small
            .write_to(&mut bytes, ImageFormat::Jpeg)
            .map_err(|e| Error::Io(std::io::Error::other(format!("thumbnail: {e}"))))?;
        Ok(Some(bytes.into_inner()))
    })
    .await??
    .ok_or_else(|| Fault::not_found("film"))?;
    Ok(HttpResponse::Ok().insert_header(CACHE).content_type("image/jpeg").body(bytes))
}

/// The film behind `<study key>-<number>`.
pub(super) fn film(engine: &Engine, key: &str) -> Result<Option<Image>> {
    let Some((study, number)) = key.rsplit_once('-') else { return Ok(None) };
    let Ok(number) = number.parse::<usize>() else { return Ok(None) };
    Ok(engine.study_of_key(study)?.and_then(|s| s.images.into_iter().nth(number)))
}

fn path(engine: &Engine, key: &str) -> Result<Option<PathBuf>> {
    Ok(film(engine, key)?.map(|image| image.path))
}
