//! Where a film that an archive names lies on disk.

use std::path::{Component, Path, PathBuf};

use super::study::{Image, View};

/// Extensions tried in place of the one that the archive names: copies are often converted.
const EXTENSIONS: [&str; 4] = ["png", "jpg", "jpeg", "PNG"];

/// The file `name` below `folder`, under its own extension or that of a converted copy.
///
/// A name that leads out of `folder` finds nothing: what others wrote must not reach further files of this machine.
pub(super) fn find_film(folder: &Path, name: &str) -> Option<PathBuf> {
    let inside = Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
    if name.is_empty() || name.contains('\0') || !inside {
        return None;
    }
    let as_named = folder.join(name);
    if as_named.is_file() {
        return Some(as_named);
    }
    // `with_extension` would cut a name such as `fig1.a` that has none.
    let known = Path::new(name)
        .extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|extension| EXTENSIONS.iter().any(|known| known.eq_ignore_ascii_case(extension)));
    EXTENSIONS.into_iter().find_map(|extension| {
        let path = if known { as_named.with_extension(extension) } else { folder.join(format!("{name}.{extension}")) };
        path.is_file().then_some(path)
    })
}

/// A film of a study as a reader yields it: hash and size are left to the check.
pub(super) fn film(study: &str, number: usize, path: PathBuf, view: Option<View>) -> Image {
    Image { id: format!("{study}#{number}"), path, view, hash: String::new(), size: (0, 0) }
}

/// File name without its extension.
pub(super) fn stem(name: &str) -> &str {
    Path::new(name).file_stem().and_then(|stem| stem.to_str()).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn converted_copies_are_found_and_nothing_outside() {
        let folder = tempfile::tempdir().unwrap();
        let images = folder.path().join("images");
        fs_err::create_dir(&images).unwrap();
        for name in ["images/a.jpg", "images/b.v1.jpg", "images/c.png", "images/c.jpg", "outside.jpg"] {
            fs_err::write(folder.path().join(name), b"x").unwrap();
        }
        assert_eq!(find_film(&images, "a.png"), Some(images.join("a.jpg")));
        assert_eq!(find_film(&images, "b.v1"), Some(images.join("b.v1.jpg")));
        assert_eq!(find_film(&images, "c.jpg"), Some(images.join("c.jpg")));
        assert_eq!(find_film(&images, "c.jpeg"), Some(images.join("c.png")));
        let absolute = folder.path().join("outside.jpg");
        for name in ["", "none.png", "../outside.jpg", "./../outside.jpg", absolute.to_str().unwrap(), "a\0.jpg"] {
            assert_eq!(find_film(&images, name), None, "{name:?}");
        }
    }
}
