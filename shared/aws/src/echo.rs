//! What somebody repeats of what they were sent. An API that refuses may say `token abc… is not valid`, and its words stand in our
//! log and on the board: so what proves us is taken out of an answer before anybody reads it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The headers that prove us.
const PROVING: [&str; 3] = ["authorization", "private-token", "x-amz-security-token"];
/// A larger answer is data: its words are read by nobody.
const MOST: usize = 64 * 1024;
/// A shorter text is no secret, and stands in any answer by chance.
const LEAST: usize = 8;

/// Takes the credentials of a request out of what was answered.
pub(crate) fn forget(headers: &[(&str, &str)], body: &mut Vec<u8>) {
    let proving = headers.iter().filter(|(name, _)| PROVING.iter().any(|proves| name.eq_ignore_ascii_case(proves)));
    for (_, value) in proving {
        let (scheme, credential) = value.rsplit_once(' ').unwrap_or(("", value));
        let credential = credential.strip_prefix("token=").unwrap_or(credential);
        forget_text(credential, body);
        if scheme.eq_ignore_ascii_case("basic") {
            let pair = STANDARD.decode(credential).ok().and_then(|pair| String::from_utf8(pair).ok());
            let password = pair.as_deref().and_then(|pair| pair.split_once(':')).map(|(_, password)| password);
            forget_text(password.unwrap_or_default(), body);
        }
    }
}

/// Takes this secret out of what was answered.
pub fn forget_text(secret: &str, body: &mut Vec<u8>) {
    const INSTEAD: &[u8] = "…".as_bytes();
    if secret.len() < LEAST || body.len() > MOST {
        return;
    }
    while let Some(at) = body.windows(secret.len()).position(|part| part == secret.as_bytes()) {
        body.splice(at..at + secret.len(), INSTEAD.iter().copied());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_proves_us_is_in_no_answer_however_it_was_sent() {
        for (name, value) in [
            ("Authorization", "Bearer s3cr3t-value"),
            ("authorization", "Token token=s3cr3t-value"),
            ("authorization", "GenieKey s3cr3t-value"),
            ("authorization", "Basic YW5uYTpzM2NyM3QtdmFsdWU="),
            ("private-token", "s3cr3t-value"),
            ("x-amz-security-token", "s3cr3t-value"),
        ] {
            let mut body = b"token s3cr3t-value (s3cr3t-value) is not valid".to_vec();
            forget(&[("accept", "text/plain"), (name, value)], &mut body);
            assert_eq!(String::from_utf8(body).unwrap(), "token … (…) is not valid", "{name}: {value}");
        }
        let mut body = b"Basic YW5uYTpzM2NyM3QtdmFsdWU= is not valid".to_vec();
        forget(&[("authorization", "Basic YW5uYTpzM2NyM3QtdmFsdWU=")], &mut body);
        assert_eq!(String::from_utf8(body).unwrap(), "Basic … is not valid");
    }

    #[test]
    fn nothing_else_is_changed() {
        for (headers, said) in [
            ([("accept", "s3cr3t-value")], "s3cr3t-value"),
            ([("authorization", "Bearer abc")], "the alphabet: abc"),
            ([("authorization", "")], "nothing"),
        ] {
            let mut body = said.as_bytes().to_vec();
            forget(&headers, &mut body);
            assert_eq!(body, said.as_bytes());
        }
    }
}
