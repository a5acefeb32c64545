//! `GET /api/v1/images/{key}`: the film as it was imported, a thumbnail of it, or a window of its grey values.

use std::io::Cursor;
use std::path::Path;

use actix_web::http::header;
use actix_web::{HttpResponse, get, web};
use image::{DynamicImage, ImageFormat, Luma};
use serde::Deserialize;
use utoipa::IntoParams;

use super::etag::{self, Known};
use super::fault::Fault;
use super::openapi::{Faults, NotFound};
use super::serving::Current;
use crate::archive::{Image, load_image};
use crate::error::{Error, Result};
use crate::search::Engine;

/// Longest side of a thumbnail, in pixels.
const THUMBNAIL: u32 = 320;

/// Films don't change under their key often, and they are the patient's: the browser alone may keep them.
const CACHE: (header::HeaderName, &str) = (header::CACHE_CONTROL, "private, max-age=300");

/// The file as it was imported.
#[utoipa::path(context_path = "/api/v1", tag = "films", params(("key" = String, Path)),
    responses((status = 200, content((Vec<u8> = "image/png"), (Vec<u8> = "image/jpeg"))),
        (status = 304, description = "The client has it already: its entity tag is in If-None-Match"), NotFound, Faults))]
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
#[utoipa::path(context_path = "/api/v1", tag = "films", params(("key" = String, Path)),
    responses((status = 200, body = Vec<u8>, content_type = "image/jpeg"),
        (status = 304, description = "The client has it already: its entity tag is in If-None-Match"), NotFound, Faults))]
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

/// A linear window (DICOM PS3.3, section C.11.2.1.2), in shares of the full range of grey values.
#[derive(Clone, Copy, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Window {
    /// The grey value that becomes the middle, from 0 to 1.
    center: f32,
    /// The width of what becomes black to white, from 0 (left out) to 1.
    width: f32,
    /// White becomes black.
    #[serde(default)]
    invert: bool,
}

impl Window {
    fn apply(self, film: &DynamicImage) -> DynamicImage {
        let from = self.center - self.width / 2.0;
        let shade = |grey: u16| {
            let share = ((f32::from(grey) / f32::from(u16::MAX) - from) / self.width).clamp(0.0, 1.0);
            ((if self.invert { 1.0 - share } else { share }) * 255.0).round() as u8
        };
        let grey = film.to_luma16();
        DynamicImage::ImageLuma8(image::ImageBuffer::from_fn(grey.width(), grey.height(), |x, y| {
            let Luma([value]) = *grey.get_pixel(x, y);
            Luma([shade(value)])
        }))
    }
}

/// A PNG of 8 bits of a window of its grey values.
#[utoipa::path(context_path = "/api/v1", tag = "films", params(("key" = String, Path), Window),
    responses((status = 200, body = Vec<u8>, content_type = "image/png"),
        (status = 304, description = "The client has it already: its entity tag is in If-None-Match"), NotFound, Faults))]
#[get("/images/{key}/window")]
pub async fn windowed(
    engine: Current,
    known: Known,
    key: web::Path<String>,
    window: web::Query<Window>,
) -> Result<HttpResponse, Fault> {
    let window = window.into_inner();
    let fits = (0.0..=1.0).contains(&window.center) && window.width > 0.0 && window.width <= 1.0;
    if !fits {
        return Err(Fault::caller("bad_parameter", "center is a number from 0 to 1, width one above 0 and up to 1"));
    }
    let part = format!("-{}-{}-{}", window.center, window.width, window.invert);
    answer(engine, known, key, part, move |path| {
        Ok(("image/png", encoded(&window.apply(&load_image(path)?), ImageFormat::Png)?))
    })
    .await
}

/// The film behind `<study key>-<number>`.
pub(super) fn film(engine: &Engine, key: &str) -> Result<Option<Image>> {
    let Some((study, number)) = key.rsplit_once('-') else { return Ok(None) };
    let Ok(number) = number.parse::<usize>() else { return Ok(None) };
    Ok(engine.study_of_key(study)?.and_then(|s| s.images.into_iter().nth(number)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_linear_between_its_ends_and_flat_beyond() {
        let film = DynamicImage::ImageLuma16(image::ImageBuffer::from_fn(5, 1, |x, _| Luma([x as u16 * 16_383])));
        let greys = |window: Window| window.apply(&film).to_luma8().into_raw();
        let full = Window { center: 0.5, width: 1.0, invert: false };
        assert_eq!(greys(full), [0, 64, 127, 191, 255]);
        assert_eq!(greys(Window { invert: true, ..full }), [255, 191, 128, 64, 0]);
        assert_eq!(greys(Window { width: 0.5, ..full }), [0, 0, 127, 255, 255]);
    }
}
