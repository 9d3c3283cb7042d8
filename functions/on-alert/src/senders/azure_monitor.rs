//! Not written yet.

use aws::{Guide, Malformed, Proof, Reading, Sender};
use domain::on_alert::AlertEvent;

pub const SENDER: Sender<AlertEvent> = Sender {
    name: "azure-monitor",
    proofs: &[Proof::Token],
    parse: read,
    guide: Guide { title: "", steps: &[], reads: "", ignores: "", docs: "" },
};

fn read(_body: &[u8]) -> Result<Reading<AlertEvent>, Malformed> {
    Ok(Reading::Ignored("not written yet".to_owned()))
}
