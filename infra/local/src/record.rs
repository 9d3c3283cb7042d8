//! Records what is delivered and what people do, as the archive that `replay` plays once more: one JSON object a line.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use aws::{Request, Response};
use jiff::Timestamp;
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// Hears every line of the archive.
pub type Recorder = Arc<dyn Fn(&str) + Send + Sync>;

/// Adds to this file, which is made if it is not there. What cannot be written is logged: nobody waits for it.
pub fn into_file(path: &Path) -> io::Result<Recorder> {
    let mut options = File::options();
    options.create(true).append(true);
    // Who merges what is in it.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = Mutex::new(options.open(path)?);
    Ok(Arc::new(move |line| {
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = file.write_all(format!("{line}\n").as_bytes()) {
            tracing::error!(%error, "a delivery was not recorded");
        }
    }))
}

/// The line for a request, if it was taken and is one that can be played again: of what people do, without the proof that it was they.
#[must_use]
pub fn line(request: &Request, response: &Response, at: Timestamp) -> Option<String> {
    let segments = request.segments();
    if request.method != "POST" || response.status != 200 {
        return None;
    }
    if matches!(segments.as_slice(), ["merge" | "deploy" | "alert", _]) {
        let to = format!("/{}", segments.join("/"));
        let text = str::from_utf8(&request.body).ok()?;
        // As it came, or as a text where it is no JSON.
        let body = RawValue::from_string(text.to_owned()).ok().filter(|_| !text.contains('\n'));
        let (at, to) = (json!(at), json!(to));
        return Some(match body {
            Some(body) => format!("{{\"at\":{at},\"to\":{to},\"body\":{}}}", body.get()),
            None => json!({ "at": at, "to": to, "raw": text }).to_string(),
        });
    }
    let [action @ .., by, _, _] = segments.as_slice() else { return None };
    if let aws::links::Action::Person(_) = aws::links::Action::parse(action)? {
        // Whose data were exported or removed is kept nowhere.
        return None;
    }
    let form: Value = request.form().into_iter().map(|(name, value)| (name, Value::from(value))).collect();
    Some(json!({ "at": at, "to": format!("/{}", action.join("/")), "by": by, "form": form }).to_string())
}
