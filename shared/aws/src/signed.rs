//! One plain request to an API of AWS, signed (SigV4) for our account: an e-mail, a text message. Each would need an SDK
//! crate of its own, larger than all of ours. Sending it is the caller's business.

use std::time::SystemTime;

use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings};
use aws_sigv4::sign::v4::SigningParams;
use aws_smithy_runtime_api::client::identity::Identity;
use jiff::Timestamp;

use crate::clients::Aws;

/// Why a request cannot be signed: its address is none, or the time.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unsignable(String);

impl Unsignable {
    fn because(why: &impl ToString) -> Self {
        Self(why.to_string())
    }
}

/// A request that posts something.
#[derive(Clone, Copy)]
pub struct Post<'a> {
    /// The service, as its signatures name it: `ses`.
    pub service: &'a str,
    pub url: &'a str,
    /// All of them are signed.
    pub headers: &'a [(&'a str, &'a str)],
    pub body: &'a [u8],
}

impl Post<'_> {
    /// The request's headers, and those that sign it. AWS takes it for five minutes from `at`.
    pub fn sign(&self, aws: &Aws, at: Timestamp) -> Result<Vec<(String, String)>, Unsignable> {
        let host = self.url.split_once("://").and_then(|(_, rest)| rest.split('/').next());
        if host.is_none_or(|host| host.is_empty() || host.starts_with(':')) {
            return Err(Unsignable::because(&"the address has no host"));
        }
        let identity = Identity::from(aws.credentials.clone());
        let time = SystemTime::try_from(at).map_err(|error| Unsignable::because(&error))?;
        let params = SigningParams::builder()
            .identity(&identity)
            .region(&aws.region)
            .name(self.service)
            .time(time)
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| Unsignable::because(&error))?
            .into();
        let body = SignableBody::Bytes(self.body);
        let request = SignableRequest::new("POST", self.url, self.headers.iter().copied(), body);
        let signing = request.and_then(|request| aws_sigv4::http_request::sign(request, &params));
        let (signing, _) = signing.map_err(|error| Unsignable::because(&error))?.into_parts();
        let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Ok(self.headers.iter().copied().chain(signing.headers()).map(own).collect())
    }
}

#[cfg(test)]
mod tests {
    use aws_credential_types::Credentials;

    use super::*;

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

    /// The credentials, region, service, time and host of AWS's own test suite of signatures.
    fn signed(headers: &[(&str, &str)], body: &str, token: Option<&str>) -> Vec<(String, String)> {
        let aws = Aws {
            authorities: crate::clients::Authorities::Machine,
            region: "us-east-1".to_owned(),
            credentials: Credentials::new("AKIDEXAMPLE", SECRET, token.map(str::to_owned), None, "test"),
            dynamodb_endpoint: None,
            sns_endpoint: None,
            ssm_endpoint: None,
            scheduler_endpoint: None,
        };
        let post = Post { service: "service", url: "https://example.amazonaws.com/", headers, body: body.as_bytes() };
        post.sign(&aws, "2015-08-30T12:36:00Z".parse().unwrap()).unwrap()
    }

    fn header<'a>(headers: &'a [(String, String)], name: &str) -> &'a str {
        headers.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value)
    }

    #[test]
    fn aws_own_examples_are_signed_as_published() {
        let form = [("content-type", "application/x-www-form-urlencoded")];
        for (name, headers, body, signed_headers, signature) in [
            (
                "post-vanilla",
                &[][..],
                "",
                "host;x-amz-date",
                "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
            ),
            (
                "post-x-www-form-urlencoded",
                &form[..],
                "Param1=value1",
                "content-type;host;x-amz-date",
                "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
            ),
        ] {
            let all = signed(headers, body, None);
            assert_eq!(header(&all, "x-amz-date"), "20150830T123600Z", "{name}");
            let want = format!(
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
                 SignedHeaders={signed_headers}, Signature={signature}"
            );
            assert_eq!(header(&all, "authorization"), want, "{name}");
        }
    }

    #[test]
    fn a_session_is_named_and_the_secret_key_is_not() {
        let all = signed(&[("content-type", "application/json")], "{}", Some("session"));
        assert_eq!(header(&all, "x-amz-security-token"), "session");
        assert!(
            header(&all, "authorization").contains("SignedHeaders=content-type;host;x-amz-date;x-amz-security-token")
        );
        assert!(all.iter().all(|(name, value)| !name.contains(SECRET) && !value.contains(SECRET)), "{all:?}");
    }

    #[test]
    fn an_address_without_a_host_is_an_error() {
        let aws = Aws::local(String::new(), String::new());
        for url in ["", "/v2", "https://", "https:///v2", "https://:80/", "https://a b/"] {
            let post = Post { service: "ses", url, headers: &[], body: b"" };
            assert!(post.sign(&aws, Timestamp::UNIX_EPOCH).is_err(), "{url}");
        }
    }
}
