//! Not written yet.

use aws::{Guide, Malformed, Proof, Reading, Sender};
use domain::DeployEvent;

pub const SENDER: Sender<Vec<DeployEvent>> = Sender {
    name: "aws",
    proofs: &[Proof::Token],
    parse: read,
    guide: Guide { title: "", steps: &[], reads: "", ignores: "", docs: "" },
};

fn read(_body: &[u8]) -> Result<Reading<Vec<DeployEvent>>, Malformed> {
    Ok(Reading::Ignored("not written yet".to_owned()))
}

/// Reads an event that Lambda was invoked with, or a body.
pub fn from_json(_event: &serde_json::Value) -> Result<Reading<Vec<DeployEvent>>, Malformed> {
    Ok(Reading::Ignored("not written yet".to_owned()))
}
