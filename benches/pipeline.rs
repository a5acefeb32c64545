//! The application's own hot paths: labelling a report, understanding a query, computing a film. Beside the times: how
//! many of the labeler's statements agree with the phantoms' exact truth.
#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use thorax::archive::{Study, phantom};
use thorax::findings::{self, Polarity};
use thorax::indexing::shown::reports;

fn agreement(studies: &[Study]) -> (usize, usize) {
    let (mut agree, mut all) = (0, 0);
    for study in studies {
        let truth = &study.labels[0].labels;
        for report in reports(study) {
            for (observation, polarity) in report.labels.iter().filter(|(_, p)| *p != Polarity::Uncertain) {
                all += 1;
                agree += usize::from(truth.get(observation) == Some(polarity));
            }
        }
    }
    (agree, all)
}

fn pipeline(criterion: &mut Criterion) {
    let studies: Vec<Study> = (0..500).map(|n| phantom::study(1, n)).collect();
    let (agree, all) = agreement(&studies);
    println!("labeler against exact truth: {agree} of {all} statements agree");

    let mut next = studies.iter().cycle();
    criterion.bench_function("label a report", |bencher| {
        bencher.iter(|| reports(black_box(next.next().unwrap())).count());
    });
    criterion.bench_function("understand a query", |bencher| {
        bencher.iter(|| findings::understand(black_box("large right effusion, no pneumothorax")));
    });
    let mut number = 0;
    criterion.bench_function("compute a film of 256 px", |bencher| {
        bencher.iter(|| {
            number += 1;
            phantom::render(1, number, 256)
        });
    });
}

criterion_group!(benches, pipeline);
criterion_main!(benches);
