//! A person acts. [`incidents`] is about what broke: acknowledge it, say that it is not yours, take it, judge it. [`hands`]
//! moves responsibility. [`maintenance`] says that something may break.

pub mod hands;
pub mod incidents;
pub mod maintenance;
