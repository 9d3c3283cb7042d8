//! What needs more than a process: the programs as they are built, the runtime interface emulator, MiniStack, a live Alertmanager, an
//! OpenID provider. `cargo test -p house-tests --test machine stack` runs those of one file.

mod alertmanager;
mod api;
mod board;
mod browser;
mod command_line;
mod commands;
mod deploy;
mod engines;
mod kills;
mod lambda;
mod proofs;
mod sign_in;
mod stack;
mod store;
