//! The phantom: chest radiographs computed, not drawn, from a parametric thorax, with reports and the exact truth.
//!
//! An archive of any size for the demo, the tests and pretraining, free of patients. Study `n` of seed `s` depends on `s`, `n` and the
//! size of the picture alone.
//!
//! - `patient` who the patients are, and which study is whose; `course` what they have, film by film
//! - `finding` what a finding is, and the labels that follow
//! - `scene` all that lies in the beam: the soft parts (`anatomy` with `lung` and `organs`), `skeleton`, `vessels`
//! - findings put into it: `reshape` what changes its shape, `lesions` what fills the lungs, `devices`
//! - `vector`, `solids`, `loft`, `tubes` geometry; `camera` the cone beam; `raster` and `soft` line integrals
//! - `film` Beer-Lambert, noise, detector response; `filter` scatter and the detector's software; `marker` the side letter
//! - `report` the radiologist's words
//! - `chance` reproducible draws

mod anatomy;
mod camera;
mod chance;
mod course;
mod devices;
mod film;
mod filter;
mod finding;
mod lesions;
mod loft;
mod lung;
mod marker;
mod organs;
mod patient;
mod raster;
mod report;
mod reshape;
mod scene;
mod skeleton;
mod soft;
mod solids;
mod tubes;
mod vector;
mod vessels;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use image::GrayImage;
use rayon::prelude::*;

use self::camera::Camera;
use self::chance::Chance;
use self::film::Exposure;
use self::patient::Visit;
use self::scene::Scene;
use super::reader::{Rejected, Studies};
use super::study::{Image, Study, View};

/// How many studies are rendered at a time before they are handed on.
const CHUNK: usize = 16;

/// A phantom archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Phantom {
    /// How many studies.
    pub studies: usize,
    /// Seed of the archive; other seeds, other patients.
    pub seed: u64,
    /// Width and height of a film in pixels; what is below 16 or above 4096 is set to that.
    pub size: u32,
}

impl Default for Phantom {
    fn default() -> Self {
        Self { studies: 500, seed: 1, size: 256 }
    }
}

/// A phantom film could not be written.
#[derive(Debug, thiserror::Error)]
pub enum PhantomError {
    /// The folder could not be made.
    #[error("the folder for phantom films could not be made: {0}")]
    Folder(#[source] std::io::Error),
    /// A film could not be encoded or written.
    #[error("the phantom film {} could not be written: {source}", file.display())]
    Film {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        source: image::ImageError,
    },
}

impl Phantom {
    /// Writes the films as `dir/s<seed>/<index>-<film>.png`, 8 bit gray, and yields the studies in order.
    ///
    /// Studies are rendered in parallel, a few at a time, as the iterator is drawn from; `progress` is told how many are done.
    /// What is in `dir` under the same names is overwritten.
    ///
    /// # Errors
    /// When the folder cannot be made; each study when one of its films cannot be written.
    pub fn generate<'a>(
        &self,
        dir: &Path,
        progress: &'a dyn Fn(usize),
    ) -> Result<impl Iterator<Item = Result<Study, PhantomError>> + use<'a>, PhantomError> {
        let stream = self.stream(dir)?;
        Ok(stream.enumerate().map(move |(i, study)| {
            progress(i + 1);
            study
        }))
    }

    /// The same as a reader: a folder that cannot be made is the only record, rejected.
    pub fn studies(&self, dir: &Path) -> Studies {
        let rejected =
            |file: &Path, e: PhantomError| Rejected { file: file.to_owned(), record: None, reason: e.to_string() };
        match self.stream(dir) {
            Ok(stream) => {
                let dir = dir.to_owned();
                Box::new(stream.map(move |s| s.map_err(|e| rejected(&dir, e))))
            }
            Err(e) => Box::new(std::iter::once(Err(rejected(dir, e)))),
        }
    }

    fn stream(
        &self,
        dir: &Path,
    ) -> Result<impl Iterator<Item = Result<Study, PhantomError>> + Send + use<>, PhantomError> {
        let Self { studies, seed, size } = *self;
        let folder = std::path::absolute(dir).map_err(PhantomError::Folder)?.join(format!("s{seed}"));
        fs_err::create_dir_all(&folder).map_err(PhantomError::Folder)?;
        Ok((0..studies).step_by(CHUNK).flat_map(move |first| {
            let chunk: Vec<_> = (first..(first + CHUNK).min(studies))
                .into_par_iter()
                .map(|index| write(&folder, seed, index, size))
                .collect();
            chunk
        }))
    }
}

fn write(folder: &Path, seed: u64, index: usize, size: u32) -> Result<Study, PhantomError> {
    let (films, mut study) = films(seed, index, size);
    for (film, image) in films.iter().zip(&mut study.images) {
        let file = folder.join(&image.path);
        film.save_with_format(&file, image::ImageFormat::Png)
            .map_err(|source| PhantomError::Film { file: file.clone(), source })?;
        image.path = file;
    }
    Ok(study)
}

/// The frontal film of a study and the study; its image paths are bare file names.
pub fn render(seed: u64, index: usize, size: u32) -> (GrayImage, Study) {
    let visit = patient::visit(seed, index);
    (film(&visit, visit.technique.view, size), describe(seed, index, &visit))
}

/// All films of a study, the frontal one first, and the study.
pub fn films(seed: u64, index: usize, size: u32) -> (Vec<GrayImage>, Study) {
    let visit = patient::visit(seed, index);
    let study = describe(seed, index, &visit);
    let films = study.images.iter().filter_map(|i| i.view).map(|view| film(&visit, view, size)).collect();
    (films, study)
}

/// A study without its films: truth and report.
pub fn study(seed: u64, index: usize) -> Study {
    describe(seed, index, &patient::visit(seed, index))
}

fn film(visit: &Visit, view: View, size: u32) -> GrayImage {
    let size = size.clamp(16, 4096);
    let mut c = Chance::new(visit.technique.film, if view == View::Lateral { 1 } else { 0 });
    let exposure = Exposure::draw(view, &mut c);
    let scene = Scene::new(visit, view);
    let camera = Camera::new(&visit.patient.body, &visit.technique, view, size, exposure.zoom, exposure.off);
    exposure.develop(&raster::attenuation(&scene, &camera, size), size, &mut c)
}

fn describe(seed: u64, index: usize, visit: &Visit) -> Study {
    let id = format!("phantom/s{seed}-{index:06}");
    let views = [Some(visit.technique.view), visit.technique.lateral.then_some(View::Lateral)];
    let images = views
        .into_iter()
        .flatten()
        .enumerate()
        .map(|(k, view)| Image {
            id: format!("{id}#{k}"),
            path: PathBuf::from(format!("{index:06}-{k}.png")),
            view: Some(view),
            hash: String::new(),
            size: (0, 0),
        })
        .collect();
    Study {
        source: "phantom".to_owned(),
        patient: format!("phantom/s{seed}-p{:06}", visit.patient.number),
        date: Some(patient::date(visit.day)),
        offset: None,
        age: Some(visit.age),
        sex: Some(visit.patient.sex),
        images,
        reports: vec![report::write(visit).0],
        labels: vec![finding::truth(&visit.findings)],
        id,
    }
}
