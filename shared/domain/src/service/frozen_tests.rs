//! When deployments have to wait, where several freezes overlap or touch.

use std::sync::Arc;

use super::*;
use crate::testing::{at, service};

fn frozen(times: &[(&str, &str)]) -> Service {
    let time = |(from, until): &(&str, &str)| Time { name: format!("from {from}"), from: at(from), until: at(until) };
    Service { frozen: vec![Arc::new(times.iter().map(time).collect())], ..service() }
}

#[test]
fn what_overlaps_or_touches_goes_on_and_a_gap_ends_it() {
    let service = frozen(&[("10:00", "12:00"), ("11:00", "14:00"), ("14:00", "15:00"), ("15:01", "17:00")]);
    let at_time = |when: &str| service.frozen_at(at(when)).map(|frozen| (frozen.name, frozen.from, frozen.until));
    let first = Some(("from 10:00".to_owned(), at("10:00"), at("15:00")));
    assert_eq!((at_time("09:59"), at_time("10:00"), at_time("11:59")), (None, first.clone(), first));
    assert_eq!(at_time("12:00"), Some(("from 11:00".to_owned(), at("11:00"), at("15:00"))));
    assert_eq!(at_time("14:59"), Some(("from 14:00".to_owned(), at("14:00"), at("15:00"))));
    assert_eq!((at_time("15:00"), at_time("17:00")), (None, None));
    assert_eq!(at_time("15:01"), Some(("from 15:01".to_owned(), at("15:01"), at("17:00"))));
}

#[test]
fn the_next_beginning_or_end_is_after_now() {
    let service = frozen(&[("10:00", "12:00"), ("15:00", "17:00")]);
    let next = |when: &str| service.frozen_next(at(when));
    let all = ["09:00", "10:00", "11:59", "12:00", "16:59", "17:00"].map(next);
    assert_eq!(
        all,
        [Some(at("10:00")), Some(at("12:00")), Some(at("12:00")), Some(at("15:00")), Some(at("17:00")), None]
    );
}

#[test]
fn a_pipeline_has_a_place_and_a_name() {
    let pipeline = Pipeline::parse("gocd:edxapp-production").unwrap();
    assert_eq!((pipeline.at.as_str(), pipeline.id.as_str()), ("gocd", "edxapp-production"));
    assert_eq!(pipeline.to_string(), "gocd:edxapp-production");
    assert_eq!(["gocd", ":edxapp", "gocd:", ":", ""].map(Pipeline::parse), [const { None }; 5]);
}
