//! `demo`: a true-to-life story through the real wire formats, signatures included, in virtual time. Nothing
//! in it is staged: what is printed is what the functions answered, decided and sent.

pub mod payloads;
mod play;
mod story;

use std::io::Write;

use crate::bundle::{Bundle, StartError};
use crate::record::Recorder;
pub use play::{Play, VirtualClock};

/// Why the demo could not be played to its end.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("the sample configuration has problems: {0}")]
    Configuration(String),
    #[error("the demo's secrets cannot be made")]
    Secrets(#[from] crate::secrets::MakeError),
    #[error("no loopback port is free")]
    Port(#[source] std::io::Error),
    #[error("the bundle does not answer")]
    Http(#[from] aws::clients::HttpError),
    #[error("{0} was answered with {1}, which the story does not expect")]
    Answer(String, u16),
    #[error("the story expected an acknowledgement link, and none was sent to {0}")]
    NoLink(String),
    #[error("the store does not answer")]
    Store(#[from] aws::StoreError),
    #[error("a command of the story was refused")]
    Hands(#[from] crate::hands::HandsError),
    #[error("cannot print")]
    Print(#[from] std::io::Error),
}

/// Plays the story, printing it as it happens.
pub async fn run(out: impl Write + Send + 'static) -> Result<(), DemoError> {
    recorded(out, None).await.map(|_| ())
}

/// The same, recorded; the bundle as the story leaves it.
pub async fn recorded(out: impl Write + Send + 'static, recorder: Option<Recorder>) -> Result<Bundle, DemoError> {
    let mut play = Play::start(Box::new(out), recorder).await?;
    story::tell(&mut play).await?;
    Ok(play.into_bundle())
}
