//! A person acts. [`incidents`] is about what broke: acknowledge it, say that it is not yours, take it, judge it. [`hands`]
//! moves responsibility.

pub mod hands;
pub mod incidents;
