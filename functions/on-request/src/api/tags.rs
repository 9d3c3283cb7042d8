//! The tag of an answer: a digest of its body, so that whoever has it already is told so in no bytes (RFC 9110, 8.8.3 and 13.1.2).

use aws::{Request, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

pub(super) fn tagged(request: &Request, answer: Response) -> Response {
    let digest = Sha256::digest(answer.body.as_bytes());
    let tag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(&digest[..18]));
    // Of two such headers neither counts: the whole answer is never wrong.
    let known = request.header("if-none-match").is_ok_and(|given| names(given, &tag));
    let answer = if known { Response { status: 304, headers: Vec::new(), body: String::new() } } else { answer };
    answer
        .with_header("etag", &tag)
        .with_header("cache-control", "private, no-cache")
        .with_header("vary", "Accept, Authorization, Cookie")
}

/// Whether the tag is among those of the header: compared weakly, as it is meant there.
fn names(given: &str, tag: &str) -> bool {
    let one = |given: &str| {
        let given = given.trim();
        given.strip_prefix("W/").unwrap_or(given) == tag
    };
    given.trim() == "*" || given.split(',').any(one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_has_it_is_told_so_and_nobody_else() {
        let answer = || Response::json(200, &serde_json::json!({ "services": [] }));
        let ask = |headers: &[&str]| {
            let headers = headers.iter().map(|value| ("If-None-Match".to_owned(), (*value).to_owned())).collect();
            tagged(&Request::new("GET", "/on-call", headers, Vec::new()), answer())
        };
        let whole = ask(&[]);
        let (_, tag) = whole.headers.iter().find(|(name, _)| name == "etag").cloned().unwrap();
        assert_eq!((whole.status, whole.body.as_str()), (200, "{\"services\":[]}\n"));
        assert!(tag.len() == 26 && tag.starts_with('"') && tag.ends_with('"'), "{tag}");
        for has in [tag.clone(), "*".to_owned(), format!("\"x\", W/{tag}"), format!("  {tag} ,\"y\"")] {
            let short = ask(&[&has]);
            assert_eq!((short.status, short.body.as_str()), (304, ""), "{has}");
            assert!(short.headers.contains(&("etag".to_owned(), tag.clone())), "{has}");
        }
        for has in ["", "\"x\"", tag.trim_matches('"'), "W/", "W/*", ","] {
            assert_eq!(ask(&[has]).status, 200, "{has}");
        }
        assert_eq!(ask(&[&tag, &tag]).status, 200, "it stands there twice");
    }
}
