//! By what a message is known.

use super::*;

#[test]
fn a_first_message_has_no_number_in_its_key_and_a_second_has() {
    let key = |nth| MessageKey {
        service: "edxapp".parse().unwrap(),
        subject: Subject::Service,
        person: "anna".parse().unwrap(),
        step: Step::Rotation,
        nth,
    };
    assert_eq!(key(0).to_string(), "edxapp#service#anna#rotation");
    assert_eq!(key(1).to_string(), "edxapp#service#anna#rotation#1");
    let kept = |nth| serde_json::to_value(key(nth)).unwrap();
    assert_eq!((kept(0).get("nth"), kept(2)["nth"].as_u64()), (None, Some(2)));
    assert_eq!(serde_json::from_value::<MessageKey>(kept(0)).unwrap(), key(0));
}
