//! Chats: somebody presses a button of a message of ours, or types a command. It does what the form of a link would do, in the
//! name of whoever did it.

mod commands;
pub(crate) mod slack;
