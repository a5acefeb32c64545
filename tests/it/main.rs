//! The program as its users meet it: the real binary, real files, a real server, a real `kill -9`.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

mod access;
mod api;
mod audit;
mod bad_input;
mod cohort;
mod contract;
mod crash;
mod damage;
mod disk;
mod evaluation;
mod http;
mod kill;
mod limits;
mod load;
mod model;
mod operations;
mod real_data;
mod reindexing;
mod search;
mod shipped;
mod through;
mod tls;
mod training;
mod truth;
