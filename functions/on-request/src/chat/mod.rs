//! Chats: somebody presses a button of a message of ours. It does what the form of a link would do, in the name of whoever
//! pressed it.

pub(crate) mod slack;
