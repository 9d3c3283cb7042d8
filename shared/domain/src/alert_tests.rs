//! What monitors write of severity, and the names an alert has in it.

use super::*;
use crate::testing::{alert, at};

#[test]
fn severities_are_read_as_monitors_write_them_and_what_is_unknown_is_critical() {
    for (words, want) in [
        (&["info", "informational", "none", "notice", "low", "P4", "p5", "INFO"][..], Severity::Info),
        (&["warning", "warn", "minor", "medium", "p3", "Warning"], Severity::Warning),
        (&["critical", "page", "p1", ""], Severity::Critical),
    ] {
        for word in words {
            assert_eq!(Severity::from_label(Some(word)), want, "{word}");
        }
    }
    assert_eq!(Severity::from_label(None), Severity::Critical);
}

#[test]
fn the_names_in_an_alert_are_told_once_each_and_not_without_end() {
    let listed = |files: String| {
        let mut alert = alert("HighErrorRate", at("12:00"), None);
        alert.labels.insert(FILES.to_owned(), files);
        alert.names()
    };
    assert_eq!(listed("lms/a.py lms/b.py lms/a.py".into()), ["lms/a.py", "lms/b.py"]);
    let many: Vec<String> = (0..named::MOST_NAMES + 3).map(|n| format!("lms/f{n:03}.py")).collect();
    assert_eq!(listed(many.join(" ")).len(), named::MOST_NAMES);
}

#[test]
fn what_several_of_its_texts_name_is_told_once_and_all_of_them_together_name_few() {
    let names = |label: String, summary: &str, detail: &str| {
        let mut alert = Alert { summary: summary.to_owned(), ..alert("HighErrorRate", at("12:00"), None) };
        alert.labels.insert(FILES.to_owned(), label);
        alert.detail = Some(detail.to_owned());
        alert.names()
    };
    assert_eq!(names("lms/a.py".into(), "lms/a.py fails", "in lms/b.py"), ["lms/a.py", "lms/b.py"]);
    let seven: Vec<String> = (0..7).map(|n| format!("lms/f{n}.py")).collect();
    let all = names(seven.join(" "), "lms/y.py fails", "in lms/x.py");
    assert_eq!((all.len(), all.last().map(String::as_str)), (named::MOST_NAMES, Some("lms/x.py")));
}
