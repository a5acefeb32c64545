//! Heart size and mediastinum.

use super::Entry;
use super::Says::{Excludes, Hints, Mask, Other, Shows, Suspects};
use crate::findings::observation::Observation::{Cardiomegaly, EnlargedCardiomediastinum};

#[rustfmt::skip] // one phrase a line
pub(super) const PHRASES: &[Entry] = &[
    // Cardiomegaly
    ("cardiomegal*", Shows(&[Cardiomegaly])),
    ("cardiac|heart|ventricular|atrial|biatrial|biventricular|chamber ..2 enlargement", Shows(&[Cardiomegaly])),
    ("enlargement of the? heart|cardiac|cardiopericardial", Shows(&[Cardiomegaly])),
    ("heart|cardiac|cardiopericardial ..6 enlarged|large|big|prominent|increased", Shows(&[Cardiomegaly])),
    ("heart|cardiac silhouette|size|shadow|contour ..6 enlarged|large|larger|prominent|increased", Shows(&[Cardiomegaly])),
    // an enlarged cardiomediastinal silhouette is read as an enlarged heart: a wide mediastinum is named as such
    ("cardiomediastinal silhouette|contour|contours|shadow ..4 enlarged|large|prominent", Shows(&[Cardiomegaly])),
    ("cardiomediastinal silhouette|contour|contours|shadow ..4 widened|wide", Shows(&[EnlargedCardiomediastinum])),
    ("enlarged|large|big|prominent ..1 heart|cardiac|cardiopericardial", Shows(&[Cardiomegaly])),
    ("enlarged|large|prominent ..1 cardiomediastinal silhouette|contour|contours|shadow", Shows(&[Cardiomegaly])),
    ("enlargement ..3 cardiomediastinal silhouette|contour|contours|shadow", Shows(&[Cardiomegaly])),
    ("prominence|prominent of? the? left|right? cardiac|heart", Shows(&[Cardiomegaly])),
    ("increased|increase cardiac|heart in? size", Shows(&[Cardiomegaly])),
    ("increase|increased in heart|cardiac size", Shows(&[Cardiomegaly])),
    ("increase|increased in size of ..1 heart|cardiac", Shows(&[Cardiomegaly])),
    ("enlarged|dilated ..1 ventricle|ventricles|atrium|atria", Shows(&[Cardiomegaly])),
    ("increased|elevated cardiothoracic ratio", Shows(&[Cardiomegaly])),
    ("cardiothoracic ratio ..3 increased|elevated|enlarged", Shows(&[Cardiomegaly])),
    ("cardiac|heart hypertrophy", Shows(&[Cardiomegaly])),
    ("left|right ventricular enlargement|hypertrophy", Shows(&[Cardiomegaly])),
    ("lvh|cmg", Shows(&[Cardiomegaly])),
    ("borderline cardiomegaly", Suspects(&[Cardiomegaly])),
    ("borderline ..2 heart|cardiac|cardiomediastinal", Suspects(&[Cardiomegaly])),
    ("heart|cardiac ..5 borderline", Suspects(&[Cardiomegaly])),
    ("globular heart|cardiac", Shows(&[Cardiomegaly])),
    ("cardiac decompensation", Other),

    // Enlarged cardiomediastinum
    ("enlarged cardiomediastinum", Shows(&[EnlargedCardiomediastinum])),
    ("cardiomediastinal|cardiomediastinum enlargement|widening", Shows(&[EnlargedCardiomediastinum])),
    ("mediastin*|paratracheal ..4 widened|wide|wider|enlarged|broad|broadened", Shows(&[EnlargedCardiomediastinum])),
    ("mediastinal contour|contours|silhouette|shadow ..4 prominent", Shows(&[EnlargedCardiomediastinum])),
    ("mediastinum ..3 prominent", Shows(&[EnlargedCardiomediastinum])),
    ("widened|wide|enlarged|broad|prominent|abnormal ..1 mediastin*", Shows(&[EnlargedCardiomediastinum])),
    ("widening|enlargement|prominence|fullness|convexity ..4 mediastin*", Shows(&[EnlargedCardiomediastinum])),
    ("widening|enlargement|prominence|fullness|convexity ..4 paratracheal", Shows(&[EnlargedCardiomediastinum])),
    ("mediastinal|paratracheal widening|enlargement|prominence|fullness|convexity|prominences", Shows(&[EnlargedCardiomediastinum])),
    ("mediastinal ...3 adenopathy|lymphadenopathy", Shows(&[EnlargedCardiomediastinum])),
    ("adenopathy|lymphadenopathy ..3 mediastin*", Shows(&[EnlargedCardiomediastinum])),
    ("mediastinal ..1 mass|masses", Hints(&[EnlargedCardiomediastinum])),
    ("mass|masses ..2 mediastin*", Hints(&[EnlargedCardiomediastinum])),
    ("calcified ..2 mediastinal ..1 adenopathy|lymphadenopathy", Other),
    ("mediastinal ..1 lymph nodes? ..2 enlarged|prominent", Shows(&[EnlargedCardiomediastinum])),
    ("enlarged|prominent ..1 mediastinal ..1 lymph|nodes", Shows(&[EnlargedCardiomediastinum])),
    ("mediastinal lipomatosis", Other),
    ("widened|wide|enlarged|prominent ..1 mediastinal fat|lipomatosis", Other),
    ("prominent vascular pedicle", Shows(&[EnlargedCardiomediastinum])),
    ("widened|wide|prominent ..2 vascular pedicle", Shows(&[EnlargedCardiomediastinum])),
    ("thyroid|anterior|superior mediastinal mass", Hints(&[EnlargedCardiomediastinum])),

    // Size called normal
    ("heart|cardiac ...8 normal|unremarkable|nl", Excludes(&[Cardiomegaly])),
    ("heart|cardiac ...8 within ..1 normal|limits", Excludes(&[Cardiomegaly])),
    ("normal ..1 heart|cardiac", Excludes(&[Cardiomegaly])),
    ("normal in size heart|cardiac", Excludes(&[Cardiomegaly])),
    ("normal ..1 sized? heart|cardiac", Excludes(&[Cardiomegaly])),
    ("normal appearance|size|contour|caliber ...5 heart|cardiac", Excludes(&[Cardiomegaly])),
    ("unremarkable heart|cardiac", Excludes(&[Cardiomegaly])),
    ("heart|cardiac ..5 upper|top|high ..3 normal", Excludes(&[Cardiomegaly])),
    ("cardiac|heart ..2 not ..2 enlarged", Excludes(&[Cardiomegaly])),
    ("small heart", Excludes(&[Cardiomegaly])),
    ("cardiomediastin*|cardiac|heart ...3 mediastin* ...6 normal|unremarkable|nl", Excludes(&[Cardiomegaly, EnlargedCardiomediastinum])),
    ("cardiomediastin* ...8 normal|unremarkable|nl", Excludes(&[Cardiomegaly, EnlargedCardiomediastinum])),
    ("cardiomediastin* ...8 within ..1 normal|limits", Excludes(&[Cardiomegaly, EnlargedCardiomediastinum])),
    ("normal|unremarkable ..1 cardiomediastin*", Excludes(&[Cardiomegaly, EnlargedCardiomediastinum])),
    ("normal heart|cardiac ...3 mediastin*", Excludes(&[Cardiomegaly, EnlargedCardiomediastinum])),
    ("mediastin* ...6 normal|unremarkable|nl|midline", Excludes(&[EnlargedCardiomediastinum])),
    ("mediastin* ...6 within ..1 normal|limits", Excludes(&[EnlargedCardiomediastinum])),
    ("normal|unremarkable ..2 mediastin*", Excludes(&[EnlargedCardiomediastinum])),
    ("cardiomediastin* ..2 not ..2 enlarged|widened|wide", Excludes(&[Cardiomegaly, EnlargedCardiomediastinum])),
    ("mediastin* ..2 not ..2 enlarged|widened|wide", Excludes(&[EnlargedCardiomediastinum])),

    // Not the size of the heart
    ("heart|cardiac failure", Other),
    ("large|prominent ..1 epicardial|pericardial fat", Mask),
    ("prominent ..2 cardiac|cardiophrenic fat", Mask),
    ("prominent ..1 aortic|aorta", Other),
    ("cardiac|heart ..2 mediastinal contours ..4 increased", Shows(&[Cardiomegaly, EnlargedCardiomediastinum])),
    ("enlarged|large|prominent pulmonary arter*", Other),
];
