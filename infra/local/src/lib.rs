//! The whole bundle on one machine: the same functions, wired together in one process, on an embedded
//! DynamoDB-compatible engine and a small SNS endpoint of our own.

pub mod audited;
pub mod backtest;
pub mod banner;
pub mod bundle;
pub mod catalogue;
pub mod check;
pub mod commands;
pub mod connect;
pub mod demo;
pub mod disk;
pub mod engine;
pub mod explain;
pub mod hands;
pub mod health;
pub mod layer;
pub mod measures;
pub mod papers;
pub mod record;
pub mod replay;
pub mod secrets;
pub mod server;
pub mod topic;
pub mod wireless;
pub mod wish;

pub use bundle::{Bundle, Options};
