//! Clones as they come.
