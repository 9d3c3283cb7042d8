//! A person acts. [`incidents`] is about what broke: acknowledge it, say that it is not yours, take it, judge it. [`hands`]
//! moves responsibility. [`maintenance`] says that something may break; [`modes`] how far automation goes; [`freezes`] that merging or deploying should wait; [`drill`] that nothing does, and pages all the same.

pub mod drill;
pub mod expedites;
pub mod freezes;
pub mod hands;
pub mod incidents;
pub mod maintenance;
pub mod modes;
pub mod reverts;
pub mod through;
