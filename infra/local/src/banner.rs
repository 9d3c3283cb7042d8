//! What is printed at the start: where everything is.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use aws::settings::Configuration;

use crate::catalogue;

/// The addresses of the board and of every sender, and where data and secrets are.
#[must_use]
pub fn banner(configuration: &Configuration, address: SocketAddr, directory: &Path, file: Option<&Path>) -> String {
    let base = &configuration.settings.public_url;
    let mut lines = vec!["Recent Deployers: if you merge, you are on call for it.\n".to_owned()];
    lines.push(format!("  board         {base}/"));
    let mut senders: Vec<_> = configuration.senders.iter().collect();
    senders.sort_by_key(|(name, _)| (name.as_str() != "github", name.as_str()));
    let all = catalogue::all();
    for (source, config) in senders {
        let mut label = source.as_str();
        for known in all.iter().filter(|known| known.name == config.kind) {
            lines.push(format!("  {:<13} {base}/{}/{source}", std::mem::take(&mut label), known.function));
        }
    }
    let how = "how to set one up: cargo run -- connect <sender>";
    lines.push(format!("  secrets       {}, {how}", directory.display()));
    match file {
        Some(file) => lines.push(format!("  data          {}", file.display())),
        None => lines.push("  data          in memory: it ends with the process".to_owned()),
    }
    if let Some(sign_in) = &configuration.sign_in {
        lines.push(format!("  sign in       at {}; it sends people back to {base}/sign-in/callback", sign_in.issuer));
    } else if address.ip() != IpAddr::from([127, 0, 0, 1]) {
        lines.push(format!("  note          listening on {address}; the board has no login of its own"));
    }
    lines.push(String::new());
    lines.join("\n")
}

/// An address that a browser can open: "every interface" is none.
#[must_use]
pub fn shown(address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() { SocketAddr::from(([127, 0, 0, 1], address.port())) } else { address }
}
