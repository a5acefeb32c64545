//! Points, directions and rotations. Centimetres; x to the patient's left, y to the head, z to the front.

use std::ops::{Add, Mul, Sub};

/// A point or a direction.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Vec3 {
    pub x: f32,
    pub y: f32,
    pub z: f32,
}

/// Short for the literal.
pub(super) const fn v(x: f32, y: f32, z: f32) -> Vec3 {
    Vec3 { x, y, z }
}

impl Vec3 {
    pub fn dot(self, o: Vec3) -> f32 {
        self.x * o.x + self.y * o.y + self.z * o.z
    }

    pub fn cross(self, o: Vec3) -> Vec3 {
        v(self.y * o.z - self.z * o.y, self.z * o.x - self.x * o.z, self.x * o.y - self.y * o.x)
    }

    pub fn length(self) -> f32 {
        self.dot(self).sqrt()
    }

    /// Unit vector; the x axis where the length is nil.
    pub fn unit(self) -> Vec3 {
        let l = self.length();
        if l > 1e-9 { self * (1.0 / l) } else { v(1.0, 0.0, 0.0) }
    }

    /// Component by component.
    pub fn times(self, o: Vec3) -> Vec3 {
        v(self.x * o.x, self.y * o.y, self.z * o.z)
    }

    pub fn lerp(self, o: Vec3, s: f32) -> Vec3 {
        self + (o - self) * s
    }
}

impl Add for Vec3 {
    type Output = Vec3;
    fn add(self, o: Vec3) -> Vec3 {
        v(self.x + o.x, self.y + o.y, self.z + o.z)
    }
}

impl Sub for Vec3 {
    type Output = Vec3;
    fn sub(self, o: Vec3) -> Vec3 {
        v(self.x - o.x, self.y - o.y, self.z - o.z)
    }
}

impl Mul<f32> for Vec3 {
    type Output = Vec3;
    fn mul(self, s: f32) -> Vec3 {
        v(self.x * s, self.y * s, self.z * s)
    }
}

/// An orthonormal frame: three unit axes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub a: Vec3,
    pub b: Vec3,
    pub c: Vec3,
}

impl Frame {
    /// The axes of the patient.
    pub const PATIENT: Frame = Frame { a: v(1.0, 0.0, 0.0), b: v(0.0, 1.0, 0.0), c: v(0.0, 0.0, 1.0) };

    /// The first axis along `along`, the second as near to `near` as it can be.
    pub fn along(along: Vec3, near: Vec3) -> Frame {
        let a = along.unit();
        let mut b = near - a * near.dot(a);
        if b.length() < 1e-4 {
            let other = if a.x.abs() < 0.9 { v(1.0, 0.0, 0.0) } else { v(0.0, 1.0, 0.0) };
            b = other - a * other.dot(a);
        }
        let b = b.unit();
        Frame { a, b, c: a.cross(b) }
    }

    /// Coordinates of `p` in the frame.
    pub fn local(&self, p: Vec3) -> Vec3 {
        v(p.dot(self.a), p.dot(self.b), p.dot(self.c))
    }

    /// The point whose coordinates in the frame are `p`.
    pub fn global(&self, p: Vec3) -> Vec3 {
        self.a * p.x + self.b * p.y + self.c * p.z
    }

    /// Turned by `yaw` about the y axis (towards the patient's left in front), then tilted by `pitch` about the x axis. Radians.
    pub fn turned(yaw: f32, pitch: f32) -> Frame {
        let (sy, cy) = yaw.sin_cos();
        let (sp, cp) = pitch.sin_cos();
        // rows of R = Rx(pitch) * Ry(yaw)
        Frame { a: v(cy, 0.0, sy), b: v(sp * sy, cp, -sp * cy), c: v(-cp * sy, sp, cp * cy) }
    }
}
