//! `[policy]` and `[services.<id>.policy]`: every number of "when am I on call?".

use domain::service::{Declined, OffHours};
use domain::{Policy, Severity};
use jiff::SignedDuration;
use toml::de::DeTable;

use super::Problem;
use super::section::Section;

/// What a merge outside working hours means.
const OFF_HOURS: [(&str, OffHours); 3] = [("ask", OffHours::Ask), ("hold", OffHours::Hold), ("allow", OffHours::Allow)];
/// Who answers when everybody who was asked declined.
const DECLINED: [(&str, Declined); 3] =
    [("owner", Declined::Owner), ("rotation", Declined::Rotation), ("merger", Declined::Merger)];
/// How severe something has to be for anybody to be paged.
const SEVERITIES: [(&str, Severity); 3] =
    [("info", Severity::Info), ("warning", Severity::Warning), ("critical", Severity::Critical)];
/// `[policy]`: every service's numbers, unless it says otherwise.
pub(super) fn defaults(root: &mut Section<'_, '_>) -> Policy {
    root.table("policy", |section| policy(section, &Policy::default())).unwrap_or_default()
}

/// A policy with other numbers: lines of TOML, as they would stand under `[policy]`.
pub fn over(base: &Policy, lines: &str) -> Result<Policy, Vec<Problem>> {
    let (document, errors) = DeTable::parse_recoverable(lines);
    if let Some(error) = errors.first() {
        return Err(vec![Problem { line: 1, what: format!("not TOML: {}", error.message()) }]);
    }
    let mut problems = Vec::new();
    let mut section = Section::root(lines, &document, &super::no_files, &mut problems);
    let policy = policy(&mut section, base);
    section.finish();
    if problems.is_empty() { Ok(policy) } else { Err(problems) }
}

pub(super) fn policy(section: &mut Section<'_, '_>, base: &Policy) -> Policy {
    let policy = Policy {
        active: section.duration("active").unwrap_or(base.active),
        at_most: section.duration("at_most").unwrap_or(base.at_most),
        tail: section.duration("tail").unwrap_or(base.tail),
        ending_notice: section.duration("ending_notice").unwrap_or(base.ending_notice),
        next_suspect_after: section.duration("next_suspect_after").unwrap_or(base.next_suspect_after),
        first_suspect_from: section.percent("first_suspect_from").unwrap_or(base.first_suspect_from),
        next_suspect_from: section.percent("next_suspect_from").unwrap_or(base.next_suspect_from),
        rotation_after: section.duration("rotation_after").unwrap_or(base.rotation_after),
        owner_after: section.duration("owner_after").unwrap_or(base.owner_after),
        again_after: section.duration("again_after").unwrap_or(base.again_after),
        acknowledged_for: section.duration("acknowledged_for").unwrap_or(base.acknowledged_for),
        reopen_within: section.duration("reopen_within").unwrap_or(base.reopen_within),
        damping: section.duration("damping").unwrap_or(base.damping),
        pages_from: section.choice("pages_from", &SEVERITIES).unwrap_or(base.pages_from),
        after_failure: section.duration("after_failure").unwrap_or(base.after_failure),
        off_hours: section.choice("off_hours", &OFF_HOURS).unwrap_or(base.off_hours),
        answer_within: section.duration("answer_within").unwrap_or(base.answer_within),
        declined: section.choice("declined", &DECLINED).unwrap_or(base.declined),
        queue_told_after: section.duration("queue_told_after").unwrap_or(base.queue_told_after),
        queue_deputy_after: section.duration("queue_deputy_after").unwrap_or(base.queue_deputy_after),
        queue_warned_at: [
            section.number("queue_warned_at").unwrap_or(base.queue_warned_at[0]),
            section.number("queue_warned_again_at").unwrap_or(base.queue_warned_at[1]),
        ],
        release_at_most: section.number("release_at_most").unwrap_or(base.release_at_most),
        propose_from: section.percent("propose_from").unwrap_or(base.propose_from),
        wrong_pages_at_most: section.number("wrong_pages_at_most").unwrap_or(base.wrong_pages_at_most),
    };
    if policy.active > policy.at_most {
        section.problem("`active` is longer than `at_most`");
    }
    if policy.active.is_zero() {
        section.problem("`active` is nothing: nobody would ever be on call");
    }
    if policy.ending_notice >= policy.active && !policy.active.is_zero() {
        section.problem("`ending_notice` is as long as `active`: it would come with the start");
    }
    if policy.answer_within.is_zero() {
        section.problem("`answer_within` is nothing: nobody could ever answer");
    }
    if policy.owner_after < policy.rotation_after {
        section.problem("`owner_after` is shorter than `rotation_after`: the owner comes after the rotation");
    }
    if policy.acknowledged_for < SignedDuration::from_mins(5) {
        section.problem("`acknowledged_for` is less than 5 min: nobody could get to work before being asked again");
    }
    if !policy.again_after.is_zero() && policy.again_after < SignedDuration::from_mins(1) {
        section.problem("`again_after` is less than a minute; \"0 s\" means never");
    }
    if policy.release_at_most == 0 {
        section.problem("`release_at_most` is 0: nothing would ever be released");
    }
    let [first, second] = policy.queue_warned_at;
    if second > 0 && second < first {
        section.problem("`queue_warned_again_at` is less than `queue_warned_at`; 0 means never");
    }
    if policy.queue_told_after > policy.queue_deputy_after {
        section.problem("`queue_told_after` is longer than `queue_deputy_after`");
    }
    policy
}
