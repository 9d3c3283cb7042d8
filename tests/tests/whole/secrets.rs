//! Secrets as a function has them on AWS: told by the Parameter Store, a fake of which behaves as documented.

use aws::clients::{Aws, Http};
use aws::parameters::Parameters;
use aws::secrets::{SecretError, Secrets};
use house_tests::peer::Peer;
use house_tests::time;
use serde_json::{Value, json};

fn parameters(peer: &Peer, names: &[&str]) -> Parameters {
    let aws = Aws { ssm_endpoint: Some(peer.address.clone()), ..Aws::local(String::new(), String::new()) };
    Parameters::new(aws, Http::new(), "/recent-deployers/", names.iter().map(|name| (*name).to_owned()).collect())
}

fn told(values: &[(&str, &str)]) -> String {
    let told: Vec<Value> = values
        .iter()
        .map(|(name, value)| json!({ "Name": name, "Type": "SecureString", "Value": value, "Version": 1 }))
        .collect();
    json!({ "Parameters": told, "InvalidParameters": [] }).to_string()
}

#[tokio::test]
async fn they_are_asked_for_ten_at_a_time_signed_and_decrypted() {
    let peer = Peer::start().await;
    let names: Vec<String> = (0..12).map(|n| format!("s{n:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    peer.will_answer(200, told(&[("/recent-deployers/s00", "one"), ("/other/s01", "not ours")]));
    peer.will_answer(200, told(&[("/recent-deployers/s11", "new\nold\n")]));
    let read = parameters(&peer, &names).read(time("Fri 12:00")).await.unwrap();
    assert_eq!(read, [("s00".to_owned(), "one".to_owned()), ("s11".to_owned(), "new\nold\n".to_owned())]);
    let asked = peer.received();
    let of = |n: usize| serde_json::from_str::<Value>(&asked[n].body).unwrap();
    assert_eq!((asked.len(), of(0)["Names"].as_array().unwrap().len()), (2, 10));
    assert_eq!(of(1), json!({ "Names": ["/recent-deployers/s10", "/recent-deployers/s11"], "WithDecryption": true }));
    assert_eq!(asked[0].header("x-amz-target"), "AmazonSSM.GetParameters");
    assert!(asked[0].header("authorization").contains("/eu-west-1/ssm/aws4_request"));
    assert!(asked[0].header("authorization").contains("x-amz-target"), "the action is signed");
}

#[tokio::test]
async fn what_cannot_be_read_is_an_error_that_holds_no_value() {
    for (status, body, want) in [
        (400, r#"{"__type":"AccessDeniedException","Message":"not authorized"}"#, "answered 400: "),
        (200, "{", "cannot be read"),
        (500, "", "answered 500: "),
    ] {
        let peer = Peer::start().await;
        peer.always_answers("POST", status, body);
        let error = parameters(&peer, &["github"]).read(time("Fri 12:00")).await.unwrap_err();
        assert!(error.to_string().contains(want), "{error}");
    }
    let nowhere = Aws { ssm_endpoint: Some("http://127.0.0.1:1".into()), ..Aws::local(String::new(), String::new()) };
    let nowhere = Parameters::new(nowhere, Http::new(), "/recent-deployers", vec!["github".into()]);
    assert!(nowhere.read(time("Fri 12:00")).await.is_err());
}

#[test]
fn what_was_not_told_says_where_to_put_it_and_a_rotated_one_counts_at_once() {
    let secrets = Secrets::told("/recent-deployers/");
    let missing = secrets.get("github").unwrap_err();
    assert_eq!(missing.to_string(), "the secret github is not set: put it into the parameter /recent-deployers/github");
    secrets.keep(vec![("github".into(), "old".into()), ("empty".into(), " \n".into())]);
    assert!(matches!(secrets.get("empty"), Err(SecretError::Empty { .. })));
    secrets.keep(vec![("github".into(), "new\nold".into())]);
    let values: Vec<String> = secrets.get("github").unwrap().iter().map(|s| s.expose().to_owned()).collect();
    assert_eq!(values, ["new", "old"]);
    assert_eq!(secrets.first("github").unwrap().expose(), "new", "what we sign with");
}
