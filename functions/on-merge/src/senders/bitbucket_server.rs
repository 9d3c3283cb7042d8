//! Not written yet.

use aws::{Guide, Malformed, Proof, Reading, Sender};
use domain::on_merge::MergeEvent;

pub const SENDER: Sender<Vec<MergeEvent>> = Sender {
    name: "bitbucket-server",
    proofs: &[Proof::Token],
    parse: read,
    guide: Guide { title: "", steps: &[], reads: "", ignores: "", docs: "" },
};

fn read(_body: &[u8]) -> Result<Reading<Vec<MergeEvent>>, Malformed> {
    Ok(Reading::Ignored("not written yet".to_owned()))
}
