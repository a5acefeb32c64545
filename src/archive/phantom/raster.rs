//! Line integrals of attenuation for every pixel: the soft parts ray by ray, small things only in the pixels that they can touch.

use super::camera::Camera;
use super::scene::{Blob, Layer, Scene, Shape, Solid, Tube, mu};
use super::soft::SoftParts;
use super::solids::{Ray, Span};
use super::tubes::Segment;
use super::vector::Vec3;

/// Attenuation along every ray (no unit), row by row, and the mask of pixels with a body in them.
pub(super) fn attenuation(scene: &Scene, camera: &Camera, size: u32) -> Vec<f32> {
    let mut raster = Raster::new(scene, camera, size);
    for tube in &scene.tubes {
        raster.tube(tube);
    }
    for solid in &scene.solids {
        raster.solid(solid);
    }
    for blob in &scene.blobs {
        raster.blob(blob);
    }
    raster.compose(scene)
}

struct Raster<'a> {
    camera: &'a Camera,
    size: usize,
    rays: Vec<Ray>,
    dense: Vec<f32>,
    /// Aerated lung, what lies in it, and how much of its air is replaced; right and left.
    lung: [Vec<f32>; 2],
    within: [Vec<f32>; 2],
    airspace: [Vec<f32>; 2],
}

impl<'a> Raster<'a> {
    fn new(scene: &Scene, camera: &'a Camera, size: u32) -> Self {
        let n = size as usize;
        let rays: Vec<Ray> = (0..n * n).map(|i| camera.ray((i % n) as f32, (i / n) as f32)).collect();
        let blank = || [vec![0.0; n * n], vec![0.0; n * n]];
        let (mut dense, mut lung) = (vec![0.0; n * n], blank());
        let soft = SoftParts::new(&scene.thorax, camera);
        for (i, ray) in rays.iter().enumerate() {
            let (tau, lengths) = soft.measure(ray, (i % n) as f32, (i / n) as f32);
            dense[i] = tau;
            for side in 0..2 {
                lung[side][i] = lengths[side];
            }
        }
        Self { camera, size: n, rays, dense, lung, within: blank(), airspace: blank() }
    }

    /// The pixels within `reach` (cm) of the segment from `a` to `b`.
    fn window(&self, a: Vec3, b: Vec3, reach: f32) -> impl Iterator<Item = usize> + use<> {
        let (ax, ay, ak) = self.camera.project(a);
        let (bx, by, bk) = self.camera.project(b);
        let r = reach * ak.max(bk) + 1.0;
        let n = self.size as i32;
        let clip =
            |low: f32, high: f32| (((low - r).floor() as i32).clamp(0, n), ((high + r).ceil() as i32 + 1).clamp(0, n));
        let (x0, x1) = clip(ax.min(bx), ax.max(bx));
        let (y0, y1) = clip(ay.min(by), ay.max(by));
        (y0..y1).flat_map(move |y| (x0..x1).map(move |x| (y * n + x) as usize))
    }

    fn put(&mut self, layer: Layer, i: usize, tau: f32) {
        match layer {
            Layer::Dense => self.dense[i] += tau,
            Layer::Lung(side) => self.within[side][i] += tau,
        }
    }

    fn tube(&mut self, tube: &Tube) {
        let least = 0.6 * self.camera.pixel();
        for segment in &tube.segments {
            // what is thinner than a pixel is drawn wider and paler
            let (wide, pale) = widened(segment, least);
            for i in self.window(segment.from, segment.to, wide.reach()) {
                let ray = self.rays[i];
                let Some(outer) = wide.span(&ray, 0.0).map(length) else { continue };
                let tau = if tube.shell > 0.0 {
                    let core = wide.span(&ray, tube.shell).map_or(0.0, length);
                    (outer - core) * tube.in_shell + core * tube.in_core
                } else {
                    outer * tube.in_core
                };
                self.put(tube.layer, i, tau * pale);
            }
        }
    }

    fn solid(&mut self, solid: &Solid) {
        let (centre, reach) = match &solid.shape {
            Shape::Ellipsoid(e) => (e.centre, e.reach()),
            Shape::Planes(_, centre, reach) => (*centre, *reach),
        };
        for i in self.window(centre, centre, reach) {
            let ray = self.rays[i];
            let span = match &solid.shape {
                Shape::Ellipsoid(e) => e.span(&ray),
                Shape::Planes(p, _, _) => p.span(&ray),
            };
            if let Some(span) = span {
                self.put(solid.layer, i, length(span) * solid.mu);
            }
        }
    }

    fn blob(&mut self, blob: &Blob) {
        let peak = blob.density * blob.sigma * std::f32::consts::TAU.sqrt();
        for i in self.window(blob.centre, blob.centre, 2.8 * blob.sigma) {
            let ray = self.rays[i];
            let to = blob.centre - ray.origin;
            let t = to.dot(ray.along) / ray.along.dot(ray.along);
            let near = ray.at(t);
            let miss = near - blob.centre;
            let d2 = miss.dot(miss) / (blob.sigma * blob.sigma);
            if d2 > 7.8 {
                continue;
            }
            let edge = step(near.y - blob.floor) * step(blob.ceiling - near.y);
            self.airspace[blob.lung][i] += peak * edge * (-0.5 * d2).exp();
        }
    }

    fn compose(mut self, scene: &Scene) -> Vec<f32> {
        for side in 0..2 {
            let aerated = mu::SOFT - mu::LUNG * scene.thorax.lungs[side].density;
            for i in 0..self.dense.len() {
                let lung = self.lung[side][i];
                if lung < 0.02 {
                    continue;
                }
                // no more can be filled than there is
                let filled = lung * 0.9 * (1.0 - (-self.airspace[side][i] / (lung * 0.9)).exp());
                let seen = (lung / 2.5).min(1.0) * (1.0 - 0.8 * filled / lung);
                self.dense[i] += filled * aerated.max(0.0) + self.within[side][i] * seen;
            }
        }
        self.dense.iter_mut().for_each(|t| *t = t.max(0.0));
        self.dense
    }
}

fn length((a, b): Span) -> f32 {
    b - a
}

/// 0 below, 1 above, over half a centimetre.
fn step(height: f32) -> f32 {
    let s = (height / 0.5 + 0.5).clamp(0.0, 1.0);
    s * s * (3.0 - 2.0 * s)
}

fn widened(segment: &Segment, least: f32) -> (Segment, f32) {
    if segment.a >= least && segment.b >= least {
        return (*segment, 1.0);
    }
    let mut wide = *segment;
    wide.a = wide.a.max(least);
    wide.b = wide.b.max(least);
    let pale = (segment.a * segment.b) / (wide.a * wide.b);
    (wide, pale)
}
