//! Pages: how much of an answer is wanted, and where the next part begins. A cursor is ours, signed, and of the question that it was
//! given for: changed, or with another question, it is refused.

use aws::secrets::Secret;
use aws::verify::hmac_sha256;
use aws::{House, Malformed, Refusal, Request};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use subtle::ConstantTimeEq;

use super::parameters::Parameters;

/// How much there is on a page at most, unless it is said.
const USUAL: usize = 50;
pub(super) const MOST: usize = 200;
/// The longest cursor that is looked at.
const LONGEST: usize = 1024;

/// An answer, and the address of what follows it as a header has it.
pub(crate) struct Listed {
    pub(super) body: Value,
    pub(super) link: Option<String>,
}

impl Listed {
    pub(super) fn whole(body: Value) -> Self {
        Self { body, link: None }
    }
}

/// Which part of an answer is asked for. `P` is a place in it.
pub(super) struct Page<P> {
    pub(super) limit: usize,
    /// What was shown last.
    pub(super) after: Option<P>,
    /// What its cursors are signed with, the first for new ones.
    secrets: Vec<Secret>,
    path: String,
    filters: String,
}

impl<P> Page<P> {
    /// All of it at once, for our own commands.
    pub(super) fn whole() -> Self {
        let (path, filters) = (String::new(), String::new());
        Self { limit: usize::MAX, after: None, secrets: Vec::new(), path, filters }
    }
}

impl<P: Serialize + DeserializeOwned> Page<P> {
    pub(super) fn read(house: &House, request: &Request, parameters: &Parameters) -> Result<Self, Refusal> {
        let secrets = house.secrets.get(&house.configuration.link_secret).map_err(Refusal::NoSecret)?;
        let filters = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters.filters()).finish();
        let page = Self {
            limit: limit(parameters)?,
            after: None,
            secrets,
            path: format!("/{}", request.segments().join("/")),
            filters,
        };
        let Some(cursor) = parameters.get("cursor") else { return Ok(page) };
        let after = page.open(cursor).ok_or_else(|| {
            Malformed::new("`cursor` is no `next` of this question: ask again without it, or with the same parameters")
        })?;
        Ok(Self { after: Some(after), ..page })
    }

    /// The answer with where it goes on, if it does.
    pub(super) fn listed(&self, mut body: Value, next: Option<&P>) -> Result<Listed, Refusal> {
        let cursor = next.map(|place| self.seal(place)).transpose()?;
        let link = cursor.as_ref().map(|cursor| {
            let and = if self.filters.is_empty() { "" } else { "&" };
            // Relative to wherever it was asked; all of it is of characters that need no quoting.
            format!("<{}?{}{and}limit={}&cursor={cursor}>; rel=\"next\"", self.path, self.filters, self.limit)
        });
        if let Some(fields) = body.as_object_mut() {
            fields.insert("next".to_owned(), cursor.map_or(Value::Null, Value::String));
        }
        Ok(Listed { body, link })
    }

    fn seal(&self, place: &P) -> Result<String, Refusal> {
        const UNSIGNED: Refusal = Refusal::NotNow("what follows cannot be said");
        let text = serde_json::to_vec(place).map_err(|_| UNSIGNED)?;
        let secret = self.secrets.first().ok_or(UNSIGNED)?;
        let mac = self.mac(secret, &text);
        Ok(format!("{}.{}", URL_SAFE_NO_PAD.encode(text), URL_SAFE_NO_PAD.encode(mac)))
    }

    fn open(&self, cursor: &str) -> Option<P> {
        let (text, given) = cursor.split_once('.').filter(|_| cursor.len() <= LONGEST)?;
        let (text, given) = (URL_SAFE_NO_PAD.decode(text).ok()?, URL_SAFE_NO_PAD.decode(given).ok()?);
        let ours = |secret: &Secret| bool::from(self.mac(secret, &text).ct_eq(&given));
        self.secrets.iter().any(ours).then(|| serde_json::from_slice(&text).ok())?
    }

    fn mac(&self, secret: &Secret, text: &[u8]) -> [u8; 15] {
        let parts: [&[u8]; 6] = [b"cursor\n", self.path.as_bytes(), b"\n", self.filters.as_bytes(), b"\n", text];
        let mac = hmac_sha256(secret.bytes(), &parts);
        std::array::from_fn(|i| mac[i])
    }
}

fn limit(parameters: &Parameters) -> Result<usize, Refusal> {
    let Some(given) = parameters.get("limit") else { return Ok(USUAL) };
    let digits = given.len() <= 3 && given.bytes().all(|b| b.is_ascii_digit());
    let limit = given.parse().ok().filter(|limit| digits && (1..=MOST).contains(limit));
    Ok(limit.ok_or_else(|| Malformed::new(format!("`limit` is a number from 1 to {MOST}")))?)
}
